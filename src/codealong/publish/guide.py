"""The teaching guide: for each notebook a page with minutes and notes, and a closing quiz."""

import re
from dataclasses import dataclass
from pathlib import Path

from codealong import CourseError

PAGES = Path(__file__).parent / "teaching"
OPENING = "Opening"

_MINUTES = re.compile(r"\*90-minute lesson: (\d+) min · 45-minute lesson: (\d+) min(, solved)?\*\n+")


class GuideError(CourseError):
    """A page of the guide does not have the form that slides and lessons need; the message names it."""


@dataclass(frozen=True)
class Section:
    """What an instructor needs for one section of a notebook.

    Attributes
    ----------
    heading : str
        That of the notebook; `OPENING` for what stands before its first one.
    minutes : int
        In a lesson of 90 minutes.
    short : int
        In a lesson of 45 minutes; 0 where the section is left out.
    solved : bool
        Whether a lesson of 45 minutes shows the solutions of the section at once, and nobody types.
    notes : tuple of str
        Markdown, for its slides in order; the last holds for all that follow.
    """

    heading: str
    minutes: int
    short: int
    solved: bool
    notes: tuple


def sections(stem):
    """Return the sections of a notebook's page, in order.

    Parameters
    ----------
    stem : str
        Of the notebook's file, such as ``"01_data"``.

    Raises
    ------
    GuideError
        When there is no page, or a section does not begin with its minutes.
    """
    page = PAGES / f"{stem}.md"
    if not page.exists():
        raise GuideError(f"The teaching guide has no page for {stem}: write {page.name}.")
    _, *parts = re.split(r"^## ", page.read_text(), flags=re.M)
    read = []
    for part in parts:
        heading, _, text = part.partition("\n")
        minutes = _MINUTES.match(text.lstrip())
        if minutes is None:
            raise GuideError(f"{page.name}, section {heading!r}: its first line does not say the minutes.")
        notes = tuple(map(str.strip, re.split(r"^---$", text.lstrip()[minutes.end() :], flags=re.M)))
        read.append(Section(heading.strip(), int(minutes[1]), int(minutes[2]), bool(minutes[3]), notes))
    return read


def quiz(stem):
    """Return the closing quiz of a notebook as Markdown, its title first.

    Raises
    ------
    GuideError
        When there is none.
    """
    page = PAGES / "quiz" / f"{stem}.md"
    if not page.exists():
        raise GuideError(f"The teaching guide has no quiz for {stem}: write quiz/{page.name}.")
    return page.read_text(encoding="utf-8")
