"""The benchmark: every way to train this network, one process per row, interleaved in rounds."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from codealong import ROOT, CourseError, files, hardware, limits
from codealong.arms import ARMS

PUBLISHED, TUNED = "published", " tuned"
ROWS = (PUBLISHED, *ARMS, *(arm + TUNED for arm in ARMS))
PEERS = {"keras": "keras_peer.py", "jax": "jax_peer.py"}
BATCHES = (64, 256, 1024)
ROUNDS = 6
SECONDS = 0.5
SEEDS = (0, 1, 2)
GOAL = 0.91
"""Test accuracy that the time is measured to."""

PEERS_FOLDER = Path(__file__).parent / "peers"
RESULT = ROOT / "build" / "bench.json"
RECORDED = Path(__file__).parent / "recorded" / "bench.json"


class BenchError(CourseError):
    """A row of the benchmark could not be measured; the message says why."""


class Worker:
    """A row of the benchmark in a process of its own, which stands still unless it is asked something.

    Parameters
    ----------
    row : str
        One of `ROWS`, of `PEERS`, or ``"limits"``.
    peers : path, optional
        The Python of the peers' environment.
    options : dict, optional
        Of `codealong.worker.Course`.
    **environment : str
        Variables that it gets besides, or loses where the value is None. `hardware.KEEP_MEMORY` is set
        for a tuned row and taken from any other, unless they say otherwise.

    Attributes
    ----------
    start_seconds : float
        From starting the process until it was ready, imports included.
    provenance : dict
        As `hardware.provenance` returns it there; empty for a peer.
    """

    def __init__(self, row, peers=None, options=None, **environment):
        self.row = row
        command = [sys.executable, "-m", "codealong.worker", row, json.dumps(options or {})]
        if row in PEERS:
            if not Path(peers).exists():
                raise BenchError(f"{peers} does not exist: `make bench-peers` sets up the peers' environment.")
            command = [peers, PEERS_FOLDER / PEERS[row]]
            environment |= {"PYTHONPATH": str(Path(__file__).parents[1])}
        keeps = row.endswith(TUNED) or row in ("limits", *PEERS)
        environment = (hardware.KEEP_MEMORY if keeps else dict.fromkeys(hardware.KEEP_MEMORY)) | environment
        started = time.perf_counter()
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 it lives as long as the worker
        self._process = subprocess.Popen(
            list(map(str, command)),
            env={key: value for key, value in (os.environ | environment).items() if value is not None},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            # A group of its own: interrupting a notebook leaves it alone, and it ends when its parent is gone.
            preexec_fn=getattr(os, "setpgrp", None),
        )
        self.provenance = self._answer()
        self.start_seconds = time.perf_counter() - started

    def ask(self, do, **how):
        """Return the answer of `codealong.worker` to one question; the process stands still again after it.

        Raises
        ------
        BenchError
            When the process is closed or died; the message ends with its last words.
        """
        if self._said.closed:
            raise BenchError(f"The process for {self.row} is closed: run the cell that starts it again.")
        self._signal("SIGCONT")
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"do": do, **how}) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def close(self):
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _signal(self, name):
        if hasattr(signal, name):  # Windows has neither
            self._process.send_signal(getattr(signal, name))

    def _answer(self):
        try:
            line = self._process.stdout.readline()
        except BaseException:  # an interrupt: what it answers later would be taken for the answer to the next question
            self.close()
            raise
        if not line:
            self._said.seek(0)
            words = self._said.read().strip().splitlines()
            self.close()
            raise BenchError(f"The benchmark's process for {self.row} died: {words[-1] if words else 'no message'}")
        # Its threads would otherwise go on spinning on the cores of whoever is measured next.
        self._signal("SIGSTOP")
        return json.loads(line)


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
            for name in names[number % len(names) :] + names[: number % len(names)]:
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
            most = limits.attainable(peaks, costs[arm], dtype) * (threads / whole)
            summary |= {
                "cost": costs[arm],
                "attainable_images_per_second": most,
                "share_of_attainable": interval(rates / most),
            }
        raw = group.drop(columns=["row", "batch", "threads"]).to_dict("records")
        rows.append(summary | {"peaks": peaks, "provenance": provenance[row], "raw": raw})
    return rows


def best(rows):
    """Return each row of the benchmark at its best batch size, with all threads, fastest first."""
    whole = max(row["threads"] for row in rows)
    fastest = {}
    for row in sorted(rows, key=lambda row: -row["images_per_second"]["median"]):
        if row["threads"] == whole:
            fastest.setdefault(row["row"], row)
    return list(fastest.values())


def table(rows):
    """Return what `best` found as a table for a reader."""
    import pandas as pd

    return pd.DataFrame(
        {
            "row": row["row"],
            "batch": row["batch"],
            "images/s": interval_text(row),
            "/ published": _text(row["ratio_to_published"], "{:.1f}"),
            "/ stock-fp32": _text(row["ratio_to_stock_fp32"], "{:.2f}"),
            "inference images/s": f"{row['inference_images_per_second']['median']:,.0f}",
            "s to 0.91": _seeds(row["seconds_to_91"], "{:.0f}"),
            "epochs": _seeds(row["epochs_to_91"], "{:.0f}"),
            "test accuracy": f"{np.mean(row['test_accuracy']):.4f}" if row["test_accuracy"] else "–",
            "peak MiB": f"{row['peak_mib']:,.0f}",
            "start s": f"{row['start_seconds']:.1f}",
            "first step s": f"{row['first_step_seconds']:.1f}",
            "% of attainable": f"{100 * row['share_of_attainable']['median']:.0f}" if "cost" in row else "–",
        }
        for row in best(rows)
    )


def report(rows):
    """Return what a person wants to read of a benchmark."""
    peaks = rows[0]["peaks"]
    costs = {row["row"]: row["cost"] for row in rows if row["row"] in ("stock-fp32", "stock-bf16")}
    per_image = "; ".join(
        f"{arm} {cost['flops'] / 1e6:.2f} MFLOP and {cost['bytes'] / 1e3:,.0f} kB" for arm, cost in costs.items()
    )
    return (
        "Each row at its best batch size, all threads: median (lowest to highest) of the rounds\n\n"
        f"{table(rows).to_string(index=False)}\n\n"
        "Times the published recipe's rate, by threads and batch size\n\n"
        f"{by_batch(rows).to_string(float_format='{:.2f}'.format)}\n\n"
        f"Limits of this machine: matrix product {peaks['fp32']:,.0f} GFLOP/s in fp32, {peaks['bf16']:,.0f} in bf16; "
        f"memory {peaks['bandwidth']:.0f} GB/s.\nA step asks per image: {per_image}. "
        "Data that stays in a cache can beat what memory allows."
    )


def by_batch(rows):
    """Return the median ratio to the published recipe by row, batch size and threads."""
    import pandas as pd

    flat = pd.DataFrame(
        {key: row[key] for key in ("row", "batch", "threads")} | {"ratio": row["ratio_to_published"]["median"]}
        for row in rows
    )
    return flat.pivot(index="row", columns=["threads", "batch"], values="ratio").loc[list(dict.fromkeys(flat["row"]))]


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

    found = {name: [] for name in questions}
    for _ in range(rounds):
        for name, (worker, batch, threads) in questions.items():
            found[name].append(worker.ask("rate", batch=batch, threads=threads, seconds=seconds))
    return pd.DataFrame({name: interval(rates) for name, rates in found.items()}).T[["low", "median", "high"]]


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


def interval_text(row):
    """Return the training rate of a row for a reader."""
    return _text(row["images_per_second"], "{:,.0f}")


def _text(interval, form):
    return " ".join((form.format(interval["median"]), f"({form} to {form})".format(interval["low"], interval["high"])))


def _seeds(values, form):
    return " ".join("never" if value is None else form.format(value) for value in values) or "–"


def _say(started, text):
    print(f"{time.perf_counter() - started:6.0f} s  {text}", file=sys.stderr, flush=True)
