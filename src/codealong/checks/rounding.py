"""Checks of notebook 5: the counts that a rounded share may come from."""

import operator

from codealong.checks.exercise import Exercise, Wrong

PRINTED = (("0.91", 997), ("0.90", 1009), ("1.00", 211))
"""Totals of which no count is exactly half-way between two printed shares."""


def _ranges(answer):
    observed = {}
    for printed, total in PRINTED:
        try:
            returned = answer(printed, total)
            found = [operator.index(returned[place]) for place in range(len(returned))]  # a set has no places
        except TypeError:
            raise Wrong(
                "whole numbers were asked for, each count that may be behind the printed share: a list of them."
            ) from None
        observed[f"the number of counts for {printed} of {total}"] = len(found)
        observed[f"from its first to its last for {printed} of {total} it"] = tuple(found[:1] + found[-1:])
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
        "it cuts digits off, and these shares were rounded: 0.908 is printed as 0.91.": lambda printed, total: [
            count for count in range(total + 1) if int(100 * count / total) == round(100 * float(printed))
        ],
        "it allows a whole printed digit either way. Rounding moves a share by half a digit at most.": (
            lambda printed, total: [count for count in range(total + 1) if abs(count / total - float(printed)) < 0.01]
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
