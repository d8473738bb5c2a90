"""A verdict, and how its numbers are said."""

from dataclasses import dataclass

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"

PAIRS = {"float32": ("stock-fp32", "ipex-fp32"), "bfloat16": ("stock-bf16", "ipex-bf16")}
"""Without IPEX and with it, at the same precision. IPEX brings its memory layout and its own Adam along."""


@dataclass(frozen=True)
class Verdict:
    """What a study says of a claim.

    Attributes
    ----------
    claim : str
        Its name, such as ``fewer epochs``.
    published : bool
        Whether the publication made it; else it answers a question of ours.
    statement : str
        The claim in its published words, or in ours.
    measured : str
        The evidence, in a sentence with numbers.
    verdict : str
        ``supported``, ``refuted`` or ``undecided``.
    conclusion : str
        What follows, in a sentence.
    number : str
        The one number that decides most, with its interval, and what it is.
    numbers : dict
        The evidence; intervals are `Interval`, at 95 % each where a rule does not say otherwise.
    """

    claim: str
    published: bool
    statement: str
    measured: str
    verdict: str
    conclusion: str
    number: str
    numbers: dict


def decide(supported, refuted):
    """Return the verdict: undecided where neither rule holds; where both would, supported."""
    return SUPPORTED if supported else REFUTED if refuted else UNDECIDED


def points(difference):
    """Say an interval of a difference, in percentage points."""
    return f"{difference.times(100):+.3f}"
