"""nbval runs each notebook with a folder of runs of its own, and skips what this machine cannot run."""

import os
import tempfile
from pathlib import Path

import nbformat
import pytest

from codealong.publish.course import why_skipped

RUNS = tempfile.TemporaryDirectory()


def pytest_collection_modifyitems(items):
    notebooks = {item.path for item in items if item.path.suffix == ".ipynb"}
    reasons = {path: why_skipped(nbformat.read(path, as_version=4)) for path in notebooks}
    for item in items:
        if reason := reasons.get(item.path):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Set the folder before the kernel starts: 05 must not find a learner's runs, nor those of 03 and 04."""
    folder = Path(RUNS.name) / item.path.stem
    folder.mkdir(exist_ok=True)
    os.environ["CODEALONG_RUNS"] = str(folder)
