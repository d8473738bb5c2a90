"""What each part of the tuned path is worth: one thing changed at a time, in rounds of fresh processes.

The path is the tuned recipe with PyTorch's operators; ours, which make some of its parts needless, are put on top.
"""

import ctypes.util
import functools
from pathlib import Path

import torch

from codealong import hardware, operators, records
from codealong.measure.rounds import fresh
from codealong.measure.worker import Worker

CONTESTANT = "stock-bf16 tuned"
BATCH = 512
"""The tuned recipe's own."""

ROUNDS, SECONDS = 6, 0.5
NAME, KIND, VERSION = "ablation.json", "ablation", 1

LEFT_OUT = {
    "freed memory given back": {"environment": dict.fromkeys(hardware.KEEP_MEMORY)},
    "ReLU before pooling": {"options": {"pool_first": False}},
    "channels first": {"options": {"channels_last": False}},
    "Adam not fused": {"options": {"fused": False}},
    "float32": {"contestant": "stock-fp32 tuned"},
}
"""Parts of the tuned path, each taken away."""

ADDED = {
    "operators of our own": {"options": {"operators": True}},
    "torch.compile": {"options": {"compiled": True}},
    "threads bound to cores": {"environment": {"OMP_PROC_BIND": "close", "OMP_PLACES": "cores"}},
    "waiting threads sleep": {"environment": {"OMP_WAIT_POLICY": "passive"}},
    "huge pages": {"environment": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}},
    "tcmalloc": {"preload": "tcmalloc_minimal"},
    "jemalloc": {"preload": "jemalloc"},
}
"""Our operators and what others recommend, each put on top; what is not installed, or not compiled, is left out."""


def measure(folder, rounds=ROUNDS, say=print):
    """Measure the tuned path, and each variation of it, and record them.

    Parameters
    ----------
    folder : Path
        Of the machine.
    rounds : int, optional
    say : callable, optional
        Is told where it is.

    Returns
    -------
    dict
        `contestant`, `batch`, `provenance`, `rounds` (as `rounds.fresh` tells of each) and `images_per_second`: by
        variation (``"tuned"`` for the path itself), a list with the rate of each round.
    """
    records.ensure_writable(folder)
    starts = {}
    for name, how in ({"tuned": {}} | LEFT_OUT | ADDED).items():
        options = {"operators": False} | how.get("options", {})
        if options["operators"] and operators.status() is not None:
            say(f"{name} cannot be compiled here: left out")
            continue
        environment = dict(how.get("environment", {}))
        if "preload" in how:
            library = ctypes.util.find_library(how["preload"])
            if library is None:
                say(f"{name} is not installed here: left out")
                continue
            environment = {"LD_PRELOAD": library}
        contestant = how.get("contestant", CONTESTANT)
        starts[name] = functools.partial(Worker, contestant, options=options, **environment)
    threads = torch.get_num_threads()
    measured = {name: [] for name in starts}
    record = {"contestant": CONTESTANT, "batch": BATCH, "rounds": [], "images_per_second": measured}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        with fresh(starts, number, say) as (workers, when):
            for name, worker in workers.items():
                rate = worker.ask("rate", batch=BATCH, threads=threads, seconds=SECONDS)
                measured[name].append(rate)
            record["rounds"].append(when)
            record["provenance"] = workers["tuned"].provenance
    records.write(Path(folder) / NAME, KIND, VERSION, record)
    return record


def read(folder=records.REFERENCE):
    """Return the record of an ablation, as `measure` describes it.

    Raises
    ------
    records.RecordError
    """
    record, _ = records.read(Path(folder) / NAME, KIND, VERSION, "measure it with `python -m codealong ablation`")
    return record
