"""C++ is compiled once for this processor, and what goes wrong is one sentence."""

import ctypes
import os
import shutil

import pytest

from codealong import hardware, native

needs_compiler = pytest.mark.skipif(native.compiler() is None, reason="there is no C++ compiler")

TWICE = 'extern "C" int twice(int number) { return 2 * number; }'


@needs_compiler
def test_what_is_compiled_can_be_called(tmp_path):
    assert native.load(TWICE, tmp_path).twice(21) == 42


@needs_compiler
def test_a_source_is_compiled_once(tmp_path, monkeypatch):
    native.load(TWICE, tmp_path)
    monkeypatch.setattr(native, "_compile", lambda *_: pytest.fail("compiled again"))
    assert native.load(TWICE, tmp_path).twice(3) == 6


@needs_compiler
def test_another_source_or_processor_has_machine_code_of_its_own(tmp_path, monkeypatch):
    native.load(TWICE, tmp_path)
    native.load(TWICE.replace("2 *", "3 *"), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(hardware, "processor", lambda: hardware.Processor("another", "", ()))
    native.load(TWICE, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_without_a_compiler_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(native.Uncompiled, match=r"no C\+\+ compiler: install g\+\+"):
        native.load(TWICE, tmp_path)


def test_a_compiler_that_does_not_exist_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(native.Uncompiled, match="no-such-compiler does not start"):
        native.load(TWICE, tmp_path)


@needs_compiler
def test_the_first_error_of_the_compiler_is_shown_and_nothing_is_left(tmp_path):
    with pytest.raises(native.Uncompiled, match=r"cannot compile it .*nonsense"):
        native.load("nonsense;", tmp_path)
    assert not list(tmp_path.iterdir())


@needs_compiler
def test_damaged_machine_code_is_named(tmp_path):
    native.load(TWICE, tmp_path / "whole")
    (library,) = (tmp_path / "whole").iterdir()
    (tmp_path / library.name).write_bytes(b"no machine code")
    with pytest.raises(native.Uncompiled, match=r"cannot be loaded .*delete it"):
        native.load(TWICE, tmp_path)


@needs_compiler
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(native.Uncompiled, match="cannot be written"):
        native.load(TWICE, tmp_path / "file" / "below")


@needs_compiler
@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="counts threads as Linux does")
def test_its_loops_run_on_the_threads_of_torch(tmp_path):
    import torch

    torch.ones(1000, 1000).mm(torch.ones(1000, 1000))  # starts them all
    before = len(os.listdir("/proc/self/task"))
    source = """
        #include <omp.h>
        extern "C" int threads(int wanted) {
            int number = 0;
        #pragma omp parallel num_threads(wanted) reduction(+ : number)
            number += 1;
            return number;
        }
    """
    threads = native.load(source, tmp_path).threads
    threads.argtypes = [ctypes.c_int]
    assert threads(torch.get_num_threads()) == torch.get_num_threads()
    assert len(os.listdir("/proc/self/task")) == before
