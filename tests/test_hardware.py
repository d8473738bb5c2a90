"""What the course says of a machine: hardware and the doctor's page."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from codealong import doctor, hardware, ipex_guard, operators, sources
from codealong.__main__ import main

XEON = """processor : 0
vendor_id : GenuineIntel
cpu family : 6
model : 143
stepping : 8
model name : Intel(R) Xeon(R) Platinum 8481C
flags : fpu avx2 avx512f avx512bw avx512dq avx512vl avx512_bf16 amx_bf16 amx_tile

processor : 1
vendor_id : GenuineIntel
model name : Intel(R) Xeon(R) Platinum 8481C
flags : fpu avx2 avx512f avx512bw avx512dq avx512vl avx512_bf16 amx_bf16 amx_tile
"""


def test_a_processor_is_read_from_linux_s_description(tmp_path):
    (tmp_path / "cpuinfo").write_text(XEON)
    assert hardware.processor(tmp_path / "cpuinfo") == (
        "Intel(R) Xeon(R) Platinum 8481C",
        "GenuineIntel",
        ("AVX2", "AVX-512", "AVX-512 bf16", "AMX"),
        "6/143/8",
    )


def test_an_older_processor_lacks_what_it_lacks(tmp_path):
    (tmp_path / "cpuinfo").write_text(XEON.replace(" avx512_bf16 amx_bf16 amx_tile", ""))
    assert hardware.processor(tmp_path / "cpuinfo").instruction_sets == ("AVX2", "AVX-512")


def test_avx_512_is_only_named_where_all_of_it_is_there(tmp_path):
    (tmp_path / "cpuinfo").write_text(XEON.replace(" avx512vl", ""))
    assert "AVX-512" not in hardware.processor(tmp_path / "cpuinfo").instruction_sets


def test_a_model_that_the_system_does_not_tell_is_a_question_mark(tmp_path):
    (tmp_path / "cpuinfo").write_text("model name : a processor\n")
    assert hardware.processor(tmp_path / "cpuinfo").model == "?/?/?"


def test_stolen_seconds_are_those_of_all_cores(tmp_path):
    (tmp_path / "stat").write_text("cpu  1 2 3 4 5 6 7 850 9 0\ncpu0 1 2 3 4 5 6 7 400 9 0\n")
    assert hardware.stolen_seconds(tmp_path / "stat") == 850 / os.sysconf("SC_CLK_TCK")
    assert hardware.stolen_seconds(tmp_path / "none") is None


def test_the_commit_is_git_s_and_none_where_git_cannot_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(hardware, "ROOT", tmp_path)
    assert hardware.commit() is None
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    clean = hardware.commit()
    assert len(clean) == 12
    (tmp_path / "file").write_text("")
    subprocess.run([*git, "add", "file"], cwd=tmp_path, check=True)
    assert hardware.commit() == f"{clean}-dirty"
    monkeypatch.setenv("PATH", "")
    assert hardware.commit() is None


def test_memory_is_counted_in_gib():
    import psutil

    total, available = hardware.memory_gib()
    assert total == pytest.approx(psutil.virtual_memory().total / 1024**3, abs=0.06)
    assert 0 < available <= total


def test_too_little_memory_too_many_threads_and_another_python_are_told(monkeypatch):
    assert {topics(doctor.examine())[topic] for topic in ("memory", "threads", "Python")} == {"ok"}
    monkeypatch.setattr(hardware, "memory_gib", lambda: (2.0, 1.5))
    monkeypatch.setattr(hardware, "cores", lambda: 0)
    monkeypatch.setattr(doctor.sys, "version_info", (3, 15))
    levels = topics(doctor.examine())
    assert (levels["memory"], levels["threads"], levels["Python"]) == ("warn", "warn", "fail")


def test_without_our_own_operators_a_sentence_says_why(monkeypatch):
    monkeypatch.setattr(operators, "status", lambda: None)
    assert topics(doctor.examine())["operators"] == "ok"
    monkeypatch.setattr(operators, "status", lambda: "there is no C++ compiler: install g++")
    (line,) = [line for line in doctor.examine() if line.topic == "operators"]
    assert line.level == "warn" and line.text.endswith("what our own would: there is no C++ compiler: install g++")


def test_where_the_system_does_not_tell_nothing_is_claimed(tmp_path):
    assert hardware.processor(tmp_path / "none").instruction_sets == ()


def test_a_version_comes_without_its_build_tag():
    assert hardware.version("torch") == torch.__version__.partition("+")[0]
    assert hardware.version("no-such-package") is None


def test_the_allocator_s_settings_are_named(monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", "/usr/lib/libother.so:/usr/lib/libtcmalloc.so.4")
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    assert hardware.allocator() == "libother.so libtcmalloc.so.4 MALLOC_TRIM_THRESHOLD_=1"


ALLOWED = hardware.cores(Path("/nowhere"))
"""The cores that this process may run on, whatever it is granted."""


@pytest.fixture
def granted(tmp_path, monkeypatch):
    """Eight cores to run on; returns the function that makes control groups with quotas, and counts what is left."""
    if not hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "cpu_count", lambda: 8)
    else:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(8)})

    def cores(own, **files):
        (tmp_path / "proc" / "self").mkdir(parents=True)
        (tmp_path / "proc" / "self" / "cgroup").write_text(own)
        for name, content in files.items():
            path = tmp_path / "sys/fs/cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return hardware.cores(tmp_path)

    return cores


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/\n", {}, 8),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "3200000 100000\n"}, 8),
        ("0::/users/ada\n", {"users/ada/cpu.max": "300000 100000\n", "cpu.max": "max 100000\n"}, 3),
        ("0::/users/ada\n", {"users/cpu.max": "300000 100000\n", "users/ada/cpu.max": "max 100000\n"}, 3),
        ("0::/users/ada\n", {"users/bob/cpu.max": "100000 100000\n"}, 8),
        ("0::/docker/4711\n", {"cpu.max": "200000 100000\n"}, 2),
        ("3:cpuset:/\n1:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ("1:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "200000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 2),
        ("3:cpuset:/a\n", {"cpu/a/cpu.cfs_quota_us": "200000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 8),
    ],
)
def test_cores_are_no_more_than_a_container_grants(granted, own, files, cores):
    assert granted(own, **files) == cores


@pytest.fixture
def one_core():
    """A real control group that has the time of one core."""
    if sys.platform != "linux" or ALLOWED < 2:
        pytest.skip("there are no control groups here, or there is one core only")
    lines = (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
    own = {"cpu" if "cpu" in names.split(",") else names: group.lstrip("/") for _, names, group in lines}
    version = "cpu" if "cpu" in own else ""
    group = Path("/sys/fs/cgroup", version, own.get(version, ""), f"codealong-{os.getpid()}")
    try:
        group.mkdir()
        (group / "cpu.cfs_quota_us" if version else group / "cpu.max").write_text("100000")
    except OSError as problem:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no control group with a quota can be made here ({problem.strerror})")
    yield group
    group.rmdir()


def test_a_process_that_is_really_granted_one_core_knows_it(one_core):
    code = "from codealong import hardware; print(hardware.cores())"
    joined = f'echo $$ > {one_core / "cgroup.procs"} && exec "$0" -c "$1"'
    done = subprocess.run(["sh", "-c", joined, sys.executable, code], capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr


def test_threads_that_a_quota_keeps_waiting_are_told_with_the_cure(monkeypatch):
    monkeypatch.setattr(hardware, "cores", lambda: 1)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    (line,) = [line for line in doctor.examine() if line.topic == "threads"]
    assert line == ("warn", "threads", "2 on 1 cores, where they wait: set OMP_NUM_THREADS to 1")


def topics(lines):
    return {line.topic: line.level for line in lines}


def test_a_fit_machine_passes(capsys, monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text(XEON)
    real = hardware.processor
    monkeypatch.setattr(hardware, "processor", lambda: real(tmp_path / "cpuinfo"))
    assert main(["doctor"]) == 0
    page = capsys.readouterr().out
    for topic in ("Python", "torch", "AVX2", "AVX-512", "AMX", "threads", "memory", "data", "IPEX"):
        assert topic in page
    *lines, _, verdict = page.splitlines()
    assert {line.split()[0] for line in lines} <= {"ok", "warn"}
    assert verdict.startswith("The course runs here")


def test_the_wrong_torch_is_a_failure(monkeypatch, capsys):
    monkeypatch.setattr(hardware, "version", lambda package: "2.9.0")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert f"fail  torch              2.9.0, and the course needs {' or '.join(doctor.TESTED)}: run" in said


@pytest.mark.parametrize(("torch_version", "torchvision_version"), doctor.TESTED.items())
def test_a_tested_torch_passes_with_the_torchvision_that_belongs_to_it(monkeypatch, torch_version, torchvision_version):
    installed = {"torch": torch_version, "torchvision": torchvision_version}
    monkeypatch.setattr(hardware, "version", installed.get)
    found = topics(doctor.examine())
    assert (found["torch"], found["torchvision"]) == ("ok", "ok")
    for other in set(doctor.TESTED.values()) - {torchvision_version}:
        installed["torchvision"] = other
        assert topics(doctor.examine())["torchvision"] == "fail"


def test_missing_data_is_a_warning_and_damaged_data_a_failure(monkeypatch, tmp_path):
    monkeypatch.setenv("CODEALONG_DATA", str(tmp_path))
    assert topics(doctor.examine())["data"] == "warn"
    raw = sources.raw_folder()
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(b"nonsense")
    assert topics(doctor.examine())["data"] == "fail"


def test_data_is_not_promised_to_a_folder_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CODEALONG_DATA", str(tmp_path / "file"))
    (line,) = [line for line in doctor.examine() if line.topic == "data"]
    cure = "set CODEALONG_DATA to a folder that can be written"
    assert line == ("fail", "data", f"{tmp_path / 'file'} cannot be written (Not a directory): {cure}")


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (ipex_guard.Status(True, "fine"), "ok"),
        (ipex_guard.Status(True, "not Intel", False), "warn"),
        (ipex_guard.Status(False, "macOS"), "warn"),
    ],
)
def test_ipex_that_cannot_run_is_a_warning_with_the_reason(monkeypatch, status, level):
    monkeypatch.setattr(ipex_guard, "status", lambda: status)
    (line,) = [line for line in doctor.examine() if line.topic == "IPEX"]
    assert (line.level, line.text) == (level, status.reason)


def test_a_processor_without_avx2_is_a_failure(monkeypatch):
    monkeypatch.setattr(hardware, "processor", lambda: hardware.Processor("old", "GenuineIntel", ("none",)))
    assert topics(doctor.examine())["AVX2"] == "fail"


def test_the_doctor_tells_how_memory_is_kept(monkeypatch):
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    for key in hardware.KEEP_MEMORY:
        monkeypatch.delenv(key, raising=False)
    (line,) = [line for line in doctor.examine() if line.topic == "memory allocator"]
    assert line.text == "default; `python -m codealong train ARM --tuned` sets its own"
    for key, value in hardware.KEEP_MEMORY.items():
        monkeypatch.setenv(key, value)
    (line,) = [line for line in doctor.examine() if line.topic == "memory allocator"]
    assert line.text == "MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=8589934592"


def test_peak_memory_counts_from_the_reset():
    hardware.reset_peak_memory()
    before = hardware.peak_memory_mib()
    block = bytearray(200 * 2**20)
    assert hardware.peak_memory_mib() > before + 150
    del block


def test_a_busy_machine_is_waited_for_then_measured_and_said(monkeypatch):
    import psutil

    said = []
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: 80.0)
    monkeypatch.setattr(hardware, "PATIENCE_SECONDS", 0)
    assert hardware.wait_until_idle(said.append) == 80.0
    assert said == ["the machine is still busy (80 %): measuring anyway, and noting it"]
