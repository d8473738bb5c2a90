"""What 100 epochs of the published recipe bring, and what the network of the published text does."""

import numpy as np

from codealong import records
from codealong.analysis import reports, stats
from codealong.measure import publication


def epochs_table(long_runs, early=5):
    """Return where each long run is best on validation images, and its test accuracy there and elsewhere.

    Parameters
    ----------
    long_runs : dict
        As `measure.publication.read_long` returns them.
    early : int, optional
        An epoch to compare with: by default, as many as the course trains.

    Returns
    -------
    pandas.DataFrame
        A row for each run: its best epoch, counted from 1, and the test accuracy after the early one, the best and the
        last.
    """
    import pandas as pd

    rows = {}
    for arm, by_seed in long_runs.items():
        for seed, run in by_seed.items():
            best, tested = int(run["valid_accuracy"].argmax()), run["test_accuracy"]
            rows[f"{arm}, seed {seed}"] = {
                "best epoch": best + 1,
                f"test accuracy after {early}": tested[early - 1],
                "after the best": tested[best],
                f"after {len(tested)}": tested[-1],
            }
    return pd.DataFrame(rows).T.astype({"best epoch": int})


def cost(long_runs, early=5):
    """Return how much test accuracy the epochs after an early one bring, and those after the best one, in points.

    Returns
    -------
    later, too_many : intervals.Interval
        Mean over all runs of what is won from the early epoch to the last, and from the best to the last, with 95 %
        t intervals, in percentage points.
    """
    table = 100 * epochs_table(long_runs, early).drop(columns="best epoch")
    first, best, last = (table[column].to_numpy() for column in table)
    return stats.paired_difference(first, last), stats.paired_difference(best, last)


def mean_report(runs, labels):
    """Return the mean report of some runs: F1 of each class, accuracy and averages.

    Parameters
    ----------
    runs : list of runs.Run
    labels : array of int, shape (10000,)
        The true classes of the test images.

    Returns
    -------
    pandas.Series
        Index as of `reports.side_by_side`.
    """
    columns = {run.seed: reports.from_predictions(labels, run.classes) for run in runs}
    return reports.side_by_side(columns).mean(axis=1)


def load(folder=records.REFERENCE):
    """Return the recorded long runs and the runs of `DeepFashionCNN` of a machine."""
    return publication.read_long(folder), publication.read_deep(folder)


def accuracies(runs, labels):
    """Return the test accuracy of each run: shape (runs,)."""
    return np.array([(run.classes == labels).mean() for run in runs])
