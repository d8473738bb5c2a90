"""A record is read as it was written, or refused with one sentence."""

import io
import json
import multiprocessing
import re
import struct
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from codealong import records

FIELDS = {"rates": [1.5, 2.0], "machine": {"threads": 2}}


@pytest.fixture
def record(tmp_path):
    records.write(tmp_path / "one.json", "test", 1, FIELDS)
    return tmp_path / "one.json"


@pytest.fixture
def zipped(tmp_path):
    records.write(tmp_path / "one.zip", "test", 1, FIELDS, {"counts": np.arange(50)})
    return tmp_path / "one.zip"


def read(path):
    return records.read(path, "test", 1, "measure it again")


def test_records_read_back_as_they_were_written(record, zipped):
    assert read(record) == (FIELDS, {})
    fields, arrays = read(zipped)
    assert fields == FIELDS and arrays.keys() == {"counts"} and np.array_equal(arrays["counts"], np.arange(50))


def test_a_number_that_was_changed_is_noticed(record):
    record.write_text(record.read_text().replace("1.5", "1.6"))
    with pytest.raises(records.RecordError, match=r"it was changed after it was written\. To go on, delete it, and "):
        read(record)


def test_a_record_that_was_only_laid_out_anew_is_read(record):
    record.write_text(json.dumps(json.loads(record.read_text()), indent=4))
    assert read(record) == (FIELDS, {})


def test_a_record_from_before_checksums_is_read(record):
    record.write_text(json.dumps({"format": "codealong test", "version": 1, **FIELDS}))
    assert read(record) == (FIELDS, {})


def test_a_record_that_lost_its_checksum_is_refused(record):
    form = json.loads(record.read_text())["format"]
    for lost in ("codealong test, SHA-256 ", "codealong test, SHA", "codealong"):
        record.write_text(record.read_text().replace(form, lost))
        form = lost
        with pytest.raises(records.RecordError, match="is refused"):
            read(record)


def test_a_newer_record_says_so(record, zipped):
    for path, arrays in ((record, None), (zipped, {})):
        records.write(path, "test", 2, FIELDS, arrays)
        with pytest.raises(records.RecordError, match="its version is 2, and this course reads version 1"):
            read(path)


def test_every_record_that_ships_has_a_checksum():
    shipped = sorted(records.RECORDED.rglob("*.json"))
    assert len(shipped) > 20
    assert not [path.name for path in shipped if records.SEAL not in json.loads(path.read_bytes())["format"]]


@pytest.fixture
def small(monkeypatch):
    """Records of 1 MiB at most, so that bombs of 16 MiB are large."""
    monkeypatch.setattr(records, "LARGEST", 2**20)


def bomb(path, compression=zipfile.ZIP_DEFLATED, size=2**24):
    """Write a record that is small on disk."""
    with zipfile.ZipFile(path, "w", compression) as record:
        record.writestr("test.json", json.dumps({"format": "codealong test", "version": 1}))
        record.writestr("counts.npy", bytes(size))
    assert path.stat().st_size < size / 500
    return path


def refused_within(mib, path):
    """Read a record that is refused, with no more than some MiB of memory; return the reason."""
    tracemalloc.start()
    try:
        with pytest.raises(records.RecordError) as problem:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < mib * 2**20
    finally:
        tracemalloc.stop()
    return str(problem.value)


@pytest.mark.usefixtures("small")
def test_a_zip_bomb_is_not_unpacked(tmp_path):
    assert "it cannot be read (it holds more than 1 MiB)" in refused_within(4, bomb(tmp_path / "one.zip"))


@pytest.mark.usefixtures("small")
def test_a_bomb_of_many_small_members_is_not_unpacked(tmp_path):
    path = bomb(tmp_path / "one.zip", size=2**19)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as record:
        for number in range(32):
            record.writestr(f"{number}.npy", bytes(2**19))
    assert "it holds more than 1 MiB" in refused_within(4, path)


@pytest.mark.usefixtures("small")
def test_a_bomb_that_lies_about_its_size_is_not_unpacked(tmp_path):
    path = bomb(tmp_path / "one.zip")
    path.write_bytes(path.read_bytes().replace(struct.pack("<L", 2**24), struct.pack("<L", 100)))
    assert "cannot be read" in refused_within(4, path)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_in_a_compression_that_knows_no_limit_is_not_unpacked(tmp_path, compression):
    assert "it is compressed in another way" in refused_within(4, bomb(tmp_path / "one.zip", compression))


def test_an_array_that_claims_to_be_larger_than_memory_is_refused(tmp_path):
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as record:
        record.writestr("test.json", json.dumps({"format": "codealong test", "version": 1}))
        record.writestr("counts.npy", member.getvalue())
    with pytest.raises(records.RecordError, match="cannot be read"):
        read(tmp_path / "one.zip")


@pytest.mark.usefixtures("small")
def test_a_json_file_that_is_too_long_is_not_read_to_its_end(record):
    with record.open("ab") as file:
        file.truncate(2**24)
    assert "it holds more than 1 MiB" in refused_within(4, record)


def test_an_array_whose_name_was_changed_is_not_taken_for_one_that_was_never_there(zipped):
    before, _, after = zipped.read_bytes().rpartition(b"counts.npy")
    zipped.write_bytes(before + b"counts.npx" + after)
    with pytest.raises(records.RecordError, match="cannot be read"):
        read(zipped)


def test_an_array_that_is_hidden_in_the_table_of_contents_is_missed(zipped):
    content = zipped.read_bytes()
    first, second = (place.start() for place in re.finditer(b"PK\x01\x02", content))
    end = content.index(b"PK\x05\x06")
    for field in (30, 32):  # the lengths of extra field and comment
        hidden = content[: first + field] + struct.pack("<H", end - second) + content[first + field + 2 :]
        zipped.write_bytes(hidden)
        with pytest.raises(records.RecordError, match="it cannot be read"):
            read(zipped)


def _ensure_often(folder, barrier):
    """Run in another process."""
    barrier.wait()
    for _ in range(300):
        records.ensure_writable(folder)


def test_eight_processes_find_at_once_that_a_folder_can_be_written(tmp_path):
    start = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    barrier = start.Barrier(8)
    processes = [start.Process(target=_ensure_often, args=(tmp_path, barrier)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 8
    assert list(tmp_path.iterdir()) == []
