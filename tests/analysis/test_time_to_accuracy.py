"""The ratio of two times to an accuracy is of the same seeds, and of the first epoch that reaches it."""

import pytest

from codealong.analysis import time_to_accuracy

RECORD = {
    "trained": [
        {
            "seed": seed,
            "published": {"seconds": [10, 20, 30], "test_accuracy": [0.90, 0.905 + seed / 1000, 0.92]},
            "fastest": {"seconds": 1 + seed, "test_accuracy": 0.91 + seed / 1000},
        }
        for seed in range(6)
    ]
}


def test_the_published_recipe_counts_up_to_the_first_epoch_whose_mean_is_enough():
    its = time_to_accuracy.summarise(RECORD)
    assert its.epochs == 3 and its.seconds["published"].estimate == 60
    better = [each | {"published": {"seconds": [10, 20], "test_accuracy": [0.90, 0.91]}} for each in RECORD["trained"]]
    its = time_to_accuracy.summarise({"trained": better})
    assert its.epochs == 2 and its.accuracies["published"].estimate == pytest.approx(0.91)


def test_ratios_are_of_the_same_seed():
    assert time_to_accuracy.summarise(RECORD).ratio[:] == pytest.approx((17.5, 10, 60))


def test_all_epochs_count_where_the_goal_was_never_reached():
    low = [each | {"published": {"seconds": [10, 20], "test_accuracy": [0.8, 0.9]}} for each in RECORD["trained"]]
    its = time_to_accuracy.summarise({"trained": low})
    assert its.epochs == 2 and its.seconds["published"].estimate == 30
    assert "mean test accuracy 0.9000" in time_to_accuracy.report(its)
