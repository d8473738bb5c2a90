"""A campaign: every arm's training rate, interleaved, in processes that are fresh in each round, within ten minutes."""

import contextlib
import datetime
import time
from pathlib import Path

import numpy as np
import torch

from codealong import hardware, records, training
from codealong.arms import ARMS
from codealong.measure import timing
from codealong.measure.worker import BenchError, Worker

ROUNDS, REPEATS, SECONDS = 10, 3, 1.0
"""Rounds, how often each process is measured in one, and how long a measurement takes at least."""

STALE_HOURS = 1
"""A campaign is a matter of minutes: one that began longer ago is not gone on with, and another one is due."""

FOLDER, KIND, VERSION = "campaigns", "campaign", 1


def measure(folder, rounds=ROUNDS, say=print):
    """Measure a campaign, each round written as it ends; go on with one that was stopped within `STALE_HOURS`.

    In a round, each arm gets a process of its own, which trains `training.WARM_UP_STEPS` steps that nobody times.
    Then the processes are measured in turns, while the others stand still; the first quarter of a second of a
    measurement is not timed either.

    Parameters
    ----------
    folder : path
        Of a machine.
    rounds : int, optional
    say : callable, optional
        Is told where it is.

    Returns
    -------
    Path
        Of its record.

    Raises
    ------
    BenchError
        When the folder has campaigns of another machine.
    """
    _ensure_same(Path(folder), hardware.provenance())
    path, record = _begun(Path(folder), rounds)
    record = record or {"arms": here(), "batch": training.RECIPE.batch_size, "provenance": None, "rounds": []}
    records.ensure_writable(path.parent)
    took = []
    for number in range(len(record["rounds"]), rounds):
        left = f"; about {np.ceil(np.mean(took) * (rounds - number) / 60):.0f} min left" if took else ""
        say(f"campaign, round {number + 1} of {rounds}{left}")
        started = time.perf_counter()
        record["rounds"].append(_round(record, number, say))
        records.write(path, KIND, VERSION, record)
        took.append(time.perf_counter() - started)
    return path


def due(folder):
    """Tell whether the last campaign of a machine was stopped, or began longer ago than `STALE_HOURS`."""
    campaigns = [_read(path) for path in _paths(Path(folder))]
    return not campaigns or len(campaigns[-1]["rounds"]) < ROUNDS or _age(campaigns[-1]) > STALE_HOURS


def here():
    """Return the names of the arms that can run on this machine."""
    return [name for name, arm in ARMS.items() if arm.status().usable]


def read_all(folder=records.REFERENCE, rounds=ROUNDS):
    """Return the whole campaigns of a machine, by date; one that was stopped too early is left out.

    Returns
    -------
    list of dict
        `arms`, `batch`, `provenance` (of the first process), and `rounds`: each with its `date`, `busy_percent` and
        `measurements`, a list of dict with `arm`, `repeat`, `images`, `seconds`, `cpu_seconds` of the process, and
        `stolen_seconds`, which the host gave to others (summed over cores, None where the system does not tell).

    Raises
    ------
    records.RecordError
    """
    return [each for each in map(_read, _paths(Path(folder))) if len(each["rounds"]) >= rounds]


def _paths(folder):
    return sorted((folder / FOLDER).glob("*.json"))


def _read(path):
    return records.read(path, KIND, VERSION, "measure another one with `python -m codealong campaign`")[0]


def _age(campaign):
    """Return the hours since a campaign began."""
    began = datetime.datetime.fromisoformat(campaign["rounds"][0]["date"])
    return (datetime.datetime.now(datetime.timezone.utc) - began).total_seconds() / 3600


def _ensure_same(folder, provenance):
    for path in _paths(folder):
        its = _read(path)["provenance"]
        for field in set(hardware.MACHINE) - {"allocator"}:  # workers choose their own
            if its[field] != provenance[field]:
                raise BenchError(
                    f"{path} was measured with {field} {its[field]}, and this machine has {provenance[field]}: "
                    "choose another folder with --into; `make machine` names one after the machine."
                )


def _begun(folder, rounds):
    """Return the path and the record of a campaign to go on with, or of a new one."""
    for path in _paths(folder)[-1:]:
        record = _read(path)
        if len(record["rounds"]) < rounds and _age(record) < STALE_HOURS:
            return path, record
    now = datetime.datetime.now(datetime.timezone.utc)
    return folder / FOLDER / f"{now:%Y-%m-%dT%H-%M-%S}.json", None


def _round(record, number, say):
    order = timing.turn(record["arms"], number)
    threads, batch = torch.get_num_threads(), record["batch"]
    with contextlib.ExitStack() as opened:
        workers = {}
        for arm in order:
            workers[arm] = opened.enter_context(Worker(arm))
            workers[arm].ask("train_steps", batch=batch, steps=training.WARM_UP_STEPS)
        record["provenance"] = record["provenance"] or workers[order[0]].provenance
        busy = hardware.wait_until_idle(say)
        date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        measurements = [
            {"arm": arm, "repeat": repeat} | workers[arm].ask("timed", batch=batch, threads=threads, seconds=SECONDS)
            for repeat in range(REPEATS)
            for arm in timing.turn(order, repeat)
        ]
    return {"date": date, "busy_percent": busy, "measurements": measurements}
