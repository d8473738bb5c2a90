"""The slides of all notebooks in a real browser: each slide with all fragments shown and all answers folded out."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

pytest.importorskip("sphinx_revealjs", reason="slides need the teaching extras")

from codealong import CourseError
from codealong.publish import course, editions, guide, slides
from codealong.publish.pages import BESIDE
from tests.publish.conftest import NOTEBOOKS

LOOK = """() => Reveal.getSlides().map(slide => {
  const at = Reveal.getIndices(slide);
  Reveal.slide(at.h, at.v, 999);
  slide.querySelectorAll('details').forEach(one => one.open = true);
  const elements = [...slide.querySelectorAll('*')].filter(one => !one.closest('aside') && one.getClientRects().length);
  const within = names => elements.filter(one => one.matches(names) && one.textContent.trim());
  const px = (one, part) => parseFloat(getComputedStyle(one, part).fontSize);
  const title = getComputedStyle(slide, '::before').content.replace(/^"|"$/g, '');
  const written = elements.filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  const beyond = elements.map(one => {
    const box = one.getBoundingClientRect();
    const clips = !['visible', 'clip'].includes(getComputedStyle(one).overflow);
    return Math.max(-box.left, -box.top, box.right - 1280, box.bottom - 720,
      clips ? one.scrollHeight - one.clientHeight : 0, clips ? one.scrollWidth - one.clientWidth : 0);
  });
  return {
    heading: within('h1, h2')[0]?.textContent.replace('¶', '').trim() ?? title,
    running: title !== 'none',
    section: slide.dataset.title,
    seconds: Number(slide.dataset.timing),
    code: within('.jp-InputArea-editor pre').map(one => one.textContent.trimEnd()),
    outputs: within('.jp-OutputArea pre').map(one => one.textContent.trimEnd()),
    figures: elements.filter(one => one.matches('.jp-OutputArea img')).map(one => one.alt),
    scales: elements.filter(one => one.matches('.jp-OutputArea img')).map(one => {
      const box = one.getBoundingClientRect();
      return Math.min(box.width / one.naturalWidth, box.height / one.naturalHeight);
    }),
    prose: within('.jp-MarkdownCell :is(p, li, summary)').map(one => one.textContent),
    hidden: elements.filter(one => getComputedStyle(one).visibility !== 'visible').map(one => one.textContent),
    beyond: Math.round(Math.max(...beyond)),
    small: written.filter(one => px(one) < 20).map(one => `${px(one)} px: ${one.textContent.slice(0, 60)}`)
      .concat(title !== 'none' && px(slide, '::before') < 20 ? [title] : []),
  };
})"""

SPEAK = """async () => {  // what the speaker's view is told to show, from the first state of all to the last
  const deck = window.opener.Reveal, states = [];
  const here = ({indexh, indexv, indexf}) => [indexh, indexv, indexf].join();
  const shows = move => new Promise(resolve => {
    addEventListener('message', function listen({data}) {
      const {namespace, type, state, notes} = JSON.parse(data);
      if (namespace !== 'reveal-notes' || type !== 'state' || here(state) !== here(deck.getState())) return;
      removeEventListener('message', listen);
      resolve(new DOMParser().parseFromString(notes, 'text/html').body.textContent.trim());
    });
    move();
  });
  deck.slide(1);
  for (let said = await shows(() => deck.slide(0, 0, -1));; said = await shows(() => deck.next())) {
    states.push([deck.getCurrentSlide().dataset.title, said]);
    if (deck.isLastSlide() && !deck.availableFragments().next) return states;
  }
}"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The decks of all lessons, by name."""
    return {path.stem: path for path in slides.write(tmp_path_factory.mktemp("slides") / "slides")}


@pytest.fixture(scope="module")
def edition():
    return {path.stem: editions.instructor(path) for path in course.notebooks()}


