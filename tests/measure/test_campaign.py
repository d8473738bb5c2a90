"""A campaign measures every arm in fresh processes, interleaved, and goes on where it was stopped."""

import datetime
import json
from typing import ClassVar

import pytest
import torch

from codealong import hardware, training
from codealong.measure import campaign, contestants, series
from codealong.measure.worker import BenchError
from tests.conftest import rewritten

ARMS = ["stock-fp32", "stock-bf16", "ipex-fp32"]
TIMED = {"images": 1000, "seconds": 1.0, "cpu_seconds": 1.9, "stolen_seconds": 0.0}


class StandIn:
    """A worker that answers at once, and may die after some questions."""

    said: ClassVar[list] = []
    dies_after = None
    provenance: ClassVar[dict] = hardware.provenance()

    def __init__(self, arm):
        self.arm = arm
        self.said.append(("start", arm))

    def ask(self, do, **how):
        if len(self.said) == type(self).dies_after:
            raise BenchError("died")
        self.said.append((do, self.arm))
        assert how["batch"] == training.RECIPE.batch_size
        assert do != "train_steps" or how["steps"] == training.WARM_UP_STEPS
        return TIMED if do == "timed" else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.said.append(("end", self.arm))


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(campaign, "Worker", StandIn)
    monkeypatch.setattr(series, "here", lambda: ARMS)
    monkeypatch.setattr(hardware, "wait_until_idle", lambda say: 3.0)
    monkeypatch.setattr(StandIn, "said", [])
    monkeypatch.setattr(StandIn, "dies_after", None)
    return StandIn


def measure(folder, rounds=campaign.ROUNDS, say=lambda _: None):
    return json.loads(campaign.SERIES.measure(folder, rounds, say).read_text())


def test_each_round_times_each_arm_the_same_number_of_times(tmp_path):
    record = measure(tmp_path)
    assert record["arms"] == ARMS and len(record["rounds"]) == 10
    for each in record["rounds"]:
        counted = [(one["arm"], one["repeat"]) for one in each["measurements"]]
        assert sorted(counted) == sorted((arm, repeat) for arm in ARMS for repeat in range(campaign.REPEATS))
        assert each["measurements"][0] == {"arm": counted[0][0], "repeat": 0, **TIMED}


def test_each_round_has_processes_of_its_own_that_are_warm_before_any_is_timed(tmp_path, stand_in):
    measure(tmp_path, rounds=2)
    half = len(stand_in.said) // 2
    for one in (stand_in.said[:half], stand_in.said[half:]):
        kinds = [do for do, _ in one]
        assert kinds == ["start", "train_steps"] * 3 + ["timed"] * 9 + ["end"] * 3


def test_arms_take_turns_in_being_first_from_round_to_round_and_from_repeat_to_repeat(tmp_path):
    first = [
        [one["arm"] for one in each["measurements"]][:: len(ARMS)] for each in measure(tmp_path, rounds=3)["rounds"]
    ]
    assert first == [[*ARMS[number:], *ARMS[:number]] for number in range(3)]


def test_a_campaign_that_was_stopped_goes_on_with_the_round_it_was_in(tmp_path, stand_in):
    stand_in.dies_after = 43
    with pytest.raises(BenchError):
        measure(tmp_path)
    (path,) = (tmp_path / "campaigns").iterdir()
    before = json.loads(path.read_text())["rounds"]
    assert len(before) == 2
    stand_in.dies_after = None
    assert measure(tmp_path)["rounds"][:2] == before
    assert [path] == list((tmp_path / "campaigns").iterdir())


def test_one_that_was_stopped_hours_ago_is_kept_and_not_gone_on_with(tmp_path, stand_in):
    path = campaign.SERIES.measure(tmp_path, 2, lambda _: None)
    old = path.with_name("2026-01-01T00-00.json")
    path.rename(old)
    date = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=series.STALE_HOURS, minutes=1)
    with rewritten(old) as record:
        record["rounds"][0]["date"] = date.isoformat()
    assert campaign.SERIES.measure(tmp_path, say=lambda _: None) != old
    assert len(json.loads(old.read_text())["rounds"]) == 2
    assert len(campaign.SERIES.read_all(tmp_path)) == 1


def test_a_whole_campaign_is_followed_by_another(tmp_path, monkeypatch):
    path = campaign.SERIES.measure(tmp_path, say=lambda _: None)
    path.rename(path.with_name("2026-01-01T00-00.json"))
    campaign.SERIES.measure(tmp_path, say=lambda _: None)
    assert len(campaign.SERIES.read_all(tmp_path)) == 2


@pytest.mark.parametrize("field", sorted({*hardware.MACHINE} - {"allocator"}))
def test_campaigns_of_another_machine_are_not_joined(tmp_path, stand_in, field):
    path = campaign.SERIES.measure(tmp_path, say=lambda _: None)
    with rewritten(path) as record:
        record["provenance"][field] = "another"
    stand_in.said.clear()
    with pytest.raises(BenchError, match=f"was measured with {field} another, .* choose another folder with --into"):
        measure(tmp_path)
    assert not stand_in.said


def test_another_campaign_is_due_where_none_is_or_one_was_stopped_or_began_an_hour_ago(tmp_path):
    assert campaign.SERIES.due(tmp_path)
    path = campaign.SERIES.measure(tmp_path, 3, lambda _: None)
    assert campaign.SERIES.due(tmp_path)
    assert campaign.SERIES.measure(tmp_path, say=lambda _: None) == path and not campaign.SERIES.due(tmp_path)
    began = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=series.STALE_HOURS, minutes=1)
    with rewritten(path) as record:
        record["rounds"][0]["date"] = began.isoformat()
    assert campaign.SERIES.due(tmp_path)


def test_it_says_where_it_is_and_how_long_it_takes(tmp_path):
    said = []
    measure(tmp_path, 2, said.append)
    assert said == ["campaign, round 1 of 2", "campaign, round 2 of 2; about 1 min left"]


class Sleeper:
    """A contestant whose steps are counted."""

    def __init__(self):
        self.steps, self.sizes = 0, set()

    def batches(self, batch_size):
        while True:
            yield torch.zeros(batch_size), None

    def step(self, images, labels):
        self.steps += 1
        self.sizes.add(len(images))


def test_what_is_timed_is_training_after_a_warm_up(monkeypatch):
    now = iter(range(10_000))
    monkeypatch.setattr(contestants.time, "perf_counter", lambda: next(now) / 10)
    monkeypatch.setattr(contestants.time, "process_time", lambda: next(now) / 10)
    monkeypatch.setattr(hardware, "stolen_seconds", lambda: 7.0)
    sleeper = Sleeper()
    timed = contestants.timed(sleeper, batch=5, threads=torch.get_num_threads(), seconds=1.0)
    assert timed["images"] == 5 * 9 and timed["seconds"] == pytest.approx(1.0) and timed["stolen_seconds"] == 0
    assert sleeper.steps > 9 and sleeper.sizes == {5}


def test_a_system_that_does_not_tell_stolen_time_is_no_obstacle(monkeypatch):
    monkeypatch.setattr(hardware, "stolen_seconds", lambda: None)
    timed = contestants.timed(Sleeper(), batch=5, threads=torch.get_num_threads(), seconds=0.01)
    assert timed["stolen_seconds"] is None
    assert timed["images"] >= 5 * contestants.FEWEST_STEPS
