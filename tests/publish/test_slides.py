"""The slides of all notebooks in a real browser, each slide with all its fragments shown and all answers folded out."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from codealong import CourseError
from codealong.publish import course, editions, layout, slides

NOTEBOOKS = [path.stem for path in course.notebooks()]

LOOK = """() => Reveal.getSlides().map(slide => {
  const at = Reveal.getIndices(slide);
  Reveal.slide(at.h, at.v, 999);
  slide.querySelectorAll('details').forEach(one => one.open = true);
  const elements = [...slide.querySelectorAll('*')].filter(one => !one.closest('aside') && one.getClientRects().length);
  const about = one => `${one.tagName}: ${(one.alt || one.textContent).trim().slice(0, 60)}`;
  const px = one => parseFloat(getComputedStyle(one).fontSize);
  const within = names => elements.filter(one => one.matches(names) && one.textContent.trim());
  return {
    headings: within('h1, h2, h3').map(one => one.textContent.replace('¶', '').trim()),
    top: elements.find(one => one.matches('h1, h2, h3, p, li, pre, img, table')).tagName,
    code: within('.jp-InputArea-editor pre').map(one => one.textContent.trimEnd()),
    figures: elements.filter(one => one.matches('.jp-OutputArea img')).map(one => one.alt),
    notes: [...slide.querySelectorAll('aside.notes')].map(one => one.textContent),
    hidden: elements.filter(one => getComputedStyle(one).visibility !== 'visible').map(about),
    outside: elements.filter(one => {
      const box = one.getBoundingClientRect();
      return box.left < 0 || box.top < 0 || box.right > 1280 || box.bottom > 720;
    }).map(about),
    scrolling: elements.filter(one => getComputedStyle(one).display !== 'inline' &&
      (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1) &&
      getComputedStyle(one).overflow !== 'visible').map(about),
    text: Math.min(99, ...within('p, li, summary, h1, h2, h3').map(px)),
    small: Math.min(99, ...within('pre, pre span, code, td, th').map(px)),
  };
})"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return {path.stem: path for path in slides.write(tmp_path_factory.mktemp("slides") / "slides")}


@pytest.fixture(scope="module")
def edition():
    return {path.stem: editions.instructor(path) for path in course.notebooks()}


