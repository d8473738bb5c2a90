"""oneDNN's verbose output: which kernels ran, on which instruction set, for how long."""

import math
import os
import re
import sys
import tempfile
from typing import NamedTuple

INSTRUCTION_SETS = {
    "amx": "AMX",
    "avx512_core_bf16": "AVX-512 bf16",
    "avx512_core_fp16": "AVX-512 bf16",
    "avx10_1_512": "AVX-512 bf16",
    "avx512": "AVX-512",
    "avx2": "AVX2",
}
"""Part of the name of an implementation, and the instruction set it means, the most telling first."""


class Kernel(NamedTuple):
    """One primitive that oneDNN executed.

    Attributes
    ----------
    kind : str
        ``convolution``, ``inner_product``, ``matmul``, ``reorder`` or another.
    direction : str
        ``forward_training``, ``backward_data``, ``backward_weights``, or ``undef``.
    implementation : str
        Such as ``brg_conv_fwd:avx512_core_bf16``.
    problem : str
        Its shapes in oneDNN's letters, such as ``mb128_ic1oc16_ih28…``.
    milliseconds : float
    """

    kind: str
    direction: str
    implementation: str
    problem: str
    milliseconds: float

    @property
    def instruction_set(self):
        """The instruction set by the name this course uses, or None where the name does not tell."""
        return next((name for part, name in INSTRUCTION_SETS.items() if part in self.implementation), None)

    @property
    def operations(self):
        """Multiplications and additions of a convolution or a product, by its shapes; None for another kind."""
        if self.kind == "matmul":
            left, right = ([*map(int, shape.split("x"))] for shape in self.problem.split(":"))
            return 2 * math.prod(left) * right[-1]
        size = {name: int(number) for name, number in re.findall(r"([a-z]+)(\d+)", self.problem)}
        if self.kind == "inner_product":
            return 2 * size["mb"] * size["ic"] * size.get("ih", 1) * size.get("iw", 1) * size["oc"]
        if self.kind == "convolution":
            outputs = size["mb"] * size["oc"] * size["oh"] * size["ow"]
            return 2 * outputs * size["ic"] // size.get("g", 1) * size["kh"] * size["kw"]
        return None


def parse(text):
    """Read the kernels out of verbose output; other lines are passed over.

    Parameters
    ----------
    text : str
        Lines such as ``onednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx2,…``, with a timestamp
        after the version or without.

    Returns
    -------
    list of Kernel
    """
    kernels = []
    for line in text.splitlines():
        _, executed, fields = line.partition(",primitive,exec,")
        fields = fields.split(",")
        if line.startswith("onednn_verbose") and executed and len(fields) == 9:
            _engine, kind, implementation, direction, *_, problem, milliseconds = fields
            kernels.append(Kernel(kind, direction, implementation, problem, float(milliseconds)))
    return kernels


def listen(step):
    """Return the kernels that a function runs.

    Parameters
    ----------
    step : callable
        IPEX, where it is used, has to be imported before.

    Returns
    -------
    list of Kernel
    """
    import torch

    return parse(_heard(step, torch.backends.mkldnn.VERBOSE_ON))


def generated(step):
    """Return how many kernels a function has oneDNN generate, because none of their kind and shape was kept."""
    import torch

    return _heard(step, torch.backends.mkldnn.VERBOSE_ON_CREATION).count("create:cache_miss")


def _heard(step, level):
    import torch

    # oneDNN writes to file descriptor 1, past Python.
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 1)
        try:
            with torch.backends.mkldnn.verbose(level):
                step()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
        heard.seek(0)
        return heard.read().decode()
