"""The benchmark: every way to train this network, one process per row, interleaved in rounds."""

import contextlib
import functools
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from codealong import ROOT, files, hardware
from codealong.arms import ARMS
from codealong.measure import roofline, timing
from codealong.measure.worker import PEERS, TUNED, BenchError, Worker

PUBLISHED = "published"
ROWS = (PUBLISHED, *ARMS, *(arm + TUNED for arm in ARMS))
BATCHES = (64, 256, 1024)
ROUNDS = 6
SECONDS = 0.5
SEEDS = (0, 1, 2)
GOAL = 0.91
"""Test accuracy that the time is measured to."""

RESULT = ROOT / "build" / "bench.json"
RECORDED = Path(__file__).parents[1] / "recorded" / "bench.json"


def usable(peers=None):
    """Return the rows that can be measured here."""
    own = [row for row in ROWS if row == PUBLISHED or ARMS[row.removesuffix(TUNED)].status().usable]
    return own + (list(PEERS) if peers else [])


def run(peers=None, rates_only=False, rounds=ROUNDS, keep=lambda rows: None):
    """Measure, saying where it is.

    Parameters
    ----------
    peers : path, optional
        The Python of an environment that has `PEERS`.
    rates_only : bool, optional
        Leave out the training to `GOAL`.
    rounds : int, optional
    keep : callable, optional
        Gets the rows when the rates are there, before the training to `GOAL` begins.

    Returns
    -------
    list of dict
        One per row, batch size and number of threads, as `summarise` makes them.
    """
    cores = torch.get_num_threads()
    names = usable(peers)
    records, machine, started = [], [], time.perf_counter()
    with contextlib.ExitStack() as opened:
        workers = {}
        for name in ["limits", *names]:
            _say(started, f"starting {name}")
            workers[name] = opened.enter_context(Worker(name, peers))
        costs = {name: workers[name].ask("cost", batch=256) for name in names if name.startswith("stock")}
        for number in range(rounds):
            busy = hardware.wait_until_idle(lambda text: _say(started, text))
            machine.append(workers["limits"].ask("limits", threads=cores))
            for name in timing.turn(names, number):
                _say(started, f"round {number + 1} of {rounds}: {name}")
                for batch in BATCHES:
                    for threads in sorted({1, cores} if name not in PEERS else {cores}):
                        rates = workers[name].ask("rates", batch=batch, threads=threads, seconds=SECONDS)
                        what = {"round": number, "row": name, "batch": batch, "threads": threads, "busy": busy}
                        records.append(what | rates)
        starts = {name: worker.start_seconds for name, worker in workers.items()}
        provenance = {name: worker.provenance or hardware.provenance() for name, worker in workers.items()}
        measured = (machine, costs, starts, provenance)
        keep(summarise(records, [], *measured))
        trained = []
        for seed in () if rates_only else SEEDS:
            for name in names:
                if name not in PEERS:
                    _say(started, f"training {name} with seed {seed}")
                    history = workers[name].ask("train", seed=seed)
                    trained.append({"row": name, "seed": seed, "history": history})
    return summarise(records, trained, *measured)


