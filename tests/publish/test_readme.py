"""README.md, RESULTS.md and the site say what the records say; what they name exists, what they tell to type works."""

import re
import shlex
from dataclasses import replace

import numpy as np
import pytest
import yaml

from codealong import ROOT, records
from codealong.__main__ import _parser
from codealong.analysis import benchmark, larger, machines, publication, stats, verdicts
from codealong.publish import course, readme, site

pytestmark = pytest.mark.usefixtures("no_collection")

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
TO_READ = [pytest.param(page.read_text(encoding="utf-8"), id=page.name) for page in (*readme.PAGES, CONTRIBUTING)]
MAKEFILE = (ROOT / "Makefile").read_text()
DERIVED = (".venv/", "build/", "data/", "runs/")


@pytest.mark.parametrize(
    ("page", "parts"),
    [
        ("README.md", ["finding", "lessons"]),
        ("RESULTS.md", ["arms", "verdicts", "larger", "published", "benchmark", "machines"]),
        ("index.md", ["finding", "lessons"]),
    ],
)
def test_pages_say_what_the_records_and_the_notebooks_say(page, parts):
    (path,) = [path for path in readme.PAGES if path.name == page]
    text = path.read_text(encoding="utf-8")
    assert [found[1] for found in readme.BETWEEN.findall(text)] == parts
    assert readme.update(text) == text


@pytest.fixture
def recorded(recorded_study):
    return recorded_study


def all_right(recorded, arm):
    """Return a study in which the runs of one arm make no mistake."""
    perfect = [replace(run, classes=recorded.labels.astype("uint8")) for run in recorded.runs[arm]]
    return replace(recorded, runs=recorded.runs | {arm: perfect})


def test_the_finding_is_three_lines_with_a_verdict_each_and_the_machine(recorded):
    said = readme.finding(recorded)
    lines = [line for line in said.splitlines() if line.startswith("- **")]
    assert len(lines) == 3
    judged = (verdicts.identical, readme.REPORTS), (verdicts.boost, readme.BOOST), (verdicts.stock_today, readme.ALONE)
    for line, (judge, heads) in zip(lines, judged, strict=True):
        assert line.startswith(f"- **{heads[judge(recorded).verdict]}**: ")
    assert f"{len(recorded.seeds)} random seeds" in said and recorded.provenance["processor"] in said


def test_the_finding_moves_with_the_records(recorded):
    said = readme.finding(all_right(recorded, "ipex-fp32"))
    assert said.startswith(f"- **{readme.REPORTS[verdicts.REFUTED]}**: accuracy changes by +8.")


def test_arms_are_all_there_with_the_machine_and_the_time(recorded):
    said = readme.arms(recorded)
    made = recorded.provenance
    machine = (made["processor"], f"{made['threads']} threads", f"torch {made['versions']['torch']}")
    for part in (*map("`{}`".format, recorded.runs), f"{len(recorded.seeds)} seeds", *machine):
        assert part in said
    assert recorded.campaigns.said() in said
    assert "| `stock-fp32` | 1.0000 (1.0000 to 1.0000) | 1 |" in readme.arms(all_right(recorded, "stock-fp32"))


def test_a_processor_without_amx_is_said_to_have_none(recorded):
    without = "AMX" not in recorded.provenance["instruction_sets"]
    assert ("This processor has no AMX" in readme.arms(recorded)) == without
    assert ("no AMX" in readme.finding(recorded)) == without
    *others, last = recorded.runs["ipex-bf16"]
    last = replace(last, provenance=last.provenance | {"instruction_sets": ["AVX-512", "AMX"]})
    with_amx = replace(recorded, runs=recorded.runs | {"ipex-bf16": [*others, last]})
    assert "no AMX" not in readme.arms(with_amx) + readme.finding(with_amx)


def test_every_verdict_is_in_the_results(recorded):
    said = readme.conclusions(recorded)
    for each in verdicts.judge(recorded):
        assert f"| **{each.verdict}** | {each.number} |" in said


def test_every_contestant_is_in_the_results():
    rows = benchmark.load()
    said = readme.contestants(rows)
    for name in {row["contestant"] for row in rows}:
        assert f"| {name} | " in said


def test_what_was_measured_is_shown_for_every_machine():
    said = readme.by_machine()
    for path in records.RECORDED.iterdir():
        assert said.count(path.name) >= 2
    for verdict in verdicts.by_machine().iloc[:, 0]:
        assert f"| {verdict} |" in said
    assert f"| {machines.speed_ups()['both'].iloc[0]} |" in said
    assert f"| {machines.levels().iloc[1, 0]} |" in said


def test_lessons_are_those_of_the_notebooks():
    paths = course.notebooks()
    _, _, *lines = readme.lessons(paths).splitlines()
    assert len(lines) == len(paths)
    for number, (line, path) in enumerate(zip(lines, paths, strict=True), start=1):
        _, title, question, time, _ = map(str.strip, line.split("|"))
        assert title.startswith(f"[{number} · ") and title.endswith(f"](notebooks/{path.name})")
        assert question.endswith("?") and "minute" in time


