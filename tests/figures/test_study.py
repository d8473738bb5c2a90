"""The figures of the study show what it recorded."""

import re
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.stats

from codealong import data, figures
from codealong.analysis import larger, reports, stats, verdicts
from codealong.analysis.campaigns import Campaigns
from codealong.figures.study import SIZES
from codealong.figures.style import ARM_COLOURS
from tests.figures.common import *  # noqa: F403


@pytest.fixture(scope="module")
def drawn(recorded_study):
    yield {
        name: getattr(figures, name)(recorded_study) for name in ("accuracies", "class_f1", "learning", "larger_models")
    }
    plt.close("all")


def test_figures_of_the_study_say_more(drawn):
    assert all(len(fig.description) > 100 for fig in drawn.values())


def test_every_run_is_a_point_beside_its_arm(drawn, recorded_study):
    (axis,) = drawn["accuracies"].axes
    assert [text.get_text() for text in axis.get_yticklabels()] == list(recorded_study.runs)
    points = [line for line in axis.lines if line.get_marker() == "o"]
    for line, arm in zip(points, recorded_study.runs, strict=True):
        assert line.get_color() == ARM_COLOURS[arm]
        assert line.get_xdata().tolist() == recorded_study.accuracy(arm).tolist()


def test_each_arm_s_mean_stands_in_its_interval(drawn, recorded_study):
    (axis,) = drawn["accuracies"].axes
    means = [line.get_xdata()[0] for line in axis.lines if line.get_marker() == "D"]
    intervals = [line.get_xdata() for line in axis.lines if line.get_linestyle() == "-"]
    for mean, interval, arm in zip(means, intervals, recorded_study.runs, strict=True):
        values = recorded_study.accuracy(arm)
        reach = scipy.stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        assert mean == pytest.approx(values.mean())
        assert interval == pytest.approx([values.mean() - reach, values.mean() + reach])


def test_classes_stand_at_their_difference_with_the_published_beside_them(drawn, recorded_study):
    (axis,) = drawn["class_f1"].axes
    published, float32, _ = (bars.lines[0].get_xdata() for bars in axis.containers)
    printed = reports.compare(reports.published("without"), reports.published("with")).loc[
        list(data.CLASSES), "f1-score"
    ]
    assert np.allclose(published, printed)
    before, after = (recorded_study.quantities(arm) for arm in ("stock-fp32", "ipex-fp32"))
    table = stats.class_differences(before, after, confidence=0.995).loc["f1-score"]
    assert np.allclose(float32, 100 * table["estimate"])
    ends = np.array([segment[:, 0] for segment in axis.containers[1].lines[2][0].get_segments()])
    assert np.allclose(ends, 100 * table[["low", "high"]])


def test_learning_is_drawn_by_epoch_and_by_seconds(drawn, recorded_study):
    by_epoch, by_seconds = drawn["learning"].axes
    bold = [line for line in by_epoch.lines if line.get_marker() == "o"]
    timed_lines = [line for line in by_seconds.lines if line.get_marker() == "o"]
    for line, timed, arm in zip(bold, timed_lines, recorded_study.runs, strict=True):
        histories = [run.history for run in recorded_study.runs[arm]]
        means = [np.mean([history[n]["valid_accuracy"] for history in histories]) for n in range(len(histories[0]))]
        assert np.allclose(line.get_ydata(), means) and np.allclose(timed.get_ydata(), means)
        assert timed.get_xdata()[-1] == pytest.approx(len(means) * recorded_study.seconds_per_epoch(arm))


def test_speed_ups_of_what_is_larger_stand_in_the_row_of_their_network(drawn, recorded_study):
    fig = drawn["larger_models"]
    rows = [text.get_text() for text in fig.axes[0].get_yticklabels()]
    for axis, pair in zip(fig.axes, verdicts.PAIRS.values(), strict=True):
        marks = {
            (round(float(line.get_ydata()[0]), 2), line.get_marker()): float(line.get_xdata()[0])
            for line in axis.lines
            if len(line.get_xdata()) == 1 and line.get_marker() != "|"
        }
        assert len(marks) == len(larger.CELLS)
        for cell in larger.CELLS:
            row = rows.index("240,000 images" if cell.copies > 1 else cell.network)
            place, marker = SIZES[cell.pixels]
            expected = larger.speed_up(recorded_study.larger, pair, cell).estimate
            assert marks[round(row + place, 2), marker] == pytest.approx(expected)


def title(fig, number=0):
    return fig.axes[number].get_title(loc="left")


def test_titles_say_no_less_than_what_is_drawn(drawn, recorded_study):
    apart = 100 * np.ptp([recorded_study.accuracy(arm).mean() for arm in recorded_study.runs])
    (said,) = re.findall(r"within ([\d.]+) percentage points", title(drawn["accuracies"]))
    assert apart <= float(said) < apart + 0.01
    furthest = 100 * max(
        abs((recorded_study.quantities(ipex) - recorded_study.quantities(stock))[:, 2].mean(axis=0)).max()
        for stock, ipex in verdicts.PAIRS.values()
    )
    (said,) = re.findall(r"by more than ([\d.]+) points", title(drawn["class_f1"]))
    assert furthest <= float(said) < furthest + 0.1
    curves = [
        np.mean([[e["valid_accuracy"] for e in run.history] for run in recorded_study.runs[arm]], axis=0)
        for arm in recorded_study.runs
    ]
    apart = 100 * np.ptp(curves, axis=0).max()
    (said,) = re.findall(r"within ([\d.]+) points", title(drawn["learning"]))
    assert apart <= float(said) < apart + 0.1


def test_titles_of_times_name_the_largest_factor(drawn, recorded_study):
    last = [recorded_study.seconds_per_epoch(arm) for arm in recorded_study.runs]
    assert f"up to {max(last) / min(last):.1f}-fold apart" in title(drawn["learning"], 1)


@pytest.mark.parametrize("count", [1, 3])
def test_the_title_of_what_is_larger_says_what_was_decided(recorded_study, count):
    rates = {key: np.repeat(its[:1], count, axis=0) for key, its in recorded_study.larger.rates.items()}
    changed = replace(recorded_study, larger=Campaigns(rates, recorded_study.larger.dates[:1] * count))
    benefits = [its["benefit"] for its in verdicts.larger_models(changed).numbers["float32"].values()]
    fig = figures.larger_models(changed)
    more, less = benefits.count("larger"), benefits.count("smaller")
    said = {
        1: "After 1 campaign, all 21 cases are open",
        3: f"In float32, IPEX helps more in {more} of 21 cases, and less in {less}; the others are open",
    }
    assert fig.get_suptitle() == said[count]
    assert (count == 1) == (more + less == 0)
    plt.close(fig)
