"""Records: files that say what was measured where, written whole or not at all, read whole or refused.

A record is a JSON file, whose format is followed by a checksum of the rest. One with arrays is a zip file, which has
checksums of its own, with the JSON file and one ``.npy`` file for each array in it.
"""

import hashlib
import io
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from codealong import ROOT, CourseError, files

RECORDED = Path(__file__).parent / "recorded"
"""What ships with the course: a folder for each machine. Only `--into` writes there."""

REFERENCE = RECORDED / "amd-epyc-avx512-bf16"
"""The machine from which notebooks and README are written."""

OWN = ROOT / "build" / "measured"
"""Where what a learner measures goes."""

LARGEST = 2**26
"""Bytes that a record may unpack to, a hundred times what the largest one needs: a zip file of 1 MB can hold 1 GB."""

SEAL = ", SHA-256 "
"""Between the format of a JSON file and its checksum; records from before there was one are read, too."""

_UNREADABLE = (
    OSError,
    MemoryError,
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    EOFError,
    zlib.error,
    NotImplementedError,
    RuntimeError,
)
"""What zipfile, json and numpy raise for a file that is not what they expect."""


class RecordError(CourseError):
    """A record cannot be written, or is missing, damaged, foreign or newer than this course; the message says which."""


def write(path, kind, version, fields, arrays=None):
    """Write a record, whole or not at all; an earlier one is replaced.

    Parameters
    ----------
    path : Path
        Its folder is made where it is missing.
    kind : str
        Such as ``"run"``.
    version : int
        Of the fields of this kind.
    fields : dict
        Plain enough for JSON.
    arrays : dict of str to numpy.ndarray, optional
        By name.

    Raises
    ------
    RecordError
        When the folder cannot be written; an earlier record is kept.
    """
    form = f"codealong {kind}" + (f"{SEAL}{_checksum(version, fields)}" if arrays is None else "")
    text = json.dumps({"format": form, "version": version, **fields}, indent=1) + "\n"
    content = io.BytesIO(text.encode())
    if arrays is not None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as record:
            record.writestr(f"{kind}.json", text)
            for name, array in arrays.items():
                member = io.BytesIO()
                np.save(member, array)
                record.writestr(f"{name}.npy", member.getvalue())
    try:
        files.write(path, content.getvalue())
    except OSError as problem:
        raise _unwritable(path.parent, problem) from None


def read(path, kind, version, again):
    """Read a record.

    Parameters
    ----------
    path : Path
    kind, version
        As it was written.
    again : str
        What makes it again, as an imperative; for the message.

    Returns
    -------
    fields : dict
    arrays : dict of str to numpy.ndarray
        Empty for a JSON file.

    Raises
    ------
    RecordError
        When it is missing, damaged, foreign, or newer than this course.
    """
    arrays = {}
    try:
        if path.suffix == ".zip":
            members = _unpacked(path)
            fields = json.loads(members.pop(f"{kind}.json", "null"))
            arrays = {name.removesuffix(".npy"): _array(content) for name, content in members.items()}
        else:
            with path.open("rb") as file:
                fields = json.loads(_within(LARGEST, file))
    except FileNotFoundError:
        raise RecordError(f"{path} does not exist: {again}.") from None
    except _UNREADABLE as problem:
        raise refused(path, f"it cannot be read ({problem})", again) from None
    form, sealed, checksum = str(fields.pop("format", "")).partition(SEAL) if isinstance(fields, dict) else ("", "", "")
    if form != f"codealong {kind}":
        raise refused(path, f"it is not the record of a {kind}", again)
    if (its := fields.pop("version", None)) != version:
        raise refused(path, f"its version is {its}, and this course reads version {version}", again)
    if sealed and checksum != _checksum(version, fields):
        raise refused(path, "it was changed after it was written", again)
    return fields, arrays


def refused(path, problem, again):
    """Return the error for a record that is not what it should be.

    Parameters
    ----------
    path : Path
    problem : str
        What is wrong, as a sentence about "it" or "its".
    again : str
        What makes it again, as an imperative.
    """
    cure = "restore it from the repository" if RECORDED in path.resolve().parents else f"delete it, and {again}"
    return RecordError(f"{path} is refused: {problem}. To go on, {cure}.")


def ensure_writable(folder):
    """Raise RecordError where `write` would, before time is spent on what is to be recorded."""
    folder = Path(folder)
    try:
        files.write(folder / ".writable", b"")
        (folder / ".writable").unlink(missing_ok=True)  # another process may have been faster
    except OSError as problem:
        raise _unwritable(folder, problem) from None


def _checksum(version, fields):
    return hashlib.sha256(json.dumps([version, fields]).encode()).hexdigest()


def _unpacked(path):
    """Return the content of each member of a zip file, by name."""
    contents, left = {}, LARGEST
    with zipfile.ZipFile(path) as record:
        for member in record.infolist():
            if member.comment:
                raise ValueError("its table of contents is damaged")  # a wrong length hides the members after it
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("it is compressed in another way")  # which zipfile unpacks without a limit
            with record.open(member) as file:
                contents[member.filename] = _within(left, file)
            left -= len(contents[member.filename])
    return contents


def _within(limit, file):
    content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it holds more than {LARGEST >> 20} MiB")
    return content


def _array(content):
    return np.load(io.BytesIO(content), allow_pickle=False)


def _unwritable(folder, problem):
    return RecordError(
        f"{folder} cannot be written ({problem.strerror}): choose another folder, with CODEALONG_RUNS or --into."
    )
