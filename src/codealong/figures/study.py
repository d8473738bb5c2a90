"""The figures of a study."""

import numpy as np

from codealong.analysis import larger, reports, stats, verdicts
from codealong.analysis.verdicts import LEVELS, PAIRS
from codealong.classes import CLASSES
from codealong.figures.style import ARM_COLOURS, a_row_per_class, described, pyplot
from codealong.measure.networks import NETWORKS

SIZES = {28: (-0.25, "o"), 56: (0, "s"), 112: (0.25, "D")}
"""Pixels of an image: where its mark stands in a row, and its shape."""


def accuracies(study):
    """Draw the test accuracy of every run by arm, and the mean of each arm with its interval.

    Parameters
    ----------
    study : study.Study
    """
    fig, axis = pyplot().subplots(figsize=(9, 4.2))
    arms = list(study.runs)
    said = []
    for row, arm in enumerate(arms):
        values = study.accuracy(arm)
        mean = stats.mean(values)
        axis.plot(values, np.full(len(values), row + 0.18), "o", color=ARM_COLOURS[arm], alpha=0.6, markersize=8)
        axis.plot([mean.low, mean.high], [row - 0.14] * 2, color=ARM_COLOURS[arm], linewidth=4)
        axis.plot(mean.estimate, row - 0.14, "D", color="black", markersize=6)
        axis.annotate(
            f"{mean.estimate:.4f}", (mean.high, row - 0.14), xytext=(8, 0), textcoords="offset points", va="center"
        )
        said.append(f"{arm} {mean.estimate:.4f} ({mean.low:.4f} to {mean.high:.4f})")
    axis.set_yticks(range(len(arms)), arms)
    axis.set_ylim(len(arms) - 0.5, -0.6)
    means = [study.accuracy(arm).mean() for arm in arms]
    axis.set_title(f"The arms' mean accuracies lie within {np.ceil(1e4 * np.ptp(means)) / 100:.2f} percentage points")
    axis.set_xlabel("test accuracy: every run, and the mean with its 95 % interval")
    fig.tight_layout()
    return described(
        fig, f"Test accuracy of {len(study.seeds)} runs of each arm, mean with 95 % interval: {'; '.join(said)}."
    )


def class_f1(study):
    """Draw the difference of F1 with and without IPEX class by class, and the published differences.

    The intervals hold for all ten classes together (Bonferroni).

    Parameters
    ----------
    study : study.Study
    """
    fig, axis = pyplot().subplots(figsize=(9, 5.8), layout="constrained")
    rows = np.arange(len(CLASSES))
    published = reports.compare(*(reports.published(which) for which in ("without", "with")))["f1-score"]
    axis.errorbar(
        published[list(CLASSES)], rows - 0.26, xerr=1, fmt="D", color="black", markersize=6, linewidth=1,
        label="published, one pair (± 1 for rounding)",
    )  # fmt: skip
    said, beyond = [], 0
    for (precision, (stock, ipex)), shift in zip(PAIRS.items(), (0, 0.26), strict=True):
        table = stats.class_differences(
            study.quantities(stock),
            study.quantities(ipex),
            confidence=1 - (1 - stats.CONFIDENCE) / len(CLASSES),
        ).loc["f1-score"]
        table = 100 * table[["estimate", "low", "high"]]
        reach = [table["estimate"] - table["low"], table["high"] - table["estimate"]]
        axis.errorbar(
            table["estimate"], rows + shift, xerr=reach, fmt="o", color=ARM_COLOURS[ipex], markersize=7, linewidth=3,
            label=f"{ipex} minus {stock}, {len(study.seeds)} seeds",
        )  # fmt: skip
        largest = table["estimate"].abs().idxmax()
        beyond = max(beyond, table["estimate"].abs().max())
        said.append(f"in {precision}, the largest mean difference is {table.loc[largest, 'estimate']:+.2f} ({largest})")
    a_row_per_class(axis)
    axis.set_title(f"With IPEX, no class's mean F1 moves by more than {np.ceil(10 * beyond) / 10:.1f} points")
    axis.set_xlabel("F1, with minus without, in percentage points (95 % intervals for ten classes)")
    fig.legend(loc="outside lower center")
    return described(
        fig, f"Difference of F1 by class, with minus without IPEX, in percentage points: {'; '.join(said)}."
    )


