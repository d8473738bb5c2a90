"""What a check does with any answer, and that nothing of an answer is left behind."""

import signal

import numpy as np
import pytest
import torch

from codealong import checks
from codealong.checks import exercise as exercises
from codealong.checks.exercise import Exercise, Wrong, batch, examples
from codealong.checks.observations import same, short
from codealong.checks.typed import Typed
from tests.checks import EXERCISES, WITHOUT, words


@pytest.mark.parametrize("name", WITHOUT)
def test_a_stub_is_yours_to_type_and_the_notebook_goes_on(name, capsys):
    exercise = EXERCISES[name]

    def stub(*_, **__):
        raise NotImplementedError("your turn")

    assert exercise(stub) is exercise.solution
    assert capsys.readouterr().out.startswith(f"⬜ {exercise.name} is yours to type")


@pytest.mark.parametrize("name", sorted(set(WITHOUT) - {"network"}))
def test_a_forgotten_return_is_named(name, capsys):
    EXERCISES[name](lambda *_, **__: None)
    assert "nothing is returned" in words(capsys)


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("normalise", lambda images: (images / 255 - 0.28) / 0.35, "shape and type are right, but the numbers are not"),
        ("normalise", lambda images: list(images), "it gives a list of 64 instead of a float32 tensor"),
        ("count_twins", lambda others, unseen: "2", "the answer should be one number, and it gives '2' (str)"),
        ("count_twins", lambda others, unseen: set(unseen), "len(…) counts them"),
        ("conv_parameters", lambda inputs, outputs, size=3: 7, "for 1, 16 it gives 7 instead of 160"),
        ("dense_parameters", lambda inputs, outputs: inputs**outputs, "the answer should be one number"),
        ("dense_parameters", lambda inputs, outputs: inputs * outputs * 9 / 16, "it gives 112,896 instead of 200,832"),
        ("accuracy", lambda net, split: torch.set_grad_enabled(False) and 0.1, "it also switches gradients off"),
        ("accuracy", lambda net, split: 0.9, "it shows the network 0 images, and the split has 500"),
        ("bf16_loss", lambda *_: 1, "two things are asked for"),
        ("only_one", lambda first, second: (1, 2, 3), "two whole numbers are asked for"),
        ("paired_interval", lambda first, second: (1, (2, 3)), "three numbers are asked for"),
        ("recall_difference", lambda labels, first, second: first[None] * 1.0, "its shape is (1, 400)"),
    ],
)
def test_what_a_learner_tried_is_answered(name, answer, said, capsys):
    EXERCISES[name](answer)
    assert said in words(capsys)


def test_each_mistake_is_worked_out_once_for_all_wrong_answers(capsys):
    calls = []

    def counting(value):
        return lambda: calls.append(value) or value

    exercise = Exercise("number", counting(1), lambda answer: answer(), {"two": counting(2), "three": counting(3)})
    exercise(lambda: 2)
    assert calls == [1, 2]
    for answer in (3, 2, 4, 1):
        exercise(lambda answer=answer: answer)
    assert calls == [1, 2, 3]
    said = words(capsys)
    assert said.count("two") == 2 and said.count("three") == 1
    assert "it gives 4 instead of 1" in said and said.endswith("✅ number")


def test_a_machine_without_what_the_solution_needs_is_no_right_answer():
    def observe(answer):
        raise OSError("no data")

    exercise = Exercise("number", lambda: 1, observe, {})
    for _ in range(2):
        with pytest.raises(OSError, match="no data"):
            exercise(lambda: 1)


def test_a_check_leaves_the_random_numbers_the_gradients_and_autocast_of_the_notebook_alone(capsys):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    checks.train_step(checks.train_step.solution)
    checks.accuracy(lambda net, split: torch.set_grad_enabled(False) and 1.0)
    checks.bf16_loss(lambda *_: torch.autocast("cpu", torch.bfloat16).__enter__())
    assert torch.equal(torch.rand(3), expected)
    assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
    assert "it also leaves autocast on" in words(capsys)


