"""What a record of times to accuracy says: how many times as soon the recipe for speed alone reaches the goal."""

from typing import NamedTuple

import numpy as np

from codealong.analysis import stats
from codealong.intervals import Interval
from codealong.measure.benchmark import GOAL
from codealong.measure.worker import FASTEST, PUBLISHED


class TimeToAccuracy(NamedTuple):
    """Both recipes, over the same seeds.

    Attributes
    ----------
    epochs : int
        Of the published recipe, until its mean test accuracy is `GOAL`; all that were trained where it never was, and
        then `ratio` is a lower limit.
    accuracies : dict of str to Interval
        By contestant, the mean test accuracy then, and at the end of the other recipe; with 95 % t intervals.
    seconds : dict of str to Interval
        By contestant, of training until then: the median, as `stats.median` returns it.
    ratio : Interval
        Of the seconds, published over fastest, seed by seed, as `stats.ratio` returns it.
    """

    epochs: int
    accuracies: dict
    seconds: dict
    ratio: Interval


def summarise(record):
    """Return what a record says.

    Parameters
    ----------
    record : dict
        As `measure.time_to_accuracy.measure` returns it.

    Returns
    -------
    TimeToAccuracy
    """
    accuracy = np.array([each[PUBLISHED]["test_accuracy"] for each in record["trained"]])
    enough = np.flatnonzero(accuracy.mean(axis=0) >= GOAL)
    epochs = int(enough[0]) + 1 if enough.size else accuracy.shape[1]
    seconds = {
        PUBLISHED: [sum(each[PUBLISHED]["seconds"][:epochs]) for each in record["trained"]],
        FASTEST: [each[FASTEST]["seconds"] for each in record["trained"]],
    }
    reached = {
        PUBLISHED: accuracy[:, epochs - 1],
        FASTEST: [each[FASTEST]["test_accuracy"] for each in record["trained"]],
    }
    return TimeToAccuracy(
        epochs,
        {name: stats.mean(its) for name, its in reached.items()},
        {name: stats.median(its) for name, its in seconds.items()},
        stats.ratio(seconds[PUBLISHED], seconds[FASTEST]),
    )


def report(its):
    """Return it as text for a reader."""
    published, fastest = (
        f"{its.seconds[name]:.1f} s of training, mean test accuracy {its.accuracies[name]:.4f}"
        for name in (PUBLISHED, FASTEST)
    )
    return (
        f"published: {its.epochs} epochs, {published}\nfastest: {fastest}\n"
        f"the published recipe takes {its.ratio:.1f} times as long"
    )
