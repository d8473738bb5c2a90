"""How Sphinx makes the site; `codealong.publish.site` gathers the pages and calls it."""

import binascii
import hashlib
import re
from pathlib import Path

import furo
import nbformat
from docutils import nodes

from codealong.publish import policy

project = html_title = "Fashion-MNIST code-along for Intel CPUs"
language = "en"
extensions = ["myst_nb", "sphinx_copybutton"]
templates_path = ["templates"]

nb_execution_mode = "off"  # the stored outputs are the ones that the tests compare
nb_ipywidgets_js = {}  # by default two scripts from content delivery networks
nb_code_prompt_show = "Show a solution"  # only solutions are hidden
nb_code_prompt_hide = "Hide the solution"
myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_favicon = "static/favicon.svg"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_domain_indices = False
html_use_index = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
copybutton_selector = "div.highlight pre:not(.cell_output pre)"


def describe_figures(app, document):
    """Give each figure of a notebook the description stored with it, which myst-nb leaves out, and its real size."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb":
        return
    descriptions = dict(_figures(nbformat.read(path, as_version=4)))
    for image in document.findall(nodes.image):
        name = Path(image["uri"]).stem  # myst-nb names the file of a figure after its digest
        if name in descriptions:
            image["alt"] = descriptions[name]
            image["scale"] = 100  # Sphinx then links to the whole picture, which a phone can enlarge


def _figures(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                picture = binascii.a2b_base64(output.data["image/png"])
                yield hashlib.sha256(picture).hexdigest(), output.metadata["image/png"]["alt"]


def let_words_be_linked(app, document):
    """Let links of Markdown lead to a word of the glossary, which MyST only lets them do to a heading."""
    anchors = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for term in document.findall(nodes.term):
        anchors |= {name: (term.line, name, term.astext()) for name in term["ids"]}


def guard(app, pagename, templatename, context, doctree):
    """Give each page its policy: the scripts of the site's folder, and the line that Furo has in its own template."""
    template = (Path(furo.__file__).parent / "theme" / "furo" / "base.html").read_text(encoding="utf-8")
    scripts = re.findall("<script>(.*?)</script>", template, re.S)
    context["metatags"] = policy.element(*scripts, folder=True) + context.get("metatags", "")


def setup(app):
    app.connect("html-page-context", guard)
    app.connect("doctree-read", describe_figures)
    app.connect("doctree-read", let_words_be_linked)