@pytest.fixture(scope="module")
def shown(browser, written):
    """Of each notebook: its slides, what the speaker's view says in each state, requests, and complaints."""
    decks = {}
    for name in NOTEBOOKS:
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        requests, complaints = [], []
        context.on("request", lambda request, requests=requests: requests.append(request.url))
        page = context.new_page()
        page.on("console", lambda message, complaints=complaints: complaints.append(message.text))
        page.on("pageerror", lambda error, complaints=complaints: complaints.append(str(error)))
        page.goto(written[name].as_uri())
        page.locator(".reveal.ready").wait_for()
        page.add_style_tag(content="* { transition: none !important }")
        looks = page.evaluate(LOOK)
        page.evaluate("Reveal.slide(0, 0, 999)")
        with page.expect_popup() as opened:
            page.keyboard.press("s")
        notes = opened.value.locator(".speaker-controls-notes .value")
        notes.and_(opened.value.locator(":not(:empty)")).wait_for()
        pace = opened.value.locator(".pacing-title").is_visible()
        states = opened.value.evaluate(SPEAK)
        notes.filter(has_text=states[-1][1].partition("\n")[0]).wait_for()
        decks[name] = looks, states, pace, requests, complaints
        context.close()
    return decks


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_sticks_out_of_a_slide(shown, name):
    too_much = [
        f"{name}, slide {number}, “{look['heading']}”: {look['beyond']} px too much"
        for number, look in enumerate(shown[name][0], start=1)
        if look["beyond"] > 0
    ]
    assert not too_much, "\n".join(too_much)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_sticks_out_of_a_slide_in_45_minutes_either(browser, written, name):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(written[f"{name}-45"].as_uri())
    page.locator(".reveal.ready").wait_for()
    assert not {look["heading"]: look["beyond"] for look in page.evaluate(LOOK) if look["beyond"] > 0}
    page.close()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_figures_keep_four_fifths_of_their_size(shown, name):
    assert not {look["heading"]: look["scales"] for look in shown[name][0] if min([1, *look["scales"]]) < 0.8}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_letters_can_be_read_from_the_last_row(shown, name):
    assert not {look["heading"]: look["small"] for look in shown[name][0] if look["small"]}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_all_fragments_of_a_slide_can_be_seen_together(shown, name):
    assert not [look["hidden"] for look in shown[name][0] if look["hidden"]]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_slide_holds_one_sentence_only(shown, name):
    for look in shown[name][0]:
        holds_more = look["code"] or look["outputs"] or look["figures"] or len(look["prose"]) > 1
        assert holds_more or len(re.findall(r"[.:?](?=\s|$)", "".join(look["prose"]))) > 1, look


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_each_section_begins_a_slide_and_stays_in_sight(shown, name):
    looks = shown[name][0]
    beginning = [look["heading"] for look in looks if not look["running"]]
    assert beginning == [
        looks[0]["section"],
        *(section.heading.replace("`", "") for section in guide.sections(name)[1:]),
    ]
    assert all(look["heading"] == look["section"] for look in looks)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_speaker_notes_are_those_of_the_section_in_every_state(shown, edition, name):
    _, states, _, _, _ = shown[name]
    expected = dict(zip(dict.fromkeys(title for title, _ in states), guide.sections(name), strict=True))
    assert len(states) > len(shown[name][0])
    for title, said in states:
        assert said.startswith(f"{expected[title].minutes} minutes of 90"), (title, said)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_minutes_of_the_guide_pace_the_speaker(shown, name):
    looks, _, pace, _, _ = shown[name]
    assert pace
    seconds = {}
    for look in looks:
        seconds[look["section"]] = seconds.get(look["section"], 0) + look["seconds"]
    assert list(seconds.values()) == [60 * section.minutes for section in guide.sections(name)]


@pytest.mark.parametrize("lesson", slides.LESSONS)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_section_has_the_minutes_that_its_slides_take(edition, name, lesson):
    """130 words or two cells a minute, half a minute a slide, and a minute for each question and for a line to type."""
    for section in slides._sections(slides._arranged(edition[name], lesson).cells):
        cells = [cell for cell in section if slides._slide_type(cell) not in ("notes", "skip")]
        stubs = {cell.id: cell.source for cell in cells if editions.STUB in cell.source}
        code = [cell for cell in cells if cell.cell_type == "code" and cell.id not in stubs]
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        starts = [(cell.source, stubs[f"{cell.id}-start"]) for cell in code if f"{cell.id}-start" in stubs]
        typed = sum(len(whole.splitlines()) - len(start.splitlines()) + 1 for whole, start in starts)
        needed = len(re.findall(r"\w+", text)) / 130 + len(code) / 2 + text.count("**Predict.**") + typed
        paced = [cell.metadata.slideshow.data.timing for cell in cells if "data" in cell.metadata.get("slideshow", {})]
        assert sum(paced) >= 60 * max(needed, len(paced) / 2), cells[0].source


