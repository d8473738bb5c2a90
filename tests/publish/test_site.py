"""The site is whole, asks nothing of a network, and can be used on a phone, in the dark, and by keyboard."""

import functools
import http.server
import os
import re
import shutil
import threading
import zipfile
from collections import namedtuple
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from codealong import CourseError
from codealong.publish import course, editions, guide, policy, site
from tests.publish.conftest import Page

AXE = Path(pytest.importorskip("axe_playwright_python").__file__).with_name("axe.min.js").read_text()
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
CONTRAST = {"color-contrast", "link-in-text-block"}
VIEWS = {"phone": (PHONE, "light"), "desktop": (DESKTOP, "light"), "dark": (DESKTOP, "dark")}
RULES = {  # contrast takes most of the time, and is the same on a phone; nothing else differs in the dark
    "phone": {"rules": {name: {"enabled": False} for name in CONTRAST}},
    "desktop": {},
    "dark": {"runOnly": {"type": "rule", "values": [*CONTRAST]}},
}

FACTS = """async rules => ({
    hidden: Math.max(...[document.documentElement, document.querySelector(".content")]
        .map(box => box.scrollWidth - box.clientWidth)),
    ids: [...document.querySelectorAll("[id]")].map(element => element.id),
    links: [...document.querySelectorAll("a[href], link[href]")].map(element => element.href),
    images: [...document.images].map(image => ({src: image.src, alt: image.getAttribute("alt") ?? ""})),
    violations: (await axe.run({...rules, resultTypes: ["violations"], preload: false})).violations
        .filter(({impact}) => impact === "serious" || impact === "critical")
        .map(({id, nodes}) => `${id}: ${nodes.length} × ${nodes[0].html.slice(0, 200)}`),
})"""

Visit = namedtuple("Visit", "view page facts complaints requests")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site, built once."""
    into = tmp_path_factory.mktemp("site") / "site"
    site.write(into)
    return into


@pytest.fixture(scope="module")
def address(built):
    """Where the site is served, with a slash at the end."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=built))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def visits(built, address, browser):
    """Every page as a phone, a desktop and a dark desktop show it, with what the page complained of and asked for."""
    done = []
    tab = browser.new_page(reduced_motion="reduce")
    complaints, requests = [], []
    watch(tab, complaints)
    tab.on("request", lambda request: requests.append(request.url))
    for page in pages(built):
        for number, (view, (viewport, scheme)) in enumerate(VIEWS.items()):
            tab.set_viewport_size(viewport)
            tab.emulate_media(color_scheme=scheme)
            if number == 0:
                tab.goto(address + page)
                tab.evaluate(AXE)
            done.append(Visit(view, page, tab.evaluate(FACTS, RULES[view]), [*complaints], [*requests]))
        complaints.clear(), requests.clear()
    tab.close()
    return done


@pytest.fixture
def tab(browser):
    """A page of its own, with nothing opened yet, that may use the clipboard."""
    context = browser.new_context(viewport=DESKTOP, permissions=["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


def pages(built):
    """The pages that Sphinx made; slides and handouts beside them have tests of their own."""
    found = (path.relative_to(built).as_posix() for path in built.rglob("*.html"))
    return sorted(page for page in found if not page.startswith(("slides/", "handouts/")))


def watch(tab, complaints):
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))


