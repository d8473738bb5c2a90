"""Writes each notebook of the instructor edition as slides: one HTML file that requests nothing.

`layout` decides what stands on which slide. reveal.js (as `sphinx-revealjs` brings it) shows them; a press of S opens
the speaker's view, and ``?showNotes=true`` behind the address prints the notes below the slides.
"""

import copy
import importlib.util
import re
import shutil
from pathlib import Path

import nbformat

from codealong import ROOT, CourseError, files
from codealong.publish import course, heights, layout

SLIDES = ROOT / "build" / "slides"


def write(folder=SLIDES):
    """Write the slides of every notebook, and nothing else, into a folder.

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
    from codealong.publish import editions

    shutil.rmtree(folder, ignore_errors=True)
    paths = []
    for source in course.notebooks():
        paths.append(Path(folder) / f"{source.stem}.html")
        files.write(paths[-1], deck(editions.instructor(source), source).encode())
    return paths


def deck(notebook, path):
    """Render a notebook as slides.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    path : Path
        Where it stands: for its name, and for the pictures that it refers to.

    Returns
    -------
    str
        A whole HTML page.
    """
    from nbconvert import SlidesExporter

    exporter = SlidesExporter(
        template_name="slides",
        extra_template_basedirs=[str(Path(__file__).parent / "templates")],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    resources = {"metadata": {"name": path.stem, "path": str(path.parent)}, "codealong": _reveal()}
    page, _ = exporter.from_notebook_node(_arranged(notebook), resources=resources)
    slides, scripts = re.split("(?=<script>)", page, maxsplit=1)
    slides = re.sub(r'href="([0-9]{2}_\w+)\.ipynb', r'href="\1.html', slides)
    return course.with_pictures(course.linked_to_site(slides), path) + scripts


def _arranged(notebook):
    """Return a notebook with a cell for every part of a slide, and in its metadata what the template needs."""
    cells = []
    for page in layout.pages(notebook):
        for part in page.parts:
            cell = _of_type(part.cell, part.begins)
            if cell.cell_type == "code":
                if heights.is_small(cell):
                    cell.metadata.tags = [*cell.metadata.get("tags", []), "small"]
                if not heights.source_shown(cell):
                    cell.metadata.transient = {"remove_source": True}
                _size_figures(cell, page.scale)
            cells.append(cell)
        cells += [_of_type(notes, "notes") for notes in page.notes]
    for number, cell in enumerate(cells):
        cell["id"] = f"part-{number}"
    return nbformat.v4.new_notebook(cells=cells, metadata=copy.deepcopy(notebook.metadata))


def _of_type(cell, slide_type):
    new = copy.deepcopy(cell)
    new.metadata.slideshow = {"slide_type": slide_type}
    return new


def _size_figures(cell, scale):
    shown = [output for output in cell.outputs if heights.content(output)[2]]
    for output, (width, height) in zip(shown, heights.figures(cell), strict=True):
        about = output.setdefault("metadata", {}).setdefault("image/png", {})
        about.update(width=round(scale * width), height=round(scale * height))


def _reveal():
    found = importlib.util.find_spec("sphinx_revealjs")
    if found is None:
        raise CourseError("reveal.js is missing: run `make` again, which installs sphinx-revealjs")
    folder = Path(found.origin).parent / "_static" / "revealjs"
    style = (folder / "dist" / "theme" / "white.css").read_text()
    return {
        "reveal.css": (folder / "dist" / "reveal.css").read_text(),
        "theme.css": re.sub(r"@import [^;]+;", "", style),
        "reveal.js": _inline(folder / "dist" / "reveal.js"),
        "notes.js": _inline(folder / "plugin" / "notes" / "notes.js"),
    }


def _inline(path):
    return path.read_text().replace("</script", r"<\/script")
