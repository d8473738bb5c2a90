"""Turns a notebook into one HTML file that requests nothing: what the pages of the course and the slides share."""

import base64
import copy
import mimetypes
import re
from pathlib import Path

from codealong import CourseError
from codealong.publish import policy

TEMPLATES = Path(__file__).parent / "templates"

BESIDE = "../src/codealong/publish/sphinx/"
"""Where notebooks link to the glossary and the appendix, as seen from their folder."""

_PICTURE = re.compile(r'(!\[[^\]]*\]\(|<img [^>]*src=")(?!data:)([^)"]+)')
_NOTEBOOK = re.compile(r"(\]\()([0-9]{2}_\w+)\.ipynb")
_LINK_TO_SITE = re.compile(rf"\[([^\]]+)\]\((?:\.\./)?{BESIDE}\w+\.md[^)]*\)")
_OF_THE_SITE = re.compile(rf"(\]\()(?:\.\./)?{BESIDE}(\w+)\.md")  # an edition is one folder further down


def page(notebook, path):
    """Return a notebook as a page to read, on which everything can be seen.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    path : Path
        Where it stands: for its name, and for the pictures that it refers to.

    Returns
    -------
    str
    """
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="codealong", extra_template_basedirs=[str(TEMPLATES)])
    return policy.guarded(render(exporter, notebook, path))


def render(exporter, notebook, path, ending=".html", **resources):
    """Return what an exporter of nbconvert makes of a notebook, with its pictures in it.

    Links to the glossary and the appendix lead to the site, which is beside the folder of the page.

    Parameters
    ----------
    exporter : nbconvert.HTMLExporter
    notebook : nbformat.NotebookNode
    path : Path
    ending : str
        Of the files that links to other notebooks lead to.
    **resources : dict
        What its template needs besides.

    Raises
    ------
    CourseError
        When there is no such picture.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            linked = _NOTEBOOK.sub(rf"\1\2{ending}", _OF_THE_SITE.sub(r"\1../site/\2.html", cell.source))
            cell.source = _with_pictures(linked, path)
    about = {"name": path.stem, "path": str(path.parent)}
    html, _ = exporter.from_notebook_node(notebook, resources={"metadata": about, **resources})
    return html


def without_site(source):
    """Return Markdown in which a link to the glossary or the appendix is its text alone."""
    return _LINK_TO_SITE.sub(r"\1", source)


def _with_pictures(source, path):
    """Put pictures into Markdown; nbconvert's `embed_images` closes a ``<details>`` at the first empty line in it."""

    def embedded(found):
        picture = path.parent / found[2]
        try:
            content = base64.b64encode(picture.read_bytes()).decode()
        except OSError:
            raise CourseError(f"{path.name} shows {found[2]}, but there is no such picture.") from None
        return f"{found[1]}data:{mimetypes.guess_type(picture)[0]};base64,{content}"

    return _PICTURE.sub(embedded, source)
