"""Every number that the appendix works out is worked out again here, and is in its text."""

import itertools

import numpy as np
import pytest
from scipy.stats import t
from statsmodels.stats.multitest import multipletests

from codealong.analysis import stats
from codealong.analysis.campaigns import exponential, over_campaigns
from codealong.analysis.verdicts.quality import SETTLES
from codealong.analysis.verdicts.speed import MOST, SUBSTANTIAL
from codealong.publish import site

TEXT = " ".join((site.PAGES / "appendix.md").read_text(encoding="utf-8").split())


@pytest.fixture
def cells():
    """The cells of each row of each table, as they are printed."""
    lines = (site.PAGES / "appendix.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]


def test_holm_s_example_is_right(cells):
    rows = np.array([list(map(float, row)) for row in cells if row[0].startswith("0.0")])
    p, times, product, corrected = rows.T
    assert times.tolist() == [4, 3, 2, 1]
    assert product == pytest.approx(p * times)
    assert corrected == pytest.approx(multipletests(p, method="holm")[1])
    assert (p < 0.05).all() and (corrected < 0.05).all()
    again = multipletests([p[0], 0.02, *p[2:]], method="holm")[1]
    assert f"corrected value would be {again[1]:.3f}" in TEXT and (again[2:] >= again[1]).all()
    assert f"0.05 / 3 = {0.05 / len(stats.QUANTITIES):.3f}" in TEXT


def test_two_runs_scatter_by_root_two_more_than_one():
    runs = np.array([91.0, 91.2, 91.4])
    differences = [abs(one - other) for one, other in itertools.combinations(runs, 2)]
    assert "91.0, 91.2 and 91.4 %" in TEXT and f"{runs.std(ddof=1):.2f} points" in TEXT
    assert "0.2, 0.2 and 0.4 points" in TEXT and sorted(differences) == pytest.approx([0.2, 0.2, 0.4])
    apart = np.sqrt(np.mean(np.square(differences)))
    assert apart == pytest.approx(np.sqrt(2) * runs.std(ddof=1))
    assert f"root mean square of these is {apart:.2f} points, and √2 · 0.20 is {apart:.2f}" in TEXT


def test_shares_of_a_speed_up_add_to_one_as_logarithms():
    first, second = np.log([2, 1.5]) / np.log(3)
    assert first + second == pytest.approx(1)
    assert f"ln 2 / ln 3 = {first:.0%}".replace("%", " %") in TEXT
    assert f"ln 1.5 / ln 3 = {second:.0%}".replace("%", " %") in TEXT


def test_the_two_orders_give_factors_that_multiply_to_the_whole(cells):
    stock32, stock16, ipex32, ipex16 = 12, 8, 9, 5
    assert "12 s in `stock-fp32`, 8 s in `stock-bf16`, 9 s in `ipex-fp32` and 5 s in `ipex-bf16`" in TEXT
    factors = {
        "IPEX": (stock32 / ipex32, stock16 / ipex16),
        "bfloat16": (stock32 / stock16, ipex32 / ipex16),
    }
    both = {change: np.sqrt(np.prod(orders)) for change, orders in factors.items()}
    for change, orders in factors.items():
        (row,) = [row for row in cells if row[0] == change]
        assert [cell.rpartition("= ")[2] for cell in row[1:]] == [f"{value:.2f}" for value in (*orders, both[change])]
    assert np.prod([*both.values()]) == pytest.approx(stock32 / ipex16)
    assert f"multiply to {stock32 / ipex16:.2f}" in TEXT


def test_the_interval_over_campaigns_is_that_of_the_package():
    logs = np.log([1.20, 1.50, 1.30])
    interval = over_campaigns(logs[:, None])
    error = logs.std(ddof=1) / np.sqrt(3)
    assert "{:.3f}, {:.3f} and {:.3f}.".format(*logs) in TEXT and f"0.113 / √3 = {error:.3f}" in TEXT
    assert f"Their mean is {logs.mean():.3f}, their standard deviation (with n − 1) is {logs.std(ddof=1):.3f}" in TEXT
    assert f"reaches {t.ppf(0.975, 2):.2f} standard errors" in TEXT
    assert f"{interval.estimate:.3f} ± {interval.high - interval.estimate:.3f}" in TEXT
    assert f"that is {exponential(interval):.2f}." in TEXT
    assert f"With five, it would reach {t.ppf(0.975, 4):.2f} standard errors" in TEXT


def test_the_margins_are_those_of_the_rules(cells):
    values = {row[0]: row[1] for row in cells}
    assert values["averages are equivalent"] == f"within {100 * stats.MARGIN:g} points"
    assert values["a class is equivalent"] == f"within {100 * stats.CLASS_MARGIN:g} point"
    assert values["a boost is substantial"] == f"at least {SUBSTANTIAL:g} times"
    assert values["one pair is enough"] == f"{100 * SETTLES:.0f} % of pairs agree"
    assert MOST == 0.5 and values["most of a speed-up"] == "more than half of its logarithm"
    assert f"is {10_000 * stats.MARGIN:.0f} images" in TEXT and f"is {1_000 * stats.CLASS_MARGIN:.0f} images" in TEXT
    assert f"reaches {t.ppf(0.975, 11) * 0.12 / np.sqrt(12):.3f} points" in TEXT
