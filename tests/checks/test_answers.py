"""What else learners type in the exercises on rounding, verdicts and timing, and what the checks answer."""

import numpy as np
import pytest

from codealong import checks


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("counts", lambda printed, total: np.array(checks.counts.solution(printed, total))),
        ("counts", lambda printed, total: [n for n in range(total + 1) if round(n / total, 2) == float(printed)]),
        ("seeds_needed", lambda *wanted: np.int64(checks.seeds_needed.solution(*wanted))),
        ("ratio_interval", lambda *times: np.array(checks.ratio_interval.solution(*times))),
        ("ratio_interval", lambda *times: list(checks.ratio_interval.solution(*times))),
        ("faster", lambda low, high: "cannot tell" if low <= 1 <= high else ("first", "second")[low > 1]),
    ],
)
def test_a_right_answer_of_another_kind_is_right(name, answer, capsys):
    assert getattr(checks, name)(answer) is answer
    assert capsys.readouterr().out == f"✅ {name}\n"


def test_whoever_begins_the_first_round_is_free_to_choose(capsys):
    def paired_times(steps, rounds, warm_up, clock):
        for _ in range(warm_up):
            for step in steps:
                step()
        rows = []
        for number in range(rounds):
            row = [0.0] * len(steps)
            for which in reversed(range(len(steps))) if number % 2 == 0 else range(len(steps)):
                start = clock()
                steps[which]()
                row[which] = clock() - start
            rows.append(row)
        return np.array(rows)

    assert checks.paired_times(paired_times) is paired_times


def test_the_order_of_a_round_may_be_drawn(capsys):
    def paired_times(steps, rounds, warm_up, clock):
        for step in steps * warm_up:
            step()
        times = np.empty((rounds, len(steps)))
        for number in range(rounds):
            for which in generator.permutation(len(steps)):
                start = clock()
                steps[which]()
                times[number, which] = clock() - start
        return times

    generator = np.random.default_rng(0)
    assert all(checks.paired_times(paired_times) is paired_times for _ in range(20))


def _for_two(steps, rounds, warm_up, clock, warm_again=False):
    """Time two variants, however many there are."""
    for step in [] if warm_again else steps * warm_up:
        step()
    times = np.empty((rounds, 2))
    for number in range(rounds):
        for place in range(2):
            which = (place + number) % 2
            for _ in range(warm_up if warm_again else 0):
                steps[which]()
            start = clock()
            steps[which]()
            times[number, which] = clock() - start
    return times


def test_what_a_notebook_goes_on_with_can_be_called_as_what_was_typed():
    times = checks.paired_times.solution([lambda: None, lambda: None])
    assert times.shape == (20, 2) and (times >= 0).all()
    pytest.importorskip("resource")
    assert checks.faults_per_step.solution(lambda: np.ones(10_000_000)) >= 1


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("counts", lambda printed, total: 7, "whole numbers were asked for"),
        ("counts", lambda printed, total: [1], "the number of counts for 0.91 of 997 is 1 instead of 10"),
        ("counts", lambda *printed: set(checks.counts.solution(*printed)), "a list of them"),
        (
            "counts",
            lambda *printed: checks.counts.solution(*printed)[::-1],
            "it gives 912, 903 instead of 903, 912",
        ),
        ("within", lambda low, high, margin: -margin < low and high < margin, "A verdict is one of three words"),
        ("within", lambda low, high, margin: "Supported", "gives 'Supported'. A verdict is one of three words"),
        ("seeds_needed", lambda spread, margin: [2], "the answer should be one number"),
        ("ratio_interval", lambda slow, fast, cut: (slow / fast).mean(), "three numbers were asked for"),
        ("ratio_interval", lambda slow, fast, cut: slow.sort() or (1, 1, 1), "it changes the arrays"),
        ("paired_times", lambda steps, rounds, warm_up, clock: np.ones((rounds, 2)), "it never reads the clock"),
        ("paired_times", lambda steps, rounds, warm_up, clock: np.array([clock()]), "its shape is (1,)"),
        ("paired_times", _for_two, "of three variants, the number that is called is 2 instead of 3"),
        ("paired_times", lambda *given: _for_two(*given, warm_again=True), "repeated in every round"),
        ("faults_per_step", lambda step, steps, count: "many", "the answer should be one number"),
        ("faster", lambda low, high: "First", "for an interval from 1.004 to 1.4 it gives 'First', and one of"),
        ("faster", lambda low, high: low > 1, "one of three was asked for"),
    ],
)
def test_what_a_learner_tried_is_answered(name, answer, said, capsys):
    exercise = getattr(checks, name)
    assert exercise(answer) is exercise.solution
    assert said in " ".join(capsys.readouterr().out.split())
