"""What each part of the tuned path is worth: one thing changed at a time, measured in turns."""

import contextlib
import ctypes.util
import json
from pathlib import Path

import torch

from codealong import files, hardware
from codealong.measure import benchmark, timing
from codealong.measure.worker import Worker

ROW = "stock-bf16 tuned"
BATCHES = (512,)
"""The tuned recipe's own."""

ROUNDS = 6
RECORDED = Path(__file__).parents[1] / "recorded" / "ablation.json"

LEFT_OUT = {
    "freed memory given back": {"environment": dict.fromkeys(hardware.KEEP_MEMORY)},
    "ReLU before pooling": {"options": {"pool_first": False}},
    "channels first": {"options": {"channels_last": False}},
    "Adam not fused": {"options": {"fused": False}},
    "float32": {"row": "stock-fp32 tuned"},
}
"""Parts of the tuned path, each taken away."""

ADDED = {
    "torch.compile": {"options": {"compiled": True}},
    "threads bound to cores": {"environment": {"OMP_PROC_BIND": "close", "OMP_PLACES": "cores"}},
    "waiting threads sleep": {"environment": {"OMP_WAIT_POLICY": "passive"}},
    "huge pages": {"environment": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}},
    "tcmalloc": {"preload": "tcmalloc_minimal"},
    "jemalloc": {"preload": "jemalloc"},
}
"""What others recommend, each put on top; an allocator only where it is installed."""


def run(batches=BATCHES, rounds=ROUNDS, say=print):
    """Measure the tuned path, and each variation of it.

    Parameters
    ----------
    batches : sequence of int, optional
    rounds : int, optional
    say : callable, optional
        Is told where it is.

    Returns
    -------
    list of dict
        `variation` (``"tuned"`` for the path itself), `batch`, and `ratio`, its rate relative to the
        tuned path of the same round (`median`, `low`, `high`); `provenance`.
    """
    variations = {"tuned": {}} | LEFT_OUT | ADDED
    rates = {}
    with contextlib.ExitStack() as opened:
        workers = {}
        for name, how in variations.items():
            environment = dict(how.get("environment", {}))
            if "preload" in how:
                library = ctypes.util.find_library(how["preload"])
                if library is None:
                    say(f"{name} is not installed here: left out")
                    continue
                environment = {"LD_PRELOAD": library}
            say(f"starting {name}")
            worker = Worker(how.get("row", ROW), options=how.get("options"), **environment)
            workers[name] = opened.enter_context(worker)
        names = list(workers)
        provenances = {name: worker.provenance for name, worker in workers.items()}
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for batch in batches:
                for name in timing.turn(names, number):
                    rate = workers[name].ask(
                        "rate", batch=batch, threads=torch.get_num_threads(), seconds=benchmark.SECONDS
                    )
                    rates.setdefault((name, batch), []).append(rate)
    return [
        {
            "variation": name,
            "batch": batch,
            "ratio": benchmark.interval(
                [rate / tuned for rate, tuned in zip(found, rates["tuned", batch], strict=True)]
            ),
            "raw": found,
            "provenance": provenances[name],
        }
        for name in names
        for batch, found in ((batch, rates[name, batch]) for batch in batches)
    ]


def table(rows):
    """Return the ratios for a reader, one row per variation, one column per batch size."""
    import pandas as pd

    flat = pd.DataFrame(
        {
            "variation": row["variation"],
            "batch": f"batch {row['batch']:,}",
            "ratio": "{median:.2f} ({low:.2f} to {high:.2f})".format(**row["ratio"]),
        }
        for row in rows
    )
    order = list(dict.fromkeys(flat["variation"]))
    return flat.pivot(index="variation", columns="batch", values="ratio").loc[order, list(dict.fromkeys(flat["batch"]))]


def save(rows, path=RECORDED):
    """Write the rows, whole or not at all."""
    files.write(path, (json.dumps(rows, indent=1) + "\n").encode())


def load(path=RECORDED):
    """Read the recorded rows."""
    return json.loads(Path(path).read_text())
