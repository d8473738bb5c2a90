"""The stored notebooks are whole, tidy, and teach what the package does."""

import ast
import inspect
import itertools
import math
import re
import statistics
import time

import nbformat
import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn

from codealong import ROOT, data, model, operators, training
from codealong.analysis import stats
from codealong.arms import ARMS
from codealong.measure import timing
from codealong.publish import course, editions

PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def text(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def words(notebook):
    return re.findall(r"\w+", text(notebook))


def solution_lines(cell):
    """Count the lines of a cell that a learner types."""
    blocks = re.findall(rf"^ *{editions.BEGIN}\n(.*?)^ *{editions.END}$", cell.source, flags=re.M | re.S)
    return len([line for block in blocks for line in block.splitlines() if line.strip()])


def taught(stem, tag):
    """Return the class or function that a cell teaches, as it is defined there."""
    name = tag.removeprefix("teaches-")
    (path,) = [path for path in PATHS if path.stem == stem]
    (cell,) = [cell for cell in code(nbformat.read(path, as_version=4)) if tag in tags(cell)]
    definition = [node for node in ast.parse(cell.source).body if getattr(node, "name", None) == name]
    defined = {"nn": nn, "np": np, "torch": torch, "time": time, "student_t": scipy.stats.t}
    defined |= {"page_faults": timing.page_faults}
    exec(compile(ast.Module(definition, []), tag, "exec"), defined)
    return defined[name]


def test_the_notebooks_are_there_in_order():
    assert [path.stem for path in course.notebooks()] == [
        "01_data", "02_architecture", "03_train_without_ipex", "04_train_with_ipex", "05_two_reports", "06_many_seeds",
        "07_five_conclusions", "08_measure_your_own", "09_where_the_time_goes",
        "10_an_operator_of_your_own",
    ]  # fmt: skip


def test_every_code_cell_was_executed_in_order(notebook):
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))


