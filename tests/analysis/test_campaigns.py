"""What campaigns say holds for campaigns that were not measured, by a rule that is tried on simulated ones."""

import datetime
import json

import numpy as np
import pytest
import scipy.stats

from codealong.analysis import campaigns, stats
from codealong.measure import campaign


def record(date, rates):
    """A campaign of ten rounds; `rates` gives images per second by arm, from the number of the round."""
    rounds = [
        {
            "date": f"2026-01-0{date}T00:00:00+00:00",
            "busy_percent": 0.0,
            "measurements": [
                {"arm": arm, "repeat": repeat, "images": 100 * rate(number), "seconds": 100.0}
                for repeat in range(2)
                for arm, rate in rates.items()
            ],
        }
        for number in range(campaign.ROUNDS)
    ]
    return {
        "format": "codealong campaign",
        "version": 1,
        "arms": [*rates],
        "batch": 128,
        "provenance": {},
        "rounds": rounds,
    }


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "campaigns").mkdir()
    for date, factor in ((1, 1.2), (2, 1.5), (4, 1.3)):
        rates = {
            "stock-fp32": lambda number: 1000 + number,
            "ipex-fp32": lambda number, by=factor: by * (1000 + number),
        }
        (tmp_path / "campaigns" / f"{date}.json").write_text(json.dumps(record(date, rates)))
    return tmp_path


def test_rates_are_images_per_second_of_a_process_by_campaign_and_round(machine):
    loaded = campaigns.load(machine)
    assert loaded.rates["stock-fp32"] == pytest.approx(np.full((3, 1), 1000) + np.arange(10))
    assert loaded.by_campaign("stock-fp32", "ipex-fp32") == pytest.approx([1.2, 1.5, 1.3])


def test_a_long_measurement_counts_more_than_a_short_one():
    each = [{"arm": "a", "images": 10, "seconds": 1.0}, {"arm": "a", "images": 300, "seconds": 3.0}]
    assert campaigns._rate({"measurements": each}, "a") == 310 / 4


def test_a_ratio_is_paired_within_a_round_and_has_the_t_interval_of_the_campaigns(machine):
    ratio = campaigns.load(machine).ratio("stock-fp32", "ipex-fp32")
    logs = np.log([1.2, 1.5, 1.3])
    error = logs.std(ddof=1) / np.sqrt(3)
    assert ratio == pytest.approx(np.exp([logs.mean(), logs.mean() - 4.302653 * error, logs.mean() + 4.302653 * error]))


def test_an_arm_that_one_campaign_lacks_is_left_out_of_all(machine):
    rates = {"stock-fp32": lambda _: 1000.0}
    (machine / "campaigns" / "5.json").write_text(json.dumps(record(5, rates)))
    assert list(campaigns.load(machine).rates) == ["stock-fp32"]


def test_a_campaign_that_was_stopped_does_not_count(machine):
    half = json.loads((machine / "campaigns" / "1.json").read_text())
    half["rounds"] = half["rounds"][:9]
    (machine / "campaigns" / "1.json").write_text(json.dumps(half))
    assert len(campaigns.load(machine)) == 2


def test_campaigns_are_said_with_the_time_that_they_span(machine):
    assert campaigns.load(machine).said() == "3 campaigns over 3 days"
    dates = [datetime.datetime(2026, 1, 1, hour) for hour in (8, 11)]
    assert campaigns.Campaigns({}, dates).said() == "2 campaigns over 3.0 hours"
    assert campaigns.Campaigns({}, dates[:1]).said() == "1 campaign"
    assert campaigns.Campaigns({}, []).said() == "no campaign"


@pytest.mark.parametrize(("count", "enough"), [(0, False), (2, False), (3, True)])
def test_fewer_than_three_campaigns_are_not_enough(count, enough):
    assert campaigns.Campaigns({}, [datetime.datetime(2026, 1, 1)] * count).enough is enough


def test_without_campaigns_everything_is_unknown(tmp_path):
    none = campaigns.load(tmp_path)
    assert np.isnan(none.ratio("stock-fp32", "ipex-fp32")).all()
    assert np.isnan(none.superiority("stock-fp32", "ipex-fp32")).all()


@pytest.mark.parametrize("between", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("count", [3, 5, 8])
def test_the_interval_covers_at_its_rate_whatever_varies(count, between):
    """Known variances of campaigns, processes and measurements; 4,000 experiments, so ±0.7 points of error."""
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(4000):
        values = 0.3 + generator.normal(0, between, (count, 1)) + generator.normal(0, 0.04, (count, 10))
        values += generator.normal(0, 0.06, (count, 10, 3)).mean(axis=2)
        interval = campaigns.over_campaigns(values)
        covered += interval.low <= 0.3 <= interval.high
    assert 0.93 < covered / 4000 < 0.97


def test_an_interval_over_rounds_would_not_cover():
    """What this course did before: the rounds of all campaigns as if they were independent."""
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        values = 0.3 + generator.normal(0, 0.05, (5, 1)) + generator.normal(0, 0.04, (5, 10))
        interval = stats.paired_difference(np.zeros(50), values.ravel())
        covered += interval.low <= 0.3 <= interval.high
    assert covered / 1000 < 0.7


def test_the_recorded_hours_differ_no_more_than_their_rounds_explain_as_lesson_7_says():
    rates = campaigns.load().rates
    logs = np.log(rates["ipex-fp32"] / rates["stock-fp32"])
    assert scipy.stats.f_oneway(*logs).pvalue > 0.05
