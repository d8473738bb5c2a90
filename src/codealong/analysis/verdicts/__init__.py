"""The published conclusions, one by one, and what a study says of each.

Published claims are judged in float32, which is what was published; bfloat16 is shown beside all but "one pair is
not enough". Each rule is in its docstring. By itself it errs in at most about one case of twenty, all seven together
in more.

The rules grew while seeds 0 to 11 were known. As they are, they were committed before the runs with seeds from 100 on
were made, which nobody had used, and before the first campaign. Verdicts on predictions are given from the new seeds,
with what the earlier ones gave beside them; verdicts on time from the campaigns alone.
"""

import re
import textwrap
from pathlib import Path

import numpy as np

from codealong import records, runs
from codealong.analysis import study
from codealong.analysis.verdicts.quality import LEVELS, fewer_epochs, identical, more_evaluation
from codealong.analysis.verdicts.speed import SUBSTANTIAL, boost, by_case, ipex_or_bf16, larger_models, stock_today
from codealong.analysis.verdicts.verdict import PAIRS, REFUTED, SUPPORTED, UNDECIDED, Verdict
from codealong.intervals import Interval
from codealong.measure.study import StudyError

__all__ = [
    "JUDGES", "LEVELS", "PAIRS", "REFUTED", "SUBSTANTIAL", "SUPPORTED", "UNDECIDED", "Verdict", "boost", "by_case",
    "by_machine", "fewer_epochs", "identical", "ipex_or_bf16", "judge", "larger_models", "more_evaluation", "plain",
    "stock_today", "text",
]  # fmt: skip

WIDTH = 96

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


def by_machine(folder=records.RECORDED):
    """Return the verdict on each claim for each machine whose study is whole.

    Parameters
    ----------
    folder : path, optional
        Of the folders of machines.

    Returns
    -------
    pandas.DataFrame
        A row for each claim, a column for each machine.
    """
    import pandas as pd

    columns = {}
    for machine in sorted(path for path in Path(folder).iterdir() if (path / runs.FOLDER).is_dir()):
        try:
            whole = study.load(machine)
        except StudyError:
            continue
        columns[machine.name] = {each.claim: each.verdict for each in judge(whole)}
    return pd.DataFrame(columns)


def text(verdicts):
    """Return verdicts for a reader: what was published, what was measured, and the verdict."""
    return "\n\n".join(
        "\n".join(
            [
                f"{each.claim[0].upper()}{each.claim[1:]}",
                _folded(_statement(each)),
                _folded(f"measured: {each.measured}"),
                _folded(f"{each.verdict.upper()}: {each.conclusion}"),
            ]
        )
        for each in verdicts
    )


def plain(verdicts):
    """Return verdicts as lists and dictionaries, for JSON."""
    return [{**vars(verdict), "numbers": _plain(verdict.numbers)} for verdict in verdicts]


def _statement(verdict):
    if verdict.published:
        return f"published: “{verdict.statement}”"
    return f"our question, as a claim: {verdict.statement}"


def _folded(sentences):
    """Begin a line with each sentence, and break it before it gets too long for a page or a slide."""
    lines = re.split(r"(?<=\.) (?=[A-Z])", sentences)
    return "\n".join(
        textwrap.fill(
            line, WIDTH, break_on_hyphens=False, initial_indent="    " if number else "  ", subsequent_indent="      "
        )
        for number, line in enumerate(lines)
    )


def _plain(value):
    if isinstance(value, Interval):
        return {key: float(part) if np.isfinite(part) else None for key, part in value._asdict().items()}
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return value
