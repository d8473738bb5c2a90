"""What each part of the tuned path is worth: one thing changed at a time, measured in turns."""

import contextlib
import ctypes.util
from pathlib import Path

import torch

from codealong import hardware, records
from codealong.measure.worker import Worker, in_turns

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
    "torch.compile": {"options": {"compiled": True}},
    "threads bound to cores": {"environment": {"OMP_PROC_BIND": "close", "OMP_PLACES": "cores"}},
    "waiting threads sleep": {"environment": {"OMP_WAIT_POLICY": "passive"}},
    "huge pages": {"environment": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}},
    "tcmalloc": {"preload": "tcmalloc_minimal"},
    "jemalloc": {"preload": "jemalloc"},
}
"""What others recommend, each put on top; an allocator only where it is installed."""


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
        `contestant`, `batch`, `provenance`, and `images_per_second`: by variation (``"tuned"`` for the path itself), a
        list with the rate of each round.
    """
    records.ensure_writable(folder)
    variations = {"tuned": {}} | LEFT_OUT | ADDED
    threads = torch.get_num_threads()
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
            worker = Worker(how.get("contestant", CONTESTANT), options=how.get("options"), **environment)
            workers[name] = opened.enter_context(worker)
        questions = {name: (worker, BATCH, threads) for name, worker in workers.items()}
        rates = in_turns(questions, rounds, SECONDS, say)
        record = {
            "contestant": CONTESTANT,
            "batch": BATCH,
            "provenance": workers["tuned"].provenance,
            "images_per_second": rates,
        }
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
