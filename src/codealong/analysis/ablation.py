"""What an ablation says: the rate of each variation, relative to the tuned path of the same round."""

import numpy as np

from codealong.intervals import median_and_range


def table(record):
    """Return the ratios for a reader, one row per variation.

    Parameters
    ----------
    record : dict
        As `measure.ablation.read` returns it.

    Returns
    -------
    pandas.DataFrame
        Median and range of the rounds.
    """
    import pandas as pd

    rates = record["images_per_second"]
    ratios = {name: median_and_range(np.divide(each, rates["tuned"])) for name, each in rates.items()}
    column = f"rate / tuned, batch {record['batch']:,}"
    rows = pd.DataFrame({column: {name: f"{ratio:.2f}" for name, ratio in ratios.items()}})
    return rows.rename_axis("variation")
