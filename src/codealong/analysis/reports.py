"""Classification reports: from predictions, from printed text; the differences of two.

pandas and scikit-learn take seconds to import, so each function imports what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

from codealong import CourseError
from codealong.classes import CLASSES

COLUMNS = ["precision", "recall", "f1-score", "support"]
AVERAGES = ["macro avg", "weighted avg"]
PUBLISHED = Path(__file__).parents[1] / "published"


class ReportError(CourseError, ValueError):
    """A printed report is malformed; the message names the line."""


@dataclass(frozen=True)
class Report:
    """A classification report.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per class, in order, then ``macro avg`` and ``weighted avg``; columns ``precision``,
        ``recall``, ``f1-score`` (from 0 to 1) and ``support`` (images).
    accuracy : float
        From 0 to 1.
    digits : int or None
        Decimals it was printed with; None for one computed from predictions.
    """

    table: pd.DataFrame
    accuracy: float
    digits: int | None = None

    @property
    def classes(self):
        """The rows that are classes, without the averages."""
        return self.table.drop(index=AVERAGES)


def from_predictions(labels, classes):
    """Compute a report with scikit-learn.

    Parameters
    ----------
    labels : array of int, shape (N,)
        The true classes.
    classes : array of int, shape (N,)
        The predicted classes.

    Returns
    -------
    Report
    """
    import pandas as pd
    from sklearn import metrics

    rows = metrics.classification_report(
        labels, classes, labels=range(len(CLASSES)), target_names=CLASSES, output_dict=True, zero_division=0
    )
    accuracy = rows.pop("accuracy")
    table = pd.DataFrame(rows).T[COLUMNS].astype({"support": int})
    return Report(table, float(accuracy))


def parse(text):
    """Read a printed report, in scikit-learn's layout or in the published one.

    Classes printed as numbers get their names.

    Parameters
    ----------
    text : str

    Returns
    -------
    Report

    Raises
    ------
    ReportError
        When a line is not what it should be, or rows are missing or do not add up.
    """
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines or lines[0][1] != COLUMNS:
        raise ReportError(f"line {lines[0][0] if lines else 1}: expected the heading {' '.join(COLUMNS)!r}")
    rows, printed = {}, []
    for number, words in lines[1:]:
        name, values = _row(number, words)
        if name in rows:
            raise ReportError(f"line {number}: a second row for {name!r}")
        if name not in (*CLASSES, "accuracy", *AVERAGES):
            raise ReportError(f"line {number}: {name!r} is not a class of Fashion-MNIST")
        rows[name] = (number, values)
        printed += [len(word.partition(".")[2]) for word in words if _is_share(word)]
    last = lines[-1][0]
    for name in (*CLASSES, "accuracy", *AVERAGES):
        if name not in rows:
            raise ReportError(f"line {last}: the report ends without a row for {name!r}")
    total = sum(rows[name][1][-1] for name in CLASSES)
    for name in ("accuracy", *AVERAGES):
        number, values = rows[name]
        if values[-1] != total:
            raise ReportError(f"line {number}: support {values[-1]}, and the classes add up to {total}")
    import pandas as pd

    table = pd.DataFrame({name: rows[name][1] for name in (*CLASSES, *AVERAGES)}, index=COLUMNS).T
    return Report(table.astype({"support": int}), rows["accuracy"][1][0], max(printed))


def published(which):
    """Return a published report.

    Parameters
    ----------
    which : {"with", "without"}
        With or without what the publication calls Intel optimisation.

    Returns
    -------
    Report
    """
    return parse((PUBLISHED / f"{which}-optimization.txt").read_text())


def compare(before, after):
    """Return the table of differences, `after` minus `before`.

    Parameters
    ----------
    before, after : Report

    Returns
    -------
    pandas.DataFrame
        Index as in `Report.table`; columns ``precision``, ``recall``, ``f1-score``, in percentage points.
    """
    return (after.table - before.table)[COLUMNS[:3]] * 100


def side_by_side(reports, column="f1-score"):
    """Put one column of several reports side by side.

    Parameters
    ----------
    reports : dict of str to Report
        By heading.
    column : {"precision", "recall", "f1-score", "support"}, optional

    Returns
    -------
    pandas.DataFrame
        Index: the classes, ``accuracy``, ``macro avg``, ``weighted avg``; one column a report.
    """
    import pandas as pd

    table = pd.DataFrame({heading: report.table[column] for heading, report in reports.items()})
    table.loc["accuracy"] = [report.accuracy for report in reports.values()]
    return table.loc[[*CLASSES, "accuracy", *AVERAGES]]


def overview(runs, labels):
    """Return accuracy beside time, one row per run.

    Parameters
    ----------
    runs : iterable of runs.Run
    labels : array of int, shape (10000,)
        The true classes of the test images.

    Returns
    -------
    pandas.DataFrame
        Columns ``arm``, ``seed``, ``test accuracy`` (0 to 1), ``images/s`` (of training, median of
        the epochs after the first), ``seconds/epoch`` (likewise) and ``seconds in all`` (of training,
        the first epoch included).
    """
    import pandas as pd

    rows = []
    for run in runs:
        history = pd.DataFrame(run.history)
        rate, seconds = history[["images_per_second", "seconds"]].iloc[min(1, len(history) - 1) :].median()
        accuracy = float(np.mean(run.classes == np.asarray(labels)))
        rows.append((run.arm, run.seed, accuracy, rate, seconds, history["seconds"].sum()))
    columns = ["arm", "seed", "test accuracy", "images/s", "seconds/epoch", "seconds in all"]
    return pd.DataFrame(rows, columns=columns)


def relative_rates(overview):
    """Add ``rate / stock-fp32`` to an overview: images per second relative to that arm with the same seed."""
    stock = overview[overview["arm"] == "stock-fp32"].set_index("seed")["images/s"]
    return overview.assign(**{"rate / stock-fp32": overview["images/s"] / overview["seed"].map(stock)})


def formatted(overview):
    """Return an overview as text for a reader: accuracies with four decimals, rates without any."""
    forms = {
        "test accuracy": "{:.4f}",
        "images/s": "{:,.0f}",
        "seconds/epoch": "{:.1f}",
        "seconds in all": "{:.1f}",
        "rate / stock-fp32": "{:.2f}",
    }
    return overview.assign(
        **{name: overview[name].map(form.format) for name, form in forms.items() if name in overview}
    )


def _row(number, words):
    """Split a line into the name of its row and its numbers."""
    shares = [word for word in words if _is_share(word)]
    wanted = 1 if words[0] == "accuracy" else 3
    name = " ".join(words[: -wanted - 1])
    expected = "'accuracy', a share and the support" if wanted == 1 else "a name, three shares and the support"
    if not name or len(shares) != wanted or words[-wanted - 1 : -1] != shares or not words[-1].isdecimal():
        raise ReportError(f"line {number}: expected {expected}, found {' '.join(words)!r}")
    values = [float(share) for share in shares]
    if max(values) > 1:
        raise ReportError(f"line {number}: {max(values)} is not a share from 0 to 1")
    if name.isdecimal() and int(name) < len(CLASSES):
        name = CLASSES[int(name)]
    return name, [*values, int(words[-1])]


def _is_share(word):
    whole, point, decimals = word.partition(".")
    return point == "." and whole.isdecimal() and decimals.isdecimal()
