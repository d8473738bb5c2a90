"""Every exercise accepts its solution, and knows each of its mistakes by name."""

import copy

import numpy as np
import pytest
import torch

from codealong import checks, data
from codealong.checks.exercise import Exercise, Wrong, examples, same, variants
from tests.conftest import in_a_process, needs_ipex

EXERCISES = {name: each for name in checks.__all__ if isinstance(each := getattr(checks, name), Exercise)}
NEED_IPEX = {"with_ipex", "with_schedule"}
WITHOUT = [name for name in EXERCISES if name not in NEED_IPEX]

MISTAKES = [
    pytest.param(name, reason, mistake, id=f"{name}-{number}")
    for name in WITHOUT
    for number, (reason, mistakes) in enumerate(EXERCISES[name].mistakes.items())
    for mistake in variants(mistakes)
]


def words(capsys):
    """Return what was printed, without its line breaks."""
    return " ".join(capsys.readouterr().out.split())


@pytest.fixture(scope="module")
def with_ipex():
    """What the checks of notebook 4 say of each answer, in a process of its own, because they import IPEX."""
    said, errors = in_a_process("""
import contextlib, io
from codealong import checks
from codealong.checks.exercise import variants

def heard(exercise, answer):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        back = exercise(answer)
    return " ".join(out.getvalue().split()), back is answer, back is exercise.solution

def stub(*_):
    raise NotImplementedError("your turn")

answer = {}
for name in ("with_ipex", "with_schedule"):
    exercise = getattr(checks, name)
    answer[name] = {
        "solution": heard(exercise, lambda *arguments: exercise.solution(*arguments)),
        "stub": heard(exercise, stub),
        "nothing": heard(exercise, lambda *_: None),
        "surprise": heard(exercise, lambda *_: "surprise"),
        "mistakes": [
            (reason, *heard(exercise, mistake))
            for reason, mistakes in exercise.mistakes.items()
            for mistake in variants(mistakes)
        ],
    }
""")
    assert "Traceback" not in errors
    return said


@needs_ipex
@pytest.mark.parametrize("name", sorted(NEED_IPEX))
def test_checks_with_ipex_know_the_solution_the_stub_and_each_mistake(name, with_ipex):
    said = with_ipex[name]
    assert said["solution"] == [f"✅ {name}", True, False]
    assert said["stub"][0].startswith(f"⬜ {name} is yours to type") and said["stub"][2]
    assert "nothing is returned" in said["nothing"][0] and said["nothing"][2]
    assert said["surprise"][0].startswith(f"❌ {name}: it should return") and said["surprise"][2]
    assert len(said["mistakes"]) >= 10
    for reason, printed, _, ours in said["mistakes"]:
        assert printed.startswith(f"❌ {name}: {reason} Mend") and ours


def test_there_are_two_to_four_exercises_in_each_notebook_and_four_mistakes_in_each():
    assert 12 <= len(EXERCISES) <= 24
    assert all(len(exercise.mistakes) >= 4 for exercise in EXERCISES.values())


@pytest.mark.parametrize("name", WITHOUT)
def test_the_solution_is_right_and_comes_back(name, capsys):
    exercise = EXERCISES[name]

    def answer(*arguments, **named):
        return exercise.solution(*arguments, **named)

    typed = exercise.solution if isinstance(exercise.solution, type) else answer
    assert exercise(typed) is typed
    assert capsys.readouterr() == (f"✅ {exercise.name}\n", "")


@pytest.mark.parametrize("name", WITHOUT)
def test_a_stub_is_yours_to_type_and_the_notebook_goes_on(name, capsys):
    exercise = EXERCISES[name]

    def stub(*_, **__):
        raise NotImplementedError("your turn")

    assert exercise(stub) is exercise.solution
    assert capsys.readouterr().out.startswith(f"⬜ {exercise.name} is yours to type")


@pytest.mark.parametrize(("name", "reason", "mistake"), MISTAKES)
def test_a_mistake_is_named_with_the_reason_that_makes_it_tempting(name, reason, mistake, capsys):
    exercise = EXERCISES[name]
    assert exercise(mistake) is exercise.solution
    printed, warned = capsys.readouterr()
    assert " ".join(printed.split()).startswith(f"❌ {exercise.name}: {reason} Mend")
    assert max(map(len, printed.splitlines())) <= 100
    assert warned == ""


