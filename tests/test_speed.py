"""What is said about speed follows from what was measured."""

import json

import pandas as pd
import pytest
import torch

from codealong import ablation, bench, hardware, ladder, limits, onednn, speed
from codealong.plots import pyplot
from tests.conftest import assert_fits_a_slide

LINE = (
    "onednn_verbose,v1,primitive,exec,cpu,convolution,{},forward_training,"
    "src:bf16::blocked:acdb::f0 dst:bf16::blocked:acdb::f0,attr-scratchpad:user,"
    "alg:convolution_direct,mb256_ic1oc16,1.25"
)


def test_a_line_of_onednn_is_read():
    (kernel,) = onednn.parse(LINE.format("brg_conv_fwd:avx512_core_bf16"))
    assert kernel == ("convolution", "forward_training", "brg_conv_fwd:avx512_core_bf16", "mb256_ic1oc16", 1.25)


def test_a_timestamp_changes_nothing():
    line = LINE.format("jit:avx2")
    assert onednn.parse(line.replace(",v1,", ",v1,1700000000.5,")) == onednn.parse(line)


def test_what_is_no_execution_is_passed_over():
    other = "onednn_verbose,v1,info,cpu,isa:Intel AVX-512\nhello\n"
    other += "onednn_verbose,v1,primitive,create:cache_miss,cpu,x,y,,,,,,1"
    assert onednn.parse(other + "\n" + LINE.format("jit:avx2") + ",more") == []


@pytest.mark.parametrize(
    ("implementation", "level"),
    [
        ("brg_conv_fwd:avx10_1_512_amx", "AMX"),
        ("brg_conv_fwd:avx512_core_amx", "AMX"),
        ("jit_bf16:avx512_core_bf16", "AVX-512 bf16"),
        ("brg_conv_fwd:avx512_core", "AVX-512"),
        ("jit:avx2", "AVX2"),
        ("jit:uni", None),
    ],
)
def test_the_instruction_set_is_told_by_the_implementation(implementation, level):
    assert onednn.parse(LINE.format(implementation))[0].instruction_set == level


def test_listening_hears_the_kernels_and_gives_the_output_back(capfd):
    convolution = torch.nn.Conv2d(1, 16, 3, padding=1)
    kernels = onednn.listen(lambda: convolution(torch.randn(8, 1, 28, 28)))
    print("after", flush=True)
    assert "convolution" in [kernel.kind for kernel in kernels]
    assert capfd.readouterr().out == "after\n"


def test_operations_of_a_matrix_product_are_counted():
    left, right = torch.rand(3, 4), torch.rand(4, 5)
    operations, moved = limits.count(lambda: left @ right)
    assert operations == 2 * 3 * 4 * 5
    assert moved == 4 * (3 * 4 + 4 * 5 + 3 * 5)


def test_views_move_nothing():
    tensor = torch.rand(6, 4)
    assert limits.count(lambda: tensor.view(4, 6).t()) == (0, 0)


def test_the_nearer_limit_is_the_one_that_counts():
    peaks = {"fp32": 100, "bf16": 400, "bandwidth": 10}
    assert limits.attainable(peaks, {"flops": 1e6, "bytes": 1e3}, "fp32") == 100_000
    assert limits.attainable(peaks, {"flops": 1e6, "bytes": 1e6}, "fp32") == 10_000
    assert limits.attainable(peaks, {"flops": 1e6, "bytes": 1e3}, "bf16") == 400_000


def test_limits_are_measured():
    peaks = limits.measure(threads=1, seconds=0.01)
    assert set(peaks) == {"fp32", "bf16", "bandwidth"} and min(peaks.values()) > 0.1


def test_the_newest_instruction_set_counts():
    kernels = [onednn.parse(LINE.format(name))[0] for name in ("jit:avx2", "brg:avx512_core", "jit:uni")]
    assert ladder.newest(kernels) == "AVX-512"
    assert ladder.newest(kernels[2:]) is None


def test_recorded_levels_fill_only_the_gaps():
    recorded = json.loads(ladder.RECORDED.read_text())
    assert ladder.with_recorded([]) == recorded
    own = recorded[0] | {"images_per_second": {"low": 1.0, "median": 2.0, "high": 3.0}}
    filled = ladder.with_recorded([own])
    assert own in filled and recorded[0] not in filled and len(filled) == len(recorded)


def test_no_recorded_level_ran_on_newer_instructions_than_allowed():
    order = list(ladder.LEVELS)
    for step in json.loads(ladder.RECORDED.read_text()):
        assert step["ran_on"] is None or order.index(step["ran_on"]) <= order.index(step["level"])


