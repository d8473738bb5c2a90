"""One page about this machine: what the course needs, what it found, and what to do about it."""

import platform
import sys
import tempfile
from typing import NamedTuple

from codealong import hardware, ipex_guard, sources

TESTED = {"2.8.0": "0.23.0", "2.15.0": "0.29.2"}
"""By torch, the torchvision of each environment in which the course is tested: that with IPEX, and the newest."""


class Line(NamedTuple):
    """One finding: `level` is ``ok``, ``warn`` or ``fail``."""

    level: str
    topic: str
    text: str


def examine():
    """Look at this machine.

    Returns
    -------
    list of Line
    """
    return [_python(), *_packages(), *_processor(), _threads(), _memory(), _allocator(), _operators(), _data(), _ipex()]


def report(lines):
    """Format the findings as one page."""
    failed = [line.topic for line in lines if line.level == "fail"]
    verdict = f"To fix first: {', '.join(failed)}." if failed else "The course runs here; a warning costs speed."
    return "\n".join([*(f"{line.level:5} {line.topic:18} {line.text}" for line in lines), "", verdict])


def _python():
    level = "ok" if (3, 10) <= sys.version_info < (3, 15) else "fail"
    return Line(level, "Python", f"{platform.python_version()} (3.10 to 3.14 are needed)")


def _packages():
    torch = hardware.version("torch")
    its_torchvision = [TESTED[torch]] if torch in TESTED else TESTED.values()
    for package, tested in (("torch", TESTED), ("torchvision", its_torchvision)):
        installed = hardware.version(package)
        if installed in tested:
            yield Line("ok", package, installed)
        else:
            needed = " or ".join(tested)
            yield Line("fail", package, f"{installed or 'missing'}, and the course needs {needed}: run `make course`")


def _processor():
    cpu = hardware.processor()
    intel = cpu.vendor == "GenuineIntel"
    yield Line("ok", "processor", cpu.name) if intel else Line("warn", "processor", f"{cpu.name}, which is not Intel's")
    slower = {
        "AVX2": ("fail", "IPEX needs it, and float32 is slow without it"),
        "AVX-512": ("warn", "float32 uses AVX2; stock-bf16 takes minutes for an epoch, and ipex-bf16 can't run"),
        "AVX-512 bf16": ("warn", "stock-bf16 runs, but slower than float32"),
        "AMX": ("warn", "bf16 uses AVX-512 where that exists, not matrix tiles"),
    }
    if not cpu.instruction_sets:
        yield Line("warn", "instruction sets", "this system does not say; the stock arms run anyway")
        return
    for name, (level, consequence) in slower.items():
        has = name in cpu.instruction_sets
        yield Line("ok" if has else level, name, "yes" if has else f"no: {consequence}")


def _threads():
    try:
        import torch
    except ImportError:
        return Line("fail", "threads", "unknown without torch")
    threads, cores = torch.get_num_threads(), hardware.cores()
    if threads > cores:
        return Line("warn", "threads", f"{threads} on {cores} cores, where they wait: set OMP_NUM_THREADS to {cores}")
    return Line("ok", "threads", f"{threads} on {cores} cores")


def _memory():
    total, available = hardware.memory_gib()
    return Line("ok" if available >= 2 else "warn", "memory", f"{total} GiB, {available} GiB available (2 are enough)")


def _allocator():
    kept = "" if hardware.memory_is_kept() else "; `python -m codealong train ARM --tuned` sets its own"
    return Line("ok", "memory allocator", hardware.allocator() + kept)


def _operators():
    try:
        from codealong import operators
    except ImportError:
        return Line("fail", "operators", "unknown without torch")
    problem = operators.status()
    if problem:
        return Line("warn", "operators", f"stock PyTorch computes what our own would: {problem}")
    return Line("ok", "operators", "our own are compiled, and run")


def _data():
    raw = sources.raw_folder()
    try:
        for name in sources.SHA256:
            sources.read(name, raw)
        return Line("ok", "data", f"verified, in {sources.folder()}")
    except FileNotFoundError as problem:
        lacking = Line("warn", "data", f"{problem}: `make course` fetches it")
    except (sources.DataError, OSError) as problem:
        lacking = Line("fail", "data", f"{problem}: `make course` replaces it")
    if problem := _unwritable(raw):
        return Line("fail", "data", f"{problem}: set CODEALONG_DATA to a folder that can be written")
    return lacking


def _unwritable(folder):
    """Say why no file can be put into a folder that may have to be made first, or return None."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            return None
    except OSError as problem:
        return f"{nearest} cannot be written ({problem.strerror})"


def _ipex():
    able = ipex_guard.status()
    return Line("ok" if able.usable and able.validated else "warn", "IPEX", able.reason)
