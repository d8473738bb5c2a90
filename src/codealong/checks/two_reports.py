"""Checks of notebook 5: the counts behind a rounded share, and differences of recall, class by class."""

import operator

import numpy as np

from codealong.checks.exercise import Exercise, Wrong, untouched

PRINTED = (("0.91", 997), ("0.90", 1009), ("1.00", 211), ("0.91", 10_000))
"""Of the last total, counts are exactly half-way between two printed shares; of the others, none is."""


def _ranges(answer):
    observed = {}
    for printed, total in PRINTED:
        try:
            returned = answer(printed, total)
            places = [operator.index(returned[place]) for place in range(len(returned))]  # a set has no places
        except TypeError:
            raise Wrong(
                "whole numbers were asked for, each count that may be behind the printed share: a list of them."
            ) from None
        observed[f"the number of counts for {printed} of {total} is"] = len(places)
        observed[f"from the first to the last, for {printed} of {total} it gives"] = tuple(places[:1] + places[-1:])
    return observed


def _every(printed, total):
    return [count for count in range(total + 1) if f"{count / total:.2f}" == printed]


counts = Exercise(
    "counts",
    _every,
    _ranges,
    {
        "the last count is left out: range(total) ends before total, and a share of 1.00 may be all of them.": (
            lambda printed, total: [count for count in range(total) if f"{count / total:.2f}" == printed]
        ),
        "some printed shares are never found. round() gives a number, and a number has no zeros at its end: 0.90 "
        "becomes '0.9'. f\"{share:.2f}\" keeps them.": lambda printed, total: [
            count for count in range(total + 1) if str(round(count / total, 2)) == printed
        ],
        "it cuts digits off, and these shares were rounded: 0.908 is printed as 0.91.": (
            lambda printed, total: [
                count for count in range(total + 1) if int(100 * count / total) == round(100 * float(printed))
            ],
            lambda printed, total: [count for count in range(total + 1) if str(count / total)[:4] == printed],
        ),
        "no count is ever kept. `printed` is a text, and no number equals a text: compare f\"{share:.2f}\" with it.": (
            lambda printed, total: []
        ),
        "it prints the count itself. A share is a count divided by `total`.": lambda printed, total: [
            count for count in range(total + 1) if f"{count:.2f}" == printed
        ],
        "only a share that is exactly the printed number is kept. Others are rounded to it: print the share first, "
        "f\"{share:.2f}\".": lambda printed, total: [
            count for count in range(total + 1) if count / total == float(printed)
        ],
        "this is the first count alone. Is `return` inside the loop?": lambda printed, total: (
            _every(printed, total)[:1]
        ),
        "it allows a whole printed digit either way. Rounding moves a share by half a digit at most.": (
            lambda printed, total: [count for count in range(total + 1) if abs(count / total - float(printed)) < 0.01]
        ),
        "the ends of ±0.005 are not all printed so: 0.905 is, and 0.915 is not. Compare what is printed, "
        "f\"{share:.2f}\" == printed.": (
            lambda printed, total: [
                count for count in range(total + 1) if float(printed) - 0.005 <= count / total <= float(printed) + 0.005
            ],
            lambda printed, total: [
                count for count in range(total + 1) if float(printed) - 0.005 < count / total < float(printed) + 0.005
            ],
            lambda printed, total: [
                count for count in range(total + 1) if abs(count / total - float(printed)) <= 0.005
            ],
        ),
        "these are the two ends. All counts from one to the other were asked for.": lambda printed, total: [
            _every(printed, total)[0], _every(printed, total)[-1],
        ],
        "this is the one count nearest to the printed share. Others are printed the same.": lambda printed, total: [
            round(float(printed) * total)
        ],
        "whole numbers were asked for, each count that may be behind the printed share: a list of them.": (
            lambda printed, total: [count / total for count in _every(printed, total)],
            lambda printed, total: len(_every(printed, total)),
        ),
    },
)  # fmt: skip

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
        raise Wrong(f"its shape is {difference.shape}, and there should be one number for each class: shape (10,).")
    return tuple(difference.ravel())


recall_difference = Exercise(
    "recall_difference",
    lambda labels, first, second: 100 * (_recalls(labels, second) - _recalls(labels, first)),
    _differences,
    {
        "this is precision: it divides by how often a class was *called*. Recall takes the images *of* a class.": (
            lambda labels, first, second: 100 * (_precisions(labels, second) - _precisions(labels, first))
        ),
        "the sign is the wrong way round. It is second minus first, so that more recall in the second is a plus.": (
            lambda labels, first, second: 100 * (_recalls(labels, first) - _recalls(labels, second))
        ),
        "the signs are gone. Without them nobody sees which of the two is ahead.": (
            lambda labels, first, second: abs(100 * (_recalls(labels, first) - _recalls(labels, second)))
        ),
        "these are shares, and percentage points are asked for: 100 times as much.": (
            lambda labels, first, second: _recalls(labels, second) - _recalls(labels, first)
        ),
        "these are counts of images. Recall divides them by how many images the class has.": (
            lambda labels, first, second: 40 * (_recalls(labels, second) - _recalls(labels, first))
        ),
        "only one of the two recalls is multiplied by 100: put their difference in brackets.": (
            lambda labels, first, second: 100 * _recalls(labels, second) - _recalls(labels, first)
        ),
        "it divides by 1,000, which is how many test images of a class there are. Divide by how many there are in "
        "`labels`.": lambda labels, first, second: (
            100 * 40 * (_recalls(labels, second) - _recalls(labels, first)) / 1000
        ),
        "both recalls were rounded to two digits before they were subtracted. The published tables did that too, and "
        "it is why they show nothing below one point.": (
            lambda labels, first, second: 100 * (_recalls(labels, second).round(2) - _recalls(labels, first).round(2))
        ),
        "its .mean() divides by all images. Recall divides by the images of the class: pick them first, "
        "`first[labels == label]`.": lambda labels, first, second: (
            100 * (_recalls(labels, second) - _recalls(labels, first)) / 10
        ),
        "this is the difference of accuracy, one number for all classes. The classes may move in opposite ways.": (
            lambda labels, first, second: 100 * ((second == labels).mean() - (first == labels).mean())
        ),
        "this is the first class alone. Is `return` inside the loop?": (
            lambda labels, first, second: 100 * (_recalls(labels, second) - _recalls(labels, first))[0]
        ),
        "this is relative to the first recall, in percent. Percentage points are a plain difference.": (
            lambda labels, first, second: 100 * (_recalls(labels, second) / _recalls(labels, first) - 1)
        ),
        "it is rounded. Round what is printed, not what others compute with.": (
            lambda labels, first, second: (100 * (_recalls(labels, second) - _recalls(labels, first))).round()
        ),
        "these are the recalls of one of the two. Their difference is asked for.": (
            lambda labels, first, second: 100 * _recalls(labels, first),
            lambda labels, first, second: 100 * _recalls(labels, second),
        ),
    },
)