def test_notes_are_made_smaller_in_the_speakers_view():
    _, notes, _ = slides._reveal()["scripts"]
    assert slides._NOTES in notes and slides._LARGE_NOTES not in notes


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_typing_has_three_times_the_minutes_of_another_slide(edition, name):
    for section in slides._sections(slides._arranged(edition[name], 90).cells):
        parts = slides._cut(section, lambda cell: slides._slide_type(cell) in ("slide", "subslide"))
        paces = [part[0].metadata.slideshow.data.timing for part in parts]
        typed = [any(editions.STUB in cell.source for cell in part) for part in parts]
        plain = [pace for pace, its in zip(paces, typed, strict=True) if not its]
        for pace, its in zip(paces, typed, strict=True):
            assert not (its and plain) or abs(pace - 3 * min(plain)) <= 3


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_in_45_minutes_nobody_is_told_to_type_what_is_solved(edition, name):
    for section in slides._sections(slides._arranged(edition[name], 45).cells):
        typed = any(editions.STUB in cell.source for cell in section)
        assert any("**Your turn.**" in cell.source for cell in section) == typed


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_in_45_minutes_one_exercise_is_typed_and_the_others_are_shown_solved(edition, name):
    whole, cut = edition[name].cells, slides._arranged(edition[name], 45).cells
    stubs = [[cell.source for cell in cells if editions.STUB in cell.source] for cells in (whole, cut)]
    assert len(stubs[0]) >= 2 and len(stubs[1]) == 1
    left_out = {f"## {section.heading}" for section in guide.sections(name) if not section.short}
    sections = [section for section in slides._sections(whole) if section[0].source.partition("\n")[0] not in left_out]
    complete = [cell.source for section in sections for cell in section if cell.cell_type == "code"]
    assert [cell.source for cell in cut if cell.cell_type == "code" and cell.source not in stubs[1]] == [
        source for source in complete if editions.STUB not in source
    ]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_code_and_figures_are_all_there_and_in_order(shown, edition, name):
    looks = shown[name][0]
    cells = [cell for cell in edition[name].cells if cell.cell_type == "code"]
    alts = [
        output.metadata["image/png"]["alt"]
        for cell in cells
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert [alt for look in looks for alt in look["figures"]] == alts
    code = [cell.source for cell in cells if editions.OUTPUT_ONLY not in cell.metadata.get("tags", [])]
    assert [text for look in looks for text in look["code"]] == code


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_stub_is_shown_before_its_solution(shown, name):
    code = [look["code"] for look in shown[name][0]]
    stubs = [number for number, texts in enumerate(code) if any(editions.STUB in text for text in texts)]
    assert len(stubs) >= 2
    for number in stubs:
        stub = next(text for text in code[number] if editions.STUB in text)
        head, *_, tail = stub.split(editions.STUB)
        solution = code[number + 1][0]
        assert solution.startswith(head) and solution.endswith(tail) and editions.STUB not in solution


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_slides_request_nothing_and_complain_of_nothing(shown, written, name):
    _, _, _, requests, complaints = shown[name]
    own = (written[name].as_uri(), "data:", "about:")
    assert requests and not [url for url in requests if not url.startswith(own)]
    assert complaints == []


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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_slide_is_printed_on_one_page(browser, written, shown, name):
    page = browser.new_page()
    page.goto(f"{written[name].as_uri()}?print-pdf")
    page.wait_for_selector(".pdf-page")
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == len(shown[name][0])


def test_answers_fold_out_with_their_reasons(browser, tmp_path):
    question = "**Predict.** Which?\n\n<details><summary>This</summary>\n\nNo, *because*.\n\n</details>"
    (tmp_path / "question.html").write_text(slides.deck(_notebook(new_markdown_cell(question)), tmp_path / "x.ipynb"))
    page = browser.new_page()
    page.goto((tmp_path / "question.html").as_uri())
    page.locator(".reveal.ready").wait_for()
    reason = page.locator("details em")
    assert not reason.is_visible()
    page.locator("summary").click()
    assert reason.is_visible()
    page.close()


def test_a_picture_that_is_missing_is_named(tmp_path):
    with pytest.raises(CourseError, match=r"x\.ipynb shows \.\./images/none\.png"):
        slides.deck(_notebook(new_markdown_cell("![what](../images/none.png)")), tmp_path / "x.ipynb")


@pytest.mark.parametrize(("lesson", "ending"), slides.LESSONS.items())
def test_links_lead_to_other_decks_of_the_same_lesson(tmp_path, lesson, ending):
    page = slides.deck(_notebook(new_markdown_cell("[Next](02_architecture.ipynb)")), tmp_path / "x.ipynb", lesson)
    assert f'href="02_architecture{ending}.html"' in page
    page = slides.deck(
        _notebook(new_markdown_cell(f"An [arm]({BESIDE}glossary.md#term-arm) trains.")), tmp_path / "x.ipynb"
    )
    assert "An arm trains." in page and "glossary" not in page


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_deck_leads_to_other_decks_only_and_tells_no_time_that_a_learner_takes_alone(written, name):
    page = written[name].read_text()
    targets = [target for target in re.findall(r'<a [^>]*href="([^"]*)"', page) if target[0] not in "#$'"]
    assert not [target for target in targets if not re.fullmatch(r"\d\d_\w+(-45)?\.html", target)]
    assert "<em>Needs</em>" in page and "<em>Time</em>" not in page


def test_code_that_nobody_has_to_type_is_left_out_and_its_output_is_not(tmp_path):
    cell = new_code_cell(
        "draw()", metadata={"tags": [editions.OUTPUT_ONLY]}, outputs=[new_output("stream", text="drawn")]
    )
    page = slides.deck(_notebook(cell), tmp_path / "x.ipynb")
    assert "drawn" in page and 'class="jp-CodeMirrorEditor' not in page


def test_a_skipped_cell_is_left_out(tmp_path):
    skipped = new_markdown_cell("Not here", metadata={"slideshow": {"slide_type": "skip"}})
    page = slides.deck(_notebook(new_markdown_cell("# Here"), skipped), tmp_path / "x.ipynb")
    assert "Here" in page and "Not here" not in page


def test_a_short_lesson_has_its_own_minutes_and_leaves_out_what_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(guide, "PAGES", tmp_path)
    minutes = "*90-minute lesson: {} min · 45-minute lesson: {} min{}*\n\n**Ask.** What?\n\n"
    sections = [("Opening", 10, 5, ""), ("Kept", 20, 7, ", solved"), ("Left out", 30, 0, "")]
    page = "".join(f"## {heading}\n{minutes.format(*plan)}" for heading, *plan in sections)
    (tmp_path / "01_x.md").write_text(f"# Page\n\n{page}")
    nbformat.write(
        _notebook(*map(new_markdown_cell, ("# Title", "## Kept\n\nOne.", "## Left out"))), tmp_path / "01_x.ipynb"
    )
    edition = editions.instructor(tmp_path / "01_x.ipynb")
    said = [cell.source.partition("\n")[0] for cell in edition.cells if cell.source.startswith("**")]
    assert said == [
        "**10 minutes** of 90 · **5** of 45",
        "**20 minutes** of 90 · **7** of 45, solution shown",
        "**30 minutes** of 90 · left out of 45",
    ]
    seconds = [re.findall(r'data-timing="(\d+)"', slides.deck(edition, tmp_path / "01_x.ipynb", n)) for n in (90, 45)]
    assert [one[::2] for one in seconds] == [["600", "1200", "1800"], ["300", "420"]]  # of a column, and of its slide


def _notebook(*cells):
    return new_notebook(cells=list(cells))
