"""Writes each notebook of the instructor edition as slides: one HTML file that requests nothing.

The slide types that are stored in a notebook say where a slide ends; nbconvert makes slides of them, and reveal.js (as
`sphinx-revealjs` brings it) shows them. A press of S opens the speaker's view, and ``?showNotes=true`` behind the
address prints the notes below the slides.
"""

import copy
import importlib.util
import re
import shutil
from pathlib import Path

from codealong import ROOT, CourseError, files
from codealong.publish import course, editions, pages, policy

SLIDES = ROOT / "build" / "slides"
LESSONS = {90: "", 45: "-45"}
"""What the name of a deck ends with, by the minutes of its lesson."""

EXERCISE = 3
"""How many times the minutes of another slide one has on which learners type."""

_LARGE_NOTES, _NOTES = "font-size: 1.2em", "font-size: 0.9em"
"""Of the notes in the speaker's view, so that most of them need no scrolling."""

_SCRIPT = re.compile("<script>(.*?)</script>", re.S)
"""The speaker's view is a page that notes.js writes into a new window, which inherits the policy of the slides."""


def write(folder=SLIDES):
    """Write the slides of every notebook, for each of `LESSONS`, and nothing else into a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path

    Raises
    ------
    CourseError
        When reveal.js is not installed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    paths = []
    for source in course.notebooks():
        edition = editions.instructor(source)
        for lesson, ending in LESSONS.items():
            paths.append(Path(folder) / f"{source.stem}{ending}.html")
            files.write(paths[-1], deck(edition, source, lesson).encode())
    return paths


def deck(notebook, path, lesson=90):
    """Render a notebook as slides.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Of the instructor edition: a cell of notes says how many minutes its section has.
    path : Path
        Where it stands: for its name, and for the pictures that it refers to.
    lesson : int
        One of `LESSONS`. A section that has no minutes in it is left out, and one that is solved shows no stub.

    Returns
    -------
    str
        A whole HTML page.
    """
    from nbconvert import SlidesExporter
    from traitlets.config import Config

    exporter = SlidesExporter(
        config=Config(TagRemovePreprocessor={"enabled": True, "remove_input_tags": [editions.OUTPUT_ONLY]}),
        template_name="slides",
        extra_template_basedirs=[str(pages.TEMPLATES)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    shown = _reveal()
    html = pages.render(exporter, _arranged(notebook, lesson), path, f"{LESSONS[lesson]}.html", codealong=shown)
    return policy.guarded(html, *shown["scripts"], shown["speaker's script"], frames=True)


def _arranged(notebook, lesson):
    """Return a notebook in which each slide has the title of its section and a share of its minutes.

    A deck is read in a room and on paper, so it leads to no glossary, and does not tell how long a learner takes alone.
    """
    notebook = copy.deepcopy(notebook)
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = pages.without_site(cell.source)
    notebook.cells[0].source = re.sub(r" · \*Time\*.*", "", notebook.cells[0].source)
    for section in _sections(notebook.cells):
        plan = next((cell.metadata.codealong for cell in section if _slide_type(cell) == "notes"), None)
        seconds = 60 * plan.minutes[str(lesson)] if plan else 0
        if plan and not seconds:
            continue
        if plan and plan.solved.get(str(lesson)):
            section = _solved(section)
        title = re.match("#* *(.*)", section[0].source)[1].replace("`", "")
        parts = _cut(section, lambda cell: _slide_type(cell) in ("slide", "subslide"))
        weights = [EXERCISE if any(editions.STUB in cell.source for cell in part) else 1 for part in parts]
        ends = [sum(weights[:number]) * seconds // sum(weights) for number in range(len(parts) + 1)]
        for (first, *_), begin, end in zip(parts, ends, ends[1:], strict=False):
            first.metadata.slideshow = {
                "slide_type": _slide_type(first), "data": {"title": title, "timing": end - begin}
            }  # fmt: skip
        cells += section
    notebook.cells = cells
    return notebook


def _solved(section):
    """Leave out what a learner starts from, and the notes of a slide that begins with it: the solution has its own."""
    stubs = {f"{cell.id}{ending}" for cell in section if editions.STUB in cell.source for ending in ("", "-notes")}
    for cell in section:
        cell.source = cell.source.replace("**Your turn.**", "**Solved here; type it at home.**")
    return [cell for cell in section if cell.id not in stubs]


def _sections(cells):
    return _cut(cells, lambda cell: cell.source.startswith("## "))


def _cut(cells, begins):
    """Cut cells before each one that begins a part."""
    parts = []
    for cell in cells:
        if not parts or begins(cell):
            parts.append([])
        parts[-1].append(cell)
    return parts


def _slide_type(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def _reveal():
    package = importlib.util.find_spec("sphinx_revealjs")
    if package is None:
        raise CourseError("reveal.js is missing: run `make` again, which installs sphinx-revealjs")
    folder = Path(package.origin).parent / "_static" / "revealjs"
    style = (folder / "dist" / "theme" / "white.css").read_text()
    return {
        "reveal.css": (folder / "dist" / "reveal.css").read_text(),
        "theme.css": re.sub(r"@import [^;]+;", "", style),
        "scripts": [
            _inline(folder / "dist" / "reveal.js"),
            _inline(folder / "plugin" / "notes" / "notes.js").replace(_LARGE_NOTES, _NOTES),
            _inline(pages.TEMPLATES / "slides" / "slides.js"),
        ],
        "speaker's script": _SCRIPT.search((folder / "plugin" / "notes" / "speaker-view.html").read_text())[1],
    }


def _inline(path):
    return path.read_text().replace("</script", r"<\/script")
