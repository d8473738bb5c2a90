"""The benchmark: every way to train this network, in rounds of fresh processes."""

import functools
import itertools
import sys
import time
from pathlib import Path

import numpy as np
import torch

from codealong import hardware, records
from codealong.arms import ARMS
from codealong.measure import timing
from codealong.measure.rounds import fresh
from codealong.measure.worker import PEERS, PUBLISHED, TUNED, Worker, in_turns

CONTESTANTS = (PUBLISHED, *ARMS, *(name + TUNED for name, arm in ARMS.items() if not arm.fused))
"""Tuned, the control would be `stock-fp32 tuned` once more."""
BATCHES = (64, 256, 1024)
LARGE = (512, 2048, 4096)
"""Tried besides, with all threads, for the tuned contestants and the peers, but for those that XLA compiles: these gain
nothing from a large batch, and take up to 5 GiB with it."""

BY_XLA = ("keras, XLA", "jax")

CHOOSING, ROUNDS = 2, 10
"""Rounds that try all batch sizes, and rounds that count: with those that were best in the rounds before."""

REFERENCES = (PUBLISHED, "stock-fp32")
"""What the others are divided by, at the published batch size, which is the first of `BATCHES`."""

RATES = ("images_per_second", "inference_images_per_second")
SECONDS = 0.5
SEEDS, TUNED_SEEDS = range(3), range(10)
GOAL = 0.91
"""Accuracy on the validation images that the time is measured to; the test images confirm it once."""

NAME, KIND, VERSION = "benchmark.json", "benchmark", 1


def here(peers=None):
    """Return the contestants that can be measured on this machine."""
    ours = [name for name in CONTESTANTS if name == PUBLISHED or ARMS[name.removesuffix(TUNED)].status().usable]
    return ours + (list(PEERS) if peers else [])


def measure(folder, peers=None, rates_only=False, choosing=CHOOSING, rounds=ROUNDS):
    """Measure and record, saying where it is.

    Parameters
    ----------
    folder : Path
        Of the machine. Its record is written when the rates are there, and again after each training; one that was
        stopped then goes on with the training.
    peers : path, optional
        The Python of an environment that has `PEERS`.
    rates_only : bool, optional
        Leave out the training to `GOAL`.
    choosing, rounds : int, optional

    Returns
    -------
    dict
        `contestants`, by name: `start_seconds`, `first_step_seconds` and `provenance`; `costs`, the operations and
        bytes of an image by stock arm; `choosing`, how many rounds, the first ones, chose the batch sizes; `limits`,
        what the machine can do, by round; `measurements`, one for each contestant, batch size, number of threads and
        round (without `images_per_second` where a peer only predicts); `latencies`, the milliseconds that one image
        takes to be predicted, one for each contestant and round that counts; `goal_on`, the images of which `GOAL` is a
        share; `trained`, one for each contestant and seed: seconds and epochs to `GOAL` (None where it was not reached)
        and the `test_accuracy` at the end (None where it was not taken; the published recipe stops at `GOAL`).
    """
    records.ensure_writable(folder)
    cores, began = torch.get_num_threads(), time.perf_counter()
    say = functools.partial(_say, began)
    starts = {name: functools.partial(Worker, name, peers) for name in here(peers)}
    record = None if rates_only else _begun(folder, starts)
    if record is None:
        record = _rates(starts, choosing, rounds, cores, say)
        save(record, folder)
    trained = {(each["contestant"], each["seed"]) for each in record["trained"]}
    for seed in () if rates_only else TUNED_SEEDS:
        for name in timing.turn(list(starts), seed):
            if seed in seeds(name) and (name, seed) not in trained:
                say(f"training {name} with seed {seed}")
                with fresh({name: starts[name]}, 0, say) as (workers, _):
                    reached = _reached(**workers[name].ask("train", seed=seed))
                record["trained"].append({"contestant": name, "seed": seed, **reached})
                save(record, folder)
    return record


def _begun(folder, starts):
    """Return the record to go on with: it has the rates of the same contestants here, and not all of the training."""
    if not (Path(folder) / NAME).exists() or whole(folder):
        return None
    record, here = read(folder), hardware.provenance()
    same = [
        each["provenance"].get(field, here[field]) == here[field]
        for name, each in record["contestants"].items()
        for field in set(hardware.MACHINE) - {"allocator", "versions"}
    ]
    return record if {*record["contestants"]} == {*starts} and all(same) else None