def figures(notebook):
    return [
        output.metadata["image/png"]["alt"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def test_every_notebook_guide_and_the_glossary_has_a_page(built):
    sources = [f"notebooks/{path.stem}.html" for path in course.notebooks()]
    sources += [f"teaching/{path.stem}.html" for path in guide.PAGES.glob("*.md")]
    assert len(sources) >= 12
    sources += [f"teaching/quiz/{path.stem}.html" for path in course.notebooks()]
    others = ("index", "RESULTS", "appendix", "glossary", "instructors", "quizzes", "search")
    assert set(pages(built)) == {*sources, *(f"{name}.html" for name in others)}


def test_every_lesson_leads_to_its_slides_its_handout_its_quiz_and_its_guide(built):
    for path in course.notebooks():
        page = (built / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        article = page[page.index("<article") : page.index("</article>")]  # the sidebar leads to every page anyway
        for place in ("slides", "handouts", "teaching/quiz", "teaching"):
            assert f'href="../{place}/{path.stem}.html"' in article
            assert (built / place / f"{path.stem}.html").exists()


def test_instructors_find_all_slides_and_handouts(built):
    page = (built / "instructors.html").read_text(encoding="utf-8")
    for path in course.notebooks():
        for place in (f"slides/{path.stem}.html", f"slides/{path.stem}-45.html", f"handouts/{path.stem}.html"):
            assert f'href="{place}"' in page and (built / place).exists()


def test_lines_that_are_too_long_are_wrapped_and_not_cut(tab, address):
    for place in ("notebooks/01_data", "notebooks/07_five_conclusions", "RESULTS", "instructors"):
        tab.goto(f"{address}{place}.html")
        assert tab.evaluate(
            "[...document.querySelectorAll('article pre')].every(box => box.scrollWidth <= box.clientWidth)"
        )


def test_on_paper_a_quiz_keeps_its_answers_to_itself(tab, address):
    tab.goto(f"{address}teaching/quiz/01_data.html")
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("article summary").first.is_visible() and not tab.locator("article details p").first.is_visible()


def test_a_search_for_nothing_says_what_to_do(tab, address):
    tab.goto(f"{address}search.html")
    assert "Type a word into the search box" in tab.locator("#search-results").inner_text()


def test_links_of_a_lesson_all_look_like_links(tab, address):
    tab.goto(f"{address}notebooks/01_data.html")
    links = tab.locator("article p", has=tab.get_by_role("link", name="Slides")).get_by_role("link")
    assert links.all_inner_texts() == ["Slides", "Handout", "Quiz", "Teaching guide"]
    looks = "links => links.map(link => [getComputedStyle(link).color, getComputedStyle(link).textDecoration].join())"
    assert len(set(links.evaluate_all(looks))) == 1


def test_on_paper_every_answer_is_open_and_code_is_whole(tab, address):
    tab.goto(f"{address}notebooks/03_train_without_ipex.html")
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("[...document.querySelectorAll('details')].every(answer => answer.open)")
    shown = "[...document.querySelectorAll('details > :not(summary)')].map(one => getComputedStyle(one).opacity)"
    assert set(tab.evaluate(shown)) == {"1"}
    assert tab.evaluate("[...document.querySelectorAll('pre')].every(box => box.scrollWidth <= box.clientWidth + 1)")
    assert not tab.locator(".skip-to-content").is_visible()


def test_every_page_runs_and_loads_only_what_its_policy_names(built):
    """Slides and handouts too."""
    found = sorted(built.rglob("*.html"))
    assert len(found) > 50
    for path in found:
        page = Page(path.read_text(encoding="utf-8"))
        (said,) = page.policies
        allowed = dict(rule.split(" ", 1) for rule in said.split("; "))["script-src"].split()
        assert {policy._digest(script) for script in page.inline} <= set(allowed), path
        assert [word for word in page.active if word != "form"] == [], path  # of the search
        places = [path.parent / unquote(urlsplit(address).path) for address in page.loaded if address[:5] != "data:"]
        assert all(place.is_file() and built in place.resolve().parents for place in places), path
        assert "'self'" in allowed or not places, path
        assert "http" not in said and not [word for word in said.split() if "unsafe" in word and "inline" not in word]


def test_nothing_complains(visits):
    assert not {(visit.view, visit.page): visit.complaints for visit in visits if visit.complaints}


def test_nothing_outside_is_requested(visits, address):
    assert all(visit.requests for visit in visits)
    assert not [url for visit in visits for url in visit.requests if not url.startswith((address, "data:"))]


def test_no_page_scrolls_sideways(visits):
    assert not {(visit.view, visit.page): hidden for visit in visits if (hidden := visit.facts["hidden"]) > 0}


def test_no_page_breaks_a_serious_rule_of_accessibility(visits):
    assert not {(visit.view, visit.page): found for visit in visits if (found := visit.facts["violations"])}


def test_every_image_is_there_and_described(visits, built, address):
    images = [image for visit in visits for image in visit.facts["images"]]
    assert not [image["src"] for image in images if not image["alt"].strip()]
    assert all((built / unquote(image["src"].removeprefix(address))).is_file() for image in images)


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_figures_keep_the_descriptions_stored_with_them(visits, path):
    (visit,) = [visit for visit in visits if visit.view == "desktop" and Path(visit.page).stem == path.stem
                and visit.page.startswith("notebooks/")]  # fmt: skip
    shown = [image["alt"] for image in visit.facts["images"] if Path(image["src"]).stem.isalnum()]
    assert shown == figures(nbformat.read(path, as_version=4))


def test_every_link_leads_somewhere(visits, built, address):
    ids = {visit.page: {"", *visit.facts["ids"]} for visit in visits}
    broken = []
    for visit in visits:
        for url in map(urlsplit, visit.facts["links"]):
            place, anchor = unquote(url.path).lstrip("/") or "index.html", unquote(url.fragment)
            if f"{url.scheme}://{url.netloc}/" != address:
                broken += [url.geturl()] if url.scheme != "https" else []
            elif not (built / place).is_file() or anchor not in ids.get(place, {""}):
                broken.append(f"{visit.page}: {place}#{anchor}")
    assert not set(broken)


def test_notebooks_link_to_each_other(visits, address):
    (visit,) = [visit for visit in visits if visit[:2] == ("desktop", "notebooks/01_data.html")]
    assert f"{address}notebooks/02_architecture.html" in visit.facts["links"]
    (visit,) = [visit for visit in visits if visit[:2] == ("desktop", "notebooks/06_many_seeds.html")]
    assert f"{address}appendix.html" in visit.facts["links"]


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_solutions_are_shown_only_when_asked_for(tab, address, path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    tab.goto(f"{address}notebooks/{path.stem}.html")
    solutions = tab.locator(".cell_input pre").filter(has_text=re.compile(rf"^\s*{editions.BEGIN}$", re.M))
    assert solutions.count() == sum(editions.BEGIN in cell.source for cell in cells) >= 1
    assert not any(solution.is_visible() for solution in solutions.all())
    assert tab.locator(".cell_input").filter(has_text=editions.STUB, visible=True).count() == solutions.count()
    tab.get_by_text("Show a solution").first.click()
    assert solutions.first.is_visible()


def test_a_search_finds_pages(tab, address):
    tab.goto(address)
    tab.get_by_role("textbox", name="Search").fill("autocast")
    tab.keyboard.press("Enter")
    tab.get_by_text("Search finished").wait_for()
    found = tab.locator("#search-results li a").evaluate_all("links => links.map(link => link.pathname)")
    assert any("04_train_with_ipex" in path for path in found)


def test_a_search_works_without_a_server(tab, built):
    complaints = []
    watch(tab, complaints)
    tab.goto((built / "search.html").as_uri() + "?q=autocast")
    tab.get_by_text("Search finished").wait_for()
    assert tab.locator("#search-results li a").count() >= 3
    assert not complaints


def test_the_copy_button_copies_the_code_of_its_cell(tab, address):
    tab.goto(address + "notebooks/01_data.html")
    cell = tab.locator(".cell_input").first
    cell.hover()
    cell.locator("button.copybtn").click()
    tab.locator("button.copybtn.success").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()").strip() == cell.locator("pre").inner_text().strip()


def test_outputs_have_no_copy_button(tab, address):
    tab.goto(address + "notebooks/01_data.html")
    tab.locator("button.copybtn").first.wait_for()
    assert tab.locator("button.copybtn").count() == tab.locator("article pre:not(.cell_output pre)").count()


def test_the_theme_toggle_goes_dark_and_stays_so(tab, address):
    tab.emulate_media(color_scheme="light")
    tab.goto(address)
    ground = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(ground) == "rgb(255, 255, 255)"
    toggle = tab.get_by_role("button", name="Toggle Light / Dark / Auto color theme")
    while tab.evaluate("document.body.dataset.theme") != "dark":
        toggle.click()
    tab.goto(address + "glossary.html")
    assert tab.evaluate("document.body.dataset.theme") == "dark"
    assert sum(map(int, tab.evaluate(ground).strip("rgb()").split(","))) < 150


def test_what_scrolls_can_be_reached_by_keyboard_and_the_rest_is_no_stop(tab, address):
    tab.set_viewport_size(PHONE)
    tab.goto(address + "notebooks/05_two_reports.html")
    boxes = "[...document.querySelectorAll('pre, .table-wrapper, .output.text_html')]"
    boxes += ".map(box => [box.scrollWidth > box.clientWidth, box.tabIndex === 0])"
    found = tab.evaluate(boxes)
    assert {True, False} == {wide for wide, _ in found}
    assert all(wide == stop for wide, stop in found)


def test_the_glossary_has_terms(tab, address):
    tab.goto(address + "glossary.html")
    terms = [term.casefold() for term in tab.locator("dl.glossary dt").all_inner_texts()]
    assert any("arm" in term for term in terms) and any("autocast" in term for term in terms)


@pytest.mark.parametrize("name", ["student", "instructor"])
def test_each_edition_can_be_downloaded(tab, address, built, name):
    tab.goto(address)
    with tab.expect_download() as started:
        tab.get_by_role("link", name=f"{name}.zip").click()
    assert started.value.failure() is None
    with zipfile.ZipFile(started.value.path()) as archive:
        assert archive.testzip() is None
        held = [entry for entry in archive.namelist() if entry.endswith(".ipynb")]
        assert len(held) >= 6
        assert all(nbformat.reads(archive.read(entry), as_version=4).cells for entry in held)
        assert {entry.split("/")[0] for entry in archive.namelist()} == {name}


def test_a_zip_file_depends_only_on_what_is_in_it(tmp_path):
    for number in (1, 2):
        home = tmp_path / str(number)
        (home / "edition" / "sub").mkdir(parents=True)
        for name in ("b.txt", "sub/a.txt")[:: 1 if number == 1 else -1]:
            (home / "edition" / name).write_text(name)
            os.utime(home / "edition" / name, (10**9 * number,) * 2)
        site.pack(home / "edition", home / "out.zip")
    assert (tmp_path / "1" / "out.zip").read_bytes() == (tmp_path / "2" / "out.zip").read_bytes()


@pytest.mark.slow
def test_a_bad_build_says_all_that_is_wrong_and_leaves_the_former_site(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "PAGES", tmp_path / "pages")
    shutil.copytree(Path(site.__file__).parent / "sphinx", tmp_path / "pages", ignore=shutil.ignore_patterns("*.md"))
    (tmp_path / "pages" / "index.md").write_text("# One page\n\n[gone](gone.md)\n\n![lost](lost.png)\n")
    monkeypatch.setattr(course, "notebooks", list)
    monkeypatch.setattr(guide, "PAGES", tmp_path / "guide")
    (tmp_path / "guide").mkdir()
    former = tmp_path / "built" / "site"
    former.mkdir(parents=True)
    (former / "index.html").write_text("as it was")
    with pytest.raises(CourseError, match=r"(?s)^the site was not built.*gone\.md.*lost\.png|lost\.png.*gone\.md"):
        site.write(former)
    assert (former / "index.html").read_text() == "as it was"
    assert [path.name for path in former.parent.iterdir()] == ["site"]
