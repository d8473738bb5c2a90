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
from codealong.measure.worker import Worker

ROUNDS, REPEATS, SECONDS = 10, 3, 1.0
"""Rounds, how often each process is measured in one, and how long a measurement takes at least."""

STALE_HOURS = 1
"""A campaign is a matter of minutes: one that began longer ago is not gone on with."""

FOLDER, KIND, VERSION = "campaigns", "campaign", 1


def measure(folder, rounds=ROUNDS, say=print):
    """Measure a campaign, each round written as it ends; go on with one that was stopped within `STALE_HOURS`.

    In a round, each arm gets a process of its own, which trains `training.WARM_UP_STEPS` steps that nobody times.
    Then the processes are measured in turns, while the others stand still; the first second quarter of a
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
    """
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
    again = "measure another one with `make campaign`"
    found = [records.read(path, KIND, VERSION, again)[0] for path in _paths(Path(folder))]
    return [campaign for campaign in found if len(campaign["rounds"]) >= rounds]


def _paths(folder):
    return sorted((folder / FOLDER).glob("*.json"))


def _begun(folder, rounds):
    """Return the path and the record of a campaign to go on with, or of a new one."""
    now = datetime.datetime.now(datetime.timezone.utc)
    for path in _paths(folder)[-1:]:
        record, _ = records.read(path, KIND, VERSION, "measure another one")
        age = now - datetime.datetime.fromisoformat(record["rounds"][0]["date"])
        if len(record["rounds"]) < rounds and age < datetime.timedelta(hours=STALE_HOURS):
            return path, record
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