def learning(study):
    """Draw validation accuracy against epoch and against seconds of training, the mean of each arm over its runs.

    The seconds are those of the campaigns; the runs themselves may have been made beside other work.

    Parameters
    ----------
    study : study.Study
    """
    fig, axes = pyplot().subplots(1, 2, figsize=(11, 4.4), sharey=True)
    means, seconds = {}, {}
    for number, arm in enumerate(study.runs):
        history = np.array([[epoch["valid_accuracy"] for epoch in run.history] for run in study.runs[arm]])
        means[arm] = history.mean(axis=0)
        width, epochs = 6 - number, np.arange(1, history.shape[1] + 1)  # thinner on top, so that none hides another
        seconds[arm] = study.seconds_per_epoch(arm) * epochs
        for values in history:
            axes[0].plot(epochs, values, color=ARM_COLOURS[arm], linewidth=0.5, alpha=0.4)
        axes[0].plot(epochs, means[arm], "o-", color=ARM_COLOURS[arm], linewidth=width, label=arm)
        axes[1].plot(seconds[arm], means[arm], "o-", color=ARM_COLOURS[arm], linewidth=2.5)
    for axis in axes:
        for level in LEVELS:
            axis.axhline(level, color="0.7", linewidth=1, zorder=0)
    gap = np.ceil(1000 * max(np.ptp([mean[epoch] for mean in means.values()]) for epoch in range(len(epochs)))) / 10
    last = {arm: times[-1] for arm, times in seconds.items()}
    factor = max(last.values()) / min(last.values())
    axes[0].set(title=f"By epoch, the arms lie within {gap:.1f} points", xlabel="epoch")
    axes[0].set_ylabel("validation accuracy")
    axes[0].set_xticks(epochs)
    axes[1].set(title=f"By seconds, up to {factor:.1f}-fold apart", xlim=(0, None))
    axes[1].set_xlabel("seconds of training, at the mean rate of all campaigns")
    axes[0].legend(loc="lower right")
    fig.tight_layout()
    fastest = min(last, key=last.get)
    return described(
        fig,
        f"Validation accuracy of each arm against epoch and against seconds: after the same epoch, means lie "
        f"within {gap:.1f} percentage points; the same epochs take up to {factor:.1f} times as long, least in "
        f"{fastest}.",
    )


def larger_models(study):
    """Draw how many times as fast training is with IPEX, by network, images and precision.

    Parameters
    ----------
    study : study.Study
        With a campaign of what is larger, at least; with fewer than a verdict needs, each is drawn, and no interval.
    """
    fig, axes = pyplot().subplots(1, len(PAIRS), figsize=(11, 6), sharey=True, layout="constrained")
    rows = [*NETWORKS, "240,000 images"]
    said = []
    for axis, (precision, pair) in zip(axes, PAIRS.items(), strict=True):
        base = larger.speed_up(study.larger, pair, larger.BASE).estimate
        axis.axvline(1, color="black", linewidth=1)
        axis.axvline(base, color=ARM_COLOURS[pair[1]], linewidth=1, linestyle="--")
        estimates = {}
        for cell in larger.CELLS:
            row = len(rows) - 1 if cell.copies > 1 else rows.index(cell.network)
            place, marker = SIZES[cell.pixels]
            ratio = estimates[larger.name(cell)] = larger.speed_up(study.larger, pair, cell)
            colour = ARM_COLOURS[pair[1]]
            if study.larger.enough:
                axis.plot([ratio.low, ratio.high], [row + place] * 2, color=colour, linewidth=2)
            else:
                single = study.larger.by_campaign(*((arm, cell) for arm in pair))
                axis.plot(single, np.full(len(single), row + place), "|", color=colour, markersize=10)
            axis.plot(ratio.estimate, row + place, marker, color=colour, markersize=9)
        axis.set_xscale("log")
        ticks = [tick for tick in (0.5, 0.7, 1, 1.4, 2, 2.8, 4) if axis.get_xlim()[0] < tick < axis.get_xlim()[1]]
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
        axis.set_title(f"{precision}: {base:.2f} for the course's own network")
        axis.set_xlabel(
            "rate with IPEX / without (log scale), " + ("95 % intervals" if study.larger.enough else "each campaign")
        )
        axis.grid(axis="x")
        least, *_, most = sorted(estimates, key=lambda name: estimates[name].estimate)
        said.append(
            f"in {precision} from {estimates[least].estimate:.2f} ({least}) to {estimates[most].estimate:.2f} ({most})"
        )
    axes[0].set_yticks(range(len(rows)), rows)
    axes[0].set_ylim(len(rows) - 0.4, -0.6)
    for pixels, (_, marker) in SIZES.items():
        axes[1].plot([], [], marker, color="0.3", label=f"{pixels} pixels")
    fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=len(SIZES))
    benefits = [its["benefit"] for its in verdicts.larger_models(study).numbers["float32"].values()]
    more, less = benefits.count("larger"), benefits.count("smaller")
    title = f"In float32, IPEX helps more in {more} of {len(benefits)} cases, and less in {less}; the others are open"
    if not study.larger.enough:
        title = f"After {study.larger.said()}, all {len(benefits)} cases are open"
    fig.suptitle(title, x=0.01, ha="left")
    return described(fig, f"Training rate with IPEX relative to the same precision without: {'; '.join(said)}.")