@pytest.fixture(scope="module")
def shown(browser, written):
    """Of each notebook: its slides as the browser shows them, what was requested, and what was complained about."""
    decks = {}
    for name, path in written.items():
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        requests, complaints = [], []
        page.on("request", lambda request, requests=requests: requests.append(request.url))
        page.on("console", lambda message, complaints=complaints: complaints.append(message.text))
        page.on("pageerror", lambda error, complaints=complaints: complaints.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        page.add_style_tag(content="* { transition: none !important }")
        decks[name] = page.evaluate(LOOK), requests, complaints
        page.close()
    return decks


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_slides_request_nothing(shown, written, name):
    _, requests, _ = shown[name]
    assert [url for url in requests if not url.startswith("data:")] == [written[name].as_uri()]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_browser_has_nothing_to_complain_about(shown, name):
    assert shown[name][2] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_heading_begins_a_slide(shown, edition, name):
    looks, _, _ = shown[name]
    prose = [cell.source for cell in edition[name].cells if cell.cell_type == "markdown" and not _is_notes(cell)]
    headings = [line for source in prose for line in source.split("\n") if re.match("#{1,3} ", line)]
    beginning = [look["headings"] for look in looks if look["headings"]]
    assert beginning == [[heading.lstrip("# ").replace("`", "")] for heading in headings]
    assert all(look["top"] in ("H1", "H2", "H3") for look in looks if look["headings"])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_slides_are_those_of_the_layout(shown, edition, name):
    assert len(shown[name][0]) == len(layout.pages(edition[name]))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_code_and_figures_are_all_there_and_in_order(shown, edition, name):
    looks, _, _ = shown[name]
    cells = [cell for cell in edition[name].cells if cell.cell_type == "code"]
    code = "\n".join(cell.source for cell in cells if not cell.metadata.get("jupyter", {}).get("source_hidden"))
    assert _lines("\n".join(text for look in looks for text in look["code"])) == _lines(code)
    alts = [
        output.metadata["image/png"]["alt"]
        for cell in cells
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert [alt for look in looks for alt in look["figures"]] == alts


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_sticks_out_of_a_slide_or_scrolls(shown, name):
    looks, _, _ = shown[name]
    assert {number: look["outside"] for number, look in enumerate(looks, start=1) if look["outside"]} == {}
    assert {number: look["scrolling"] for number, look in enumerate(looks, start=1) if look["scrolling"]} == {}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_all_fragments_of_a_slide_can_be_seen_together(shown, name):
    assert [look["hidden"] for look in shown[name][0] if look["hidden"]] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_letters_can_be_read_from_the_last_row(shown, name):
    looks, _, _ = shown[name]
    assert min(look["text"] for look in looks) >= 20
    assert min(look["small"] for look in looks) >= 16


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notes_stay_until_the_next_ones(shown, edition, name):
    looks, _, _ = shown[name]
    notes = [cell.source for cell in edition[name].cells if _is_notes(cell)]
    assert all(look["notes"] for look in looks)
    first = [look["notes"] for look in looks if look["headings"]]
    assert len({text for texts in first for text in texts}) == len(notes)


def test_speaker_view_works_from_the_file(browser, written):
    path = written["01_data"]
    context = browser.new_context()
    requests = []
    context.on("request", lambda request: requests.append(request.url))
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    opened.value.wait_for_function(
        "document.querySelector('.speaker-controls-notes .value').innerText.includes('Ask.')"
    )
    assert all(url.startswith((path.as_uri(), "data:")) for url in requests)
    context.close()


def test_figures_stand_on_white_where_it_is_dark(browser, written):
    page = browser.new_page(color_scheme="dark")
    page.goto(written["02_architecture"].as_uri())
    colours = page.evaluate(
        """() => ['.reveal-viewport', '.jp-OutputArea img', '.reveal p'].map(name => {
          const style = getComputedStyle(document.querySelector(name));
          return name === '.reveal p' ? style.color : style.backgroundColor;
        })"""
    )
    page.close()
    assert [sum(map(int, re.findall(r"\d+", colour)[:3])) > 380 for colour in colours] == [False, True, True]


def test_answers_fold_out_with_their_reasons(browser, tmp_path):
    question = "**Predict.** Which?\n\n<details><summary>This</summary>\n\nNo, *because*.\n\n</details>"
    (tmp_path / "question.html").write_text(slides.deck(_notebook(new_markdown_cell(question)), tmp_path / "x.ipynb"))
    page = browser.new_page()
    page.goto((tmp_path / "question.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    reason = page.locator("details em")
    assert not reason.is_visible()
    page.locator("summary").click()
    assert reason.is_visible()
    page.close()


def test_a_picture_that_is_missing_is_named(tmp_path):
    with pytest.raises(CourseError, match=r"x\.ipynb shows \.\./images/none\.png"):
        slides.deck(_notebook(new_markdown_cell("![what](../images/none.png)")), tmp_path / "x.ipynb")


def test_links_lead_to_other_slides(tmp_path):
    page = slides.deck(_notebook(new_markdown_cell("[Next](02_architecture.ipynb)")), tmp_path / "x.ipynb")
    assert 'href="02_architecture.html"' in page
    page = slides.deck(_notebook(new_markdown_cell(f"[More]({course.BESIDE}appendix.md)")), tmp_path / "x.ipynb")
    assert 'href="../site/appendix.html"' in page


def test_long_text_is_cut_at_an_empty_line():
    text = "\n".join(["line"] * 18 + [""] + ["line"] * 18)
    pages = layout.pages(_notebook(new_code_cell("show()", outputs=[new_output("stream", text=text)])))
    shown = ["".join(output.text for part in page.parts for output in part.cell.outputs) for page in pages]
    assert "".join(shown).replace("\n", "") == text.replace("\n", "")
    assert [one.count("line") for one in shown if one] == [18, 18]


def test_a_long_table_is_cut_between_rows_under_the_same_head():
    rows = [f"<tr><th>{number}</th><td>x</td></tr>" for number in range(60)]
    html = f"<table><thead><tr><th>head</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    cell = new_code_cell("table", outputs=[new_output("execute_result", {"text/html": html})])
    parts = [part.cell for page in layout.pages(_notebook(cell)) for part in page.parts]
    tables = [output.data["text/html"] for part in parts for output in part.outputs]
    assert len(tables) > 2 and all("head" in table for table in tables)
    assert re.findall(r"<th>(\d+)", "".join(tables)) == [str(number) for number in range(60)]


def test_a_question_stands_above_the_code_that_answers_it():
    prose = "Words and words. " * 90
    cells = [new_markdown_cell(f"{prose}\n\n**Predict.** What?"), new_code_cell("\n".join(["step()"] * 8))]
    pages = layout.pages(_notebook(*cells))
    assert [part.cell.source[:6] for part in pages[-1].parts] == ["**Pred", "step()"]


def test_a_skipped_cell_is_left_out():
    skipped = new_markdown_cell("Not here", metadata={"slideshow": {"slide_type": "skip"}})
    assert len(layout.pages(_notebook(new_markdown_cell("# Here"), skipped))[0].parts) == 1


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_layout_fills_no_slide_beyond_its_room(edition, name):
    assert [page.left for page in layout.pages(edition[name]) if page.left < 0] == []


def _notebook(*cells):
    return new_notebook(cells=list(cells))


def _is_notes(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type") == "notes"


def _lines(text):
    return [line.rstrip() for line in text.split("\n") if line.strip()]
