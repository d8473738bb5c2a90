"""What campaigns with larger networks, images and data sets say: where IPEX's share of a speed-up grows with them."""

import collections
from datetime import datetime

import numpy as np

from codealong import records
from codealong.analysis import stats
from codealong.analysis.campaigns import Campaigns, exponential, over_campaigns
from codealong.measure.larger import BASE, MORE_IMAGES, SERIES, Cell
from codealong.measure.larger import CELLS as CELLS
from codealong.measure.networks import NETWORKS, PIXELS


def load(folder=records.REFERENCE):
    """Return the whole campaigns of a machine.

    Returns
    -------
    campaigns.Campaigns
        Its `rates` are by arm and cell, and shape (campaigns, 1): all that a campaign has of them.
    """
    measured = SERIES.read_all(folder)
    by_campaign = [_rates(each) for each in measured]
    shared = set.intersection(*map(set, by_campaign)) if by_campaign else ()
    rates = {key: np.array([[each[key]] for each in by_campaign]) for key in shared}
    return Campaigns(rates, [datetime.fromisoformat(each["rounds"][0]["date"]) for each in measured])


def memory(folder=records.REFERENCE):
    """Return how much memory training took at most, above that of the process before, in MiB.

    Returns
    -------
    dict of (str, larger.Cell) to float
        By arm and cell: the median of all measurements.
    """
    held = {}
    for each in SERIES.read_all(folder):
        for one in _measurements(each):
            held.setdefault(_key(one), []).append(one["held_mib"])
    return {key: float(np.median(its)) for key, its in held.items()}


def speed_up(times, pair, cell):
    """Return how many times as fast the second arm of a pair is in a cell, with its interval over campaigns."""
    slow, fast = pair
    return times.ratio((slow, cell), (fast, cell))


def growth(times, pair, cell, confidence=stats.CONFIDENCE):
    """Return the speed-up in a cell divided by that in `BASE`, campaign by campaign, with its interval."""
    logs = [np.log(times.rates[pair[1], each] / times.rates[pair[0], each]) for each in (cell, BASE)]
    return exponential(over_campaigns(logs[0] - logs[1], confidence))


def name(cell):
    """Return a cell in words, such as ``ResNet-18 at 56 pixels``."""
    if cell == MORE_IMAGES:
        return "FashionCNN with 240,000 images"
    return f"{cell.network} at {cell.pixels} pixels"


def table(value):
    """Return what a function returns for each cell, as a table: a row a network, a column a size of images.

    Parameters
    ----------
    value : callable
        Gets a cell, returns a string.

    Returns
    -------
    pandas.DataFrame
        The larger data set has the last row.
    """
    import pandas as pd

    rows = {network: [value(Cell(network, pixels)) for pixels in PIXELS] for network in NETWORKS}
    rows["240,000 images"] = [value(MORE_IMAGES), *[""] * (len(PIXELS) - 1)]
    return pd.DataFrame(rows, index=[f"{pixels} pixels" for pixels in PIXELS]).T


def _measurements(campaign):
    return [one for each in campaign["rounds"] for one in each["measurements"]]


def _key(one):
    return one["arm"], Cell(one["network"], one["pixels"], one["copies"])


def _rates(campaign):
    """Return images per second by arm and cell, over all measurements of a campaign."""
    images, seconds = collections.Counter(), collections.Counter()
    for one in _measurements(campaign):
        images[_key(one)] += one["images"]
        seconds[_key(one)] += one["seconds"]
    return {key: images[key] / seconds[key] for key in images}
