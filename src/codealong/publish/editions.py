"""Two editions of the notebooks: one to type along, one to teach from, both made from the complete course.

A solution stands in a code cell between two comments, `BEGIN` and `END`, each on a line of its own.
"""

import copy
import hashlib
import re
from pathlib import Path

import nbformat

from codealong import ROOT, YOUR_TURN, CourseError, files
from codealong.publish import course, guide
from codealong.publish.pages import BESIDE

BEGIN, END = "# solution", "# end of solution"
STUB = f'raise NotImplementedError("{YOUR_TURN}")'

OUTPUT_ONLY = "output-only"
"""The tag of a cell whose code is not shown on a slide: it plots or prints, and nobody has to type it."""

FOLDER = ROOT / "build"
STUDENT, INSTRUCTOR = FOLDER / "student", FOLDER / "instructor"

STYLE = Path(__file__).parent / "templates" / "rise.css"


RISE = {
    "theme": "white",  # the default theme asks for a font from a network
    "width": 1280,
    "height": 720,
    "margin": 0,
    "minScale": 0.2,
    "center": False,
    "transition": "none",
    "slideNumber": "c/t",
    "controls": False,
    "start_slideshow_at": "beginning",
    "auto_select": "code",
    "show_buttons_on_startup": False,
}
"""How jupyterlab-rise shows the instructor edition."""


_RIGHT = re.compile(r"<details><summary>(.*?)</summary>\s+Yes\.")  # the option of a question that is right


class EditionError(CourseError):
    """The marks of a notebook do not fit together; the message names the cell."""


def student(path):
    """Return the student edition of a notebook: solutions are stubs, and no output gives an answer away.

    Parameters
    ----------
    path : Path

    Returns
    -------
    nbformat.NotebookNode
        Everything else, cell ids included, is that of the notebook.

    Raises
    ------
    EditionError
        When a mark has no partner, or nothing stands between two.
    """
    notebook = _read(path)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        try:
            cell.source = without_solution(cell.source)
        except EditionError as problem:
            raise EditionError(f"{Path(path).name}, code cell {number}: {problem}") from None
        cell.outputs, cell.execution_count = [], None
    return notebook


def without_solution(source):
    """Put a stub in the place of each solution in the source of a cell.

    Raises
    ------
    EditionError
    """
    kept, solution = [], None
    for line in source.splitlines():
        mark = line.strip()
        if mark == BEGIN:
            if solution is not None:
                raise EditionError(f"a second {BEGIN!r} before {END!r}")
            solution = []
            kept.append(line.replace(BEGIN, STUB))
        elif mark == END:
            if not solution:
                raise EditionError(f"{END!r} closes nothing: there is no line between it and {BEGIN!r}")
            solution = None
        elif solution is None:
            kept.append(line)
        else:
            solution.append(line)
    if solution is not None:
        raise EditionError(f"{BEGIN!r} is never closed by {END!r}")
    return "\n".join(kept)


def without_marks(source):
    """Leave out the two marks around each solution."""
    return "\n".join(line for line in source.splitlines() if line.strip() not in (BEGIN, END))


def put_stubs(notebook):
    """Put a cell that a learner starts from before each cell with a solution, and return the latter.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        It is changed.

    Returns
    -------
    list of nbformat.NotebookNode
    """
    cells, solved = [], []
    for cell in notebook.cells:
        if cell.cell_type == "code" and (start := without_solution(cell.source)) != cell.source:
            stub = nbformat.v4.new_code_cell(start, id=f"{cell.id}-start", metadata=copy.deepcopy(cell.metadata))
            cells.append(stub)
            solved.append(cell)
        cells.append(cell)
    notebook.cells = cells
    return solved


