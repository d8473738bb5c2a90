"""What each instruction set adds: the same training with ever newer instructions, each level in its own process."""

import contextlib
from pathlib import Path

import torch

from codealong import hardware, records
from codealong.measure import onednn
from codealong.measure.worker import Worker, in_turns

LEVELS = {
    "AVX2": "AVX2",
    "AVX-512": "AVX512_CORE",
    "AVX-512 bf16": "AVX512_CORE_BF16",
    "AMX": "AVX512_CORE_AMX",
}
"""Names a reader knows, and the values of ``ONEDNN_MAX_CPU_ISA``, which oneDNN reads once per process."""

CONTESTANTS = ("stock-fp32 tuned", "stock-bf16 tuned")
BATCH, ROUNDS, SECONDS = 256, 3, 0.4
NAME, KIND, VERSION = "instruction-sets.json", "comparison of instruction sets", 1


def measure():
    """Measure each level that this machine has.

    Returns
    -------
    dict
        `provenance`, and `levels`, a list of dict: `contestant`, `level`, `images_per_second`, the rate of each round;
        `ran_on`, the newest instruction set among the convolutions that oneDNN ran (None where PyTorch gave it none).
    """
    here = [level for level in LEVELS if level in hardware.processor().instruction_sets]
    threads, levels = torch.get_num_threads(), []
    for contestant in CONTESTANTS:
        with contextlib.ExitStack() as opened:
            workers = {
                level: opened.enter_context(Worker(contestant, ONEDNN_MAX_CPU_ISA=LEVELS[level])) for level in here
            }
            questions = {level: (worker, BATCH, threads) for level, worker in workers.items()}
            rates = in_turns(questions, ROUNDS, SECONDS)
            for level, worker in workers.items():
                kernels = [onednn.Kernel(*kernel) for kernel in worker.ask("kernels", batch=BATCH)]
                convolutions = [kernel for kernel in kernels if kernel.kind == "convolution"]
                rate = {"images_per_second": rates[level], "ran_on": newest(convolutions)}
                levels.append({"contestant": contestant, "level": level, **rate})
    return {"provenance": hardware.provenance(), "levels": levels}


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
