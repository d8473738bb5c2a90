"""Checks of notebook 6: the disagreements of two networks, and an interval over seeds."""

import operator

import numpy as np

from codealong.checks.exercise import Exercise, Wrong, number, untouched

TOGETHER = "this is one number for both networks: count the images of each by themselves."
MASKS = "two whole numbers are asked for. `first & ~second` says *which* images; .sum() counts them."


def _tables(answer):
    first = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0], dtype=bool)
    second = np.array([1, 0, 0, 0, 1, 1, 0, 0, 0], dtype=bool)
    return tuple(_counts(untouched(answer, first, other)) for other in (second, ~first))


def _counts(returned):
    if isinstance(returned, int | np.integer):
        raise Wrong(TOGETHER)
    try:
        counts = tuple(map(operator.index, returned))
    except TypeError:
        counts = ()
    if len(counts) != 2:
        raise Wrong(MASKS)
    return counts


only_one = Exercise(
    "only_one",
    lambda first, second: (int((first & ~second).sum()), int((~first & second).sum())),
    _tables,
    {
        "the two numbers have changed places: the first counts the images that only the first network gets right.": (
            lambda first, second: ((~first & second).sum(), (first & ~second).sum())
        ),
        "these are all images that each gets right. Those that both get right say nothing about which is better.": (
            lambda first, second: (first.sum(), second.sum())
        ),
        "these are agreements, both right and both wrong. Count the disagreements.": (
            lambda first, second: ((first & second).sum(), (~first & ~second).sum())
        ),
        "the difference alone is not enough: 4 against 1 and 104 against 101 are not the same evidence.": (
            lambda first, second: (first.sum() - second.sum(), 0)
        ),
        "these are all images that each gets wrong. Those that both get wrong are in both numbers and say nothing "
        "about which is better.": (
            lambda first, second: ((~second).sum(), (~first).sum()),
            lambda first, second: ((~first).sum(), (~second).sum()),
        ),
        "this counts every image that at least one of them gets wrong. `first & second == False` compares last; "
        "`first & ~second` is what only the first gets right.": (
            lambda first, second: ((~(first & second)).sum(), (~(second & first)).sum())
        ),
        "len counts all entries, true or not: .sum() counts those that are true.": (
            lambda first, second: (len(first & ~second), len(~first & second))
        ),
        "the images that only one gets right are counted together: count those of each network.": (
            lambda first, second: ((first ^ second).sum(), (first ^ second).sum())
        ),
        MASKS: (lambda first, second: (first & ~second, ~first & second)),
        TOGETHER: lambda first, second: (first ^ second).sum(),
    },
)

FIRST = np.array([0.9131, 0.9140, 0.9118, 0.9152, 0.9137, 0.9126, 0.9149, 0.9133])
SECOND = np.array([0.9142, 0.9137, 0.9131, 0.9155, 0.9151, 0.9129, 0.9158, 0.9147])


def _three(answer):
    returned = untouched(answer, FIRST, SECOND)
    if not isinstance(returned, tuple | list | np.ndarray) or len(returned) != 3:
        raise Wrong("three numbers are asked for: the mean, then the lower and the upper end of its interval.")
    return tuple(map(number, returned))


def _interval(first, second, root=0.5, ddof=1, level=0.975, freedom=None, errors=None, paired=True, unit=None, n=None):
    """Return mean and ends, right but for what is asked to be wrong."""
    from scipy.stats import t

    difference, n = second - first, n or len(first)
    if paired:
        error = difference.std(ddof=ddof) / n**root
    else:
        error = ((first.var(ddof=ddof) + second.var(ddof=ddof)) / n) ** 0.5
    reach = (errors or t.ppf(level, df=freedom or n - 1)) * (unit or error)
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
        "`n` has no value yet. It is the number of pairs: n = len(first).": lambda first, second: n,  # noqa: F821
        "the standard deviation is divided by n, not by its square root. More runs help, but not that much.": (
            _with(root=1)
        ),
        "this is how far single differences scatter: divide by √n to get how far their mean is off.": _with(root=0),
        "numpy's std divides by n by itself. Around a mean taken from the same few numbers that is too small: ddof=1 "
        "divides by n − 1.": _with(ddof=0),
        "the pairs are torn apart. A standard deviation for each list is what one learns first, but then what a seed "
        "does to both arms stays in, and the interval is wider than it need be.": (
            _with(paired=False),
            _with(paired=False, freedom=2 * len(FIRST) - 2),
            _with(paired=False, errors=1.96),
            _with(paired=False, ddof=0),
        ),
        "n is 12 in the study, and not for every pair of lists: n = len(first).": _with(n=12),
        "one standard error either way is not 95 %: student_t.ppf says how many of them the interval reaches.": _with(
            errors=1
        ),
        "this is the square of the standard deviation: std, not var.": _with(
            unit=(SECOND - FIRST).var(ddof=1) / len(FIRST) ** 0.5
        ),
        "n − 1 is in it twice: with std(ddof=1), divide by √n.": _with(
            unit=(SECOND - FIRST).std(ddof=1) / (len(FIRST) - 1) ** 0.5
        ),
        "1.96 or 2 standard errors are for many runs. With a dozen, the standard deviation is itself a guess, and "
        "student_t.ppf reaches further.": (_with(errors=1.96), _with(errors=2), _with(errors=1.96, ddof=0)),
        "student_t.ppf says *how many* standard errors the interval reaches: multiply it by the standard error.": (
            _with(unit=1)
        ),
        "one difference of n is already spent on their mean: df is n − 1.": _with(freedom=len(FIRST)),
        "5 % is cut off on one side only: student_t.ppf(0.95) leaves 5 % at either end, which makes a 90 % "
        "interval.": _with(level=0.95),
        "the sign is the wrong way round: second minus first.": lambda first, second: _interval(second, first),
        "the numbers are right, but their order is not: mean, lower end, upper end.": (
            _ordered(1, 0, 2),
            _ordered(1, 2, 0),
            _ordered(0, 2, 1),
        ),
        "these are percentage points, which are for printing. Leave the differences of accuracies as they are.": (
            lambda first, second: tuple(100 * end for end in _interval(first, second))
        ),
        "the last two numbers are how far the interval reaches, not where it ends: subtract that from the mean, and "
        "add it.": (
            lambda first, second: (
                _interval(first, second)[0],
                *np.array([-1, 1]) * (_interval(first, second)[2] - _interval(first, second)[0]),
            )
        ),
    },
)
