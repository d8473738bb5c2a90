"""The photographs of the README show an exercise that answers back, and a slide."""

import contextlib

import pytest
from matplotlib.image import imread

from codealong import CourseError
from codealong.__main__ import main
from codealong.publish import photographs


@pytest.fixture(scope="module")
def exercise(tmp_path_factory):
    """The page of an exercise, executed once."""
    return photographs._exercise(tmp_path_factory.mktemp("exercise"))


@pytest.mark.kernel
def test_what_is_photographed_is_there(browser, exercise, tmp_path, monkeypatch):
    monkeypatch.setattr(photographs, "browser", lambda: contextlib.nullcontext(browser))
    monkeypatch.setattr(photographs, "_exercise", lambda folder: exercise)
    answer, slide = photographs.photograph(tmp_path)
    assert imread(answer).shape[1] >= 800
    assert imread(slide).shape[:2] == (720, 1280)
    assert imread(answer).std() > 0.05 and imread(slide).std() > 0.05


@pytest.mark.kernel
def test_the_exercise_shows_a_mistake_that_is_named(exercise):
    page = exercise.read_text(encoding="utf-8")
    assert "the gradients of the last step are still there" in page
    assert "NotImplementedError" not in page


def test_without_a_browser_the_photographs_are_kept(tmp_path, monkeypatch, capsys):
    pytest.importorskip("playwright", reason="photographs need the teaching extras")
    monkeypatch.setattr(photographs, "chromium", lambda: None)
    with pytest.raises(CourseError, match="no Chromium on this machine"):
        photographs.photograph(tmp_path)
    monkeypatch.setattr("codealong.publish.pictures.draw", list)
    monkeypatch.setattr("codealong.publish.readme.write", lambda: None)
    assert main(["pictures"]) == 0
    assert "photographs are kept as they were: there is no Chromium" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
