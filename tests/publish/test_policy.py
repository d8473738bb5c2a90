"""No notebook acts by itself, and a page runs no script that a notebook could bring."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from codealong.publish import course, pages, policy, slides
from tests.publish.conftest import Page

SHOWN = {"text/plain", "text/html", "image/png"}
STRANGE = {
    "a script": "<script>document.title = 'taken over'</script>",
    "an event": "<img src='data:,' onerror=\"document.title = 'taken over'\">",
}


def notebook(html):
    """A notebook that says something by its text, and by its output."""
    output = new_output("display_data", {"text/html": html})
    return new_notebook(cells=[new_markdown_cell(f"# Title\n\n{html}"), new_code_cell("1", outputs=[output])])


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_a_notebook_has_nothing_that_acts(path):
    cells = nbformat.read(path, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type != "code"]
    for cell in cells:
        for output in cell.get("outputs", []):
            assert set(output.get("data", {})) <= SHOWN
            texts.append(output.get("data", {}).get("text/html", ""))
        assert not cell.get("attachments")
    for page in map(Page, texts):
        assert not page.inline and not page.active
        assert not [address for address in page.loaded if not address.startswith("../images/")]


def test_a_policy_refuses_what_it_does_not_name():
    rules = dict(rule.split(" ", 1) for rule in Page(policy.element("say()")).policies[0].split("; "))
    assert rules["default-src"] == rules["connect-src"] == rules["frame-src"] == rules["base-uri"] == "'none'"
    assert rules["script-src"] == "'sha256-2/kCYMCOBC6uc2jMfjEOQcVYsx3+O8RSS9/ZxStz0aE='"


@pytest.mark.parametrize("render", [pages.page, slides.deck], ids=["page", "deck"])
@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_what_is_not_ours_does_not_run(browser, tmp_path, render, strange):
    (tmp_path / "page.html").write_text(render(notebook(strange), tmp_path / "own.ipynb"), encoding="utf-8")
    tab, complaints = browser.new_page(), []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto((tmp_path / "page.html").as_uri())
    assert tab.title() == "own"
    tab.close()
    assert any("violates the following Content Security Policy directive" in said for said in complaints)
