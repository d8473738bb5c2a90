"""The instructor edition in a real JupyterLab, shown as slides by jupyterlab-rise, with code that runs live."""

import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from codealong.publish import course, editions
from tests.publish.conftest import NOTEBOOKS

SHOWN = "section.present > section.present"

GO = """([id, hash]) => {  // again and again: when a slide appears, RISE selects a cell on it, and comes back for it
  if (document.querySelector('section.present > section.present')?.id === id) return true;
  location.hash = hash;
  return false;
}"""

LOOK = """slide => {
  slide.querySelectorAll('.fragment').forEach(one => one.classList.add('visible'));
  slide.querySelectorAll('details').forEach(one => one.open = true);
  const scrolls = one => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1;
  const outputs = [...slide.querySelectorAll('.jp-Cell-outputArea')];
  const scrolling = outputs.filter(scrolls);
  const shown = names => [...slide.querySelectorAll(names)].filter(one => one.getClientRects().length);
  const elements = shown('h1, h2, h3, p, li, details, pre, table, img, .cm-line, .jp-Cell, .jp-Cell-outputArea')
    .filter(one => !scrolling.some(area => area !== one && area.contains(one)));
  const px = one => parseFloat(getComputedStyle(one).fontSize);
  return {
    scrolling: scrolling.length,
    outside: elements.filter(one => {
      const box = one.getBoundingClientRect();
      return box.left < 0 || box.top < 0 || box.right > 1280 || box.bottom > 720;
    }).map(one => `${one.tagName}: ${one.textContent.trim().slice(0, 60)}`),
    small: Math.min(99, ...shown('p, li, pre, .cm-line, td, th').map(px)),
  };
}"""


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    """The folder that `make present` opens; the first code cell that prints something has lost its output."""
    folder = tmp_path_factory.mktemp("instructor")
    for path in course.notebooks():
        notebook = editions.instructor(path)
        _code(notebook)[_printing(notebook)].outputs = []
        nbformat.write(notebook, folder / path.name)
    (folder / editions.STYLE.name).write_bytes(editions.STYLE.read_bytes())
    return folder


@pytest.fixture(scope="module")
def server(edition, tmp_path_factory):
    """The address of what `make present` starts, and its token."""
    if importlib.util.find_spec("jupyterlab_rise") is None:
        pytest.skip("jupyterlab-rise is not installed")
    home, token = tmp_path_factory.mktemp("home"), secrets.token_hex(8)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={edition}"]
    options += [f"--IdentityProvider.token={token}", "--no-browser", *["--allow-root"] * (os.getuid() == 0)]
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR")
    with open(home / "log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab_rise", *options],
            stdout=log,
            stderr=log,
            env={**os.environ, **{place: str(home / place) for place in places}},
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api?token={token}", process, home / "log")
        yield address, token
        stop = urllib.request.Request(f"{address}/api/shutdown?token={token}", method="POST")
        urllib.request.urlopen(stop, timeout=20).close()
        process.wait(timeout=20)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def opened(browser, server):
    """A tab for each notebook, shown as slides, and what each tab requested."""
    address, token = server
    tabs, requests = {}, {name: [] for name in NOTEBOOKS}
    for name in NOTEBOOKS:
        tabs[name] = browser.new_page(viewport={"width": 1280, "height": 720})
        tabs[name].on("request", lambda request, name=name: requests[name].append(request.url))
        tabs[name].goto(f"{address}/rise/{name}.ipynb?token={token}", wait_until="commit")
    for tab in tabs.values():
        tab.wait_for_selector(SHOWN, timeout=60_000)
    yield tabs, requests
    for tab in tabs.values():
        tab.close()


@pytest.fixture(scope="module")
def looks(opened):
    """Of each notebook: its slides as the browser shows them."""
    shown = {}
    for name, tab in opened[0].items():
        ids = tab.evaluate("[...document.querySelectorAll('section > section')].map(slide => slide.id)")
        shown[name] = [_go(tab, slide).evaluate(LOOK) for slide in ids]
    return shown


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_slides_begin_where_the_slide_types_say(looks, edition, name):
    cells = nbformat.read(edition / f"{name}.ipynb", as_version=4).cells
    types = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells]
    assert len(looks[name]) == types.count("slide") + types.count("subslide")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_sticks_out_of_a_slide_or_scrolls(looks, name):
    assert {number: look["outside"] for number, look in enumerate(looks[name], start=1) if look["outside"]} == {}
    assert [number for number, look in enumerate(looks[name], start=1) if look["scrolling"]] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_letters_can_be_read_from_the_last_row(looks, name):
    assert min(look["small"] for look in looks[name]) >= 20


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_is_requested_but_from_jupyterlab(looks, opened, server, name):
    assert [url for url in opened[1][name] if not url.startswith((server[0], "data:", "blob:"))] == []


@pytest.mark.kernel
def test_a_cell_runs_live_and_stays_on_its_slide(looks, opened, edition):
    tab = opened[0][NOTEBOOKS[0]]
    number = _printing(editions.instructor(course.notebooks()[0]))
    cell = tab.locator(".jp-CodeCell").nth(number)
    assert not cell.locator(".jp-OutputArea-output").count()
    slide = cell.evaluate("cell => cell.closest('section[id]').id")
    _go(tab, slide)
    cell.locator(".cm-content").click()
    tab.keyboard.press("Control+Enter")
    cell.locator(".jp-OutputArea-output").first.wait_for(timeout=60_000)
    assert cell.locator(".jp-OutputArea-output").first.inner_text().startswith("torch ")
    assert tab.locator(SHOWN).get_attribute("id") == slide


def test_a_press_of_t_opens_the_notes_of_each_slide(looks, opened):
    tab = opened[0][NOTEBOOKS[0]]
    slides = tab.evaluate("[...document.querySelectorAll('section > section')].map(slide => slide.id)")
    _go(tab, slides[0]).locator(".jp-MarkdownCell").first.click()
    with tab.expect_popup() as notes:
        tab.keyboard.press("t")
    said = notes.value.locator(".speaker-controls-notes .value")
    for slide in slides[1:]:
        said.evaluate("value => value.innerHTML = ''")
        _go(tab, slide)
        said.filter(has_text="of 90").wait_for(timeout=60_000)
    notes.value.close()


def _code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _printing(notebook):
    """Return the number of the first code cell that has an output."""
    return next(number for number, cell in enumerate(_code(notebook)) if cell.outputs)


def _go(tab, slide):
    """Show a slide, and return it."""
    tab.wait_for_function(GO, arg=[slide, slide.replace("slide-", "#/").replace("-", "/")], polling=50, timeout=60_000)
    return tab.locator(SHOWN)


def _wait_for(address, process, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")
