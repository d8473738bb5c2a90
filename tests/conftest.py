import contextlib
import io
import json
import os
import subprocess
import sys

import pytest
import torch
from matplotlib.image import imread
from matplotlib.text import Text

from codealong import ROOT, CourseError, data, ipex_guard, records
from codealong.analysis import study
from codealong.publish import photographs

needs_ipex = pytest.mark.skipif(not ipex_guard.status(bf16=True).usable, reason=ipex_guard.status(bf16=True).reason)


@pytest.fixture(autouse=True)
def threads():
    """Give the threads back that a measurement took for itself."""
    before = torch.get_num_threads()
    yield
    if torch.get_num_threads() != before:
        torch.set_num_threads(before)


@pytest.fixture
def no_collection(monkeypatch):
    """Leave garbage alone: statsmodels collects it at every correction, which takes most of the time of a verdict."""
    monkeypatch.setattr("gc.collect", lambda *_: 0)


@pytest.fixture(scope="session")
def splits():
    """Fashion-MNIST, as `make test` has fetched it."""
    return data.load()


@pytest.fixture(scope="session")
def recorded_study():
    """The study that ships with the course."""
    return study.load()


@pytest.fixture(scope="session")
def few(splits):
    """The first 600 images of each split: enough to see that something learns."""
    return data.FashionMNIST(*(data.Split(split.images[:600], split.labels[:600]) for split in splits))


SLOW = {"browser": "browser", "watched": "worker", "tried": "worker", "built": "slow", "written": "slow"}
"""Fixtures that take their time, and the mark that says why."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Compare pictures however the tests are started."""
    config.option.mpl = True


def pytest_collection_modifyitems(items):
    for item in items:
        for fixture in SLOW.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(SLOW[fixture])


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; whoever needs it is skipped, with the reason, where there is none."""
    with contextlib.ExitStack() as opened:
        try:
            started = opened.enter_context(photographs.browser())
        except CourseError as problem:
            pytest.skip(str(problem))
        yield started


def assert_fits_a_slide(fig):
    """Every word of a figure has at least 12 points, and nothing has to shrink it on a slide of 1280 × 720."""
    small = [
        text.get_text() for text in fig.findobj(Text) if text.get_text() and text.get_visible() and text.get_size() < 12
    ]
    assert not small, small
    picture = io.BytesIO()
    fig.savefig(picture, format="png")
    picture.seek(0)
    height, width, _ = imread(picture).shape
    assert width <= 1200 and height <= 620, (width, height)


@contextlib.contextmanager
def rewritten(path):
    """Yield the content of a record in a JSON file, and write what was made of it, with the checksum it then has."""
    fields = json.loads(path.read_bytes())
    kind = fields.pop("format").partition(records.SEAL)[0].removeprefix("codealong ")
    version = fields.pop("version")
    yield fields
    records.write(path, kind, version, fields)


def make(*words, folder=ROOT):
    """Run make as by hand, also where the tests were started by make."""
    given = ("MFLAGS", "TORCH")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE") and key not in given}
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True, env=environment)


def in_a_process(code, *words, **environment):
    """Run code in a process of its own, with words in `sys.argv`; return its `answer`, and its standard error."""
    code = f"import json, sys\n{code}\nsys.__stdout__.write('\\n' + json.dumps(answer))"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr
