"""The one place that knows Intel Extension for PyTorch (IPEX): whether it can run here, and its traps.

Nothing of it is imported before `load`: importing IPEX beside another torch, or on a processor
without AVX2, ends in an AttributeError or takes the process down.
"""

import contextlib
import copy
import logging
import os
import platform
import sys
from typing import NamedTuple

from codealong import CourseError, hardware

PACKAGE = "intel-extension-for-pytorch"
RELEASE = "2.8.0"
MODULE = "intel_extension_for_pytorch"

FUSED_OPTIMIZERS = ("SGD", "Adam", "Adagrad")
"""Optimizers of PyTorch of which IPEX has a step of its own on the CPU."""


CAPS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")
BELOW_AVX512 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI")
"""Variables that keep a process from newer instructions, and their values that leave no AVX-512."""


class Unusable(CourseError):
    """IPEX cannot run here; the message says why."""


class Misuse(CourseError):
    """IPEX would go wrong without a word; the message says how, and what to do instead."""


class Status(NamedTuple):
    """Whether IPEX can run here.

    Attributes
    ----------
    usable : bool
    reason : str
        Why not, or which release runs with which torch.
    validated : bool
        Whether Intel ever tested it on processors of this vendor.
    """

    usable: bool
    reason: str
    validated: bool = True


def status(bf16=False):
    """Tell whether IPEX can run here, without importing it or torch.

    Parameters
    ----------
    bf16 : bool, optional
        Whether it can train in bfloat16, too, which takes more than AVX2.

    Returns
    -------
    Status
    """
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        return Status(False, f"IPEX exists only for Linux on x86-64, and this is {system} on {machine}")
    ours, torch = hardware.version(PACKAGE), hardware.version("torch")
    if torch is None:
        return Status(False, "PyTorch is not installed")
    release = ours or RELEASE
    if release.split(".")[:2] != torch.split(".")[:2]:
        return Status(False, f"IPEX {release} runs with torch {release} only, and torch {torch} is installed")
    if ours is None:
        return Status(False, f"IPEX is not installed: pip install {PACKAGE}=={RELEASE}")
    cpu = hardware.processor()
    if "AVX2" not in cpu.instruction_sets:
        return Status(False, f"IPEX needs a processor with AVX2, and {cpu.name} has none")
    if bf16 and not {"AVX-512", "AVX-NE-CONVERT"} & set(cpu.instruction_sets):
        return Status(False, f"IPEX needs AVX-512 for bfloat16, and {cpu.name} has none")
    for variable in CAPS:
        if bf16 and (level := os.environ.get(variable, "")).upper() in BELOW_AVX512:
            return Status(
                False, f"IPEX needs AVX-512 for bfloat16, and {variable}={level} forbids it: unset {variable}"
            )
    if cpu.vendor != "GenuineIntel":
        return Status(True, f"IPEX {ours} with torch {torch}; Intel never validated it on {cpu.name}", False)
    return Status(True, f"IPEX {ours} with torch {torch}")


def load():
    """Import IPEX without its noise.

    From then on this process has other versions of some operators of PyTorch, and IPEX's own
    `torch.backends.mkldnn.verbose`, which covers both copies of oneDNN.

    Returns
    -------
    module
        `intel_extension_for_pytorch`.

    Raises
    ------
    Unusable
        When it cannot run here.
    """
    if (imported := sys.modules.get(MODULE)) is not None:
        return imported
    able = status()
    if not able.usable:
        raise Unusable(able.reason)

    # The import starts an Inductor worker that takes a whole core for about 20 s, unless told otherwise:
    # by the environment, or, since building an optimizer has already read that, by Inductor's settings.
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    if "torch._inductor.config" in sys.modules:
        sys.modules["torch._inductor.config"].compile_threads = 1
    # It creates its own kind of logger named "IPEX", and fails when a plain one is already there.
    logging.Logger.manager.loggerDict.pop("IPEX", None)
    root_handlers, disabled = logging.root.handlers[:], logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with _silent_stderr():
            import intel_extension_for_pytorch as ipex
    except (Exception, SystemExit) as problem:
        raise Unusable(f"IPEX failed to import: {type(problem).__name__}: {problem}") from problem
    finally:
        # It also calls logging.basicConfig, which makes every library's messages appear.
        logging.root.handlers[:] = root_handlers
        logging.disable(disabled)
    ipex.set_logging_level(logging.ERROR)
    return ipex


