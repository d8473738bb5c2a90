"""Each function gives the known answer, and keeps its promise on simulated data."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.weightstats import DescrStatsW

from codealong import data
from codealong.analysis import reports, stats

pytestmark = pytest.mark.usefixtures("no_collection")


def right(only_first, only_second, both=5, neither=5):
    first = [True] * (both + only_first) + [False] * (only_second + neither)
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * neither
    return np.array(first), np.array(second)


def test_mcnemar_is_the_sign_test_on_the_images_that_differ():
    # Of 9 images, 1 and 8: twice the probability of at most one head in nine throws, 2 · (1 + 9) / 2⁹.
    assert stats.mcnemar(*right(1, 8)) == (1, 8, pytest.approx(20 / 512))


def test_mcnemar_agrees_with_the_approval_ratings_of_a_textbook():
    # A. Agresti, Categorical Data Analysis, 2nd edition, table 10.1: 150 against 86 of 1600.
    found = stats.mcnemar(*right(150, 86, both=794, neither=570))
    assert found.p == pytest.approx(scipy_stats.binomtest(86, 236).pvalue)
    assert found.p == pytest.approx(2 * scipy_stats.norm.sf(4.17), rel=0.3)  # the book's z


def test_images_that_both_get_right_say_nothing():
    assert stats.mcnemar(*right(3, 9, both=0)).p == stats.mcnemar(*right(3, 9, both=9000)).p


def test_mcnemar_keeps_its_error_rate():
    generator = np.random.default_rng(1)
    rejected = 0
    for _ in range(1000):
        first, second = generator.random((2, 300)) < 0.8
        rejected += stats.mcnemar(first, second).p < 0.05
    assert 0.02 < rejected / 1000 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)  # counts are discrete: below its level


@pytest.mark.slow
def test_the_bootstrap_covers_the_true_difference():
    generator = np.random.default_rng(2)
    covered = 0
    for number in range(400):
        first = generator.random(2000) < 0.85
        second = np.where(generator.random(2000) < 0.9, first, generator.random(2000) < 0.95)
        found = stats.accuracy_difference(first, second, resamples=500, seed=number)
        covered += found.low - 1e-9 <= 0.1 * 0.1 <= found.high + 1e-9
    assert abs(covered / 400 - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 400)


def test_the_bootstrap_agrees_with_the_normal_approximation():
    first, second = right(300, 200, both=9000, neither=500)
    found = stats.accuracy_difference(first, second)
    error = np.std(second.astype(float) - first) / np.sqrt(10_000)
    assert found.estimate == pytest.approx(-0.01)
    assert found.low == pytest.approx(-0.01 - 1.96 * error, abs=5e-4)
    assert found.high == pytest.approx(-0.01 + 1.96 * error, abs=5e-4)


def test_equal_classifiers_differ_by_nothing():
    first, _ = right(3, 4)
    assert stats.accuracy_difference(first, first) == (0, 0, 0)


def test_the_paired_interval_is_that_of_student_s_sleep_data():
    # Student, Biometrika 6, 1 (1908): extra hours of sleep; R's t.test(paired = TRUE) gives 0.70 to 2.46.
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = stats.paired_difference(first, second)
    assert found == pytest.approx((1.58, 0.7001142, 2.4598858))


@pytest.mark.slow
def test_paired_intervals_cover_the_true_difference():
    generator = np.random.default_rng(3)
    seeds = generator.normal(0.914, 0.002, (2000, 10))
    moved = seeds + generator.normal(0.001, 0.001, (2000, 10))
    found = [stats.paired_difference(a, b) for a, b in zip(seeds, moved, strict=True)]
    covered = np.mean([interval.low <= 0.001 <= interval.high for interval in found])
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 2000)


def test_equivalence_is_two_one_sided_t_tests():
    generator = np.random.default_rng(4)
    first, second = generator.normal(0.914, 0.002, (2, 10))
    difference = second - first
    above = scipy_stats.ttest_1samp(difference, -0.005, alternative="greater").pvalue
    below = scipy_stats.ttest_1samp(difference, 0.005, alternative="less").pvalue
    assert stats.equivalence(first, second).p == pytest.approx(max(above, below))


@pytest.mark.parametrize("side", [-1, 1])
def test_equivalence_errs_at_its_level_on_each_edge_of_the_margin(side):
    generator = np.random.default_rng(5)
    first = generator.normal(0.914, 0.002, (2000, 10))
    moved = first + side * stats.MARGIN + generator.normal(0, 0.002, (2000, 10))
    found = np.mean([stats.equivalence(a, b).equivalent for a, b in zip(first, moved, strict=True)])
    assert abs(found - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_equivalence_is_found_where_it_is():
    generator = np.random.default_rng(5)
    first = generator.normal(0.914, 0.002, (2000, 10))
    moved = first + generator.normal(0, 0.002, (2000, 10))
    assert np.mean([stats.equivalence(a, b).equivalent for a, b in zip(first, moved, strict=True)]) > 0.99


def test_differences_without_any_spread_are_decided_by_the_margin():
    first = np.full(10, 0.91)
    assert stats.equivalence(first, first + 0.001).equivalent
    assert not stats.equivalence(first, first + 0.01).equivalent
    assert stats.paired_difference(first, first) == (0, 0, 0)


def test_the_spread_has_the_interval_of_the_printed_chi_square_table():
    # Nine degrees of freedom: 2.700 and 19.023 cut off 2.5 % on either side.
    values = np.arange(10.0)
    deviation = np.std(values, ddof=1)
    expected = (deviation, deviation * np.sqrt(9 / 19.023), deviation * np.sqrt(9 / 2.700))
    assert stats.spread(values) == pytest.approx(expected, rel=1e-4)


def test_the_spread_covers_the_true_deviation():
    generator = np.random.default_rng(6)
    found = [stats.spread(values) for values in generator.normal(0, 2.0, (2000, 10))]
    covered = np.mean([interval.low <= 2.0 <= interval.high for interval in found])
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 2000)


def test_the_median_s_interval_is_that_of_a_textbook():
    # M. Hollander, D. A. Wolfe, Nonparametric Statistical Methods (1973), 29f: depression, second visit minus first.
    # Of nine values, the second lowest to the second highest cover 96.1 %.
    first = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    second = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    found = stats.median(np.subtract(second, first))
    assert found == pytest.approx((-0.490, -0.952, 0.080))


def test_what_never_came_is_the_largest_value_of_all():
    assert stats.median([1, 2, 3, 4, 5, np.inf]) == (3.5, 1, np.inf)


@pytest.mark.slow
def test_the_median_s_interval_covers_counts_that_are_mostly_equal():
    generator = np.random.default_rng(10)
    drawn = generator.choice([-1, 0, 1], p=[0.15, 0.7, 0.15], size=(1000, 12))
    found = [stats.median(values) for values in drawn]
    assert np.mean([interval.low <= 0 <= interval.high for interval in found]) > 0.95


@pytest.mark.slow
def test_the_ratio_s_interval_covers_the_true_median_and_its_ends_were_measured():
    generator = np.random.default_rng(7)
    found = []
    for _ in range(1000):
        times = generator.lognormal(0, 0.3, 10)
        found.append(stats.ratio(times * 1.5 * generator.lognormal(0, 0.2, 10), times))
    covered = np.mean([interval.low <= 1.5 <= interval.high for interval in found])
    exact = 1 - 2 * scipy_stats.binom.cdf(1, 10, 0.5)  # the second lowest to the second highest of ten
    assert abs(covered - exact) < 3 * np.sqrt(exact * (1 - exact) / 1000)
    assert stats.ratio([2, 4, 6, 8, 10, 12], [2] * 6) == (3.5, 1, 6)


def test_too_few_pairs_have_no_interval():
    found = stats.ratio([1, 2, 3], [1, 1, 1])
    assert found.estimate == 2 and np.isnan(found.low) and np.isnan(found.high)


def test_epochs_are_counted_from_one_and_never_is_none():
    history = [{"epoch": n, "valid_accuracy": value} for n, value in enumerate((0.85, 0.89, 0.88), 1)]
    assert [stats.epochs_to(history, level) for level in (0.85, 0.88, 0.90)] == [1, 2, None]


@pytest.fixture(scope="module")
def labels(splits):
    return splits.test.labels.numpy()


@pytest.fixture(scope="module")
def recorded(recorded_study):
    return recorded_study


def test_quantities_are_those_of_the_reports(labels, recorded):
    for run, found in zip(recorded.runs["ipex-bf16"], recorded.quantities("ipex-bf16"), strict=True):
        table = reports.from_predictions(labels, run.classes).classes[list(stats.QUANTITIES)]
        assert found == pytest.approx(table.to_numpy().T)


def test_class_differences_are_those_of_a_second_library(recorded):
    before, after = recorded.quantities("stock-fp32"), recorded.quantities("ipex-bf16")
    table = stats.class_differences(before, after)
    for q, quantity in enumerate(stats.QUANTITIES):
        for c, name in enumerate(data.CLASSES):
            row, difference = table.loc[(quantity, name)], DescrStatsW((after - before)[:, q, c])
            assert row["estimate"] == pytest.approx(difference.mean)
            assert tuple(row[["low", "high"]]) == pytest.approx(difference.tconfint_mean())
            assert row["p"] == pytest.approx(difference.ttest_mean()[1])
            assert row["p equivalence"] == pytest.approx(difference.ttost_mean(-0.01, 0.01)[0])
            assert row["spread"] == pytest.approx(np.std(before[:, q, c], ddof=1))


def test_an_arm_does_not_differ_from_itself(recorded):
    first = recorded.quantities("stock-fp32")
    table = stats.class_differences(first, first)
    assert (table[["estimate", "low", "high", "p equivalence"]] == 0).all().all() and (table["p Holm"] == 1).all()


def test_holm_s_correction_is_that_of_a_worked_example(drawn):
    # S. Holm's step-down by hand: of ten, the smallest p is multiplied by 10, the next by 9, and so on; never falling.
    table = stats.class_differences(drawn(6), drawn(6) + np.linspace(0, 0.02, 10))
    for quantity in stats.QUANTITIES:
        rows = table.loc[quantity].sort_values("p")
        by_hand = np.minimum(np.maximum.accumulate(rows["p"] * np.arange(10, 0, -1)), 1)
        assert rows["p Holm"].to_numpy() == pytest.approx(by_hand.to_numpy())


def test_a_difference_is_held_against_student_s_t(labels, recorded):
    before, after = (reports.published(which) for which in ("without", "with"))
    table = stats.against_reseeding(before, after, recorded.quantities("stock-fp32"))
    recalls = [
        reports.from_predictions(labels, run.classes).classes.loc["Coat", "recall"]
        for run in recorded.runs["stock-fp32"]
    ]
    coat = table.loc[("recall", "Coat")]
    assert coat["difference"] == pytest.approx(0.06) and coat["spread"] == pytest.approx(np.std(recalls, ddof=1))
    t = (0.06 - 0.01) / (np.sqrt(2) * np.std(recalls, ddof=1))
    assert coat["p"] == pytest.approx(2 * scipy_stats.t.sf(t, len(recalls) - 1))


@pytest.fixture
def drawn():
    """Draw precision, recall and F1 at random: shape (seeds, 3, 10)."""
    generator = np.random.default_rng(9)
    return lambda seeds: generator.normal(0.9, 0.01, (seeds, 3, 10))


@pytest.mark.slow
def test_reseeding_is_taken_for_something_else_one_time_in_twenty(drawn):
    def printed(values):
        table = pd.DataFrame(values.T, index=list(data.CLASSES), columns=list(stats.QUANTITIES)).assign(support=1000)
        averages = pd.DataFrame(0.0, index=reports.AVERAGES, columns=table.columns)
        return reports.Report(pd.concat([table, averages]), 0.9, 9)

    tables = [stats.against_reseeding(*map(printed, drawn(2)), drawn(10)) for _ in range(300)]
    single = np.mean([(table["p"] < 0.05).mean() for table in tables])
    assert abs(single - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 300 / 30)
    some = np.mean([(table.loc["recall", "p Holm"] < 0.05).any() for table in tables])
    assert some < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.slow
def test_classes_that_do_not_differ_are_found_to_differ_one_time_in_twenty(drawn):
    tables = [stats.class_differences(drawn(10), drawn(10)) for _ in range(300)]
    some = np.mean([(table.loc["recall", "p Holm"] < 0.05).any() for table in tables])
    assert abs(some - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 300)
    covered = np.mean([(table["low"] <= 0) & (table["high"] >= 0) for table in tables])
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 300 / 30)


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.5, 1.28, 3.0])
def test_the_probability_of_being_ahead_is_covered_at_its_rate(shift):
    """Pairs of normal differences, whose true probability is Φ(shift)."""
    generator, covered, truth = np.random.default_rng(0), 0, scipy_stats.norm.cdf(shift)
    for _ in range(500):
        interval = stats.superiority(np.zeros(12), generator.normal(shift, 1, 12))
        covered += interval.low <= truth <= interval.high
    assert 0.925 < covered / 500 < 0.975


def test_the_probability_of_being_ahead_turns_around_with_the_pair():
    generator = np.random.default_rng(1)
    first, second = generator.normal(0, 1, 12), generator.normal(0.5, 1, 12)
    ahead, behind = stats.superiority(first, second), stats.superiority(second, first)
    assert ahead == pytest.approx((1 - behind.estimate, 1 - behind.high, 1 - behind.low))
    assert stats.superiority(first, 100 + second).low > 0.999


def test_pairs_that_all_differ_alike_leave_no_doubt_and_ties_say_nothing():
    assert stats.superiority([1, 2], [2, 3]) == (1, 1, 1)
    assert stats.superiority([1, 2], [0, 1]) == (0, 0, 0)
    assert np.isnan(stats.superiority([1, 2], [1, 2])).all()


def test_other_seeds_and_other_images_widen_an_interval_by_their_own_variance():
    """Known variances: 0.02² between 12 seeds, and a Bernoulli variance over 2,000 images."""
    generator = np.random.default_rng(2)
    easy = generator.random(2000) < 0.9
    right = np.tile(easy, (12, 1)).astype(float)
    only_images = stats.over_seeds_and_images(right)
    assert (only_images.high - only_images.low) / 2 == pytest.approx(1.96 * np.sqrt(0.09 / 2000), rel=0.1)
    shifted = right + generator.normal(0, 0.02, (12, 1))
    both = stats.over_seeds_and_images(shifted)
    deviation = shifted.mean(axis=1).std()
    assert (both.high - both.low) / 2 == pytest.approx(1.96 * np.sqrt(0.09 / 2000 + deviation**2 / 12), rel=0.12)
    assert both.estimate == pytest.approx(shifted.mean(), abs=1e-6)
