"""Checks of notebook 5: differences class by class, McNemar's table, and an interval over seeds."""

import operator

import numpy as np

from codealong.checks.exercise import Exercise, Wrong, number, untouched

LABELS = np.repeat(np.arange(10), 40)


def _classes(seed):
    """Return predictions for `LABELS`, of which about four fifths are right; uint8, as a run keeps them."""
    generator = np.random.default_rng(seed)
    guesses = generator.integers(0, 10, len(LABELS))
    return np.where(generator.random(len(LABELS)) < 0.8, LABELS, guesses).astype(np.uint8)


def _recalls(labels, classes):
    return np.array([(classes[labels == label] == label).mean() for label in range(10)])


def _precisions(labels, classes):
    return np.array([(labels[classes == label] == label).mean() for label in range(10)])


def _differences(answer):
    difference = np.asarray(untouched(answer, LABELS, _classes(1), _classes(2)), dtype=float)
    if difference.size > 1 and difference.shape != (10,):
        raise Wrong(f"its shape is {difference.shape}, and one number for each class was asked for: shape (10,).")
    return tuple(difference.ravel())


recall_difference = Exercise(
    "recall_difference",
    lambda labels, first, second: 100 * (_recalls(labels, second) - _recalls(labels, first)),
    _differences,
    {
        "this is precision: it divides by how often a class was *called*. Recall takes the images *of* a class.": (
            lambda labels, first, second: 100 * (_precisions(labels, second) - _precisions(labels, first))
        ),
        "the sign is turned around: second minus first, so that more recall with it is a plus.": (
            lambda labels, first, second: 100 * (_recalls(labels, first) - _recalls(labels, second))
        ),
        "these are shares, and percentage points were asked for: 100 times as much.": (
            lambda labels, first, second: _recalls(labels, second) - _recalls(labels, first)
        ),
        "it divides by 1,000, which is how many images of a class the test images have. Divide by how many there are "
        "in `labels`.": lambda labels, first, second: (
            100 * 40 * (_recalls(labels, second) - _recalls(labels, first)) / 1000
        ),
        "both recalls were rounded to two digits before they were subtracted. That is what the published tables did, "
        "and why nothing below a point can be seen in them.": (
            lambda labels, first, second: 100 * (_recalls(labels, second).round(2) - _recalls(labels, first).round(2))
        ),
        "this is one number for all classes, and they may go opposite ways. It is the difference of accuracy.": (
            lambda labels, first, second: 100 * ((second == labels).mean() - (first == labels).mean())
        ),
        "this is the first class alone. Does `return` stand inside the loop?": (
            lambda labels, first, second: 100 * (_recalls(labels, second) - _recalls(labels, first))[0]
        ),
        "this is relative to the first recall, in percent. Percentage points are a plain difference.": (
            lambda labels, first, second: 100 * (_recalls(labels, second) / _recalls(labels, first) - 1)
        ),
    },
)


def _tables(answer):
    first = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0], dtype=bool)
    second = np.array([1, 0, 0, 0, 1, 1, 0, 0, 0], dtype=bool)
    return tuple(_counts(untouched(answer, first, other)) for other in (second, ~first))


def _counts(returned):
    try:
        counts = tuple(map(operator.index, returned))
    except TypeError:
        counts = ()
    if len(counts) != 2:
        raise Wrong("two whole numbers were asked for. A mask says which images; .sum() counts them.")
    return counts


only_one = Exercise(
    "only_one",
    lambda first, second: (int((first & ~second).sum()), int((~first & second).sum())),
    _tables,
    {
        "the two numbers are exchanged: the first counts the images that only the first network gets right.": (
            lambda first, second: ((~first & second).sum(), (first & ~second).sum())
        ),
        "these are all images that each gets right. Those that both get right say nothing about which is better.": (
            lambda first, second: (first.sum(), second.sum())
        ),
        "these are agreements, both right and both wrong. McNemar's test lives on the disagreements.": (
            lambda first, second: ((first & second).sum(), (~first & ~second).sum())
        ),
        "the difference alone is not enough: 4 against 1 and 104 against 101 are not the same evidence.": (
            lambda first, second: (first.sum() - second.sum(), 0)
        ),
        "these are the images that either gets wrong. That looks like the same, but those that both get wrong are "
        "in both numbers.": lambda first, second: ((~second).sum(), (~first).sum()),
        "two whole numbers were asked for. A mask says which images; .sum() counts them.": (
            lambda first, second: (first & ~second, ~first & second),
            lambda first, second: (first ^ second).sum(),
        ),
    },
)

FIRST = np.array([0.9131, 0.9140, 0.9118, 0.9152, 0.9137, 0.9126, 0.9149, 0.9133])
SECOND = np.array([0.9142, 0.9137, 0.9131, 0.9155, 0.9151, 0.9129, 0.9158, 0.9147])


def _three(answer):
    returned = untouched(answer, FIRST, SECOND)
    if not isinstance(returned, tuple | list | np.ndarray) or len(returned) != 3:
        raise Wrong("three numbers were asked for: the mean, and the lower and the upper end of its interval.")
    return tuple(map(number, returned))


def _interval(first, second, root=0.5, ddof=1, level=0.975, freedom=None, errors=None, paired=True):
    """Return mean and ends, right but for what is asked to be wrong."""
    from scipy.stats import t

    difference, n = second - first, len(first)
    if paired:
        error = difference.std(ddof=ddof) / n**root
    else:
        error = ((first.var(ddof=ddof) + second.var(ddof=ddof)) / n) ** 0.5
    reach = (errors or t.ppf(level, df=freedom or n - 1)) * error
    return difference.mean(), difference.mean() - reach, difference.mean() + reach


def _with(**wrong):
    return lambda first, second: _interval(first, second, **wrong)


def _ordered(*places):
    return lambda first, second: tuple(_interval(first, second)[place] for place in places)


paired_interval = Exercise(
    "paired_interval",
    _interval,
    _three,
    {
        "the standard deviation is divided by n, and not by its square root. More runs help, but not that much.": (
            _with(root=1)
        ),
        "this is how far single differences scatter: divide by √n to get how far their mean is off.": _with(root=0),
        "the standard deviation is numpy's own, which divides by n. Around a mean taken from the same few numbers "
        "that is too small: ddof=1 divides by n − 1.": _with(ddof=0),
        "the pairs are torn apart. Two lists with a variance each is what one learns first, but then what a seed does "
        "to both arms stays in, and the interval is wider than it need be.": (
            _with(paired=False),
            _with(paired=False, freedom=2 * len(FIRST) - 2),
            _with(paired=False, errors=1.96),
            _with(paired=False, ddof=0),
        ),
        "1.96 or 2 standard errors are for many runs. With a dozen, the standard deviation is itself a guess, and "
        "student_t.ppf reaches further.": (_with(errors=1.96), _with(errors=2)),
        "n differences around their own mean have n − 1 degrees of freedom.": _with(freedom=len(FIRST)),
        "5 % on one side: student_t.ppf(0.95) leaves 5 % at either end, and so the interval is one of 90 %.": (
            _with(level=0.95)
        ),
        "the sign is turned around: second minus first.": lambda first, second: _interval(second, first),
        "the numbers are right and their order is not: mean, lower end, upper end.": (
            _ordered(1, 0, 2),
            _ordered(1, 2, 0),
            _ordered(0, 2, 1),
        ),
        "percentage points are for printing: differences of accuracies stay as they are.": (
            lambda first, second: tuple(100 * end for end in _interval(first, second))
        ),
    },
)