def optimize(net, optimizer, dtype):
    """Return an optimised copy of a network and the optimizer that belongs to it.

    Parameters
    ----------
    net : torch.nn.Module
        A plain network in training mode. It is left as it is: IPEX itself would change the memory
        format of its convolutions.
    optimizer : torch.optim.Optimizer
        Its optimizer, one of `FUSED_OPTIMIZERS`. From here on its `step` refuses: it would train
        nothing.
    dtype : torch.dtype
        `torch.float32`, or `torch.bfloat16` to be trained under `torch.autocast`.

    Returns
    -------
    net : torch.nn.Module
        Trains as usual. Read its weights with `plain_weights`; loading weights into it or a layer
        of it, copying and pickling it are refused, because IPEX 2.8.0 gets them wrong.
    optimizer : torch.optim.Optimizer
        The one to step, and to build a scheduler on.

    Raises
    ------
    Misuse
        For what IPEX would accept and get wrong.
    Unusable
        When IPEX cannot run here.
    """
    if _is_optimised(net) or hasattr(optimizer, "params_attr"):
        raise Misuse(
            "This network is already optimised, and optimising it twice would silently spoil its "
            "learning: build a new one, load the weights into it, then optimise that."
        )
    if not net.training:
        raise Misuse("This network is in evaluation mode: call net.train() before optimising it for training.")
    kind = type(optimizer).__name__
    if kind not in FUSED_OPTIMIZERS or type(optimizer).__module__.partition(".")[0] != "torch":
        raise Misuse(f"IPEX has no step for {kind}: use one of {', '.join(FUSED_OPTIMIZERS)}.")
    if optimizer.defaults.get("decoupled_weight_decay"):
        raise Misuse("IPEX gets Adam with decoupled_weight_decay=True wrong: set it to False.")
    if any("initial_lr" in group for group in optimizer.param_groups):
        raise Misuse(
            "A learning-rate schedule was built on this optimizer and would not reach the one that trains: "
            "optimise first, then build the schedule on the optimizer that comes back."
        )
    own = {id(parameter) for parameter in net.parameters()}
    if any(id(parameter) not in own for group in optimizer.param_groups for parameter in group["params"]):
        raise Misuse("This optimizer holds parameters of another network: build it on net.parameters().")

    able = status(bf16=str(dtype) == "torch.bfloat16")
    if not able.usable:
        raise Unusable(able.reason)

    ipex = load()
    original = optimizer
    net, optimizer = copy.deepcopy((net, optimizer))
    net, optimizer = ipex.optimize(net, optimizer=optimizer, dtype=dtype, inplace=True)
    for module in net.modules():
        for method in ("_load_from_state_dict", "__deepcopy__", "__reduce_ex__"):
            setattr(module, method, _refuse)
    original.step = _refuse_step
    return net, optimizer


def refuse_if_imported():
    """Refuse to train without IPEX in a process that has imported it.

    Raises
    ------
    Misuse
        The import replaces operators of PyTorch itself (`matmul`, `cat`, `mean` and more) for good.
    """
    if MODULE in sys.modules:
        raise Misuse(
            "This process has imported IPEX, which replaces operators of PyTorch itself: "
            "restart the kernel to train without it."
        )


def plain_weights(net):
    """Return the float32 weights of a network, as a plain network can load them.

    Parameters
    ----------
    net : torch.nn.Module
        As `optimize` returned it, or a plain one.

    Returns
    -------
    dict of str to torch.Tensor
        A copy: some entries of IPEX's own `state_dict` are the memory that training writes to.
    """
    return {name: weight.detach().clone().contiguous() for name, weight in net.state_dict().items()}


def _is_optimised(net):
    return any(hasattr(module, "params_attr") for module in net.modules())


def _refuse_step(*_, **__):
    raise Misuse("This optimizer belongs to the network before it was optimised: step the one that came back.")


def _refuse(*_, **__):
    raise Misuse(
        "Loading weights into an optimised network, copying it or pickling it gives garbage: do it "
        "with a plain network and `plain_weights`, then optimise that."
    )


@contextlib.contextmanager
def _silent_stderr():
    """Drop what C++ and Python write to file descriptor 2."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
