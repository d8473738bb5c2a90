"""The benchmark: every way to train this network, a process for each contestant, interleaved in rounds."""

import contextlib
import sys
import time
from pathlib import Path

import torch

from codealong import hardware, records
from codealong.arms import ARMS
from codealong.intervals import median_and_range
from codealong.measure import timing
from codealong.measure.worker import PEERS, PUBLISHED, TUNED, Worker, in_turns

CONTESTANTS = (PUBLISHED, *ARMS, *(name + TUNED for name, arm in ARMS.items() if not arm.fused))
"""Tuned, the control would be `stock-fp32 tuned` once more."""
BATCHES = (64, 256, 1024)
ROUNDS = 6
SECONDS = 0.5
SEEDS = (0, 1, 2)
GOAL = 0.91
"""Test accuracy that the time is measured to."""

NAME, KIND, VERSION = "benchmark.json", "benchmark", 1


def here(peers=None):
    """Return the contestants that can be measured on this machine."""
    ours = [name for name in CONTESTANTS if name == PUBLISHED or ARMS[name.removesuffix(TUNED)].status().usable]
    return ours + (list(PEERS) if peers else [])


def measure(folder, peers=None, rates_only=False, rounds=ROUNDS):
    """Measure and record, saying where it is.

    Parameters
    ----------
    folder : Path
        Of the machine; its record is written when the rates are there, and again after each seed of the training.
    peers : path, optional
        The Python of an environment that has `PEERS`.
    rates_only : bool, optional
        Leave out the training to `GOAL`.
    rounds : int, optional

    Returns
    -------
    dict
        `contestants`, by name: `start_seconds` and `provenance`; `costs`, the operations and bytes of an image by
        stock arm; `limits`, what the machine can do, by round; `measurements`, one for each contestant, batch size,
        number of threads and round; `trained`, one for each contestant and seed: seconds and epochs to `GOAL`
        (None where it was not reached) and the `test_accuracy` at the end (None for the published recipe, which
        stops there).
    """
    records.ensure_writable(folder)
    cores, started = torch.get_num_threads(), time.perf_counter()
    names = here(peers)
    record = {"contestants": {}, "costs": {}, "limits": [], "measurements": [], "trained": []}
    with contextlib.ExitStack() as opened:
        workers = {}
        for name in ["limits", *names]:
            _say(started, f"starting {name}")
            workers[name] = opened.enter_context(Worker(name, peers))
        for name in names:
            provenance = workers[name].provenance or hardware.provenance()
            record["contestants"][name] = {"start_seconds": workers[name].start_seconds, "provenance": provenance}
            if name.startswith("stock"):
                record["costs"][name] = workers[name].ask("cost", batch=256)
        for number in range(rounds):
            busy = hardware.wait_until_idle(lambda text: _say(started, text))
            record["limits"].append(workers["limits"].ask("limits", threads=cores))
            for name in timing.turn(names, number):
                _say(started, f"round {number + 1} of {rounds}: {name}")
                for batch in BATCHES:
                    for threads in sorted({1, cores} if name not in PEERS else {cores}):
                        rates = workers[name].ask("rates", batch=batch, threads=threads, seconds=SECONDS)
                        what = {"round": number, "contestant": name, "batch": batch, "threads": threads, "busy": busy}
                        record["measurements"].append(what | rates)
        save(record, folder)
        for seed in () if rates_only else SEEDS:
            for name in names:
                if name not in PEERS:
                    _say(started, f"training {name} with seed {seed}")
                    history = workers[name].ask("train", seed=seed)
                    record["trained"].append({"contestant": name, "seed": seed, **_reached(name, history)})
            save(record, folder)
    return record


def whole(folder):
    """Tell whether the folder of a machine has a benchmark with the training to `GOAL` of every contestant."""
    if not (Path(folder) / NAME).exists():
        return False
    record = read(folder)
    trained = {(each["contestant"], each["seed"]) for each in record["trained"]}
    return trained >= {(name, seed) for name in record["contestants"] if name not in PEERS for seed in SEEDS}


def save(record, folder):
    """Write the record of a benchmark into the folder of a machine."""
    records.write(Path(folder) / NAME, KIND, VERSION, record)


def read(folder=records.REFERENCE):
    """Return the record of a benchmark, as `measure` describes it.

    Raises
    ------
    records.RecordError
    """
    record, _ = records.read(Path(folder) / NAME, KIND, VERSION, "measure it with `make bench`")
    return record


def compare(questions, rounds=3, seconds=0.4):
    """Ask several workers for their rates in turns, for a notebook.

    Parameters
    ----------
    questions : dict of str to (Worker, int, int)
        As `worker.in_turns` takes them.
    rounds, seconds : optional

    Returns
    -------
    pandas.DataFrame
        Images per second, one row per name: the median of the rounds as ``estimate``, ``low`` and ``high``.
    """
    import pandas as pd

    rates = in_turns(questions, rounds, seconds)
    return pd.DataFrame({name: median_and_range(each)._asdict() for name, each in rates.items()}).T


def _reached(name, history):
    """Return the seconds of training and the epochs until the goal, and the accuracy at the end."""
    seconds = 0.0
    to_goal = {"seconds": None, "epochs": None}
    for epoch in history:
        seconds += epoch["seconds"]
        if epoch["valid_accuracy"] >= GOAL:
            to_goal = {"seconds": seconds, "epochs": epoch["epoch"]}
            break
    return to_goal | {"test_accuracy": None if name == PUBLISHED else history[-1]["valid_accuracy"]}


def _say(started, text):
    print(f"{time.perf_counter() - started:6.0f} s  {text}", file=sys.stderr, flush=True)