@pytest.mark.parametrize("text", TO_READ)
def test_every_link_leads_somewhere_and_every_picture_is_described(text):
    for described, target in re.findall(r"(!?\[[^\]]*\])\(([^)]+)\)", text):
        assert (ROOT / target).exists() or (readme.PAGES[-1].parent / target).exists(), target
        assert len(described) > 4
    for source, described in re.findall(r'<img src="([^"]+)"[^>]* alt="([^"]*)"', text):
        assert (ROOT / source).exists() and len(described) > 20


@pytest.mark.parametrize("text", TO_READ)
def test_every_path_that_is_named_exists(text):
    for path in re.findall(r"`([\w.]+/[\w./-]*|\w+\.(?:md|toml|yml|lock))`", text):
        assert path.startswith(DERIVED) or "NN_name" in path or (ROOT / path).exists(), path


def commands(text):
    """Return the commands of a page, each as its words, and whether it is one that works as it is printed."""
    blocks = [line for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    names = "make|python|\\.venv/bin/python|pip|conda|repo2docker|git|apt"
    inline = re.findall(rf"`((?:{names}) [^`]+)`", prose)
    for lines, printed in ((blocks, True), (inline, False)):
        for line in lines:
            words = shlex.split(line, comments=True)
            while words:
                end = words.index("&&") if "&&" in words else len(words)
                yield words[:end], printed
                words = words[end + 1 :]


@pytest.mark.parametrize("text", TO_READ)
def test_every_command_can_be_typed_as_it_is_printed(text):
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    found = list(commands(text))
    assert found
    for words, printed in found:
        match words:
            case ["make", *rest]:
                assert {word for word in rest if "=" not in word} <= targets, words
                for word in rest:
                    assert "=" not in word or f"$({word.partition('=')[0]}" in MAKEFILE, words
            case [".venv/bin/python" | "python" as python, "-m", "codealong", *rest]:
                assert python == ".venv/bin/python" or not printed, words
                _parser().parse_args(rest)
            case [".venv/bin/python" | "python", "-m", "pytest", *rest]:
                assert all((ROOT / word).exists() for word in rest if word.startswith("tests")), words
            case ["python", "-m", "http.server", "-d", folder]:
                assert ROOT / folder == site.SITE
            case ["pip", "install", "-c", pins, "-e", ".[ipex]"]:
                assert (ROOT / pins).exists() and (ROOT / "pyproject.toml").exists()
            case ["conda", "env", "create", "-f", name]:
                assert (ROOT / name).exists()
            case ["conda", "activate", name]:
                assert yaml.safe_load((ROOT / "environment.yml").read_text())["name"] == name
            case ["jupyter", "lab", path] | ["cd", path]:
                assert path == "codealong" or (ROOT / path).exists()
            case ["git", "clone", "URL", "codealong"] | ["repo2docker", "."] | ["apt", "install", "chromium"]:
                pass
            case _:
                pytest.fail(f"nobody knows whether this works: {shlex.join(words)}")


def test_the_map_names_every_room_and_nothing_else():
    (drawn,) = re.findall(r"^```\n(notebooks/.*?)^```", readme.README.read_text(encoding="utf-8"), re.M | re.S)
    above, named = "", set()
    for indent, name in re.findall(r"^( *)(\S+)  ", drawn, re.M):
        above = above if indent else name
        named.add(above + name if indent else name)
    for path in named:
        assert (ROOT / path).exists(), path
    rooms = {f"src/codealong/{path.name}/" for path in (ROOT / "src/codealong").iterdir() if path.is_dir()}
    assert rooms - {"src/codealong/__pycache__/"} == {name for name in named if name.count("/") == 3}


def test_every_larger_case_has_its_speed_ups_and_its_memory(recorded):
    memory = larger.memory()
    said = readme.larger_models(recorded, memory)
    rows = [line for line in said.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(larger.CELLS)
    for cell, row in zip(larger.CELLS, rows, strict=True):
        name, float32, kernels, bfloat16, *held = row.strip("| ").split(" | ")
        assert name == larger.name(cell)
        by_arm = {arm: recorded.larger.rates[arm, cell] for arm in recorded.runs}
        ratio = np.exp(np.log(by_arm["ipex-fp32"] / by_arm["stock-fp32-matched"]).mean())
        assert kernels.startswith(f"{ratio:.2f}")
        assert held[0] == f"{memory['stock-fp32', cell]:,.0f}" and held[3] == f"{memory['ipex-bf16', cell]:,.0f}"
        assert float32.startswith(f"{larger.speed_up(recorded.larger, verdicts.PAIRS['float32'], cell).estimate:.2f}")
        assert bfloat16.startswith(f"{larger.speed_up(recorded.larger, verdicts.PAIRS['bfloat16'], cell).estimate:.2f}")
    assert recorded.larger.said() in said


def test_runs_as_published_are_all_there_and_both_networks(recorded):
    long_runs, deep_runs = publication.load()
    said = readme.as_published(recorded, long_runs, deep_runs)
    assert said.count("fp32, seed 10") == 6
    for arm, its in deep_runs.items():
        assert f"`{arm}` {stats.mean(publication.accuracies(its, recorded.labels)):.4f}" in said
    assert "| FashionCNN, `stock-fp32` |" in said and "| DeepFashionCNN, `ipex-fp32` |" in said
