"""Finds or fetches the four files of Fashion-MNIST, verified by their SHA-256."""

import contextlib
import gzip
import hashlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from codealong import ROOT, CourseError, files

SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""SHA-256 of each file after decompression."""

LARGEST = 16 + 60_000 * 28 * 28
"""Bytes of the largest of them: reading stops there, since a file of 1 MB can unpack to 1 GB."""

DEBIAN_PACKAGE = "dataset-fashion-mnist"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

ORIGIN = "origin.txt"
"""Beside the files: which source they came from."""

CONNECT_SECONDS = 5


class DataError(CourseError):
    """The data set cannot be had; the message says what was tried and what to do next."""


def folder():
    """Return the data folder: `CODEALONG_DATA` (relative to the project) if that is set, else `data/`."""
    return ROOT / (os.environ.get("CODEALONG_DATA") or "data")


def raw_folder(root=None):
    """Return where the files stand below the data folder `root`: where torchvision expects them."""
    return Path(root or folder()) / "FashionMNIST" / "raw"


def read(name, where):
    """Return the verified content of one file.

    Parameters
    ----------
    name : str
        One of the keys of `SHA256`.
    where : Path
        Folder that holds the file, as it is or compressed as `name.gz`, or both.

    Returns
    -------
    bytes

    Raises
    ------
    FileNotFoundError
        When it is not there.
    DataError
        When it is there and is not what was published.
    """
    problem = FileNotFoundError(f"{name} is not in {where}")
    for path, opened in ((where / name, open), (where / f"{name}.gz", gzip.open)):
        try:
            with opened(path, "rb") as file:
                content = file.read(LARGEST + 1)
        except FileNotFoundError:
            continue
        except (EOFError, gzip.BadGzipFile, zlib.error):
            problem = DataError(f"{path.name} is not a whole gzip file")
            continue
        digest = hashlib.sha256(content).hexdigest()
        if digest == SHA256[name]:
            return content
        problem = DataError(f"{path.name} is damaged: its SHA-256 starts {digest[:8]}, not {SHA256[name][:8]}")
    raise problem


def obtain(root=None):
    """Make sure that the data folder holds the four files, whole and verified.

    The data folder itself is looked at first, then an installed Debian package, torchvision's
    download, and the Debian package unpacked without installing it.

    Parameters
    ----------
    root : path, optional
        The data folder; `folder()` by default.

    Returns
    -------
    str
        Where the files came from, now or when they were fetched.

    Raises
    ------
    DataError
        When no source has them, or the folder cannot be written.
    """
    raw = raw_folder(root)
    problems = {}
    for name in SHA256:
        try:
            read(name, raw)
        except (DataError, OSError) as problem:
            problems[name] = problem
    if not problems:
        return origin(root)

    for problem in problems.values():
        if isinstance(problem, DataError):
            print(f"{problem}; it is being replaced.", file=sys.stderr)
    tried = [f"the data folder: {next(iter(problems.values()))}"]
    for label, source in _SOURCES.items():
        try:
            with tempfile.TemporaryDirectory() as scratch:
                place = source(Path(scratch))
                contents = {name: read(name, place) for name in problems}
        except Exception as problem:  # whatever one source fails with, the next is tried
            tried.append(f"{label}: {' '.join(str(problem).split()) or type(problem).__name__}")
            continue
        for name, content in contents.items():
            _write(raw / name, content)
        _write(raw.parent / ORIGIN, label.encode())
        return label
    raise DataError(
        "Fashion-MNIST could not be found or fetched. Tried\n  - " + "\n  - ".join(tried) + "\n"
        f"Get the four files from https://github.com/zalandoresearch/fashion-mnist on any machine, "
        f"put them (as .gz or unpacked) into {raw}, and run the same command again."
    )


def origin(root=None):
    """Return where the files of the data folder came from, as `obtain` noted it."""
    try:
        return (raw_folder(root).parent / ORIGIN).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "the data folder"


def _write(path, content):
    try:
        files.write(path, content)
    except OSError as problem:
        raise DataError(
            f"{path.parent} cannot be written ({problem.strerror}): set CODEALONG_DATA to a folder that can."
        ) from None


def _installed_package(_):
    if not DEBIAN_FOLDER.exists():
        raise DataError(f"{DEBIAN_FOLDER} does not exist")
    return DEBIAN_FOLDER


def _torchvision_download(scratch):
    from torchvision.datasets import FashionMNIST

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(CONNECT_SECONDS)
    silence = io.StringIO()
    try:
        with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
            FashionMNIST(scratch, download=True)
    finally:
        socket.setdefaulttimeout(before)
    return raw_folder(scratch)


def _unpacked_package(scratch):
    if not shutil.which("apt-get"):
        raise DataError("this system has no apt-get")
    quick = [f"Acquire::{kind}::Timeout={CONNECT_SECONDS}" for kind in ("http", "https")]
    quick += ["Acquire::Retries=0"]
    # Package lists of our own, so that neither root nor an earlier `apt-get update` is needed.
    own = [f"Dir::State::Lists={scratch}/lists", f"Dir::Cache={scratch}/cache"]
    own += ["APT::Sandbox::User=root"] if os.geteuid() == 0 else []

    def apt_get(options, *words, seconds):
        flags = [flag for option in options for flag in ("-o", option)]
        command = ["apt-get", *flags, *words]
        try:
            return subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise DataError(f"`apt-get {words[0]}` did not answer within {seconds} s") from None

    for part in ("lists/partial", "cache/archives/partial"):
        (scratch / part).mkdir(parents=True)
    got = apt_get(quick, "download", DEBIAN_PACKAGE, seconds=600)
    if "Unable to locate package" in got.stderr:
        updated = apt_get(quick + own, "update", seconds=30)
        got = apt_get(quick + own, "download", DEBIAN_PACKAGE, seconds=600)
        got.stderr += updated.stderr
    if got.returncode:
        raise DataError(f"apt-get says {got.stderr.strip() or got.returncode}")
    (package,) = scratch.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, scratch / "unpacked"], check=True, capture_output=True)
    return scratch / "unpacked" / DEBIAN_FOLDER.relative_to("/")


_SOURCES = {
    f"Debian's installed package {DEBIAN_PACKAGE}": _installed_package,
    "torchvision's download": _torchvision_download,
    f"Debian's package {DEBIAN_PACKAGE}, unpacked without installing": _unpacked_package,
}
