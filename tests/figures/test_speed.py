"""Figures of speed show what was measured."""

import itertools

import numpy as np
import pandas as pd
import pytest

from codealong import figures
from codealong.analysis.benchmark import best, load
from codealong.figures import speed
from codealong.figures.style import pyplot
from codealong.measure import instruction_sets
from tests.figures.common import *  # noqa: F403

NOTHING = {"provenance": {"processor": "mine"}, "levels": []}


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
def drawn():
    rows = load()
    table = pd.DataFrame({"64": [1.0, 2.0, 2.0, 2.0, 2.0, 3.0], "256": [2.0, 3.0, 3.0, 3.0, 3.0, 4.0]})
    parts = speed.parts({"aten::convolution_backward": 3.0, "aten::add": 1.0})
    yield {
        "profiles": figures.profiles({"stock-fp32": parts, "stock-bf16": parts / 2}),
        "instruction sets": figures.instruction_sets(NOTHING, instruction_sets.read()),
        "effects": figures.effects({"batch size": table, "threads": table}),
        "benchmark": figures.benchmark(rows),
        "roofline": figures.roofline(rows),
    }
    pyplot().close("all")


def test_descriptions_carry_what_is_drawn(drawn):
    assert "stock-fp32 takes 4 ms, 3 of them for convolution; stock-bf16 takes 2 ms" in drawn["profiles"].description
    assert "batch size: 64 2, 256 3" in drawn["effects"].description


def test_dots_of_the_benchmark_stand_at_the_medians(drawn):
    (axis,) = drawn["benchmark"].axes
    places = [line.get_xdata()[0] for line in axis.lines if line.get_marker() == "o"]
    assert places == [row["ratio_to_published"].estimate for row in best(load())]


def test_dots_of_the_roofline_stand_under_the_roof_as_far_as_the_table_says(drawn):
    (axis,) = drawn["roofline"].axes
    rows = [row for row in best(load()) if "cost" in row]
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    for row, dot in zip(rows, dots, strict=True):
        peaks, dtype = row["peaks"], "bf16" if "bf16" in row["contestant"] else "fp32"
        roof = min(peaks[dtype], peaks["bandwidth"] * dot.get_xdata()[0])
        assert dot.get_ydata()[0] / roof == pytest.approx(
            row["images_per_second"].estimate / row["attainable_images_per_second"]
        )


def test_labels_of_the_roofline_keep_clear_of_each_other_and_of_the_roofs(drawn):
    (axis,) = drawn["roofline"].axes
    renderer = drawn["roofline"].canvas.get_renderer()
    boxes = {text.get_text(): text.get_window_extent(renderer) for text in axis.texts}
    assert len(boxes) > 9
    assert not [pair for pair in itertools.combinations(boxes, 2) if boxes[pair[0]].overlaps(boxes[pair[1]])]
    roofs = [line.get_path().transformed(line.get_transform()) for line in axis.lines if line.get_marker() != "o"]
    for name, box in boxes.items():
        assert not any(roof.intersects_bbox(box.padded(2), filled=False) for roof in roofs), name


def test_levels_that_only_another_machine_has_are_hollow_and_named():
    recorded = instruction_sets.read()
    own = NOTHING | {"levels": recorded["levels"][:1]}
    (axis,) = figures.instruction_sets(own, recorded).axes
    labels = {
        line.get_label(): line.get_markerfacecolor() for line in axis.lines if not line.get_label().startswith("_")
    }
    assert labels.pop(own["levels"][0]["contestant"]) != "white"
    assert labels and all("recorded on" in label and face == "white" for label, face in labels.items())
    dots = [rate for line in axis.lines if line.get_marker() == "o" for rate in line.get_ydata()]
    strokes = [rate for line in axis.lines if line.get_marker() == "_" for rate in line.get_ydata()]
    assert sorted(dots) == sorted(np.median(level["images_per_second"]) for level in recorded["levels"])
    assert sorted(strokes) == sorted(rate for level in recorded["levels"] for rate in level["images_per_second"])


def test_an_effect_is_drawn_as_the_median_of_its_rounds_and_the_interval_of_that():
    rates = pd.DataFrame({"64": [5.0, 1.0, 2.0, 3.0, 4.0, 60.0, 2.5, 3.5, 4.5, 4.0]})
    (axis,) = figures.effects({"batch size": rates}).axes
    (dot,), (interval,) = axis.lines, axis.collections
    assert dot.get_ydata().tolist() == [3.75]
    assert interval.get_segments()[0][:, 1].tolist() == [2.0, 5.0]