def summarise(records, trained, machine, costs, starts, provenance):
    """Turn raw measurements into the rows of ``bench.json``.

    Every interval runs from the lowest to the highest of the rounds. Six rounds make it an interval
    for the median with a confidence of 1 − 2/2⁶ = 97 % (David and Nagaraja, Order Statistics, 7.1).

    Returns
    -------
    list of dict
        `row`, `batch`, `threads`; `images_per_second`, `ratio_to_published`, `ratio_to_stock_fp32`,
        `inference_images_per_second` and `share_of_attainable` (each `median`, `low`, `high`; the
        ratios are taken round by round to those rows at batch 64 with all threads);
        `seconds_to_91`, `epochs_to_91` and `test_accuracy` of the row's own recipe, one value per seed
        (None where 0.91 was not reached; the published recipe stops there and has no `test_accuracy`);
        `peak_mib` of the first round, before larger batches left memory behind; `start_seconds` and
        the row's very first `first_step_seconds`; `attainable_images_per_second`, by the medians of
        `peaks`, with a thread's share of them; `provenance`; and `raw`, the measurements themselves.
    """
    import pandas as pd

    table = pd.DataFrame(records)
    whole = table["threads"].max()
    base = table[(table["batch"] == BATCHES[0]) & (table["threads"] == whole)].set_index("round")
    published, stock = (base[base["row"] == row]["images_per_second"] for row in (PUBLISHED, "stock-fp32"))
    peaks = pd.DataFrame(machine).median().to_dict()
    rows = []
    for (row, batch, threads), group in table.groupby(["row", "batch", "threads"], sort=False):
        rates = group.set_index("round")["images_per_second"]
        reached = [_reached(run["history"]) for run in trained if run["row"] == row]
        summary = {
            "row": row,
            "batch": int(batch),
            "threads": int(threads),
            "images_per_second": interval(rates),
            "ratio_to_published": interval(rates / published),
            "ratio_to_stock_fp32": interval(rates / stock),
            "inference_images_per_second": interval(group["inference_images_per_second"]),
            "seconds_to_91": [seconds for seconds, _ in reached],
            "epochs_to_91": [epochs for _, epochs in reached],
            "test_accuracy": [
                run["history"][-1]["valid_accuracy"] for run in trained if run["row"] == row and row != PUBLISHED
            ],
            "peak_mib": float(group.set_index("round")["peak_mib"].loc[0]),
            "start_seconds": starts[row],
            "first_step_seconds": float(table[table["row"] == row]["first_step_seconds"].iloc[0]),
        }
        if row not in PEERS:
            arm = "stock-fp32" if row == PUBLISHED else row.replace("ipex", "stock")
            dtype = "bf16" if "bf16" in row else "fp32"
            most = roofline.attainable(peaks, costs[arm], dtype) * (threads / whole)
            summary |= {
                "cost": costs[arm],
                "attainable_images_per_second": most,
                "share_of_attainable": interval(rates / most),
            }
        raw = group.drop(columns=["row", "batch", "threads"]).to_dict("records")
        rows.append(summary | {"peaks": peaks, "provenance": provenance[row], "raw": raw})
    return rows


def save(rows, path=RESULT):
    """Write the rows, whole or not at all."""
    files.write(path, (json.dumps(rows, indent=1) + "\n").encode())


def load(path=RECORDED):
    """Read the rows of a benchmark; the recorded one by default."""
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as problem:
        raise BenchError(f"{path} cannot be read ({problem}): run `make bench` to make build/bench.json.") from None


def compare(questions, rounds=3, seconds=0.4):
    """Ask several workers for their rates in turns, for a notebook.

    Parameters
    ----------
    questions : dict of str to (Worker, int, int)
        By the name of what is compared: a worker, a batch size, a number of threads.
    rounds, seconds : optional

    Returns
    -------
    pandas.DataFrame
        Images per second, one row per name: `low`, `median`, `high`.
    """
    import pandas as pd

    asked = [
        functools.partial(worker.ask, "rate", batch=batch, threads=threads, seconds=seconds)
        for worker, batch, threads in questions.values()
    ]
    found = map(interval, timing.in_turns(asked, rounds).T)
    return pd.DataFrame(found, index=list(questions))[["low", "median", "high"]]


def interval(values):
    """Return the median of some values, the lowest and the highest."""
    values = np.asarray(values, dtype=float)
    return {"median": float(np.median(values)), "low": float(values.min()), "high": float(values.max())}


def _reached(history):
    """Return the seconds of training and the epochs until the goal, or None twice."""
    seconds = 0.0
    for epoch in history:
        seconds += epoch["seconds"]
        if epoch["valid_accuracy"] >= GOAL:
            return seconds, epoch["epoch"]
    return None, None


def _say(started, text):
    print(f"{time.perf_counter() - started:6.0f} s  {text}", file=sys.stderr, flush=True)
