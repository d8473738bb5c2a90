"""Photographs, in Chromium, what a learner and a room see: an exercise that answers back, and a slide."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import nbformat

from codealong import CourseError
from codealong.publish import course, editions, pages, slides

WRONG = """logits = net(images)
    loss = nn.functional.cross_entropy(logits, labels)
    loss.backward()
    optimizer.step()
    return loss.detach()"""
"""A training step as many type it first."""

FIGURE = "Test accuracy of"
"""How the description of the figure begins whose slide is photographed."""

OPTIONS = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu")


def chromium():
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextlib.contextmanager
def browser():
    """Give a headless Chromium that asks nothing of a network by itself.

    Raises
    ------
    CourseError
        When there is none, or Playwright is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise CourseError("Playwright is not installed: `make test` and `make site` install it.") from None
    if chromium() is None:
        raise CourseError("there is no Chromium on this machine (on Debian: apt install chromium)")
    options = [*OPTIONS, "--no-sandbox"] if os.getuid() == 0 else OPTIONS
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(options))
        yield started
        started.close()


def photograph(folder):
    """Write the photographs into a folder.

    Returns
    -------
    list of Path

    Raises
    ------
    CourseError
        When there is no browser.
    """
    folder = Path(folder)
    exercise, slide = folder / "exercise.png", folder / "slide.png"
    with tempfile.TemporaryDirectory() as work, browser() as opened:
        page = opened.new_page(viewport={"width": 1000, "height": 620})
        page.goto(_exercise(Path(work)).as_uri())
        page.locator("main").screenshot(path=exercise)
        page.set_viewport_size({"width": 1280, "height": 720})
        page.goto(_deck(Path(work)).as_uri())
        page.evaluate(
            """figure => {
                const shown = document.querySelector(`img[alt^="${figure}"]`).closest('section');
                const { h, v } = Reveal.getIndices(shown);
                Reveal.slide(h, v, 99);
            }""",
            FIGURE,
        )
        page.wait_for_timeout(500)
        page.screenshot(path=slide)
    return [exercise, slide]


def _deck(folder):
    """Write the slides of the notebook with `FIGURE`, and return where they are."""
    (path,) = [path for path in course.notebooks() if f'"{FIGURE}' in path.read_text(encoding="utf-8")]
    deck = folder / "slides.html"
    deck.write_text(slides.deck(editions.instructor(path), path), encoding="utf-8")
    return deck


def _exercise(folder):
    """Type a mistake into the student edition's training step, run it, and return the page of it."""
    (path,) = [path for path in course.notebooks() if path.stem.startswith("03")]
    notebook = editions.student(path)
    place = next(number for number, cell in enumerate(notebook.cells) if "teaches-train_step" in str(cell.metadata))
    cell = notebook.cells[place]
    cell.source = cell.source.replace(editions.STUB, WRONG)
    setup = notebook.cells[1]
    notebook.cells = [setup, nbformat.v4.new_markdown_cell("## The training step"), notebook.cells[place - 1], cell]
    question = notebook.cells[2]
    question.source = "**Your turn.**" + question.source.partition("**Your turn.**")[2]
    typed = folder / "typed.ipynb"
    nbformat.write(notebook, typed)
    executed = course.execute(typed)
    executed.cells = executed.cells[1:]
    page = folder / "typed.html"
    page.write_text(pages.page(executed, typed), encoding="utf-8")
    return page
