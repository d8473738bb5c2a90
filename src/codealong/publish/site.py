"""Writes the course as static pages that request nothing from a network, with both editions to download."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nbformat

from codealong import ROOT, CourseError, files
from codealong.publish import course, editions, guide, handouts, slides
from codealong.publish.pages import BESIDE

SITE = ROOT / "build" / "site"
PAGES = Path(__file__).parent / "sphinx"

DECKS = "<!-- all slides and handouts -->"
"""Where a page has the table of them."""


def write(into=SITE):
    """Build the site from the stored outputs of the notebooks; a former one is replaced only when all went well.

    Parameters
    ----------
    into : Path
        Folder of the site.

    Raises
    ------
    CourseError
        When Sphinx warns of anything, with all its warnings in one message; or when an edition cannot be made.
    """
    into = Path(into)
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".new-") as folder:
        work = Path(folder)
        _gather(work / "source")
        _build(work / "source", work / "site")
        slides.write(work / "site" / "slides")
        for path in course.notebooks():
            printed = handouts.page(handouts.handout(path))
            files.write(work / "site" / "handouts" / f"{path.stem}.html", printed.encode())
        editions.write(work / "editions")  # not those in build/, which somebody may have worked in
        for edition in ("student", "instructor"):
            pack(work / "editions" / edition, work / "site" / "downloads" / f"{edition}.zip")
        if into.exists():
            into.rename(work / "former")
        (work / "site").rename(into)


def pack(folder, path):
    """Write a folder as a zip file that has the same bytes whenever it has the same content.

    Parameters
    ----------
    folder : Path
        Its name is the one folder at the top of the zip file.
    path : Path
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder.parent).as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if os.access(file, os.X_OK) else 0o644) << 16
            archive.writestr(entry, file.read_bytes())


def _gather(source):
    """Lay the pages out as in the repository, so that links between them hold in both places."""
    shutil.copytree(PAGES, source, ignore=shutil.ignore_patterns("conf.py", "static", "templates", "__pycache__"))
    shutil.copy(ROOT / "RESULTS.md", source)
    shutil.copytree(ROOT / "images", source / "images")
    shutil.copytree(guide.PAGES, source / "teaching")
    for page in source.glob("*.md"):
        page.write_text(page.read_text(encoding="utf-8").replace(DECKS, _decks()), encoding="utf-8")
    (source / "notebooks").mkdir()
    for path in course.notebooks():
        notebook = _with_closed_solutions(nbformat.read(path, as_version=4))
        links = [_link(f"../slides/{path.stem}.html", "Slides"), _link(f"../handouts/{path.stem}.html", "Handout")]
        links += [f"[Quiz](../teaching/quiz/{path.stem}.md)", f"[Teaching guide](../teaching/{path.stem}.md)"]
        notebook.cells[0].source += "\n\n" + " · ".join(links)
        nbformat.write(notebook, source / "notebooks" / path.name)


def _link(address, name):
    """Return a link to a page that Sphinx does not make."""
    return f'<a class="reference" href="{address}">{name}</a>'


def _decks():
    """Return the table of all slides and handouts, in Markdown."""
    lines = ["| lesson | slides, 90 minutes | slides, 45 minutes | handout | quiz |", "|---|---|---|---|---|"]
    for path in course.notebooks():
        title = nbformat.read(path, as_version=4).cells[0].source.partition("\n")[0].removeprefix("# ")
        decks = [
            _link(f"slides/{path.stem}{ending}.html", f"{lesson} minutes") for lesson, ending in slides.LESSONS.items()
        ]
        quiz = f"teaching/quiz/{path.stem}.md"
        handout = _link(f"handouts/{path.stem}.html", "one page")
        lines.append(f"| [{title}](notebooks/{path.name}) | {' | '.join(decks)} | {handout} | [quiz]({quiz}) |")
    return "\n".join(lines)


def _with_closed_solutions(notebook):
    """Put what a learner starts from before each cell with a solution, and leave that cell to be opened."""
    for cell in notebook.cells:
        cell.source = cell.source.replace(f"]({BESIDE}", "](../")
    for cell in editions.put_stubs(notebook):
        cell.metadata.tags = [*cell.metadata.get("tags", []), "hide-input"]
    return notebook


def _build(source, pages):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-b", "html", "--fail-on-warning", "--quiet", "--no-color"),
            *("-c", PAGES, "-d", source.with_name("doctrees"), source, pages),
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = done.stderr.replace(f"{source}{os.sep}", "").strip()
        raise CourseError(f"the site was not built, because Sphinx says:\n{said}")
