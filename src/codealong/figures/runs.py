"""Figures of one run or of one pair: how it learns, what it confuses, how fast it is."""

import numpy as np

from codealong.classes import CLASSES
from codealong.figures.style import ARM_COLOURS, a_row_per_class, described, pyplot


def curves(histories):
    """Draw accuracy and loss by epoch, training dotted and validation solid.

    Parameters
    ----------
    histories : dict of str to list of dict
        By arm; fields of `training.Epoch`.
    """
    import pandas as pd

    fig, axes = pyplot().subplots(1, 2, figsize=(10, 3.8))
    for axis, quantity in zip(axes, ("accuracy", "loss"), strict=True):
        for number, (arm, history) in enumerate(histories.items()):
            table = pd.DataFrame(history)
            colour, width = ARM_COLOURS[arm], 3.5 - 1.2 * number  # thinner on top, so that none hides another
            axis.plot(table["epoch"], table[f"valid_{quantity}"], "o-", color=colour, linewidth=width, label=arm)
            axis.plot(table["epoch"], table[f"train_{quantity}"], ":", color=colour, linewidth=width)
        axis.set(title=f"{quantity}: validation solid, training dotted", xlabel="epoch")
        axis.set_xticks(table["epoch"])
        axis.grid(axis="y")
    axes[0].legend(loc="lower right")
    fig.tight_layout()
    return described(
        fig,
        f"Accuracy and loss by epoch for {' and '.join(histories)}: accuracy in training starts below "
        "that in validation and then passes it.",
    )


def confusions(labels, runs):
    """Draw the confusion matrix of each run, side by side; rows are true classes, the most mistaken one is framed.

    Parameters
    ----------
    labels : array of int, shape (10000,)
    runs : sequence of runs.Run
    """
    from sklearn import metrics

    fig, axes = pyplot().subplots(1, len(runs), figsize=(5.6 * len(runs), 5.9), sharey=True, squeeze=False)
    said = []
    for axis, run in zip(axes[0], runs, strict=True):
        counts = metrics.confusion_matrix(labels, run.classes)
        axis.imshow(np.sqrt(counts), cmap="Blues")
        for row, column in np.argwhere(counts):
            colour = "white" if counts[row, column] > 500 else "black"
            axis.text(column, row, counts[row, column], ha="center", va="center", color=colour)
        mistakes = counts - np.diag(counts.diagonal())
        true, predicted = np.unravel_index(mistakes.argmax(), counts.shape)
        axis.axhspan(true - 0.5, true + 0.5, fill=False, edgecolor="black", linewidth=2)
        axis.set_title(f"{run.arm}: {CLASSES[true]} is most often taken for {CLASSES[predicted]}")
        said.append(f"{run.arm}, {mistakes.max()} images of {CLASSES[true]} are taken for {CLASSES[predicted]}")
        axis.set_xticks(range(len(CLASSES)), CLASSES, rotation=45, ha="right")
        axis.set_yticks(range(len(CLASSES)), CLASSES)
        axis.set_xlabel("predicted class")
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
    axes[0, 0].set_ylabel("true class")
    fig.tight_layout()
    return described(fig, f"Confusion matrices. Most frequent mistakes: in {'; in '.join(said)}.")


def f1_differences(differences):
    """Draw differences of F1 class by class, one kind of point for each comparison.

    Parameters
    ----------
    differences : dict of str to pandas.Series
        By name of the comparison, at most three; percentage points, by class.
    """
    fig, axis = pyplot().subplots(figsize=(9, 5))
    rows = np.arange(len(CLASSES))
    marks = (("D", "black", -0.22), ("o", ARM_COLOURS["ipex-fp32"], 0), ("s", ARM_COLOURS["ipex-bf16"], 0.22))
    for (name, series), (mark, colour, shift) in zip(differences.items(), marks, strict=False):
        axis.plot(series[list(CLASSES)], rows + shift, mark, color=colour, label=name, markersize=7)
    largest = {name: series[list(CLASSES)].abs().max() for name, series in differences.items()}
    a_row_per_class(axis)
    axis.set_title(f"No class's F1 moves by more than {max(largest.values()):.1f} points")
    axis.set_xlabel("percentage points, with minus without")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    said = "; ".join(f"{name}: at most {value:.1f} points either way" for name, value in largest.items())
    return described(fig, f"Difference of F1 by class. {said}.")


def accuracy_and_rate(table):
    """Draw test accuracy beside the relative training rate, one dot per run.

    Parameters
    ----------
    table : pandas.DataFrame
        As `report.relative_rates` returns it.
    """
    fig, axes = pyplot().subplots(1, 2, figsize=(10, 3.2), sharey=True)
    arms = list(dict.fromkeys(table["arm"]))
    rows = table["arm"].map(arms.index)
    middle = table.groupby("arm", sort=False).agg({"test accuracy": "mean", "rate / stock-fp32": "median"})
    for axis, (column, form) in zip(axes, (("test accuracy", "{:.4f}"), ("rate / stock-fp32", "{:.2f}")), strict=True):
        axis.scatter(table[column], rows, s=90, color=table["arm"].map(ARM_COLOURS), alpha=0.8)
        for row, value in enumerate(middle[column]):
            axis.annotate(form.format(value), (value, row - 0.22), ha="center", va="bottom")
        axis.grid(axis="x")
    mean, median = ("mean", "median") if len(table) > len(arms) else ("one run", "one run")
    spread = table["test accuracy"].max() - table["test accuracy"].min()
    axes[0].set_yticks(range(len(arms)), arms)
    axes[0].set_ylim(len(arms) - 0.5, -0.8)
    axes[0].set(title=f"Accuracies lie within {spread:.4f}", xlabel=f"test accuracy ({mean})")
    axes[0].margins(x=0.25)
    axes[0].locator_params(axis="x", nbins=4)
    fastest = table["rate / stock-fp32"].max()
    axes[1].set(title=f"Training rates differ up to {fastest:.1f}-fold", xlim=(0, fastest * 1.12))
    axes[1].set_xlabel(f"rate relative to stock-fp32, same seed ({median})")
    fig.tight_layout()
    said = "; ".join(
        f"{arm} {accuracy:.4f} at {rate:.2f} times the rate" for arm, accuracy, rate in middle.itertuples()
    )
    return described(fig, f"Test accuracy and training rate relative to stock-fp32 by arm: {said}.")