@pytest.mark.parametrize("name", WITHOUT)
def test_an_answer_that_nobody_foresaw_is_told_what_it_gives(name, capsys):
    exercise = EXERCISES[name]
    assert exercise(lambda *_, **__: "surprise") is exercise.solution
    assert capsys.readouterr().out.startswith(f"❌ {exercise.name}: ")


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("normalise", lambda images: (images / 255 - 0.28) / 0.35, "shape and type are right, and the numbers are not"),
        ("normalise", lambda images: list(images), "it gives a list of 64, and should give a float32 tensor"),
        ("count_twins", lambda others, unseen: "2", "one number was asked for, and it gives '2' (str)"),
        ("conv_parameters", lambda inputs, outputs, size=3: 7, "for 1, 16 it gives 7, and should give 160"),
        ("dense_parameters", lambda inputs, outputs: inputs**outputs, "one number was asked for"),
        ("attainable", lambda *_: features, "`self.`"),  # noqa: F821
        ("train_step", lambda *step: _unfinished(), "it stops with NotImplementedError: no such kernel"),
        ("accuracy", lambda net, split: torch.set_grad_enabled(False) and 0.1, "it switches gradients off"),
        ("accuracy", lambda net, split: 0.9, "it never shows the images"),
        ("bf16_loss", lambda *_: 1, "two things were asked for"),
        ("paired_interval", lambda first, second: (1, (2, 3)), "three numbers were asked for"),
        ("recall_difference", lambda labels, first, second: first[None] * 1.0, "its shape is (1, 400)"),
    ],
)
def test_what_a_learner_tried_is_answered(name, answer, said, capsys):
    EXERCISES[name](answer)
    assert said in words(capsys)
    assert torch.is_grad_enabled()


def _unfinished():
    raise NotImplementedError("no such kernel")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("normalise", lambda images: images.float().div(255).sub(data.MEAN).div(data.STD)),
        ("count_twins", lambda others, unseen: torch.tensor(len(set(unseen).intersection(others)))),
        ("accuracy", lambda net, split: checks.accuracy.solution(copy.deepcopy(net), split)),
        ("amdahl", lambda share, times: torch.tensor(1 / (1 - share + share / times))),
        ("only_one", lambda first, second: [np.sum(first > second), np.sum(second > first)]),
        ("recall_difference", lambda labels, *pair: list(checks.recall_difference.solution(labels, *pair))),
    ],
)
def test_a_right_answer_of_another_kind_is_right(name, answer, capsys):
    assert EXERCISES[name](answer) is answer
    assert capsys.readouterr().out == f"✅ {name}\n"


def test_gradients_that_are_forgotten_at_the_end_of_the_step_are_as_good(capsys):
    def train_step(net, optimizer, images, labels):
        loss = torch.nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    assert checks.train_step(train_step) is train_step


def test_an_answer_that_stops_is_told_with_what(capsys):
    checks.attainable(lambda peak: peak)
    assert "it stops with TypeError" in words(capsys)


@pytest.mark.parametrize("name", sorted(set(WITHOUT) - {"forward"}))
def test_a_forgotten_return_is_named(name, capsys):
    EXERCISES[name](lambda *_, **__: None)
    assert "nothing is returned" in words(capsys)


def test_an_answer_that_spoils_its_arguments_is_told(capsys):
    def spoiling(first, second):
        first &= ~second
        return first.sum(), 0

    checks.only_one(spoiling)
    assert "it changes the arrays that it was given" in words(capsys)


def test_what_an_answer_gives_is_cut_where_it_is_long(capsys):
    checks.recall_difference(lambda labels, first, second: second.astype(float) - first)
    checks.attainable(lambda *_: [1.0])
    said = words(capsys)
    assert "its shape is (400,)" in said and "one number was asked for, and it gives 1 (list)" in said
    assert len(said) < 500


def test_what_a_check_finds_by_itself_is_said_as_it_stands(capsys):
    def observe(answer):
        if answer() == "down":
            raise Wrong("it is upside down.")

    Exercise("picture", lambda: "up", observe, {})(lambda: "down")
    assert "❌ picture: it is upside down. Mend" in words(capsys)


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


def test_a_check_leaves_its_images_alone(splits):
    checks.normalise(lambda images: images.zero_().float())
    checks.accuracy(lambda net, split: split.images.zero_().sum())
    assert torch.equal(examples().images, splits.test.images)


def test_an_accuracy_of_other_images_than_were_given_is_noticed(splits, capsys):
    others = type(splits.train)(*(part[:50] for part in splits.train))
    checks.accuracy(lambda net, split: checks.accuracy.solution(net, others))
    assert "it looked at 50 images, and the split that it was given has 500" in words(capsys)


def test_claims_that_hold_are_ticked(capsys):
    checks.claims({"two and two are four": True, "water is wet": True})
    assert capsys.readouterr().out == "✅ two and two are four\n✅ water is wet\n"


def test_a_claim_that_does_not_hold_is_shown_with_the_others_and_then_raised(capsys):
    with pytest.raises(checks.ClaimError, match="does not hold here: pigs fly"):
        checks.claims({"pigs fly": False, "water is wet": True})
    assert capsys.readouterr().out == "❌ pigs fly\n✅ water is wet\n"
