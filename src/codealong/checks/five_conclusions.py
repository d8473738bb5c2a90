"""Checks of notebook 7: a verdict of three values, enough seeds for a margin, an interval for a ratio of times."""

import numpy as np

from codealong.checks.exercise import Exercise, Wrong, number, numbers, untouched

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"
INTERVALS = (
    (-0.2, 0.3), (0.1, 0.4), (-0.4, -0.1), (0.6, 0.9), (-0.9, -0.6), (-0.2, 0.8), (-0.8, 0.2), (0.3, 0.9), (-0.9, 0.9),
)  # fmt: skip
"""Of a difference, at a margin of 0.5: within it, beyond it, and across it, with and without 0."""


def _verdicts(answer):
    said = {
        f"for an interval from {low} to {high}, with a margin of 0.5, it gives": answer(low, high, 0.5)
        for low, high in INTERVALS
    }
    for case, word in said.items():
        if word not in (SUPPORTED, REFUTED, UNDECIDED):
            raise Wrong(f"{case} {word!r}. A verdict is one of three words: {SUPPORTED}, {REFUTED}, {UNDECIDED}.")
    return said


def _decided(supported, refuted):
    def within(low, high, margin):
        if supported(low, high, margin):
            return SUPPORTED
        return REFUTED if refuted(low, high, margin) else UNDECIDED

    return within


def _inside(low, high, margin):
    return -margin < low and high < margin


def _beyond(low, high, margin):
    return low > margin or high < -margin


within = Exercise(
    "within",
    _decided(_inside, _beyond),
    _verdicts,
    {
        "0 in the interval shows nothing: with few enough runs, almost any interval contains it. The ends have to be "
        "compared with the margin.": (
            _decided(lambda low, high, margin: low <= 0 <= high, lambda low, high, margin: True),
            _decided(lambda low, high, margin: low <= 0 <= high, _beyond),
        ),
        "an interval without 0 shows that there is a difference, and not that it matters: refuted means that all of "
        "it is beyond the margin.": (
            _decided(_inside, lambda low, high, margin: low > 0 or high < 0),
            _decided(lambda low, high, margin: low <= 0 <= high and _inside(low, high, margin),
                     lambda low, high, margin: low > 0 or high < 0),
        ),
        "it never says undecided. An interval that reaches across the margin has values on both sides of it, and these "
        "runs cannot tell which is true.": (
            _decided(_inside, lambda low, high, margin: True),
            _decided(lambda low, high, margin: not _beyond(low, high, margin), lambda low, high, margin: True),
        ),
        "the margin has two sides, and a difference may be negative: −margin counts as well.": (
            _decided(lambda low, high, margin: high < margin, lambda low, high, margin: low > margin),
            _decided(lambda low, high, margin: high < margin, _beyond),
            _decided(_inside, lambda low, high, margin: low > margin),
        ),
        "one end within the margin is not enough: supported needs both of them, `and` and not `or`.": (
            _decided(lambda low, high, margin: -margin < low or high < margin, _beyond),
            _decided(lambda low, high, margin: -margin < low < margin or -margin < high < margin, _beyond),
        ),
        "refuted needs the whole interval beyond the margin on one side; here one end is enough.": (
            _decided(_inside, lambda low, high, margin: (high > margin) != (low < -margin))
        ),
        "this looks at the width of the interval, or at its middle, and a narrow one can be anywhere. Compare both "
        "ends.": (
            _decided(lambda low, high, margin: high - low < 2 * margin, _beyond),
            _decided(lambda low, high, margin: high - low < 2 * margin, lambda low, high, margin: True),
            _decided(lambda low, high, margin: abs(low + high) / 2 < margin, lambda low, high, margin: True),
        ),
        "supported and refuted are exchanged: the claim is that the difference is within the margin.": (
            lambda low, high, margin: {SUPPORTED: REFUTED, REFUTED: SUPPORTED}.get(
                _decided(_inside, _beyond)(low, high, margin), UNDECIDED
            )
        ),
    },
)  # fmt: skip


