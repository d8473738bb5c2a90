"""Compiles the course's C++ for this processor, once, and loads it."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from codealong import ROOT, CourseError, files, hardware

FOLDER = ROOT / "build" / "native"

FLAGS = ("-std=c++17", "-O3", "-march=native", "-fopenmp", "-fPIC", "-shared")
"""Without ``-ffast-math``, which takes NaN for a number like any other."""


class Uncompiled(CourseError):
    """C++ cannot be compiled here; the message says why, and what to do."""


def compiler():
    """Return the command of a C++ compiler: `CXX`, else the first that is installed, else None."""
    return os.environ.get("CXX") or next(filter(None, map(shutil.which, ("g++", "clang++"))), None)


def load(source, folder=FOLDER):
    """Compile a C++ source, unless this processor's code is there already, and load it.

    torch has to be imported before: the loops then share its threads, instead of fighting them for the cores.

    Parameters
    ----------
    source : str
        With functions that are ``extern "C"``.
    folder : Path, optional
        Where the machine code is kept.

    Returns
    -------
    ctypes.CDLL

    Raises
    ------
    Uncompiled
    """
    command = compiler()
    if command is None:
        raise Uncompiled("there is no C++ compiler: install g++ (Debian and Ubuntu: sudo apt install g++)")
    what = repr((source, command, FLAGS, hardware.processor()))
    library = Path(folder) / f"{hashlib.sha256(what.encode()).hexdigest()[:16]}.so"
    if not library.exists():
        code = _compile(source, command)
        try:
            files.write(library, code)
        except OSError as problem:
            raise Uncompiled(f"{folder} cannot be written ({problem.strerror})") from None
    try:
        return ctypes.CDLL(str(library))
    except OSError as problem:
        raise Uncompiled(f"{library} cannot be loaded ({problem}): delete it") from None


def _compile(source, command):
    with tempfile.TemporaryDirectory() as folder:
        text, code = Path(folder, "source.cpp"), Path(folder, "code.so")
        text.write_text(source)
        try:
            said = subprocess.run([command, *FLAGS, str(text), "-o", str(code)], capture_output=True, text=True)
        except OSError as problem:
            raise Uncompiled(f"{command} does not start ({problem.strerror})") from None
        if said.returncode:
            first = next((line for line in said.stderr.splitlines() if "error" in line), said.stderr.strip())
            raise Uncompiled(f"{command} cannot compile it ({first})")
        return code.read_bytes()
