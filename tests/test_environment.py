"""pyproject.toml, requirements.lock, constraints.txt and environment.yml describe one environment."""

import re

import pytest
import yaml
from packaging.requirements import Requirement

from codealong import ROOT, __version__
from tests.conftest import in_a_process

PROJECT = (ROOT / "pyproject.toml").read_text()
LOCK = (ROOT / "requirements.lock").read_text()
CONSTRAINTS = (ROOT / "constraints.txt").read_text()
PINNED = [Requirement(line) for line in CONSTRAINTS.splitlines() if not line.startswith("#")]


def direct():
    block = PROJECT.partition("dependencies = [")[2].partition("\n]")[0]
    return [Requirement(line) for line in re.findall(r'^ +"([^"]+)",', block, re.M)]


def teaching():
    block = PROJECT.partition("teach = [")[2].partition("\n]")[0]
    return [Requirement(line) for line in re.findall(r'^ +"([^"]+)",', block, re.M)]


def test_every_direct_dependency_is_locked_at_a_version_it_allows():
    assert len(direct()) > 10 and len(teaching()) > 5
    for wanted in direct() + teaching():
        found = [pin for pin in PINNED if pin.name == wanted.name]
        assert found, wanted
        for pin in found:
            (version,) = pin.specifier
            assert version.operator == "=="
            assert wanted.specifier.contains(version.version), (wanted, pin)


def test_the_three_that_the_experiment_stands_on_are_pinned():
    pins = {pin.name: str(pin.specifier) for pin in PINNED}
    assert pins["torch"] == "==2.8.0"
    assert pins["torchvision"] == "==0.23.0"
    assert pins["intel-extension-for-pytorch"] == "==2.8.0"


def test_ipex_is_asked_for_on_linux_x86_64_only():
    (pin,) = [pin for pin in PINNED if pin.name == "intel-extension-for-pytorch"]
    for system, machine, wanted in (("linux", "x86_64", True), ("darwin", "arm64", False), ("linux", "aarch64", False)):
        assert pin.marker.evaluate({"sys_platform": system, "platform_machine": machine}) is wanted


def test_the_lock_has_hashes_of_everything_but_torch_and_torchvision():
    pins = re.findall(r"^(\S+)==(?:[^\\\n]|\\\n)+", LOCK, re.M)
    hashed = re.findall(r"^(\S+)==.+ \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", LOCK, re.M)
    assert len(pins) == len(PINNED)
    assert set(pins) - set(hashed) == {"torch", "torchvision"}


def test_the_constraints_of_pip_and_conda_are_the_lock_without_its_hashes():
    assert re.sub(r" \\\n    --hash=\S+", "", LOCK) == CONSTRAINTS


def test_what_builds_the_package_is_locked():
    (needed,) = re.findall(r"^requires = \[\"(.+)\"\]", PROJECT, re.M)
    assert needed in {pin.name for pin in PINNED}


def test_the_lock_names_no_index_and_no_cuda_package():
    assert "://" not in LOCK and "index-url" not in LOCK
    assert not [pin.name for pin in PINNED if pin.name.startswith("nvidia") or pin.name == "triton"]


def test_conda_installs_the_same_lock_and_the_package():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["dependencies"] == ["python=3.11", "pip", {"pip": ["-c constraints.txt", "-e ."]}]
    assert 'requires-python = ">=3.10,<3.14"' in PROJECT


def test_pins_that_stand_in_several_places_agree():
    from codealong import doctor, ipex_guard

    pins = {pin.name: str(pin.specifier) for pin in PINNED}
    makefile = (ROOT / "Makefile").read_text()
    assert "(3, 10) <= v < (3, 14)" in makefile
    assert {name: f"=={version}" for name, version in doctor.PINS.items()} == {n: pins[n] for n in doctor.PINS}
    assert f"=={ipex_guard.RELEASE}" == pins[ipex_guard.PACKAGE]


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
