"""The files that pin packages describe two environments: one with IPEX, and one with the newest torch."""

import re

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from codealong import ROOT, __version__
from tests.conftest import in_a_process

PROJECT = (ROOT / "pyproject.toml").read_text()
LOCKS = {name: (ROOT / name).read_text() for name in ("requirements.lock", "requirements-latest.lock")}
CONSTRAINTS = (ROOT / "constraints.txt").read_text()
HASH = r" \\\n    --hash=\S+"


def pinned(lock="requirements.lock"):
    lines = re.sub(HASH, "", LOCKS[lock]).splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def asked(group):
    """Return what a group of pyproject.toml asks for: `dependencies`, or the name of an extra."""
    block = PROJECT.partition(f"\n{group} = [")[2].partition("\n]")[0]
    return [Requirement(line) for line in re.findall(r'^ +"([^"]+)",', block, re.M)]


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("requirements.lock", ("dependencies", "ipex", "teach")),
        ("requirements-latest.lock", ("dependencies", "teach")),
    ],
)
def test_every_direct_dependency_is_locked_at_a_version_it_allows(lock, groups):
    assert all(map(asked, groups)) and len(asked("dependencies")) > 10
    for wanted in [each for group in groups for each in asked(group)]:
        found = [pin for pin in pinned(lock) if pin.name == wanted.name]
        assert found, wanted
        for pin in found:
            (version,) = pin.specifier
            assert version.operator == "=="
            assert wanted.specifier.contains(version.version), (wanted, pin)


def test_the_three_that_the_experiment_stands_on_are_pinned():
    pins = {pin.name: str(pin.specifier) for pin in pinned()}
    assert pins["torch"] == "==2.8.0"
    assert pins["torchvision"] == "==0.23.0"
    assert pins["intel-extension-for-pytorch"] == "==2.8.0"


def test_ipex_is_asked_for_on_linux_x86_64_only():
    (pin,) = [pin for pin in pinned() if pin.name == "intel-extension-for-pytorch"]
    for system, machine, wanted in (("linux", "x86_64", True), ("darwin", "arm64", False), ("linux", "aarch64", False)):
        assert pin.marker.evaluate({"sys_platform": system, "platform_machine": machine}) is wanted


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_of_everything_but_torch_and_torchvision(lock):
    hashed = re.findall(r"^(\S+)==.+ \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", LOCKS[lock], re.M)
    assert {pin.name for pin in pinned(lock)} - {*hashed} == {"torch", "torchvision"}


def test_the_constraints_of_pip_and_conda_are_the_lock_without_its_hashes():
    assert re.sub(HASH, "", LOCKS["requirements.lock"]) == CONSTRAINTS


@pytest.mark.parametrize("lock", LOCKS)
def test_what_builds_the_package_is_locked(lock):
    (needed,) = re.findall(r"^requires = \[\"(.+)\"\]", PROJECT, re.M)
    assert needed in {pin.name for pin in pinned(lock)}


def test_the_newest_torch_comes_without_ipex():
    pins = {pin.name: str(pin.specifier) for pin in pinned("requirements-latest.lock")}
    assert Version(pins["torch"].removeprefix("==")) > Version("2.8.0")
    assert "intel-extension-for-pytorch" not in pins


def test_the_locks_differ_in_torch_and_torchvision_only():
    newest, with_ipex = ({pin.name: pin for pin in for_this_python(lock)} for lock in reversed(LOCKS))
    differ = {name for name in newest.keys() & with_ipex if newest[name].specifier != with_ipex[name].specifier}
    assert differ == {"torch", "torchvision"}


def for_this_python(lock):
    return [pin for pin in pinned(lock) if pin.marker is None or pin.marker.evaluate()]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_cuda_package(lock):
    assert "://" not in LOCKS[lock] and "index-url" not in LOCKS[lock]
    assert not [pin.name for pin in pinned(lock) if pin.name.startswith(("nvidia", "cuda", "triton"))]


def test_conda_installs_the_same_lock_and_the_package():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"] == ["python=3.11", "pip", {"pip": ["-c constraints.txt", "-e .[ipex]"]}]
    assert 'requires-python = ">=3.10,<3.15"' in PROJECT


def test_pins_that_stand_in_several_places_agree():
    from codealong import doctor, ipex_guard

    pins = {lock: {pin.name: str(pin.specifier) for pin in pinned(lock)} for lock in LOCKS}
    assert {f"=={torch}": f"=={torchvision}" for torch, torchvision in doctor.TESTED.items()} == {
        pins[lock]["torch"]: pins[lock]["torchvision"] for lock in LOCKS
    }
    assert f"=={ipex_guard.RELEASE}" == pins["requirements.lock"][ipex_guard.PACKAGE]


def test_the_version_is_said_once():
    assert f'version = "{__version__}"' in PROJECT


def test_importing_the_package_is_cheap():
    code = """
import time
start = time.perf_counter()
import codealong
answer = [time.perf_counter() - start, sorted({"torch", "numpy", "pandas"} & set(sys.modules))]
"""
    (seconds, heavy), _ = in_a_process(code)
    assert seconds < 0.1
    assert heavy == []


@pytest.mark.worker
def test_a_notebook_s_first_cell_imports_nothing_slow_that_it_does_not_need_yet():
    code = """
import torch
from codealong import checks, data, hardware, model, runs, training
from codealong.analysis import reports
from codealong.figures import speed, style
from codealong.measure import benchmark, instruction_sets, onednn
data.load()
answer = sorted({"sklearn", "pandas", "matplotlib.pyplot", "torch._dynamo", "torchinfo"} & set(sys.modules))
"""
    assert in_a_process(code)[0] == []


def test_the_peers_are_pinned():
    pins = (ROOT / "src" / "codealong" / "measure" / "peers" / "requirements.txt").read_text().splitlines()
    pins = [Requirement(pin) for pin in pins if not pin.startswith("#")]
    assert {pin.name for pin in pins} >= {"tensorflow-cpu", "keras", "jax", "onnxruntime", "openvino"}
    assert all(str(pin.specifier).startswith("==") for pin in pins)