def test_training_in_bfloat16_learns_after_an_answer_that_left_autocast_on():
    checks.bf16_loss(lambda *_: torch.autocast("cpu", torch.bfloat16).__enter__())
    net, images, losses = torch.nn.Linear(4, 1), torch.ones(2, 4), []
    for _ in range(2):
        with torch.autocast("cpu", torch.bfloat16):
            losses.append(net(images).float().square().sum() + 1)
        losses[-1].backward()
        with torch.no_grad():
            net.weight.add_(1)
    assert losses[0] != losses[1]


def test_gradients_that_an_earlier_cell_switched_off_do_not_make_a_right_answer_wrong(capsys):
    with torch.no_grad():
        assert checks.train_step(checks.train_step.solution)
    assert capsys.readouterr().out == "✅ train_step\n"


def test_an_answer_that_changes_its_images_and_labels_changes_no_others(splits):
    def spoiling(net, optimizer, images, labels):
        images.zero_(), labels.zero_()
        return torch.zeros(())

    before = [each.clone() for each in batch(0)]
    checks.normalise(lambda images: images.zero_().float())
    checks.accuracy(lambda net, split: split.images.zero_().sum() + split.labels.zero_().sum())
    checks.train_step(spoiling)
    assert torch.equal(examples().images, splits.test.images)
    assert all(map(torch.equal, batch(0), before))


def test_an_answer_that_spoils_its_arguments_is_told(capsys):
    def spoiling(first, second):
        first &= ~second
        return first.sum(), 0

    checks.only_one(spoiling)
    assert "it changes the arrays it was given" in words(capsys)


def test_what_an_answer_gives_is_cut_where_it_is_long(capsys):
    checks.recall_difference(lambda labels, first, second: second.astype(float) - first)
    checks.attainable(lambda *_: [1.0])
    said = words(capsys)
    assert "its shape is (400,)" in said and "the answer should be one number, and it gives 1 (list)" in said
    assert len(said) < 500


def test_what_a_check_finds_by_itself_is_said_as_it_is(capsys):
    def observe(answer):
        if answer() == "down":
            raise Wrong("it is upside down.")

    Exercise("picture", lambda: "up", observe, {})(lambda: "down")
    assert "❌ picture: it is upside down. Change" in words(capsys)


def test_a_part_of_an_answer_that_is_not_there_cannot_be_replaced():
    answer = Typed("\n    def double(number):\n        return 2 * number\n")
    assert answer(4) == 8 and answer.but("2 *", "3 *")(4) == 12
    with pytest.raises(ValueError, match=r"'4 \*' is no part of"):
        answer.but("4 *", "5 *")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (1.0, 1 + 1e-6, True),
        (1.0, 1.001, False),
        (3, 3.0, True),
        (True, 1, False),
        (float("nan"), float("nan"), True),
        (np.float64(0.5), 0.5, True),
        ((1, [2, 3]), [1, (2, 3)], True),
        ((1, 2), (1, 2, 3), False),
        (torch.ones(2), torch.ones(2), True),
        (torch.ones(2), torch.ones(2).double(), False),
        (torch.ones(2), torch.ones(3), False),
        (torch.ones(2), "ones", False),
        ("a", "a", True),
        (ValueError("a"), ValueError("a"), True),
        (ValueError("a"), TypeError("a"), False),
        (None, 0, False),
    ],
)
def test_observations_agree_when_they_mean_the_same(one, other, alike):
    assert same(one, other) is alike
    assert same(other, one) is alike


@pytest.mark.parametrize(
    ("value", "text"),
    [(112896.0, "112,896"), (112896.5, "112,896.5"), (0.123456, "0.1235"), (1e30, "1e+30"), ((1, 2.5), "1, 2.5")],
)
def test_a_number_is_written_as_people_write_it(value, text):
    assert short(value) == text


@pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="there is no such timer on Windows")
def test_a_loop_that_does_not_end_is_ended_and_named(monkeypatch, capsys):
    monkeypatch.setattr(exercises, "PATIENCE_SECONDS", 0.2)

    def endless(spread, margin):
        reach, n = spread, 2
        while reach > margin:
            n += 1
        return n

    assert checks.seeds_needed(endless) is not endless
    assert "it had not ended" in words(capsys)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is signal.SIG_DFL


def test_a_way_through_a_function_that_returns_nothing_is_named(capsys):
    def answer(low, high, margin):
        if -margin < low and high < margin:
            return "supported"

    checks.within(answer)
    assert "for some arguments nothing is returned" in words(capsys)