def _rates(starts, choosing, rounds, cores, say):
    """Return a record without training."""
    record = {
        "contestants": {}, "costs": {}, "choosing": choosing, "limits": [], "measurements": [], "latencies": [],
        "goal_on": "validation images", "trained": [],
    }  # fmt: skip
    for number in range(choosing + rounds):
        say(f"round {number + 1} of {choosing + rounds}")
        with Worker("limits") as limits:
            record["limits"].append(limits.ask("limits", threads=cores))
        counts = number >= choosing
        chosen = [choose(record["measurements"], cores, rate) for rate in RATES] if counts else []
        with fresh(starts, number, say) as (workers, when):
            for name, worker in workers.items():
                if name not in record["contestants"]:
                    record["contestants"][name] = {
                        "start_seconds": worker.start_seconds,
                        "first_step_seconds": worker.first_step_seconds,
                        "provenance": hardware.provenance() | worker.provenance,
                    }
                    if name.startswith("stock"):
                        record["costs"][name] = worker.ask("cost", batch=256)
                its = {batches[name] for batches in chosen if name in batches}
                for batch, threads in _conditions(name, its, cores):
                    rates = worker.ask("rates", batch=batch, threads=threads, seconds=SECONDS)
                    what = {"round": number, "contestant": name, "batch": batch, "threads": threads}
                    record["measurements"].append(what | {"busy": when["busy_percent"]} | rates)
                if counts:
                    latency = worker.ask("latency", threads=cores, seconds=SECONDS / 2)
                    record["latencies"].append({"round": number, "contestant": name, "milliseconds": latency})
    return record


def _conditions(name, chosen, cores):
    """Return the batch sizes and numbers of threads that a contestant is measured with in a round."""
    if chosen:
        batches = chosen | ({BATCHES[0]} if name in REFERENCES else set())
        return [(batch, cores) for batch in sorted(batches)]
    threads = {cores} if name in PEERS else {1, cores}
    conditions = [(batch, number) for batch in BATCHES for number in sorted(threads)]
    if name.endswith(TUNED) or name in {*PEERS} - {*BY_XLA}:
        conditions += [(batch, cores) for batch in LARGE]
    return conditions


def seeds(name):
    """Return the seeds that a contestant is trained with to `GOAL`; a peer is not."""
    if name in PEERS:
        return ()
    return TUNED_SEEDS if name.endswith(TUNED) else SEEDS


def choose(measurements, cores, rate="images_per_second"):
    """Return the batch size with which each contestant is fastest with all threads, by the median of the rounds.

    Parameters
    ----------
    measurements : list of dict
        As `measure` records them.
    cores : int
    rate : str, optional
        One of `RATES`; contestants without it are left out.
    """
    rates = {}
    for each in measurements:
        if each["threads"] == cores and rate in each:
            rates.setdefault(each["contestant"], {}).setdefault(each["batch"], []).append(each[rate])
    return {name: max(its, key=lambda batch: np.median(its[batch])) for name, its in rates.items()}


def whole(folder):
    """Tell whether the folder of a machine has a benchmark with the training to `GOAL` of every contestant."""
    if not (Path(folder) / NAME).exists():
        return False
    record = read(folder)
    trained = {(each["contestant"], each["seed"]) for each in record["trained"]}
    return trained >= {(name, seed) for name in record["contestants"] for seed in seeds(name)}


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


def compare(questions, rounds=6, seconds=0.2):
    """Ask several workers for their rates in turns, for a notebook.

    Parameters
    ----------
    questions : dict of str to (Worker, int, int)
        As `worker.in_turns` takes them.
    rounds, seconds : optional

    Returns
    -------
    pandas.DataFrame
        Images per second, a column for each name, a row for each round.
    """
    import pandas as pd

    return pd.DataFrame(in_turns(questions, rounds, seconds))


def profiles(workers, batch, rounds=5):
    """Profile a step of several workers in turns, for a notebook.

    Parameters
    ----------
    workers : dict of str to Worker
    batch : int
    rounds : int, optional

    Returns
    -------
    dict of str to dict
        By worker, the milliseconds of each operator as `measure.contestants` profiles them: the median of the rounds,
        where one without the operator counts as 0.
    """
    measured = {name: [] for name in workers}
    for number in range(rounds):
        for name in timing.turn(list(workers), number):
            measured[name].append(workers[name].ask("profile", batch=batch))
    return {
        name: {
            operator: float(np.median([each.get(operator, 0.0) for each in its]))
            for operator in dict.fromkeys(itertools.chain(*its))
        }
        for name, its in measured.items()
    }


def _reached(history, test_accuracy):
    """Return the seconds of training and the epochs until the goal, and the accuracy at the end."""
    seconds = 0.0
    to_goal = {"seconds": None, "epochs": None}
    for epoch in history:
        seconds += epoch["seconds"]
        if epoch["valid_accuracy"] >= GOAL:
            to_goal = {"seconds": seconds, "epochs": epoch["epoch"]}
            break
    return to_goal | {"test_accuracy": test_accuracy}


def _say(started, text):
    print(f"{time.perf_counter() - started:6.0f} s  {text}", file=sys.stderr, flush=True)
