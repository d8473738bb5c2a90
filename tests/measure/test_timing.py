"""Times are taken warmed up, in turns, and paired; page faults are counted once a step is warm."""

import pytest

from codealong.arms import ARMS
from codealong.measure import study, timing
from tests.conftest import in_a_process


class Clock:
    """A clock that steps move, and what was called."""

    def __init__(self, *seconds):
        self.now, self.calls = 0.0, []
        self.steps = [
            lambda name=name, each=each: self.step(name, each) for name, each in zip("ABC", seconds, strict=False)
        ]

    def step(self, name, seconds):
        self.now += seconds + (100 if name not in self.calls else 0)
        self.calls.append(name)

    def __call__(self):
        self.calls.append(".")
        return self.now


def test_each_round_begins_with_the_next_one():
    assert [timing.turn("ABC", number) for number in range(4)] == [list("ABC"), list("BCA"), list("CAB"), list("ABC")]


def test_answers_are_by_round_and_question_whoever_was_asked_first():
    asked = []
    questions = [lambda name=name: asked.append(name) or len(asked) for name in "AB"]
    answers = timing.in_turns(questions, 3)
    assert asked == list("ABBAAB")
    assert answers.tolist() == [[1, 2], [4, 3], [5, 6]]


def test_times_are_warmed_up_in_turns_and_of_the_step_alone():
    clock = Clock(1, 2, 4)
    times = timing.paired_times(clock.steps, rounds=3, warm_up=2, clock=clock)
    assert "".join(clock.calls) == "AABBCC" + ".A..B..C." + ".B..C..A." + ".C..A..B."
    assert times.tolist() == [[1, 2, 4]] * 3


def test_without_a_warm_up_the_first_time_is_seen():
    clock = Clock(1, 2)
    assert timing.paired_times(clock.steps, rounds=2, warm_up=0, clock=clock).tolist() == [[101, 102], [1, 2]]


def test_faults_are_counted_once_the_step_is_warm():
    faults = iter((0, 50, 80))
    steps = []
    assert timing.faults_per_step(lambda: steps.append(next(faults)), 2, count=lambda: sum(steps)) == (50 + 80) / 2


def test_memory_that_comes_and_goes_faults_each_time():
    pytest.importorskip("resource")
    code = """
import numpy as np
from codealong.measure import timing
kept = np.ones(10_000_000)
answer = [timing.faults_per_step(step, 5) for step in (lambda: np.ones(10_000_000), lambda: kept.fill(2))]
"""
    fresh, kept = in_a_process(code)[0]  # here, a large block that another test freed may serve instead
    assert fresh >= 1 and kept < fresh


def test_a_study_takes_the_same_turns():
    arms = [arm for arm, seed in study.order(list(ARMS), 3) if seed == study.FIRST + 2]
    assert arms == timing.turn([*ARMS], study.FIRST + 2)
