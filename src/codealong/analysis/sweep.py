"""What a sweep over widths says: speed-ups, and from which width on they pay."""

from pathlib import Path

from codealong import CourseError
from codealong.analysis import stats
from codealong.measure.sweep import NAME, ROUNDS, read


class SweepError(CourseError):
    """A recorded sweep is not whole; the message says what goes on with it."""


def load(folder, rounds=ROUNDS):
    """Return the measurements of a whole sweep.

    Returns
    -------
    pandas.DataFrame
        One row per measurement: ``round``, ``arm``, ``width``, ``batch``, ``images_per_second``.

    Raises
    ------
    SweepError
        When rounds are missing.
    records.RecordError
    """
    import pandas as pd

    _, done = read(folder)
    if len(done) < rounds:
        raise SweepError(
            f"{Path(folder) / NAME} lacks {rounds - len(done)} of {rounds} rounds: "
            f"`python -m codealong study --into {folder}` goes on with it."
        )
    return pd.DataFrame([{"round": number, **cell} for number, each in enumerate(done) for cell in each["cells"]])


def speed_ups(table, slow, fast):
    """Return how many times as fast one arm is as another, in each round of a sweep.

    Parameters
    ----------
    table : pandas.DataFrame
        As `load` returns it.
    slow, fast : str
        Arms.

    Returns
    -------
    pandas.DataFrame
        Columns ``round``, ``width``, ``batch``, ``ratio``.
    """
    rates = table.pivot(index=["round", "width", "batch"], columns="arm", values="images_per_second")
    return (rates[fast] / rates[slow]).rename("ratio").reset_index()


def begins_to_pay(table, slow, fast):
    """Return the width from which on an arm is faster than another, with the whole interval of the median.

    Parameters
    ----------
    table, slow, fast
        As for `speed_ups`.

    Returns
    -------
    dict of int to int or None
        By batch size; None where it is not shown to be faster at the largest width.
    """
    lowest = speed_ups(table, slow, fast).groupby(["batch", "width"])["ratio"].agg(lambda each: stats.median(each).low)
    pays = {}
    for batch, by_width in (lowest > 1).groupby("batch"):
        always = by_width.droplevel("batch").sort_index(ascending=False).cummin()
        pays[batch] = min(always.index[always], default=None)
    return pays