def _seeds(spread, margin, level=0.975, root=0.5, freedom=1, errors=None, both=1, first=2):
    """Return how many seeds are enough, right but for what is asked to be wrong."""
    from scipy.stats import t

    n = first
    while both * (errors or t.ppf(level, df=n - freedom)) * spread / n**root > margin:
        n += 1
    return n


def _needing(**wrong):
    return lambda spread, margin: _seeds(spread, margin, **wrong)


NO_ROOT = (
    "the spread is not divided by √n: without that, the reach hardly shrinks with more seeds, and for a small margin "
    "the loop never ends."
)


def _asked_for_seeds(answer):
    if numbers(answer, (0.45, 1.0)) == numbers(_needing(root=0), (0.45, 1.0)):
        raise Wrong(NO_ROOT)
    return numbers(answer, (0.2, 0.1), (0.1, 0.1), (0.3, 0.05), (0.1, 1.0))


seeds_needed = Exercise(
    "seeds_needed",
    _needing(),
    _asked_for_seeds,
    {
        "one standard error either way is not 95 %: student_t.ppf says how many of them the interval reaches.": (
            _needing(errors=1)
        ),
        "1.96 or 2 standard errors are for many seeds. With a few, student_t.ppf reaches further: put it into the "
        "loop, because it depends on n.": (_needing(errors=1.96), _needing(errors=2)),
        "the spread is divided by n, and not by its square root. That is why the last decimal is so expensive: half "
        "the reach takes four times the seeds.": _needing(root=1),
        NO_ROOT: _needing(root=0),
        "5 % on one side: student_t.ppf(0.95) leaves 5 % at either end, and so the interval is one of 90 %.": _needing(
            level=0.95
        ),
        "n differences around their own mean are worth n − 1: df=n - 1.": _needing(freedom=0, first=1),
        "one seed has no spread: with df=0, student_t.ppf is not a number, and not a number is not "
        "larger than the margin. Begin with n = 2.": _needing(first=1),
        "the margin is compared with the whole width of the interval. Its reach is one half, from the middle to an "
        "end.": _needing(both=2),
        "this is one seed fewer than is enough: the loop has to go on as long as the reach is larger than the "
        "margin.": (lambda spread, margin: _seeds(spread, margin) - 1),
        "this is one seed more than is needed.": lambda spread, margin: _seeds(spread, margin) + 1,
        "this is the reach of an interval, and a number of seeds was asked for.": lambda spread, margin: 2.0 * spread,
        "a rule of thumb, (2 · spread / margin)², is near for many seeds; for a few it asks for too few of them.": (
            lambda spread, margin: (1.96 * spread / margin) ** 2,
            lambda spread, margin: (2 * spread / margin) ** 2,
            lambda spread, margin: np.ceil((1.96 * spread / margin) ** 2),
            lambda spread, margin: np.ceil((2 * spread / margin) ** 2),
            lambda spread, margin: int((1.96 * spread / margin) ** 2),
            lambda spread, margin: round((1.96 * spread / margin) ** 2),
        ),
    },
)

SLOW = np.array([9.1, 8.2, 10.4, 8.8, 9.9, 8.5, 12.0, 9.3])
FAST = np.array([6.8, 6.9, 7.1, 7.9, 6.2, 6.4, 7.0, 8.1])


def _three(answer):
    observed = {}
    for cut in (0, 1, 2):
        returned = untouched(lambda *times, cut=cut: answer(*times, cut), SLOW, FAST)
        if not isinstance(returned, tuple | list | np.ndarray) or len(returned) != 3:
            raise Wrong("three numbers were asked for: the median, and the lower and the upper end of its interval.")
        for name, value in zip(("the median", "the lower end", "the upper end"), returned, strict=True):
            observed[f"with a cut of {cut}, {name} is"] = number(value)
    return observed


def _ends(ratios, cut):
    ratios = np.sort(ratios)
    return np.median(ratios), ratios[cut], ratios[-1 - cut]


def _off_by_one(slow, fast, cut):
    ratios = np.sort(slow / fast)
    return np.median(ratios), ratios[cut], ratios[-cut]


def _from_one(slow, fast, cut):
    ratios = np.sort(slow / fast)
    return np.median(ratios), ratios[cut - 1], ratios[-cut]


