"""Every exercise accepts its solution, and knows each of its mistakes by name."""

import pytest

from tests.checks import EXERCISES, NEED_IPEX, WITHOUT, mistakes, words
from tests.conftest import in_a_process, needs_ipex

MISTAKES = [
    pytest.param(name, reason, mistake, id=f"{name}-{number}")
    for name in WITHOUT
    for number, (reason, mistake) in enumerate(mistakes(EXERCISES[name]))
]
END = " Change the cell and run it again. Until then, the notebook uses our version."


def test_there_are_enough_exercises_and_four_mistakes_in_each():
    assert 12 <= len(EXERCISES) <= 30
    assert all(len(exercise.mistakes) >= 4 for exercise in EXERCISES.values())


@pytest.mark.parametrize("name", WITHOUT)
def test_the_solution_is_right_and_comes_back(name, capsys):
    exercise = EXERCISES[name]

    def answer(*arguments, **named):
        return exercise.solution(*arguments, **named)

    typed = exercise.solution if isinstance(exercise.solution, type) else answer
    assert exercise(typed) is typed
    assert capsys.readouterr() == (f"✅ {exercise.name}\n", "")


@pytest.mark.parametrize(("name", "reason", "mistake"), MISTAKES)
def test_a_mistake_is_named_with_the_reason_that_makes_it_tempting(name, reason, mistake, capsys):
    exercise = EXERCISES[name]
    assert exercise(mistake) is exercise.solution
    printed, warned = capsys.readouterr()
    assert " ".join(printed.split()) == f"❌ {exercise.name}: {reason}{END}"
    assert max(map(len, printed.splitlines())) <= 100
    assert warned == ""


@pytest.mark.parametrize("name", WITHOUT)
def test_an_answer_that_nobody_foresaw_is_told_what_it_gives(name, capsys):
    exercise = EXERCISES[name]
    assert exercise(lambda *_, **__: "surprise") is exercise.solution
    assert words(capsys).startswith(f"❌ {exercise.name}: ")


@pytest.fixture(scope="module")
def with_ipex():
    """What the checks of notebook 4 say of each answer, in a process of its own, because they import IPEX."""
    said, errors = in_a_process("""
import contextlib, io
from tests.checks import EXERCISES, NEED_IPEX, mistakes

def heard(exercise, answer):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        back = exercise(answer)
    return " ".join(out.getvalue().split()), back is answer, back is exercise.solution

def stub(*_):
    raise NotImplementedError("your turn")

answer = {}
for name in NEED_IPEX:
    exercise = EXERCISES[name]
    answer[name] = {
        "solution": heard(exercise, lambda *arguments: exercise.solution(*arguments)),
        "stub": heard(exercise, stub),
        "nothing": heard(exercise, lambda *_: None),
        "surprise": heard(exercise, lambda *_: "surprise"),
        "exchanged": heard(exercise, lambda *given: (given[1], given[0], *given[2:])),
        "mistakes": [(reason, *heard(exercise, mistake)) for reason, mistake in mistakes(exercise)],
    }
""")
    assert "Traceback" not in errors and "lr_scheduler.step()" not in errors
    return said


@needs_ipex
@pytest.mark.worker
@pytest.mark.parametrize("name", NEED_IPEX)
def test_checks_with_ipex_know_the_solution_the_stub_and_each_mistake(name, with_ipex):
    said = with_ipex[name]
    assert said["solution"] == [f"✅ {name}", True, False]
    assert said["stub"][0].startswith(f"⬜ {name} is yours to type") and said["stub"][2]
    assert "nothing is returned" in said["nothing"][0] and said["nothing"][2]
    assert said["surprise"][0].startswith(f"❌ {name}: it should return") and said["surprise"][2]
    assert "the network comes first, then its optimizer" in said["exchanged"][0]
    assert len(said["mistakes"]) >= 12
    for reason, printed, _, ours in said["mistakes"]:
        assert printed == f"❌ {name}: {reason}{END}" and ours
