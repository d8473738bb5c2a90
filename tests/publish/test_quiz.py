"""Each lesson has a closing quiz of five questions, each with one right option."""

import re

import nbformat
import pytest

from codealong.publish import course, guide

from .conftest import NOTEBOOKS

QUIZZES = guide.PAGES / "quiz"

_QUESTION = re.compile(r"^\*\*(\d)\. .+\?\*\*$", re.M)
_OPTION = re.compile(r"<details><summary>([A-D])\. .+</summary>\n\n(.+)\n\n</details>")


@pytest.fixture(params=NOTEBOOKS)
def quiz(request):
    """The title of a notebook, and the text of its quiz."""
    first = nbformat.read(course.NOTEBOOKS / f"{request.param}.ipynb", 4).cells[0].source
    return first.splitlines()[0].removeprefix("# "), (QUIZZES / f"{request.param}.md").read_text(encoding="utf-8")


def answers(text):
    """Return, for each question, its options' letters and reasons."""
    return [_OPTION.findall(part) for part in _QUESTION.split(text)[2::2]]


def test_no_quiz_is_without_its_notebook():
    assert sorted(path.stem for path in QUIZZES.glob("*.md")) == NOTEBOOKS


def test_the_title_is_the_notebook_s(quiz):
    title, text = quiz
    assert text.splitlines()[0] == f"# Quiz · {title}"


def test_five_questions_have_three_or_four_options_each(quiz):
    _, text = quiz
    assert _QUESTION.findall(text) == list("12345")
    for options in answers(text):
        assert "".join(letter for letter, _ in options) in ("ABC", "ABCD")
    assert sum(map(len, answers(text))) == text.count("<details>") == text.count("</details>")


def test_one_option_is_right_and_every_other_says_no(quiz):
    for options in answers(quiz[1]):
        assert sorted(reason.split()[0] for _, reason in options) == ["No."] * (len(options) - 1) + ["Yes."]


def test_the_right_option_is_not_always_at_the_same_place(quiz):
    right = {letter for options in answers(quiz[1]) for letter, reason in options if reason.startswith("Yes.")}
    assert len(right) >= 2
