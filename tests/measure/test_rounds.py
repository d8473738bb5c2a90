"""A round has processes of its own, each warm before any is timed, and they end with it."""

import pytest

from codealong import hardware, training
from codealong.measure.rounds import fresh


class StandIn:
    """A worker that tells a list what happens to it."""

    def __init__(self, name, said):
        self.name, self.said = name, said
        said.append(("start", name))

    def ask(self, do, **how):
        self.said.append((do, self.name, how))
        return len(self.said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.said.append(("end", self.name))


@pytest.fixture
def said(monkeypatch):
    said = []
    monkeypatch.setattr(hardware, "wait_until_idle", lambda say: said.append(("idle",)) or 3.0)
    return said


@pytest.fixture
def starts(said):
    return {name: lambda name=name: StandIn(name, said) for name in "abc"}


def test_every_process_is_warm_and_the_machine_idle_before_the_round_begins(starts, said):
    with fresh(starts, 0, print, batch=128) as (workers, when):
        warm = {"batch": 128, "steps": training.WARM_UP_STEPS}
        assert said == [one for name in "abc" for one in (("start", name), ("train_steps", name, warm))] + [("idle",)]
        assert when["busy_percent"] == 3.0 and when["date"].endswith("+00:00")
        assert [worker.first_step_seconds for worker in workers.values()] == [2, 4, 6]
    assert said[7:] == [("end", "c"), ("end", "b"), ("end", "a")]


def test_each_round_begins_with_the_next_one(starts):
    orders = []
    for number in range(4):
        with fresh(starts, number, print) as (workers, _):
            orders.append("".join(workers))
    assert orders == ["abc", "bca", "cab", "abc"]


def test_processes_end_when_the_round_is_interrupted(starts, said):
    with pytest.raises(KeyboardInterrupt), fresh(starts, 0, print):
        raise KeyboardInterrupt
    assert [one for one in said if one[0] == "end"] == [("end", "c"), ("end", "b"), ("end", "a")]


def test_those_that_started_end_when_another_does_not_start(starts, said):
    def refuse():
        raise OSError("no memory")

    with pytest.raises(OSError, match="no memory"), fresh(starts | {"c": refuse}, 0, print):
        pass
    assert [one for one in said if one[0] == "end"] == [("end", "b"), ("end", "a")]
