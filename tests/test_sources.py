"""The data is verified whatever its source, whole or not there, and fetched from the first source that has it."""

import gzip
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import time
import tracemalloc

import pytest

from codealong import files, sources


@pytest.fixture(scope="module")
def real():
    sources.obtain()
    return sources.raw_folder()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty data folder, and no source that has anything."""
    monkeypatch.setattr(sources, "_SOURCES", {})
    return tmp_path / "data"


def offering(where):
    return {"the test's folder": lambda scratch: where}


def copied(real, folder):
    raw = sources.raw_folder(folder)
    shutil.copytree(real, raw)
    return raw


def test_an_intact_folder_needs_no_source(real, folder):
    copied(real, folder)
    assert sources.obtain(folder) == "the data folder"


def test_where_the_files_came_from_is_remembered(real, folder, monkeypatch):
    monkeypatch.setattr(sources, "_SOURCES", offering(real))
    assert sources.obtain(folder) == "the test's folder"
    monkeypatch.setattr(sources, "_SOURCES", {})
    assert sources.obtain(folder) == "the test's folder"


def test_a_damaged_file_with_an_intact_gz_beside_it_needs_no_source(real, folder):
    raw = copied(real, folder)
    labels = raw / "t10k-labels-idx1-ubyte"
    (raw / f"{labels.name}.gz").write_bytes(gzip.compress(labels.read_bytes()))
    labels.write_bytes(b"nonsense")
    assert sources.obtain(folder) == "the data folder"
    assert sources.read(labels.name, raw) == (real / labels.name).read_bytes()


def test_a_relative_folder_is_the_same_from_everywhere(monkeypatch, tmp_path):
    monkeypatch.setenv("CODEALONG_DATA", "shared")
    here = sources.folder()
    monkeypatch.chdir(tmp_path)
    assert sources.folder() == here
    assert here.is_absolute()


@pytest.mark.parametrize("problem", [ValueError("no package"), OSError("no network"), KeyError("x"), RuntimeError()])
def test_whatever_a_source_fails_with_the_next_is_tried(real, folder, monkeypatch, problem):
    def fails(_):
        raise problem

    monkeypatch.setattr(sources, "_SOURCES", {"broken": fails, "good": lambda _: real})
    assert sources.obtain(folder) == "good"


def test_files_placed_by_hand_may_be_compressed(real, folder):
    raw = copied(real, folder)
    name = "t10k-labels-idx1-ubyte"
    (raw / f"{name}.gz").write_bytes(gzip.compress((raw / name).read_bytes()))
    (raw / name).unlink()
    assert sources.obtain(folder) == "the data folder"


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: bytes([1]) + content[1:]])
def test_a_damaged_file_is_replaced_with_a_word(real, folder, monkeypatch, capsys, damage):
    raw = copied(real, folder)
    broken = raw / "t10k-labels-idx1-ubyte"
    broken.write_bytes(damage(broken.read_bytes()))
    monkeypatch.setattr(sources, "_SOURCES", offering(real))
    assert sources.obtain(folder) == "the test's folder"
    assert "t10k-labels-idx1-ubyte is damaged" in capsys.readouterr().err
    assert broken.read_bytes() == (real / broken.name).read_bytes()


def test_a_source_with_damaged_files_is_passed_over(real, folder, tmp_path, monkeypatch):
    bad = tmp_path / "bad"
    shutil.copytree(real, bad)
    (bad / "t10k-labels-idx1-ubyte").write_bytes(b"nonsense")
    monkeypatch.setattr(sources, "_SOURCES", {"bad": lambda _: bad, "good": lambda _: real})
    assert sources.obtain(folder) == "good"


def test_when_all_fail_it_says_what_was_tried_and_what_to_do(folder, monkeypatch):
    def fails(_):
        raise sources.DataError("it is closed today")

    monkeypatch.setattr(sources, "_SOURCES", {"the shop": fails})
    with pytest.raises(sources.DataError) as problem:
        sources.obtain(folder)
    message = str(problem.value)
    for part in ("the data folder: ", "the shop: it is closed today", "put them", str(sources.raw_folder(folder))):
        assert part in message
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_named(real, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setattr(sources, "_SOURCES", offering(real))
    with pytest.raises(sources.DataError, match="CODEALONG_DATA"):
        sources.obtain(blocked)


def test_a_half_downloaded_file_is_refused(real, tmp_path):
    whole = gzip.compress((real / "t10k-labels-idx1-ubyte").read_bytes())
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(sources.DataError, match="not a whole gzip file"):
        sources.read("t10k-labels-idx1-ubyte", tmp_path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_file_that_unpacks_to_more_than_any_is_not_read_to_its_end(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(sources, "LARGEST", 2**20)
    content = bytes(2**24)
    path = tmp_path / f"t10k-labels-idx1-ubyte{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    del content
    tracemalloc.start()
    try:
        with pytest.raises(sources.DataError, match="is damaged"):
            sources.read("t10k-labels-idx1-ubyte", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_no_file_is_larger_than_the_largest(real):
    assert max((real / name).stat().st_size for name in sources.SHA256) == sources.LARGEST


def test_a_note_of_the_origin_that_is_damaged_is_no_obstacle(real, folder):
    copied(real, folder)
    (sources.raw_folder(folder).parent / sources.ORIGIN).write_bytes(b"\xff\xfe")
    assert sources.obtain(folder) == "the data folder"


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        files.write(tmp_path / "new", b"content")
    assert list(tmp_path.iterdir()) == []


def _obtain(folder, real, barrier, answers):
    """Run in another process."""
    sources._SOURCES = offering(real)
    barrier.wait()
    answer = sources.obtain(folder)
    for name in sources.SHA256:  # as those who load the data do, while others may still write
        sources.read(name, sources.raw_folder(folder))
    answers.put(answer)


def test_eight_processes_on_an_empty_folder_all_succeed(real, tmp_path):
    start = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    barrier, answers = start.Barrier(8), start.Queue()
    processes = [start.Process(target=_obtain, args=(tmp_path, real, barrier, answers)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 8
    assert all(answers.get(timeout=5) in ("the test's folder", "the data folder") for _ in processes)
    assert sorted(path.name for path in sources.raw_folder(tmp_path).iterdir()) == sorted(sources.SHA256)


def test_an_unreachable_download_fails_in_seconds(tmp_path, monkeypatch):
    from torchvision.datasets import FashionMNIST

    monkeypatch.setattr(FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    start = time.perf_counter()
    with pytest.raises((RuntimeError, OSError)):
        sources._torchvision_download(tmp_path)
    assert time.perf_counter() - start < 30
    assert socket.getdefaulttimeout() is None


def test_an_apt_that_never_answers_is_given_up(tmp_path, monkeypatch):
    def hangs(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(sources.DataError, match="`apt-get download` did not answer within"):
        sources._unpacked_package(tmp_path)


def test_a_server_that_never_answers_is_given_up(tmp_path, monkeypatch):
    from torchvision.datasets import FashionMNIST

    silent = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(FashionMNIST, "mirrors", [f"http://127.0.0.1:{silent.getsockname()[1]}/"])
    monkeypatch.setattr(sources, "CONNECT_SECONDS", 1)
    start = time.perf_counter()
    with pytest.raises((RuntimeError, OSError)):
        sources._torchvision_download(tmp_path)
    assert time.perf_counter() - start < 30


def test_debian_s_package_is_unpacked_without_installing(tmp_path):
    if not shutil.which("apt-get"):
        pytest.skip("this system has no apt-get")
    try:
        found = sources._unpacked_package(tmp_path)
    except (sources.DataError, subprocess.SubprocessError) as problem:
        pytest.skip(f"Debian's archive cannot be reached: {problem}")
    assert all(sources.read(name, found) for name in sources.SHA256)
