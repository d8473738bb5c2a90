import dataclasses

import numpy as np
import pytest
from sklearn.metrics import classification_report, confusion_matrix

from codealong import runs
from codealong.analysis import reports
from codealong.data import CLASSES


@pytest.fixture(scope="module")
def labels(splits):
    return splits.test.labels.numpy()


@pytest.fixture(scope="module")
def run():
    return runs.of_machine("stock-fp32")[0]


@pytest.fixture
def printed(labels, run):
    return classification_report(labels, run.classes, target_names=CLASSES)


def test_published_tables_are_read_as_printed():
    table = reports.published("with")
    assert table.accuracy == 0.91 and table.digits == 2
    assert table.table.loc["Shirt"].tolist() == [0.78, 0.72, 0.75, 1000]
    assert table.table.loc["weighted avg"].tolist() == [0.91, 0.91, 0.91, 10_000]
    assert reports.published("without").table.loc["Coat", "recall"] == 0.82
    assert reports.published("with").table.loc["Coat", "recall"] == 0.88


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_scikit_learn_s_print_is_read_back(labels, run, digits):
    text = classification_report(labels, run.classes, target_names=CLASSES, digits=digits)
    parsed, computed = reports.parse(text), reports.from_predictions(labels, run.classes)
    assert parsed.digits == digits
    assert parsed.accuracy == pytest.approx(computed.accuracy, abs=0.5001 * 10**-digits)
    assert list(parsed.table.index) == list(computed.table.index)
    assert np.allclose(parsed.table, computed.table, atol=0.5001 * 10**-digits, rtol=0)


def test_classes_printed_as_numbers_get_their_names(labels, run):
    text = classification_report(labels, run.classes)
    assert reports.parse(text).table.equals(
        reports.parse(classification_report(labels, run.classes, target_names=CLASSES)).table
    )


def replaced(line, old, new):
    return lambda text: "\n".join(
        row.replace(old, new, 1) if number == line else row for number, row in enumerate(text.split("\n"), 1)
    )


def without(line):
    return lambda text: "\n".join(row for number, row in enumerate(text.split("\n"), 1) if number != line)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: "", "line 1: expected the heading"),
        (without(1), "line 2: expected the heading"),
        (replaced(1, "recall", "recal"), "line 1: expected the heading"),
        (replaced(3, "1000", ""), "line 3: expected a name, three shares"),
        (replaced(3, "1000", "10x0"), "line 3: expected a name, three shares"),
        (replaced(3, "0.86", "o.86"), "line 3: expected a name, three shares"),
        (replaced(4, "0.99", "1.99"), "line 4: 1.99 is not a share from 0 to 1"),
        (replaced(4, "Trouser", "Trousers"), "line 4: 'Trousers' is not a class"),
        (replaced(5, "Pullover", "Trouser"), "line 5: a second row for 'Trouser'"),
        (without(6), "the report ends without a row for 'Dress'"),
        (replaced(14, "0.91", ""), "line 14: expected 'accuracy', a share and the support"),
        (replaced(14, "10000", "9999"), "line 14: support 9999, and the classes add up to 10000"),
        (replaced(7, "1000", "1001"), "the classes add up to 10001"),
        (without(16), "the report ends without a row for 'weighted avg'"),
    ],
)
def test_a_malformed_table_is_refused_naming_its_line(printed, damage, said):
    with pytest.raises(reports.ReportError, match=said):
        reports.parse(damage(printed))


def test_a_published_table_that_is_cut_off_is_refused():
    text = (reports.PUBLISHED / "with-optimization.txt").read_text()
    with pytest.raises(reports.ReportError, match="line 6: the report ends without a row for 'Sandal'"):
        reports.parse("\n".join(text.splitlines()[:6]))


def test_differences_are_after_minus_before_in_percentage_points():
    difference = reports.compare(reports.published("without"), reports.published("with"))
    assert difference.loc["Coat"].round(6).tolist() == [-7, 6, -1]
    assert list(difference.columns) == ["precision", "recall", "f1-score"]


def test_a_report_agrees_with_the_confusion_matrix(labels, run):
    counts = confusion_matrix(labels, run.classes)
    table = reports.from_predictions(labels, run.classes)
    assert table.accuracy == counts.trace() / counts.sum()
    assert np.allclose(table.classes["recall"], counts.diagonal() / counts.sum(1))
    assert np.allclose(table.classes["precision"], counts.diagonal() / counts.sum(0))
    assert table.classes["support"].tolist() == [1000] * 10


def test_a_class_that_is_never_predicted_has_precision_0(labels):
    table = reports.from_predictions(labels, np.zeros(10_000, int))
    assert table.table.loc["Bag", "precision"] == 0
    assert table.accuracy == 0.1


def test_side_by_side_keeps_each_report_in_its_column(labels, run):
    ours, theirs = reports.from_predictions(labels, run.classes), reports.published("with")
    table = reports.side_by_side({"ours": ours, "theirs": theirs}, "recall")
    assert table.loc["Shirt", "theirs"] == 0.72
    assert table.loc["accuracy"].tolist() == [ours.accuracy, 0.91]
    assert table.loc["Bag", "ours"] == ours.table.loc["Bag", "recall"]


def test_overview_takes_the_median_of_the_warm_epochs(labels, run):
    history = [dict(run.history[0], images_per_second=rate, seconds=50_000 / rate) for rate in (1, 100, 300, 200)]
    row = reports.overview([dataclasses.replace(run, history=history)], labels).iloc[0]
    assert row["images/s"] == 200 and row["seconds/epoch"] == 250
    assert row["seconds in all"] == 50_000 * (1 + 1 / 100 + 1 / 300 + 1 / 200)
    assert row["test accuracy"] == (run.classes == labels).mean()


def test_rates_are_relative_to_the_run_with_the_same_seed(labels, run):
    def timed(arm, seed, rate):
        history = [dict(run.history[0], images_per_second=rate)] * 2
        return dataclasses.replace(run, arm=arm, seed=seed, history=history)

    four = [
        timed("stock-fp32", 0, 100),
        timed("stock-fp32", 1, 200),
        timed("ipex-bf16", 0, 300),
        timed("ipex-bf16", 1, 300),
    ]
    assert reports.relative_rates(reports.overview(four, labels))["rate / stock-fp32"].tolist() == [1, 1, 3, 1.5]
