"""What this machine can do at most, and what forward and backward pass ask of it: the two sides of a roofline."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

SIZE = 2048
"""Rows and columns of the matrices whose product is timed."""

COPIED_MIB = 256
"""Size of the tensor that is copied: more than the caches of most processors hold."""


def measure(threads, seconds=0.5):
    """Measure the peaks of this machine.

    Parameters
    ----------
    threads : int
    seconds : float, optional
        For each of three measurements.

    Returns
    -------
    dict
        `fp32` and `bf16`, the rate of a matrix product in GFLOP/s, and `bandwidth` of a copy in GB/s,
        reading and writing counted.
    """
    torch.set_num_threads(threads)
    left = torch.rand(SIZE, SIZE)
    source = torch.ones(COPIED_MIB * 2**18)
    copy = torch.zeros_like(source)
    half = left.bfloat16()
    work = {
        "fp32": (lambda: left @ left, 2 * SIZE**3),
        "bf16": (lambda: half @ half, 2 * SIZE**3),
        "bandwidth": (lambda: copy.copy_(source), 2 * source.nbytes),
    }
    return {name: amount / _seconds(step, threads, seconds) / 1e9 for name, (step, amount) in work.items()}


def count(step):
    """Count the floating-point operations and the bytes of a step.

    Parameters
    ----------
    step : callable
        Runs PyTorch, with operators of our own or without.

    Returns
    -------
    operations : int
        Of convolutions and matrix products, as PyTorch's own counter counts them, and of `operators.first_block`.
    moved : int
        Bytes that its operators read and write, each operator for itself.
    """
    with FlopCounterMode(display=False) as operations:
        step()
    with _BytesMoved() as moved:
        step()
    return operations.get_total_flops(), moved.bytes


def attainable(limits, cost, dtype):
    """Return the images per second at which arithmetic or memory is exhausted, whichever is first.

    Parameters
    ----------
    limits : dict
        As `measure` returns it.
    cost : dict
        `flops` and `bytes` per image.
    dtype : str
        ``"fp32"`` or ``"bf16"``.

    References
    ----------
    S. Williams, A. Waterman, D. Patterson: Roofline, Communications of the ACM 52(4), 2009.
    """
    return min(limits[dtype] * 1e9 / cost["flops"], limits["bandwidth"] * 1e9 / cost["bytes"])


class _BytesMoved(TorchDispatchMode):
    """Adds up the bytes of the tensors that operators take and return; views move nothing."""

    def __enter__(self):
        self.bytes = 0
        return super().__enter__()

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        result = operator(*args, **(kwargs or {}))
        if not operator.is_view and "empty" not in operator.__name__:
            tensors = [leaf for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, torch.Tensor)]
            self.bytes += sum(tensor.nbytes for tensor in tensors)
        return result


def _seconds(step, threads, seconds):
    from torch.utils.benchmark import Timer

    step()
    return Timer("step()", globals={"step": step}, num_threads=threads).blocked_autorange(min_run_time=seconds).median
