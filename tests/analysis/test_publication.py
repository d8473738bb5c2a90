"""What the published epochs bring is told by validation images, and confirmed on test images."""

import numpy as np
import pytest

from codealong import data
from codealong.analysis import publication, reports, stats


def run(valid, test):
    return {
        "valid_accuracy": np.array(valid), "test_accuracy": np.array(test), "valid_loss": 1 - np.array(valid),
    }  # fmt: skip


@pytest.fixture
def long_runs():
    return {
        "stock-fp32": {100: run([0.5, 0.9, 0.8, 0.7], [0.51, 0.88, 0.89, 0.72])},
        "ipex-fp32": {100: run([0.5, 0.6, 0.9, 0.7], [0.50, 0.61, 0.87, 0.69])},
    }


def test_the_best_epoch_is_chosen_on_validation_images_and_read_on_test_images(long_runs):
    table = publication.epochs_table(long_runs, early=2)
    assert table.index.tolist() == ["stock-fp32, seed 100", "ipex-fp32, seed 100"]
    assert table.to_numpy().tolist() == [[2, 0.88, 0.88, 0.72], [3, 0.61, 0.87, 0.69]]
    assert table.columns.tolist() == ["best epoch", "test accuracy after 2", "after the best", "after 4"]


def test_the_cost_is_a_paired_difference_in_points(long_runs):
    later, too_many = publication.cost(long_runs, early=2)
    assert later == stats.paired_difference([88.0, 61.0], [72.0, 69.0])
    assert too_many.estimate == pytest.approx(-17) and too_many == stats.paired_difference([88.0, 87.0], [72.0, 69.0])


@pytest.fixture(scope="module")
def recorded():
    return publication.load()


def test_all_runs_are_recorded_with_one_recipe(recorded):
    long_runs, deep_runs = recorded
    assert [*long_runs] == ["stock-fp32", "ipex-fp32"]
    for by_seed in long_runs.values():
        assert [*by_seed] == [100, 101, 102]
        assert all(len(values) == 100 for its in by_seed.values() for values in its.values())
    for arm, its in deep_runs.items():
        assert [each.seed for each in its] == [100, 101, 102, 103, 104], arm
        assert all(each.provenance["network"] == "DeepFashionCNN" for each in its)
        assert all(each.provenance["ipex_imported"] == arm.startswith("ipex") for each in its)
    assert len({str(each.recipe) for its in deep_runs.values() for each in its}) == 1


def test_arms_of_the_long_runs_begin_alike_and_both_learn_by_heart(recorded):
    long_runs, _ = recorded
    for seed, stock in long_runs["stock-fp32"].items():
        ipex = long_runs["ipex-fp32"][seed]
        assert abs(stock["train_loss"][0] - ipex["train_loss"][0]) < 0.02
        for one in (stock, ipex):
            assert one["train_accuracy"][-1] > 0.99 > one["valid_accuracy"].max()


def test_the_runs_are_best_where_lesson_7_says(recorded):
    long_runs, _ = recorded
    assert sorted(publication.epochs_table(long_runs)["best epoch"]) == [14, 15, 15, 18, 18, 99]
    means = [np.mean([its["valid_accuracy"] for its in by_seed.values()], axis=0) for by_seed in long_runs.values()]
    assert [mean.argmax() + 1 for mean in means] == [11, 15]
    for by_seed in long_runs.values():
        assert all(its["valid_loss"].argmin() + 1 < 10 for its in by_seed.values())


def test_a_mean_report_is_the_mean_of_reports(recorded):
    labels = data.load().test.labels.numpy()
    its = recorded[1]["stock-fp32"][:2]
    mean = publication.mean_report(its, labels)
    one, other = (reports.from_predictions(labels, each.classes) for each in its)
    assert mean["Shirt"] == pytest.approx((one.table["f1-score"]["Shirt"] + other.table["f1-score"]["Shirt"]) / 2)
    assert mean["accuracy"] == pytest.approx(publication.accuracies(its, labels).mean())
