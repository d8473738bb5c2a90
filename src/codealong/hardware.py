"""What this machine is: processor, instruction sets, threads, memory, versions."""

import ctypes
import datetime
import gc
import math
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from codealong import ROOT

INSTRUCTION_SETS = {
    "AVX2": {"avx2"},
    "AVX-NE-CONVERT": {"avx_ne_convert"},
    "AVX-512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "AVX-512 bf16": {"avx512_bf16"},
    "AMX": {"amx_bf16"},
}
"""Names a reader knows, and the flags by which Linux tells them."""

PACKAGES = ("torch", "torchvision", "intel-extension-for-pytorch", "numpy", "scikit-learn")
"""Packages whose version belongs to the provenance of a result."""

KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**33)}
"""Variables that make glibc keep freed tensors for the next step; it reads them as a process starts."""

MACHINE = ("processor", "model", "instruction_sets", "threads", "allocator", "system", "versions")
"""Fields of the provenance that all measurements of one machine share; the oldest records do not tell the model."""

BUSY_PERCENT, PATIENCE_SECONDS = 15, 60
"""Use of the processor above which a measurement waits, and for how long."""


class Processor(NamedTuple):
    """A processor as its operating system describes it.

    Attributes
    ----------
    name, vendor : str
        As printed on it, and ``GenuineIntel``, ``AuthenticAMD`` or the like.
    instruction_sets : tuple of str
        Those of `INSTRUCTION_SETS` that it has; empty where the system does not tell.
    model : str
        Family, model and stepping, as ``25/17/1``; names alone do not always tell processors apart.
    """

    name: str
    vendor: str
    instruction_sets: tuple
    model: str = "unknown"


def processor(cpuinfo=Path("/proc/cpuinfo")):
    """Describe the processor of this machine.

    Parameters
    ----------
    cpuinfo : Path, optional
        Linux's description of the processors; elsewhere only the name is known.

    Returns
    -------
    Processor
    """
    if not cpuinfo.exists():
        return Processor(platform.processor() or platform.machine(), "unknown", ())
    pairs = (line.partition(":") for line in cpuinfo.read_text().splitlines())
    facts = {key.strip(): value.strip() for key, _, value in pairs}
    flags = set(facts.get("flags", "").split())
    return Processor(
        facts.get("model name", platform.machine()),
        facts.get("vendor_id", "unknown"),
        tuple(name for name, needed in INSTRUCTION_SETS.items() if needed <= flags),
        "/".join(facts.get(key, "?") for key in ("cpu family", "model", "stepping")),
    )


def version(package):
    """Return the installed version of a package without its build tag, or None where it is absent."""
    try:
        return metadata.version(package).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def versions():
    """Return the installed version of each of `PACKAGES`, and of Python, by name."""
    installed = {"python": platform.python_version()}
    return installed | {package: version(package) for package in PACKAGES if version(package)}


def cores(root=Path("/")):
    """Return how many processor cores this process may use.

    Where a container or a class server grants it the time of fewer cores than it may run on, that counts, rounded up.

    Parameters
    ----------
    root : Path, optional
        Above Linux's `proc` and `sys`.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min([allowed, *(math.ceil(quota) for quota in _quotas(root))])


def _quotas(root):
    """Yield the cores' worth of time that each control group around this process grants, for those that limit it."""
    own = root / "proc" / "self" / "cgroup"
    for line in own.read_text().splitlines() if own.exists() else ():
        _, controllers, group = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "sys" / "fs" / "cgroup" / ("cpu" if controllers else "")  # version 2 names no controllers
        place = top / group.lstrip("/")
        for folder in (place, *place.parents[: len(place.parts) - len(top.parts)]):
            if (file := folder / "cpu.max").exists():
                quota, period = file.read_text().split()
            elif (file := folder / "cpu.cfs_quota_us").exists():
                quota, period = file.read_text().strip(), file.with_name("cpu.cfs_period_us").read_text()
            else:
                continue
            if quota not in ("max", "-1"):
                yield int(quota) / int(period)


def memory_gib():
    """Return the memory of this machine in GiB, as one decimal: total and available."""
    import psutil

    memory = psutil.virtual_memory()
    return round(memory.total / 2**30, 1), round(memory.available / 2**30, 1)


def allocator():
    """Name what allocates memory: a preloaded library, or the C library and its settings."""
    preloaded = [Path(name).name for name in os.environ.get("LD_PRELOAD", "").replace(":", " ").split()]
    settings = [f"{key}={os.environ[key]}" for key in sorted(os.environ) if key.startswith("MALLOC_")]
    return " ".join([*preloaded, *settings]) or "default"


def reset_peak_memory():
    """Give freed memory back and let `peak_memory_mib` count from here, where the system is Linux."""
    gc.collect()
    if sys.platform == "linux":
        if hasattr(library := ctypes.CDLL(None), "malloc_trim"):  # glibc has it
            library.malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mib():
    """Return the most memory, in MiB, that this process held since `reset_peak_memory`; now, where it isn't Linux."""
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    import psutil

    return psutil.Process().memory_info().rss / 2**20


def stolen_seconds(stat=Path("/proc/stat")):
    """Return the seconds, summed over all cores, that the host of this machine gave to others since it started.

    None where the system does not tell: elsewhere than on Linux.
    """
    if not stat.exists():
        return None
    fields = stat.read_text().split("\n", 1)[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")


def memory_is_kept():
    """Tell whether this process keeps freed memory, as the tuned recipe wants it."""
    return "LD_PRELOAD" in os.environ or all(key in os.environ for key in KEEP_MEMORY)


def wait_until_idle(say):
    """Wait for other processes to leave the cores alone.

    Parameters
    ----------
    say : callable
        Gets a sentence while it waits.

    Returns
    -------
    float
        The use of the processor that is left, in percent.
    """
    import psutil

    until = time.perf_counter() + PATIENCE_SECONDS
    while (use := psutil.cpu_percent(interval=0.5)) > BUSY_PERCENT:
        if time.perf_counter() > until:
            say(f"the machine is still busy ({use:.0f} %): measuring anyway, and noting it")
            break
        say(f"waiting: other processes use {use:.0f} % of the machine")
    return use


def commit():
    """Return the commit of this course, with ``-dirty`` where files differ from it, or None where git cannot tell."""
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=ROOT, capture_output=True, text=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() or None


def provenance():
    """Describe where and with what a result came to be.

    Returns
    -------
    dict
        Processor, its model and instruction sets, cores, threads, memory, allocator, system, kernel, versions, commit
        of the course and the date (UTC), all of it plain enough for JSON.
    """
    import torch

    cpu = processor()
    return {
        "processor": cpu.name,
        "model": cpu.model,
        "instruction_sets": list(cpu.instruction_sets),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "memory_gib": memory_gib()[0],
        "allocator": allocator(),
        "system": f"{platform.system()} {platform.machine()}",
        "kernel": platform.release(),
        "versions": versions(),
        "commit": commit(),
        "ipex_imported": "intel_extension_for_pytorch" in sys.modules,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
