"""README.md says what the records say, and names what exists."""

import re
from dataclasses import replace

import pytest

from codealong import ROOT
from codealong.analysis import study, verdicts
from codealong.publish import readme

pytestmark = pytest.mark.usefixtures("no_collection")

TEXT = readme.README.read_text(encoding="utf-8")


def test_results_are_those_of_the_recorded_study():
    assert readme.update(TEXT) == TEXT
    assert len(readme.BETWEEN.findall(TEXT)) == 2


def test_results_name_every_arm_the_machine_and_every_verdict():
    recorded = study.load()
    said = readme.results(recorded)
    made = recorded.provenance
    machine = (made["processor"], f"{made['threads']} threads", f"torch {made['versions']['torch']}")
    for part in (*map("`{}`".format, recorded.runs), f"{len(recorded.seeds)} seeds", *machine):
        assert part in said
    for found in verdicts.judge(recorded):
        assert f"**{found.verdict}**: {found.conclusion}" in said


def test_results_say_how_long_training_took_and_what_the_processor_lacks():
    recorded = study.load()
    seconds = sum(epoch["seconds"] for arm in recorded.runs for run in recorded.runs[arm] for epoch in run.history)
    said = readme.results(recorded)
    assert f"the training alone took {seconds / 60:.0f} minutes." in said
    assert ("This processor has no AMX" in said) == ("AMX" not in recorded.provenance["instruction_sets"])
    *others, last = recorded.runs["ipex-bf16"]
    last = replace(last, provenance=last.provenance | {"instruction_sets": ["AVX-512", "AMX"]})
    assert "no AMX" not in readme.results(replace(recorded, runs=recorded.runs | {"ipex-bf16": [*others, last]}))


def test_results_move_with_the_records():
    recorded = study.load()
    stock = [replace(run, classes=recorded.labels.astype("uint8")) for run in recorded.runs["stock-fp32"]]
    altered = readme.results(replace(recorded, runs=recorded.runs | {"stock-fp32": stock}))
    assert "| `stock-fp32` | 1.0000 (1.0000 to 1.0000) | 1 |" in altered
    assert altered != readme.results(recorded)


def test_every_link_leads_somewhere_and_every_picture_is_described():
    for described, target in re.findall(r"(!?\[[^\]]*\])\(([^)]+)\)", TEXT):
        assert (ROOT / target).exists(), target
        assert len(described) > 4


def test_every_make_command_it_names_exists():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    assert set(re.findall(r"`?make ([a-z-]+)", TEXT)) <= set(targets)


def test_the_map_names_every_folder_at_the_top():
    for name in ("notebooks/", "src/codealong/", "tests/", "images/", "environment.yml", "requirements.lock"):
        assert name in TEXT and (ROOT / name).exists()