def instructor(path):
    """Return the edition to teach from: complete, with teaching notes and minutes on every slide.

    Parameters
    ----------
    path : Path
        Of a notebook that has a page in the teaching guide.

    Returns
    -------
    nbformat.NotebookNode
        Text cells are cut before each heading; a solution follows what a learner starts from, on a slide of its own; a
        cell of notes stands behind the first cell of each slide, where it is shown from the slide's first state on, and
        begins with the right option of the slide's question where the guide does not give it.

    Raises
    ------
    guide.GuideError
        When the headings of the page are not those of the notebook.
    """
    path = Path(path)
    notebook = _read(path)
    for cell in put_stubs(notebook):
        cell.source = without_marks(cell.source)
        cell.metadata.slideshow = {"slide_type": "subslide"}
    sections = {section.heading: section for section in guide.sections(path.stem)}
    cells, headings, slide = [], [guide.OPENING], 0
    for part in (part for cell in notebook.cells for part in _cut(cell)):
        if OUTPUT_ONLY in part.metadata.get("tags", []):
            part.metadata.jupyter = {"source_hidden": True}
        if part.source.startswith("## "):
            headings.append(part.source.partition("\n")[0].removeprefix("## ").strip())
            slide = 0
        cells.append(part)
        begins_slide = part.metadata.get("slideshow", {}).get("slide_type") in ("slide", "subslide")
        if headings[-1] in sections and (begins_slide or len(cells) == 1):
            notes = _notes(sections[headings[-1]], slide, part.id)
            cells.append(notes)
            slide += 1
        if (right := _RIGHT.search(part.source)) and "**Answer.**" not in notes.source:
            notes.source = notes.source.replace("\n\n", f"\n\n**Answer.** {right[1]}.\n\n", 1)
    if headings != list(sections):
        apart = sorted(set(headings) ^ set(sections)) or "in another order"
        raise guide.GuideError(f"{path.stem}: its sections and those of the teaching guide differ: {apart}.")
    notebook.cells = cells
    notebook.metadata.rise = RISE
    return notebook


def _cut(cell):
    """Cut a text cell before each of its headings, which begins a slide."""
    if cell.cell_type == "code":
        return [cell]
    parts = []
    for number, text in enumerate(re.split(r"^(?=## )", cell.source, flags=re.M)):
        if text.strip():
            part = nbformat.from_dict({**cell, "source": text.strip()})
            if number:
                part.id = f"{cell.id}-{number}"
            if text.startswith("## "):
                part.metadata = {"slideshow": {"slide_type": "slide"}}
            parts.append(part)
    return parts


def write(into=None):
    """Make both editions.

    A file in which something was typed or run is never overwritten: the new edition is put beside it.

    Parameters
    ----------
    into : Path, optional
        Gets the folders `student` and `instructor`; `FOLDER` by default.

    Returns
    -------
    list of Path
        New editions that were put beside a file that is kept.
    """
    into = Path(into or FOLDER)
    beside = []
    for path in course.notebooks():
        for edition in (student, instructor):
            beside.append(_place(edition(path), into / edition.__name__ / path.name))
    files.write(into / "instructor" / STYLE.name, STYLE.read_bytes())
    return [path for path in beside if path]


def _read(path):
    """Read a notebook; its links to the glossary and the appendix start from an edition's folder, one further down."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(f"]({BESIDE}", f"](../{BESIDE}")
    return notebook


def _place(notebook, path):
    """Write an edition; where the file there has been worked in, beside it, and return where that is."""
    beside = path.with_suffix(".new.ipynb")
    digest = hashlib.sha256(nbformat.writes(notebook).encode()).hexdigest()
    notebook.metadata.setdefault("codealong", {})["edition"] = digest
    content = (nbformat.writes(notebook) + "\n").encode()
    if path.exists() and not _is_as_made(path):
        if _edition(path) == digest:
            return None
        files.write(beside, content)
        return beside
    files.write(path, content)
    beside.unlink(missing_ok=True)
    return None


def _edition(path):
    """Return which edition a file was made as, or None."""
    try:
        return nbformat.read(path, as_version=4).metadata.get("codealong", {}).get("edition")
    except Exception:  # nbformat raises what json, its schema or the file raise; such a file is kept
        return None


def _is_as_made(path):
    """Tell whether a file is an edition as it was made, with nothing typed or run in it."""
    digest = _edition(path)
    if digest is None:
        return False
    notebook = nbformat.read(path, as_version=4)
    del notebook.metadata.codealong["edition"]
    if not notebook.metadata.codealong:
        del notebook.metadata["codealong"]
    return hashlib.sha256(nbformat.writes(notebook).encode()).hexdigest() == digest


def _notes(section, slide, after):
    """Return the notes of a section for one of its slides; those that were there before are folded."""
    short = f"**{section.short}** of 45{', solution shown' * section.solved}" if section.short else "left out of 45"
    said = section.notes[min(slide, len(section.notes) - 1)]
    cell = nbformat.v4.new_markdown_cell(
        f"**{section.minutes} minutes** of 90 · {short}\n\n{said}", id=f"{after}-notes"
    )
    cell.metadata = {
        "slideshow": {"slide_type": "notes"},
        "codealong": {"minutes": {"90": section.minutes, "45": section.short}, "solved": {"45": section.solved}},
        **({"jupyter": {"source_hidden": True}} if slide >= len(section.notes) else {}),
    }
    return cell