def _one_too_low(slow, fast, cut):
    ratios = np.sort(slow / fast)
    return np.median(ratios), ratios[cut - 1], ratios[-1 - cut]


def _middle(slow, fast, cut):
    ratios = np.sort(slow / fast)
    return ratios[len(ratios) // 2], ratios[cut], ratios[-1 - cut]


def _sliced(slow, fast, cut):
    kept = np.sort(slow / fast)[cut:-cut]
    return np.sort(slow / fast).mean(), kept[0], kept[-1]


def _sorted_before(slow, fast, cut):
    ratios = np.sort(slow) / np.sort(fast)
    return np.median(ratios), ratios[cut], ratios[-1 - cut]


def _unsorted(slow, fast, cut):
    ratios = slow / fast
    return np.median(ratios), ratios[cut], ratios[-1 - cut]


def _around_the_mean(slow, fast, cut):
    _, *ends = _ends(slow / fast, cut)
    return np.mean(slow / fast), *ends


def _of_the_medians(slow, fast, cut):
    _, *ends = _ends(slow / fast, cut)
    return np.median(slow) / np.median(fast), *ends


def _percentiles(slow, fast, cut):
    return np.median(slow / fast), *np.percentile(slow / fast, [2.5, 97.5])


def _t_interval(slow, fast, cut):
    from scipy.stats import t

    ratios = slow / fast
    reach = t.ppf(0.975, df=len(ratios) - 1) * ratios.std(ddof=1) / len(ratios) ** 0.5
    return np.median(ratios), ratios.mean() - reach, ratios.mean() + reach


ratio_interval = Exercise(
    "ratio_interval",
    lambda slow, fast, cut: _ends(slow / fast, cut),
    _three,
    {
        "the ratio is upside down: slow divided by fast says how many times as fast.": (
            lambda slow, fast, cut: _ends(fast / slow, cut)
        ),
        "the pairs are torn apart: each list was sorted by itself. Divide first, pair by pair, and then sort the "
        "ratios.": (lambda slow, fast, cut: _ends(np.sort(slow) / np.sort(fast), cut), _sorted_before),
        "a cut of 0 leaves nothing out, but [0:-0] is an empty slice. Take the ends by their places: ratios[cut] and "
        "ratios[-1 - cut].": _sliced,
        "of an even number of ratios, the median is half-way between the middle two: np.median knows.": _middle,
        "this is the ratio of two medians. The machine was faster in one round and slower in the next; a median of "
        "ratios, pair by pair, takes that out.": _of_the_medians,
        "this is the mean of the ratios. One bad round moves it, and it need not be inside this interval.": (
            _around_the_mean
        ),
        "the upper end is one place too high: ratios[-1] is the highest, so `cut` places below it is "
        "ratios[-1 - cut].": _off_by_one,
        "the first of a sorted array is ratios[0]: leave `cut` ratios out at either end, and take the next.": (
            _from_one, _one_too_low, lambda slow, fast, cut: _ends(slow / fast, cut + 1),
        ),
        "the ratios are not in order. The ends are places in the sorted ratios, and np.sort gives them.": _unsorted,
        "these are the lowest and the highest of all: `cut` is left out of it.": (
            lambda slow, fast, cut: _ends(slow / fast, 0)
        ),
        "percentiles of the ratios say how single rounds scatter. The ends of an interval for their median are places "
        "in the sorted ratios: ratios[cut] and ratios[-1 - cut].": _percentiles,
        "a t interval is for a mean, and one bad round widens it. Here the ends are places in the sorted ratios: "
        "ratios[cut] and ratios[-1 - cut].": _t_interval,
        "the numbers are right and their order is not: median, lower end, upper end.": (
            lambda slow, fast, cut: tuple(np.array(_ends(slow / fast, cut))[[1, 0, 2]]),
            lambda slow, fast, cut: tuple(np.array(_ends(slow / fast, cut))[[0, 2, 1]]),
        ),
        "these are differences in seconds. A ratio is what carries over to a machine that is slower throughout.": (
            lambda slow, fast, cut: _ends(slow - fast, cut)
        ),
    },
)  # fmt: skip
