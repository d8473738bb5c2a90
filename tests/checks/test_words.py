"""A check uses only words of the glossary that its learner has met."""

import json
import re

import pytest

from codealong import ROOT
from codealong.checks import exercise
from tests.checks import EXERCISES

GLOSSARY = ROOT / "src/codealong/publish/sphinx/glossary.md"
TERMS = [re.sub(r" \(.*", "", line) for line in GLOSSARY.read_text().splitlines() if re.match(r"\w", line)][1:]
TERMS += [
    "cross_entropy",
    "loss",
    "dropout",
    "variance",
    "standard error",
    "degrees of freedom",
    "mask",
    "batch",
    "detach",
]


def read_until(name):
    """Return all that stands in the notebooks up to the cell that calls a check."""
    text = ""
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        for cell in json.loads(path.read_text())["cells"]:
            text += "".join(cell["source"]).lower()
            if f"checks.{name}(" in text:
                return text
    raise AssertionError(f"no notebook calls checks.{name}")


@pytest.mark.parametrize("name", EXERCISES)
def test_a_check_uses_only_words_that_came_before_it(name):
    text = read_until(name)
    said = " ".join([*EXERCISES[name].mistakes, exercise.NOTHING]).lower()
    early = [term for term in TERMS if re.search(rf"\b{re.escape(term.lower())}", said) and term.lower() not in text]
    assert early == []
