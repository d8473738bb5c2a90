"""What each instruction set adds: the same training with ever newer instructions, each level in its own process."""

import functools
from pathlib import Path

import torch

from codealong import hardware, records
from codealong.measure import onednn
from codealong.measure.rounds import fresh
from codealong.measure.worker import Worker

LEVELS = {
    "AVX2": "AVX2",
    "AVX-512": "AVX512_CORE",
    "AVX-512 bf16": "AVX512_CORE_BF16",
    "AMX": "AVX512_CORE_AMX",
}
"""Names a reader knows, and the values of ``ONEDNN_MAX_CPU_ISA``, which oneDNN reads once per process."""

CONTESTANTS = ("stock-fp32 tuned", "stock-bf16 tuned")
BATCH, ROUNDS, SECONDS = 256, 6, 0.4
NAME, KIND, VERSION = "instruction-sets.json", "comparison of instruction sets", 1


def measure(rounds=ROUNDS, say=print):
    """Measure each level that this machine has, in rounds of fresh processes.

    Operators of our own, which the variable does not reach, are left out of the tuned recipe.

    Parameters
    ----------
    rounds : int, optional
    say : callable, optional
        Is told where it is.

    Returns
    -------
    dict
        `provenance`; `rounds`, as `rounds.fresh` tells of each; `levels`, a list of dict: `contestant`, `level`,
        `images_per_second`, the rate of each round; `ran_on`, the newest instruction set among the convolutions that
        oneDNN ran (None where PyTorch gave it none).
    """
    here = [level for level in LEVELS if level in hardware.processor().instruction_sets]
    starts = {
        (contestant, level): functools.partial(
            Worker, contestant, options={"operators": False}, ONEDNN_MAX_CPU_ISA=LEVELS[level]
        )
        for contestant in CONTESTANTS
        for level in here
    }
    threads = torch.get_num_threads()
    whens, measured = [], {start: {"images_per_second": []} for start in starts}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        with fresh(starts, number, say) as (workers, when):
            whens.append(when)
            for start, worker in workers.items():
                rate = worker.ask("rate", batch=BATCH, threads=threads, seconds=SECONDS)
                measured[start]["images_per_second"].append(rate)
            if number + 1 == rounds:
                for start, worker in workers.items():
                    kernels = [onednn.Kernel(*kernel) for kernel in worker.ask("kernels", batch=BATCH)]
                    measured[start]["ran_on"] = newest([each for each in kernels if each.kind == "convolution"])
    levels = [{"contestant": contestant, "level": level} | its for (contestant, level), its in measured.items()]
    return {"provenance": hardware.provenance(), "rounds": whens, "levels": levels}


def newest(kernels):
    """Return the newest instruction set that kernels ran on, or None."""
    ran = {kernel.instruction_set for kernel in kernels}
    return next((level for level in reversed(LEVELS) if level in ran), None)


def save(record, folder):
    """Write a record into the folder of a machine."""
    records.write(Path(folder) / NAME, KIND, VERSION, record)


def read(folder=records.REFERENCE):
    """Return a record, as `measure` describes it.

    Raises
    ------
    records.RecordError
    """
    again = "measure it with `python -m codealong instruction-sets`"
    record, _ = records.read(Path(folder) / NAME, KIND, VERSION, again)
    return record
