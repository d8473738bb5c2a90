"""README.md says what the records say, and names what exists."""

import re

from codealong import ROOT, readme

TEXT = readme.README.read_text(encoding="utf-8")


def test_results_are_those_of_the_recorded_runs():
    assert readme.update(TEXT) == TEXT
    assert len(readme.BETWEEN.findall(TEXT)) == 2


def test_results_name_every_arm_and_the_machine():
    for part in ("`stock-fp32`", "`stock-bf16`", "`ipex-fp32`", "`ipex-bf16`", "3 seeds", "2 threads", "torch 2.8.0"):
        assert part in readme.results()


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
