"""What an ablation says: the rate of each variation, relative to the tuned path of the same round."""

from codealong.analysis import stats
from codealong.measure import ablation

KINDS = {"changed": ablation.LEFT_OUT, "added": ablation.ADDED}
"""What was done to a part of the tuned recipe, and the variations of that kind."""


def table(record):
    """Return the ratios for a reader, one row per variation: parts changed, then parts added, largest first.

    Parameters
    ----------
    record : dict
        As `measure.ablation.read` returns it.

    Returns
    -------
    pandas.DataFrame
        Median of the rounds and its interval, as `stats.ratio` returns it.
    """
    import pandas as pd

    rates = record["images_per_second"]
    column, rows = f"rate / tuned, batch {record['batch']:,}", {}
    for what, names in KINDS.items():
        ratios = {name: stats.ratio(rates[name], rates["tuned"]) for name in names if name in rates}
        for name in sorted(ratios, key=lambda name: -ratios[name].estimate):
            rows[what, name] = f"{ratios[name]:.2f}"
    return pd.DataFrame({column: rows}).rename_axis(["part", "variation"])
