"""A sweep measures every arm at every width and batch size, round by round."""

import json
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from codealong import hardware, records, runs
from codealong.analysis import sweep as analysis
from codealong.arms import ARMS
from codealong.measure import contestants, sweep
from codealong.measure.worker import BenchError

CELLS = len(ARMS) * len(sweep.WIDTHS) * len(sweep.BATCHES)


class StandIn:
    """A worker that answers at once, and may die after some questions."""

    asked: ClassVar[list] = []
    started: ClassVar[list] = []
    dies_after = None
    provenance: ClassVar[dict] = {"processor": "stand-in"}

    def __init__(self, row):
        self.row = row
        self.started.append(row)

    def ask(self, do, width, batch, threads, seconds):
        if len(self.asked) == type(self).dies_after:
            raise BenchError("died")
        self.asked.append((self.row, width, batch))
        return 1000.0 * (1 + list(ARMS).index(self.row)) / width

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(sweep, "Worker", StandIn)
    monkeypatch.setattr(hardware, "wait_until_idle", lambda say: 3.0)
    monkeypatch.setattr(StandIn, "asked", [])
    monkeypatch.setattr(StandIn, "started", [])
    monkeypatch.setattr(StandIn, "dies_after", None)
    return StandIn


def test_every_combination_is_measured_once_a_round(tmp_path):
    sweep.measure(tmp_path, rounds=2, say=lambda _: None)
    table = analysis.load(tmp_path, rounds=2)
    assert len(table) == 2 * CELLS
    assert (table.groupby(["arm", "width", "batch"])["round"].nunique() == 2).all()
    bf16 = table[table["arm"] == "stock-bf16"]
    assert (bf16["images_per_second"] * bf16["width"] == 1000 * (1 + list(ARMS).index("stock-bf16"))).all()


def test_arms_follow_each_other_at_every_width_and_take_turns_in_being_first(tmp_path, stand_in):
    sweep.measure(tmp_path, rounds=2, say=lambda _: None)
    arms = [row for row, _, _ in stand_in.asked]
    assert arms[: len(ARMS)] == list(ARMS)
    assert arms[CELLS : CELLS + len(ARMS)] == [*ARMS][1:] + [*ARMS][:1]


def test_each_round_has_processes_of_its_own(tmp_path, stand_in):
    sweep.measure(tmp_path, rounds=3, say=lambda _: None)
    assert sorted(stand_in.started) == sorted(3 * [*ARMS])


def test_it_says_how_many_rounds_are_left_and_how_long_they_take(tmp_path):
    said = []
    sweep.measure(tmp_path, rounds=2, say=said.append)
    assert said == ["sweep over widths, round 1 of 2", "sweep over widths, round 2 of 2; about 1 min left"]


def table(ratio):
    """A sweep of six rounds in which ipex-fp32 is so many times as fast as stock-fp32."""
    return pd.DataFrame(
        {"round": number, "arm": arm, "width": width, "batch": batch, "images_per_second": rate}
        for number in range(6)
        for width in sweep.WIDTHS
        for batch in sweep.BATCHES
        for arm, rate in (("stock-fp32", 100.0), ("ipex-fp32", 100.0 * ratio(number, width, batch)))
    )


def test_speed_ups_are_taken_within_a_round():
    found = analysis.speed_ups(
        table(lambda number, width, batch: 1 + number + width / batch), "stock-fp32", "ipex-fp32"
    )
    assert len(found) == 6 * len(sweep.WIDTHS) * len(sweep.BATCHES)
    assert np.allclose(found["ratio"], 1 + found["round"] + found["width"] / found["batch"])


def test_an_arm_begins_to_pay_where_it_stays_faster_in_every_round():
    def ratio(number, width, batch):
        if batch == 32:
            return 2.0 if width >= 4 else 0.5
        if batch == 128:
            return 0.9 if number == 3 and width == 2 else 1.1
        return 1.1 if width < 8 else 1.0

    pays = analysis.begins_to_pay(table(ratio), "stock-fp32", "ipex-fp32")
    assert pays == {32: 4, 128: 4, 512: None}
    assert analysis.begins_to_pay(table(lambda *_: 1.1), "stock-fp32", "ipex-fp32") == dict.fromkeys(sweep.BATCHES, 1)


