"""What the campaigns of a machine say: ratios of training rates that hold in another hour, not in this one alone."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from codealong import records
from codealong.analysis import stats
from codealong.arms import ARMS
from codealong.intervals import Interval
from codealong.measure import campaign

FEWEST = 3
"""Campaigns below which nothing is concluded."""


@dataclass(frozen=True)
class Campaigns:
    """All whole campaigns of a machine.

    Attributes
    ----------
    rates : dict of str to numpy.ndarray
        Images per second by arm, shape (campaigns, rounds): those of one process, over all that it was timed for.
    dates : list of datetime.datetime
        When each campaign began.
    """

    rates: dict
    dates: list

    def __len__(self):
        return len(self.dates)

    @property
    def enough(self):
        return len(self) >= FEWEST

    def ratio(self, slow, fast):
        """Return how many times as fast one arm is as another, with its interval `over_campaigns`."""
        return exponential(over_campaigns(np.log(self.rates[fast] / self.rates[slow])))

    def by_campaign(self, slow, fast):
        """Return the ratio in each campaign: the geometric mean over its rounds, shape (campaigns,)."""
        return np.exp(np.log(self.rates[fast] / self.rates[slow]).mean(axis=1))

    def superiority(self, slow, fast):
        """Return the probability that an arm trains faster than another in a round, rounds taken as independent."""
        if not len(self):
            return Interval(np.nan, np.nan, np.nan)
        return stats.superiority(np.log(self.rates[slow]).ravel(), np.log(self.rates[fast]).ravel())

    def said(self):
        """Say how many campaigns there are, and over how long."""
        if len(self) < 2:
            return "1 campaign" if len(self) else "no campaign"
        hours = (max(self.dates) - min(self.dates)).total_seconds() / 3600
        days = len({date.date() for date in self.dates})
        over = f"{days} days" if days > 1 else f"{hours:.1f} hours"
        return f"{len(self)} campaigns over {over}"


def load(folder=records.REFERENCE):
    """Return the whole campaigns of a machine; an arm that one of them lacks is left out of all.

    Raises
    ------
    records.RecordError
    """
    measured = campaign.SERIES.read_all(folder)
    rates = {
        arm: np.array([[_rate(each, arm) for each in one["rounds"][: campaign.ROUNDS]] for one in measured]).reshape(
            len(measured), campaign.ROUNDS
        )
        for arm in ARMS
        if all(arm in each["arms"] for each in measured)
    }
    return Campaigns(rates, [datetime.fromisoformat(each["rounds"][0]["date"]) for each in measured])


def over_campaigns(values, confidence=stats.CONFIDENCE):
    """Return the mean over campaigns, with an interval for the campaigns that were not measured.

    What differs from process to process, and from one measurement to the next, is in the mean of each campaign
    already; so these means are treated as independent values, whose t interval it is.

    Parameters
    ----------
    values : array of float, shape (campaigns, rounds)
        Such as logarithms of ratios.
    confidence : float, optional

    Returns
    -------
    Interval
        NaN at its ends for fewer than two campaigns, everywhere for none.

    References
    ----------
    T. Kalibera and R. Jones, Rigorous benchmarking in reasonable time, ISMM 2013: the interval of a hierarchical
    experiment needs the variance of the means at its top level only.
    """
    from scipy.stats import t

    means = np.asarray(values, float).mean(axis=1)
    count = len(means)
    if count < 2:
        return Interval(float(means.sum()) if count else np.nan, np.nan, np.nan)
    reach = t.ppf((1 + confidence) / 2, count - 1) * means.std(ddof=1) / np.sqrt(count)
    return Interval(float(means.mean()), float(means.mean() - reach), float(means.mean() + reach))


def exponential(interval):
    """Turn an interval of logarithms into one of ratios."""
    return Interval(*map(float, np.exp(interval)))


def _rate(one_round, arm):
    its = [each for each in one_round["measurements"] if each["arm"] == arm]
    return sum(each["images"] for each in its) / sum(each["seconds"] for each in its)