def test_nothing_stray_is_stored(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            assert output.get("name") != "stderr", cell.source
            assert output.output_type != "error" or "raises-exception" in tags(cell), cell.source


ABSOLUTE = re.compile(r"""(?<![\w.)\]:/<*])(?:/[\w.-]+){2,}|\b[A-Z]:\\|file://|~/""")
"""A path that only one machine has: from the top of its disk, or from somebody's home."""


def test_no_path_is_absolute(notebook):
    for cell in notebook.cells:
        written = [cell.source, *(str(drop_pictures(output)) for output in cell.get("outputs", []))]
        assert not [path for text in written for path in ABSOLUTE.findall(text)], cell.source


def drop_pictures(output):
    data = {kind: its for kind, its in output.get("data", {}).items() if not kind.startswith("image/")}
    return {**output, "data": data}


def test_no_cell_is_empty(notebook):
    assert all(cell.source.strip() for cell in notebook.cells)


def test_headings_are_in_order(notebook, path):
    headings = re.findall(r"^(#+) +(.+)", re.sub(r"^```.*?^```", "", text(notebook), flags=re.M | re.S), flags=re.M)
    levels = [len(marks) for marks, _ in headings]
    assert headings[0][1].startswith(f"{int(path.stem[:2])} · ")
    assert levels[0] == 1 and min(levels[1:]) == 2
    assert all(level <= above + 1 for above, level in itertools.pairwise(levels))
    assert len({name for _, name in headings}) == len(headings)


def test_most_cells_are_compared_and_none_is_skipped(notebook):
    ignored = [cell for cell in code(notebook) if "nbval-ignore-output" in tags(cell)]
    assert len(ignored) <= 0.4 * len(code(notebook))
    assert not [cell for cell in code(notebook) if "nbval-skip" in tags(cell) or "NBVAL" in cell.source]


def test_cells_are_short_and_notebooks_too(notebook):
    counts = [len(lines(cell)) for cell in code(notebook)]
    assert max(counts) <= 40 and 2 <= statistics.median(counts) <= 8
    assert len(words(notebook)) <= 1800 and len(notebook.cells) <= 40


def test_a_lesson_takes_the_time_that_it_promises_and_fits_one_sitting(notebook):
    """130 words or two cells a minute (run one, look at its output), a minute a question, 25 s a line that is typed."""
    cells = code(notebook)
    typed = sum(solution_lines(cell) for cell in cells)
    asked = text(notebook).count("**Predict.**")
    minutes = len(words(notebook)) / 130 + len(cells) / 2 + asked + typed * 25 / 60
    time = r"\*Time\* (\d+) minutes; running it alone takes (?:under|about) \w+"
    (promised,) = re.findall(time, notebook.cells[0].source)
    assert int(promised) == 5 * math.ceil(minutes / 5) <= 45


def test_every_figure_is_described(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            for kind in output.get("data", {}):
                assert not kind.startswith("image/") or len(output.metadata[kind]["alt"]) > 60


def test_every_image_is_described(notebook):
    pages = [
        text(notebook),
        *(out.get("data", {}).get("text/html", "") for cell in code(notebook) for out in cell.outputs),
    ]
    for page in pages:
        for image in re.findall(r"<img\b[^>]*>", page):
            assert re.search(r'\balt="[^"]{20,}"', image), image
        assert all(len(described) >= 20 for described in re.findall(r"!\[([^\]]*)\]\(", page))


def test_it_is_built_as_the_house_asks(notebook):
    first, setup = notebook.cells[:2]
    for part in ("# ", "?**", "*You will learn*", "*Needs*", "*Time*"):
        assert part in first.source
    assert setup.cell_type == "code" and "import" in setup.source
    said = text(notebook)
    assert said.count("**Predict.**") >= 3 and said.count("**Explain.**") >= 3
    assert "## What you have shown" in said
    assert "**What comes next.**" in notebook.cells[-1].source
    claims = code(notebook)[-1]
    assert "checks.claims(" in claims.source and "❌" not in str(claims.outputs)
    assert sum(line.startswith("✅") for out in claims.outputs for line in out.text.splitlines()) >= 4


LINK = re.compile(r"""\]\(\s*<?([^)\s>]+)|\b(?:href|src)=["']([^"']+)|^\[[^\]]+\]:\s*(\S+)""", flags=re.M)


def test_every_link_inside_the_repository_leads_somewhere(notebook, path):
    for target in filter(None, itertools.chain.from_iterable(LINK.findall(text(notebook)))):
        if not re.match(r"[a-z]+:", target):
            place, _, anchor = target.partition("#")
            file = (path.parent / place).resolve() if place else path
            assert file.exists() and file.is_relative_to(ROOT), target
            if anchor and file.suffix == ".ipynb":
                headings = re.findall(r"^#+ +(.+)", text(nbformat.read(file, as_version=4)), flags=re.M)
                assert anchor in {re.sub(r"\s", "-", heading) for heading in headings}, target


def test_links_to_the_glossary_lead_to_its_words(notebook):
    terms = re.findall(r"^\w.*", (ROOT / "src/codealong/publish/sphinx/glossary.md").read_text(), flags=re.M)
    anchors = {"term-" + re.sub(r"\W+", "-", term).strip("-") for term in terms}
    assert set(re.findall(r"glossary\.md#([^)]*)\)", text(notebook))) <= anchors


def test_the_typed_network_is_the_package_s():
    nets = []
    for network in (taught("02_architecture", "teaches-FashionCNN"), model.FashionCNN):
        torch.manual_seed(0)
        nets.append(network())
    typed, imported = (net.state_dict() for net in nets)
    assert list(typed) == list(imported)
    assert all(torch.equal(typed[name], imported[name]) for name in typed)
    images = torch.randn(8, 1, 28, 28)
    assert torch.equal(nets[0](images), nets[1](images))


def test_the_typed_network_reads_like_the_package_s():
    (cell,) = [
        cell
        for cell in code(nbformat.read(ROOT / "notebooks" / "02_architecture.ipynb", as_version=4))
        if "teaches-FashionCNN" in tags(cell)
    ]
    typed, _ = ast.parse(cell.source).body
    (imported,) = ast.parse(inspect.getsource(model.FashionCNN)).body
    for node in (*typed.body, imported, *imported.body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            del node.body[0]
    assert [ast.dump(node) for node in typed.body] == [ast.dump(node) for node in imported.body]


def test_the_typed_training_step_gives_bitwise_the_losses_of_the_package(few):
    def typed(net, optimizer, images, labels):
        return taught("03_train_without_ipex", "teaches-train_step")(net, optimizer, images, labels)

    def imported(net, optimizer, images, labels):
        return training.train_step(net, optimizer, images, labels, ARMS["stock-fp32"])[0]

    losses, weights = [], []
    for step in (typed, imported):
        net = training.initial(0)
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        order = torch.Generator().manual_seed(0)
        losses.append([step(net, optimizer, *batch).item() for batch in data.batches(few.train, 64, order)])
        weights.append(torch.cat([weight.flatten() for weight in net.parameters()]))
    assert losses[0] == losses[1]
    assert torch.equal(*weights)


def test_the_typed_comparison_is_the_package_s():
    typed = taught("06_many_seeds", "teaches-paired_interval")
    generator = np.random.default_rng(0)
    first, second = generator.normal(0.914, 0.002, (2, 12))
    assert typed(first, second) == pytest.approx(stats.paired_difference(first, second))
    only_one = taught("06_many_seeds", "teaches-only_one")
    first, second = generator.random((2, 1000)) < 0.9
    assert only_one(first, second) == stats.mcnemar(first, second)[:2]


@pytest.mark.parametrize(("pairs", "cut"), [(6, 0), (12, 2), (20, 5)])
def test_the_typed_interval_of_a_ratio_is_the_package_s(pairs, cut):
    slow, fast = np.random.default_rng(0).uniform(1, 2, (2, pairs))
    assert taught("07_five_conclusions", "teaches-ratio_interval")(slow, fast, cut) == stats.ratio(slow, fast)


def test_the_typed_timing_makes_the_same_calls_as_the_package_s():
    calls, times = [], []
    for paired_times in (taught("08_measure_your_own", "teaches-paired_times"), timing.paired_times):
        made = []

        def clock(made=made):
            made.append("clock")
            return len(made) ** 2

        steps = [lambda name=name, made=made: made.append(name) for name in "abc"]
        times.append(paired_times(steps, rounds=4, warm_up=2, clock=clock).tolist())
        calls.append(made)
    assert calls[0] == calls[1] and len(calls[0]) == 3 * 2 + 3 * 4 * 3
    assert times[0] == times[1]


def test_the_typed_count_of_page_faults_makes_the_same_calls_as_the_package_s():
    counts = []
    for faults_per_step in (taught("08_measure_your_own", "teaches-faults_per_step"), timing.faults_per_step):
        made = []
        counts.append((faults_per_step(lambda made=made: made.append(0), 5, lambda made=made: len(made) ** 2), made))
    assert counts[0] == counts[1]


def test_the_typed_operator_is_the_package_s():
    forward = taught("10_an_operator_of_your_own", "teaches-pool_relu")
    backward = taught("10_an_operator_of_your_own", "teaches-pool_relu_backward")
    x = torch.randn(2, 16, 6, 8).to(memory_format=torch.channels_last).requires_grad_()
    y, which = operators.pool_relu(x)
    y.sum().backward()
    windows, gradients = (
        each.detach().unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).reshape(-1, 4).tolist() for each in (x, x.grad)
    )
    assert [forward(window) for window in windows] == [
        *zip(y.flatten().tolist(), which.flatten().tolist(), strict=True)
    ]
    assert [backward(1.0, place) for place in which.flatten().tolist()] == gradients


def test_notebook_three_never_names_ipex_in_code():
    three = nbformat.read(ROOT / "notebooks" / "03_train_without_ipex.ipynb", as_version=4)
    nodes = [node for cell in code(three) for node in ast.walk(ast.parse(cell.source))]
    imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports and not [line for line in imports if "ipex" in line or "intel" in line]


@pytest.mark.kernel
@pytest.mark.parametrize("stem", ["05_two_reports", "06_many_seeds"])
def test_a_learner_s_own_runs_are_used_when_they_are_there(stem, tmp_path, monkeypatch):
    from dataclasses import replace

    from codealong import runs

    for arm in ARMS:
        runs.save(replace(runs.of_machine(arm)[0], seed=11), tmp_path)
    monkeypatch.setenv("CODEALONG_RUNS", str(tmp_path))
    executed = course.execute(ROOT / "notebooks" / f"{stem}.ipynb")
    assert "these are your own runs, seed 11" in str([cell.outputs for cell in code(executed)[:2]])
    assert "❌" not in str(code(executed)[-1].outputs)
