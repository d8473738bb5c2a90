"""The figures of the study show what it recorded."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from codealong import data, evidence, report, stats, study, verdicts
from codealong.arms import ARMS
from codealong.plots import ARM_COLOURS
from tests.conftest import assert_fits_a_slide


@pytest.fixture(scope="module")
def recorded():
    return study.load()


@pytest.fixture(scope="module")
def figures(recorded):
    yield {name: getattr(evidence, name)(recorded) for name in ("accuracies", "class_f1", "learning", "widths")}
    plt.close("all")


def test_every_figure_can_be_read_on_a_slide(figures):
    for fig in figures.values():
        assert_fits_a_slide(fig)


def test_every_figure_is_described_for_who_cannot_see_it(figures):
    for name, fig in figures.items():
        assert len(fig.description) > 100 and fig.description.endswith("."), name


def test_every_run_is_a_point_beside_its_arm(figures, recorded):
    (axis,) = figures["accuracies"].axes
    assert [text.get_text() for text in axis.get_yticklabels()] == list(ARMS)
    points = [line for line in axis.lines if line.get_marker() == "o"]
    for line, arm in zip(points, ARMS, strict=True):
        assert line.get_color() == ARM_COLOURS[arm]
        assert line.get_xdata().tolist() == recorded.accuracy(arm).tolist()


def test_classes_stand_at_their_difference_with_the_published_beside_them(figures, recorded):
    (axis,) = figures["class_f1"].axes
    published, float32, _ = (bars.lines[0].get_xdata() for bars in axis.containers)
    printed = report.compare(report.published("without"), report.published("with")).loc[list(data.CLASSES), "f1-score"]
    assert np.allclose(published, printed)
    before, after = ([run.classes for run in recorded.runs[arm]] for arm in ("stock-fp32", "ipex-fp32"))
    table = stats.class_differences(recorded.labels, before, after, confidence=0.995).loc["f1-score"]
    assert np.allclose(float32, 100 * table["estimate"])
    ends = np.array([segment[:, 0] for segment in axis.containers[1].lines[2][0].get_segments()])
    assert np.allclose(ends, 100 * table[["low", "high"]])


def test_learning_is_drawn_by_epoch_and_by_seconds(figures, recorded):
    by_epoch, by_seconds = figures["learning"].axes
    bold = [line for line in by_epoch.lines if line.get_marker() == "o"]
    timed_lines = [line for line in by_seconds.lines if line.get_marker() == "o"]
    for line, timed, arm in zip(bold, timed_lines, ARMS, strict=True):
        histories = [run.history for run in recorded.runs[arm]]
        means = [np.mean([history[n]["valid_accuracy"] for history in histories]) for n in range(5)]
        assert np.allclose(line.get_ydata(), means) and np.allclose(timed.get_ydata(), means)
        whole = np.median([sum(epoch["seconds"] for epoch in history) for history in histories])
        assert timed.get_xdata()[-1] == pytest.approx(whole)


def test_speed_ups_stand_at_their_width(figures, recorded):
    for axis, batch in zip(figures["widths"].axes, (32, 128, 512), strict=True):
        assert axis.get_title(loc="left") == f"batch {batch}"
        line = next(line for line in axis.lines if line.get_label() == "ipex-bf16")
        table = recorded.sweep[recorded.sweep["batch"] == batch]
        ratio = verdicts.speed_ups(table, "stock-fp32", "ipex-bf16").groupby("width")["ratio"].median()
        assert np.allclose(line.get_ydata(), ratio)
        assert [text.get_text() for text in axis.get_xticklabels()] == ["×1", "×2", "×4", "×8"]


def test_titles_carry_the_numbers_that_are_drawn(figures, recorded):
    means = [recorded.accuracy(arm).mean() for arm in ARMS]
    assert f"{100 * np.ptp(means):.2f} percentage points" in figures["accuracies"].axes[0].get_title(loc="left")