def test_operators_are_added_up_by_part():
    table = speed.parts(
        {
            "aten::mkldnn_convolution": 4.0,
            "aten::convolution_backward": 6.0,
            "aten::max_pool2d_with_indices": 1.0,
            "aten::max_pool2d_with_indices_backward": 2.0,
            "aten::mm": 0.5,
            "aten::addmm": 0.25,
            "aten::fill_": 0.125,
            "Optimizer.step": 0.03,
            "something": 0.0625,
        }
    )
    assert list(table.index) == [
        "convolution",
        "pooling",
        "dense layer",
        "setting to 0",
        "everything else",
        "optimizer",
    ]
    assert table.loc["convolution"].tolist() == [4.0, 6.0]
    assert table.loc["dense layer"].tolist() == [0.25, 0.5]


@pytest.fixture(scope="module")
def figures():
    rows = bench.load()
    table = pd.DataFrame({"low": [1.0, 2.0], "median": [2.0, 3.0], "high": [3.0, 4.0]}, index=["64", "256"])
    parts = speed.parts({"aten::convolution_backward": 3.0, "aten::add": 1.0})
    yield {
        "profiles": speed.profiles({"stock-fp32": parts, "stock-bf16": parts / 2}),
        "rungs": speed.rungs(ladder.with_recorded([])),
        "effects": speed.effects({"batch size": table, "threads": table}),
        "benchmark": speed.benchmark(rows),
        "roofline": speed.roofline(rows),
    }
    pyplot().close("all")


def test_every_figure_can_be_read_on_a_slide(figures):
    for fig in figures.values():
        assert_fits_a_slide(fig)


def test_every_figure_is_described_for_who_cannot_see_it(figures):
    for name, fig in figures.items():
        assert len(fig.description) > 60 and fig.description.endswith("."), name


def test_descriptions_carry_what_is_drawn(figures):
    assert "stock-fp32 takes 4 ms, 3 of them for convolution; stock-bf16 takes 2 ms" in figures["profiles"].description
    assert "batch size: 64 2, 256 3" in figures["effects"].description


def test_dots_of_the_benchmark_stand_at_the_medians(figures):
    (axis,) = figures["benchmark"].axes
    drawn = [line.get_xdata()[0] for line in axis.lines if line.get_marker() == "o"]
    assert drawn == [row["ratio_to_published"]["median"] for row in bench.best(bench.load())]


def test_dots_of_the_roofline_stand_under_the_roof_as_far_as_the_table_says(figures):
    (axis,) = figures["roofline"].axes
    rows = [row for row in bench.best(bench.load()) if "cost" in row]
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    for row, dot in zip(rows, dots, strict=True):
        peaks, dtype = row["peaks"], "bf16" if "bf16" in row["row"] else "fp32"
        roof = min(peaks[dtype], peaks["bandwidth"] * dot.get_xdata()[0])
        assert dot.get_ydata()[0] / roof == pytest.approx(
            row["images_per_second"]["median"] / row["attainable_images_per_second"]
        )


def test_recorded_levels_of_another_machine_are_hollow_and_named(monkeypatch):
    monkeypatch.setattr("codealong.hardware.processor", lambda: hardware.Processor("mine", "GenuineIntel", ("AVX2",)))
    recorded = json.loads(ladder.RECORDED.read_text())
    own = recorded[0] | {"provenance": recorded[0]["provenance"] | {"processor": "mine"}}
    (axis,) = speed.rungs(ladder.with_recorded([own])).axes
    labels = {
        line.get_label(): line.get_markerfacecolor() for line in axis.lines if not line.get_label().startswith("_")
    }
    assert labels.pop(own["row"]) != "white"
    assert labels and all("recorded on" in label and face == "white" for label, face in labels.items())


class Machine:
    """Stands in for workers: each variation has a rate, and the machine slows down from ask to ask."""

    asked = 0

    def __init__(self, row, options=None, **environment):
        self.provenance = {}
        self.rate = 50 if row == "stock-fp32 tuned" else 80 if options else 100

    def ask(self, do, **how):
        Machine.asked += 1
        return self.rate / 2 ** (Machine.asked > 10)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        pass


def test_ablation_divides_within_a_round(monkeypatch):
    monkeypatch.setattr(bench, "Worker", Machine)
    monkeypatch.setattr(Machine, "asked", 0)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    said = []
    rows = ablation.run(batches=(64,), rounds=2, say=said.append)
    ratios = {row["variation"]: row["ratio"] for row in rows}
    assert ratios["tuned"] == {"median": 1, "low": 1, "high": 1}
    assert ratios["float32"]["low"] == 0.5 and ratios["Adam not fused"]["low"] == 0.8
    assert "jemalloc is not installed here: left out" in said and "jemalloc" not in ratios


def test_the_recorded_ablation_is_whole():
    rows = ablation.load()
    variations = {row["variation"] for row in rows}
    assert variations >= {"tuned", *ablation.LEFT_OUT, "torch.compile"}
    assert all(len(row["raw"]) == ablation.ROUNDS for row in rows)
    assert ablation.table(rows).loc["tuned"].tolist() == ["1.00 (1.00 to 1.00)"] * len(ablation.BATCHES)
