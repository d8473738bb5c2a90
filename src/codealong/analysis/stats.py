"""What a comparison of runs can say: paired tests, intervals, equivalence.

scipy, statsmodels and scikit-learn compute; each function imports what it needs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codealong.classes import CLASSES
from codealong.intervals import Interval

CONFIDENCE = 0.95
QUANTITIES = ("precision", "recall", "f1-score")
MARGIN = 0.005
"""Accuracies that differ by less than half a percentage point count as equivalent; stated before the result."""

CLASS_MARGIN = 0.01
"""Of one class, numbers that differ by less than a printed digit do: each rests on a tenth of the images."""


class McNemar(NamedTuple):
    """Images on which exactly one of two classifiers is right, and the exact two-sided p-value."""

    only_first: int
    only_second: int
    p: float


class Equivalence(NamedTuple):
    """Two one-sided tests: the larger p-value, and whether the difference is shown to lie within the margin."""

    p: float
    equivalent: bool


def mcnemar(first, second):
    """Test whether two classifiers are right equally often on the same images.

    Parameters
    ----------
    first, second : array of bool, shape (N,)
        Whether each classifier is right on each image.

    Returns
    -------
    McNemar

    References
    ----------
    Q. McNemar, Psychometrika 12, 153 (1947); the exact test is the sign test on the images that differ.
    """
    from statsmodels.stats.contingency_tables import mcnemar

    first, second = np.asarray(first, bool), np.asarray(second, bool)
    table = [[int((a & b).sum()) for b in (second, ~second)] for a in (first, ~first)]
    return McNemar(table[0][1], table[1][0], float(mcnemar(table, exact=True).pvalue))


def accuracy_difference(first, second, confidence=CONFIDENCE, resamples=2000, seed=0):
    """Return how much more often the second of two classifiers is right, with a paired bootstrap interval.

    Parameters
    ----------
    first, second : array of bool, shape (N,)
        Whether each classifier is right on each image.
    confidence : float, optional
    resamples, seed : int, optional
        Of the bootstrap over images.

    Returns
    -------
    Interval
        From −1 to 1. It says what other test images would change, not what another seed would.
    """
    from scipy.stats import bootstrap

    gained = np.asarray(second, float) - np.asarray(first, float)
    if (gained == gained[0]).all():
        return Interval(float(gained[0]), float(gained[0]), float(gained[0]))
    interval = bootstrap(
        (gained,),
        np.mean,
        confidence_level=confidence,
        n_resamples=resamples,
        method="percentile",
        batch=100,
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(gained.mean()), float(interval.low), float(interval.high))


def paired_difference(first, second, confidence=CONFIDENCE):
    """Return the mean of ``second − first`` over seeds, with its t interval; of no width where all are equal.

    Parameters
    ----------
    first, second : array of float, shape (seeds,)
        One value per seed, in the same order.
    confidence : float, optional

    Returns
    -------
    Interval
    """
    from scipy.stats import ttest_rel

    difference = np.asarray(second, float) - np.asarray(first, float)
    if np.ptp(difference) == 0:
        return Interval(*[float(difference[0])] * 3)
    interval = ttest_rel(second, first).confidence_interval(confidence)
    return Interval(float(difference.mean()), float(interval.low), float(interval.high))


def mean(values, confidence=CONFIDENCE):
    """Return the mean of some values, one a seed, with its t interval."""
    return paired_difference(np.zeros(len(values)), values, confidence)


def equivalence(first, second, margin=MARGIN, level=1 - CONFIDENCE):
    """Test whether the mean of ``second − first`` over seeds lies within ±`margin`.

    Parameters
    ----------
    first, second : array of float, shape (seeds,)
        One value per seed, in the same order.
    margin : float, optional
    level : float, optional
        Probability of calling a difference of exactly `margin` equivalent.

    Returns
    -------
    Equivalence

    References
    ----------
    D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 657 (1987).
    """
    from statsmodels.stats.weightstats import ttost_paired

    difference = np.asarray(second, float) - np.asarray(first, float)
    if np.ptp(difference) == 0:
        within = bool(abs(difference[0]) < margin)
        return Equivalence(0.0 if within else 1.0, within)
    p = float(ttost_paired(np.asarray(second, float), np.asarray(first, float), -margin, margin)[0])
    return Equivalence(p, p < level)


def spread(values, confidence=CONFIDENCE):
    """Return the standard deviation over seeds, with its χ² interval: what mere reseeding does.

    Parameters
    ----------
    values : array of float, shape (seeds,)
    confidence : float, optional

    Returns
    -------
    Interval
    """
    from scipy.stats import chi2

    deviation, freedom = float(np.std(values, ddof=1)), len(values) - 1
    low, high = chi2.interval(confidence, freedom)
    return Interval(deviation, deviation * float(np.sqrt(freedom / high)), deviation * float(np.sqrt(freedom / low)))


def superiority(first, second, confidence=CONFIDENCE):
    """Return the probability that the second of a pair is ahead, where the differences of pairs are normal.

    Parameters
    ----------
    first, second : array of float, shape (pairs,)
        One value per pair, in the same order.
    confidence : float, optional

    Returns
    -------
    Interval
        From 0 to 1; of no width where all pairs differ by the same, NaN where none differs.

    References
    ----------
    The interval turns the noncentral t distribution around: J. H. Steiger and R. T. Fouladi, in What If There Were
    No Significance Tests? (1997), chapter 9.
    """
    from scipy.optimize import brentq
    from scipy.stats import nct, norm

    difference = np.asarray(second, float) - np.asarray(first, float)
    if np.ptp(difference) == 0:
        return Interval(*[float(difference[0] > 0) if difference[0] else np.nan] * 3)
    root, freedom = np.sqrt(len(difference)), len(difference) - 1
    t = root * difference.mean() / difference.std(ddof=1)
    tail = (1 - confidence) / 2
    reach = 10 + 2 * abs(t)

    def below(shift):  # scipy 1.17 gives NaN where this is all but 0 or 1
        return np.nan_to_num(nct.cdf(t, freedom, shift), nan=float(shift < t))

    low, high = (
        brentq(lambda shift, share=share: below(shift) - share, t - reach, t + reach) for share in (1 - tail, tail)
    )
    return Interval(*(float(norm.cdf(each / root)) for each in (t, low, high)))


def over_seeds_and_images(right, confidence=CONFIDENCE, resamples=2000, seed=0):
    """Return the mean over runs and images, with an interval for other seeds *and* other images.

    Parameters
    ----------
    right : array, shape (seeds, N)
        Whether each run is right on each image, or the difference of two such arrays.
    confidence : float, optional
    resamples, seed : int, optional

    Returns
    -------
    Interval

    References
    ----------
    Seeds and images are drawn with replacement, independently of each other: A. B. Owen, The pigeonhole bootstrap,
    Annals of Applied Statistics 1, 386 (2007). It errs towards intervals that are too wide.
    """
    right = np.asarray(right, np.float32)
    runs, images = right.shape
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    for number in range(resamples):
        of_image = right[generator.integers(runs, size=runs)].mean(axis=0)
        means[number] = of_image[generator.integers(images, size=images)].mean()
    tail = 50 * (1 - confidence)
    return Interval(float(right.mean()), *np.percentile(means, [tail, 100 - tail]).tolist())


def quantities(labels, predictions):
    """Return precision, recall and F1 of each class.

    Parameters
    ----------
    labels : array of int, shape (N,)
    predictions : sequence of array of int, shape (N,)
        One array per seed.

    Returns
    -------
    numpy.ndarray
        Shape (seeds, 3, 10), in the order of `QUANTITIES`.
    """
    from sklearn.metrics import precision_recall_fscore_support

    each = range(len(CLASSES))
    return np.array(
        [precision_recall_fscore_support(labels, classes, labels=each, zero_division=0)[:3] for classes in predictions]
    )


def class_differences(before, after, confidence=CONFIDENCE):
    """Compare two arms class by class, paired by seed.

    Parameters
    ----------
    before, after : array of float, shape (seeds, 3, 10)
        As `quantities` returns them, with the seeds in the same order.
    confidence : float, optional
        Of each interval by itself.

    Returns
    -------
    pandas.DataFrame
        Index: ``precision``, ``recall`` and ``f1-score`` of each class; columns ``estimate``, ``low``,
        ``high`` of the mean difference (after minus before, from −1 to 1), ``p``, ``p Holm`` (corrected
        over the ten classes, for each quantity), ``p equivalence`` (that it lies within `CLASS_MARGIN`), and
        ``spread``, the standard deviation of `before` over seeds.
    """
    from scipy.stats import ttest_rel

    difference = after - before
    same = np.ptp(difference, axis=0) == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        test = ttest_rel(after, before)
        interval = test.confidence_interval(confidence)
    mean = difference.mean(axis=0)
    low, high = (np.where(same, mean, end) for end in interval)
    p = np.where(same, np.where(mean == 0, 1.0, 0.0), test.pvalue)
    spread = before.std(axis=0, ddof=1)
    rows = {}
    for q, quantity in enumerate(QUANTITIES):
        for (c, name), corrected in zip(enumerate(CLASSES), _holm(p[q]), strict=True):
            within = equivalence(before[:, q, c], after[:, q, c], CLASS_MARGIN).p
            rows[quantity, name] = (mean[q, c], low[q, c], high[q, c], p[q, c], corrected, within, spread[q, c])
    return _by_class(rows, ["estimate", "low", "high", "p", "p Holm", "p equivalence", "spread"])


def against_reseeding(before, after, values):
    """Compare two printed reports with what reseeding alone does to one.

    The difference of two runs that differ in the seed alone, divided by √2 times the standard deviation
    over n seeds, follows Student's t with n − 1 degrees of freedom. A small p says that reseeding the recipe of
    `values` does not explain the difference; a recipe that was not published may scatter more.

    Parameters
    ----------
    before, after : reports.Report
        Read from print, so that their `digits` are known; what rounding may have added is taken off.
    values : array of float, shape (seeds, 3, 10)
        As `quantities` returns them, of runs that differ in the seed alone.

    Returns
    -------
    pandas.DataFrame
        Index as in `class_differences`; columns ``difference`` (after minus before, from −1 to 1),
        ``spread`` (standard deviation over seeds), ``p`` and ``p Holm``.
    """
    from scipy.stats import t

    rounding = 0.5 * (10.0**-before.digits + 10.0**-after.digits)
    rows = {}
    for q, quantity in enumerate(QUANTITIES):
        difference = (after.classes[quantity] - before.classes[quantity]).to_numpy()
        beyond = np.maximum(np.abs(difference) - rounding, 0)
        spread = values[:, q].std(axis=0, ddof=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            p = np.where(beyond == 0, 1.0, 2 * t.sf(beyond / (np.sqrt(2) * spread), len(values) - 1))
        for c, (name, corrected) in enumerate(zip(CLASSES, _holm(p), strict=True)):
            rows[quantity, name] = (difference[c], spread[c], p[c], corrected)
    return _by_class(rows, ["difference", "spread", "p", "p Holm"])


def epochs_to(history, accuracy):
    """Return the first epoch whose validation accuracy reaches a level, or None when none does.

    Parameters
    ----------
    history : list of dict
        Fields of `training.Epoch`.
    accuracy : float
    """
    return next((epoch["epoch"] for epoch in history if epoch["valid_accuracy"] >= accuracy), None)


def median(values, confidence=CONFIDENCE):
    """Return the median, with an interval that assumes no distribution and covers at least at its rate.

    Parameters
    ----------
    values : array of float, shape (N,)
        At least six for a confidence of 0.95. They may be infinite.
    confidence : float, optional

    Returns
    -------
    Interval
        Its ends are values that were measured; NaN where there are too few for any.

    References
    ----------
    The sign test turned around: W. J. Conover, Practical Nonparametric Statistics, 3rd edition, 3.2.
    """
    from scipy.stats import quantile_test

    interval = quantile_test(values, p=0.5).confidence_interval(confidence)
    return Interval(float(np.median(values)), float(interval.low), float(interval.high))


def ratio(first, second, confidence=CONFIDENCE):
    """Return the `median` of ``first / second`` over pairs, with its interval.

    Parameters
    ----------
    first, second : array of float, shape (pairs,)
        Seconds or rates, pair by pair.
    confidence : float, optional

    Returns
    -------
    Interval
    """
    return median(np.asarray(first, float) / np.asarray(second, float), confidence)


def _holm(p):
    from statsmodels.stats.multitest import multipletests

    return multipletests(p, method="holm")[1]


def _by_class(rows, columns):
    import pandas as pd

    index = pd.MultiIndex.from_tuples(rows, names=["quantity", "class"])
    return pd.DataFrame(list(rows.values()), index=index, columns=columns)
