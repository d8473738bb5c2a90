"""The ladder of instruction sets: the same training with ever newer instructions, each level in its own process."""

import contextlib
import json
from pathlib import Path

import torch

from codealong import files, hardware, replay
from codealong.measure import benchmark, onednn
from codealong.measure.worker import Worker

LEVELS = {
    "AVX2": "AVX2",
    "AVX-512": "AVX512_CORE",
    "AVX-512 bf16": "AVX512_CORE_BF16",
    "AMX": "AVX512_CORE_AMX",
}
"""Names a reader knows, and the values of ``ONEDNN_MAX_CPU_ISA``, which oneDNN reads once per process."""

ROWS = ("stock-fp32 tuned", "stock-bf16 tuned")
BATCH = 256
RECORDED = Path(__file__).parents[1] / "recorded" / "ladder.json"


def measure(rows=ROWS):
    """Measure each level that this machine has; at `CODEALONG_SPEED=recorded`, show the recorded ladder instead.

    Parameters
    ----------
    rows : sequence of str, optional
        Rows of the benchmark.

    Returns
    -------
    list of dict
        `row`, `level`, `images_per_second` (`low`, `median`, `high`), `ran_on`, the newest instruction
        set among the convolutions that oneDNN ran (None where PyTorch gave it none), and the `provenance`.
    """
    if replay.recorded():
        steps = json.loads(RECORDED.read_text())
        print(replay.shown(steps[0]["provenance"]))
        return steps
    here = [level for level in LEVELS if level in hardware.processor().instruction_sets]
    steps = []
    for row in rows if here else ():
        with contextlib.ExitStack() as opened:
            workers = {level: opened.enter_context(Worker(row, ONEDNN_MAX_CPU_ISA=LEVELS[level])) for level in here}
            rates = benchmark.compare(
                {level: (worker, BATCH, torch.get_num_threads()) for level, worker in workers.items()}
            )
            for level, worker in workers.items():
                kernels = [onednn.Kernel(*kernel) for kernel in worker.ask("kernels", batch=BATCH)]
                steps.append(
                    {
                        "row": row,
                        "level": level,
                        "images_per_second": rates.loc[level].to_dict(),
                        "ran_on": newest(kernel for kernel in kernels if kernel.kind == "convolution"),
                        "provenance": worker.provenance,
                    }
                )
    return steps


def newest(kernels):
    """Return the newest instruction set that kernels ran on, or None."""
    ran = {kernel.instruction_set for kernel in kernels}
    return next((level for level in reversed(LEVELS) if level in ran), None)


def with_recorded(steps):
    """Add the recorded result of each level that this machine does not have, where there is one."""
    measured = {(step["row"], step["level"]) for step in steps}
    return steps + [step for step in json.loads(RECORDED.read_text()) if (step["row"], step["level"]) not in measured]


def save(steps, path=RECORDED):
    """Write a ladder, whole or not at all."""
    files.write(path, (json.dumps(steps, indent=1) + "\n").encode())