def test_it_waits_until_what_the_new_processes_started_is_idle(tmp_path, stand_in, monkeypatch):
    seen = []

    def idle(say):
        seen.append((len(stand_in.started), len(stand_in.asked)))

    monkeypatch.setattr(hardware, "wait_until_idle", idle)
    sweep.measure(tmp_path, rounds=2, say=lambda _: None)
    assert seen == [(len(ARMS), 0), (2 * len(ARMS), CELLS)]


def test_a_sweep_that_was_stopped_goes_on_with_the_next_round(tmp_path, stand_in, monkeypatch):
    monkeypatch.setattr(stand_in, "dies_after", CELLS + 7)
    with pytest.raises(BenchError):
        sweep.measure(tmp_path, rounds=3, say=lambda _: None)
    with pytest.raises(
        analysis.SweepError, match=r"lacks 2 of 3 rounds: `python -m codealong study --into .*` goes on with it"
    ):
        analysis.load(tmp_path, rounds=3)
    monkeypatch.setattr(stand_in, "dies_after", None)
    stand_in.asked.clear()
    sweep.measure(tmp_path, rounds=3, say=lambda _: None)
    assert len(stand_in.asked) == 2 * CELLS
    assert len(analysis.load(tmp_path, rounds=3)) == 3 * CELLS


def test_a_sweep_keeps_the_arms_that_it_began_with(tmp_path, monkeypatch):
    assert sweep.arms(tmp_path) == list(ARMS)
    sweep.measure(tmp_path, rounds=1, say=lambda _: None)
    began = list(ARMS)
    monkeypatch.setattr(sweep, "ARMS", {**ARMS, "another": None})
    assert sweep.arms(tmp_path) == began
    sweep.measure(tmp_path, rounds=2, say=lambda _: None)
    assert len(analysis.load(tmp_path, rounds=2)) == 2 * CELLS


def test_a_whole_sweep_is_not_measured_again(tmp_path, stand_in):
    sweep.measure(tmp_path, rounds=1, say=lambda _: None)
    stand_in.asked.clear()
    sweep.measure(tmp_path, rounds=1, say=lambda _: None)
    assert stand_in.asked == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[: len(content) // 2], "it cannot be read"),
        (lambda content: content.replace("codealong sweep", "somebody else's"), "not the record of a sweep"),
        (lambda content: content.replace('"version": 1', '"version": 2'), "its version is 2"),
        (lambda content: content.replace('"arm": "ipex-fp32"', '"arm": "stock-fp32"', 1), "does not have each arm"),
        (lambda content: content.replace('"batch": 32', '"batch": "many"', 1), "does not have each arm"),
        (lambda content: content.replace('"width"', '"colour"'), "does not have each arm"),
        (lambda content: content.replace("1000.0", "-1.0"), "does not have each arm"),
        (lambda content: content.replace("1000.0", '"fast"'), "does not have each arm"),
        (lambda content: content.replace('"provenance": {', '"provenance": 7, "x": {'), "does not have each arm"),
    ],
)
def test_a_damaged_or_newer_sweep_is_refused(tmp_path, damage, said):
    sweep.measure(tmp_path, rounds=1, say=lambda _: None)
    path = tmp_path / sweep.NAME
    path.write_text(damage(path.read_text()))
    with pytest.raises(records.RecordError, match=said):
        analysis.load(tmp_path, rounds=1)


def test_the_recorded_sweep_is_whole_and_says_where_it_was_made():
    assert len(analysis.load(records.REFERENCE)) == sweep.ROUNDS * len(sweep.arms(records.REFERENCE)) * len(
        sweep.WIDTHS
    ) * len(sweep.BATCHES)
    content = json.loads((records.REFERENCE / sweep.NAME).read_text())
    assert set(content["provenance"]) >= runs.PROVENANCE


@pytest.mark.worker
def test_a_wider_network_is_measured():
    wide = contestants.Contestant("stock-fp32", width=4)
    assert wide.net.features[3].weight.shape == (128, 64, 3, 3)
    assert contestants.rate(wide, batch=8, threads=1, seconds=0.01) > 0
