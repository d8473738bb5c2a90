"""A page of a notebook asks nothing of a network, and shows everything that belongs to it."""

import nbformat
import pytest

from codealong import CourseError
from codealong.publish import course, pages
from tests.publish.conftest import Page


def _page(path, *sources):
    cells = [nbformat.v4.new_markdown_cell(source) for source in sources]
    return pages.page(nbformat.v4.new_notebook(cells=cells), path)


def test_pages_ask_no_network_and_describe_their_figures():
    path = course.notebooks()[0]
    page = pages.page(nbformat.read(path, as_version=4), path)
    assert 'alt="Grid of photographs, 8 from each of ten classes of clothing' in page
    for word in ('src="http', "cdnjs", "@import", 'href="http'):
        assert word not in page


def test_a_page_has_its_policy_and_runs_nothing():
    path = course.notebooks()[0]
    page = Page(pages.page(nbformat.read(path, as_version=4), path))
    assert len(page.policies) == 1 and "script-src 'none'" in page.policies[0]
    assert not page.inline and not page.active
    assert all(address.startswith("data:") for address in page.loaded)


def test_a_page_holds_its_pictures_and_keeps_reasons_closed(tmp_path):
    (tmp_path / "dot.png").write_bytes(b"\x89PNG")
    source = '![a dot](dot.png)\n\n<details><summary>A</summary>\n\nReason <img src="dot.png">\n\n</details>'
    page = _page(tmp_path / "01_one.ipynb", source)
    assert page.count('src="data:image/png;base64,iVBORw=="') == 2
    assert page.index("<details>") < page.index("Reason") < page.index("</details>")


def test_a_page_without_its_picture_is_refused(tmp_path):
    with pytest.raises(CourseError, match=r"01_one\.ipynb shows none\.png, but there is no such picture"):
        _page(tmp_path / "01_one.ipynb", "![gone](none.png)")


def test_links_lead_to_other_pages(tmp_path):
    assert 'href="02_architecture.html"' in _page(tmp_path / "01_one.ipynb", "[Next](02_architecture.ipynb)")
