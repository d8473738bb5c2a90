"""The published conclusions, one by one, and what a study says of each.

Published claims are judged in float32, which is what was published; bfloat16 is shown beside all but "one pair is
not enough". Each rule is in its docstring. By itself it errs in at most about one case of twenty, all seven together
in more; "one pair is not enough" asks for a single contradiction and promises no rate.

The rules were fixed before any study was read, when three seeds of an older recording were known. After two studies,
of ten and of twelve seeds, a referee's reading made the rules of the first two claims stricter in what they count as
shown, and gave "stock PyTorch alone" its present question. These rules were committed while the recorded study ran,
before its records were read. Its times were new; its predictions were not, since on one machine the same seeds give
the same ones.
"""

import re

import numpy as np

from codealong.analysis.verdicts.quality import LEVELS, fewer_epochs, identical, more_evaluation
from codealong.analysis.verdicts.speed import SUBSTANTIAL, boost, ipex_or_bf16, larger_models, stock_today
from codealong.analysis.verdicts.verdict import PAIRS, REFUTED, SUPPORTED, UNDECIDED, Verdict
from codealong.intervals import Interval

__all__ = [
    "JUDGES", "LEVELS", "PAIRS", "REFUTED", "SUBSTANTIAL", "SUPPORTED", "UNDECIDED", "Verdict", "boost", "fewer_epochs",
    "identical", "ipex_or_bf16", "judge", "larger_models", "more_evaluation", "plain", "stock_today", "text",
]  # fmt: skip

JUDGES = (identical, fewer_epochs, boost, larger_models, more_evaluation, ipex_or_bf16, stock_today)


def judge(study):
    """Return the verdicts on all claims and questions.

    Parameters
    ----------
    study : study.Study

    Returns
    -------
    list of Verdict
    """
    return [each(study) for each in JUDGES]


def text(verdicts):
    """Return verdicts for a reader: what was published, what was measured, and the verdict."""
    return "\n\n".join(
        f"{each.claim[0].upper()}{each.claim[1:]}\n  {_statement(each)}\n  measured: {_lines(each.measured)}\n"
        f"  {each.verdict.upper()}: {_lines(each.conclusion)}"
        for each in verdicts
    )


def plain(verdicts):
    """Return verdicts as lists and dictionaries, for JSON."""
    return [{**vars(verdict), "numbers": _plain(verdict.numbers)} for verdict in verdicts]


def _statement(verdict):
    if verdict.published:
        return f"published: “{verdict.statement}”"
    return f"our question, as a claim: {verdict.statement}"


def _lines(sentences):
    return re.sub(r"\. (?=[A-Z])", ".\n    ", sentences)


def _plain(value):
    if isinstance(value, Interval):
        return {key: float(part) if np.isfinite(part) else None for key, part in value._asdict().items()}
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return value
