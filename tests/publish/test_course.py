"""The course runs in order, stops at the first failing cell, and keeps what it had."""

import signal
import subprocess
import sys
import time

import nbformat
import pytest

from codealong import ipex_guard, operators
from codealong.__main__ import main
from codealong.publish import course


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A course of two short notebooks; returns the function that writes one."""
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(course, "PAGES", tmp_path / "build")

    def write(name, *cells, **metadata):
        notebook = nbformat.v4.new_notebook(metadata=metadata)
        notebook.cells = [nbformat.v4.new_markdown_cell(f"# {name}")]
        notebook.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
        return tmp_path / f"{name}.ipynb"

    return write


def outputs(path):
    return ["".join(out.get("text", "") for out in cell.get("outputs", [])) for cell in nbformat.read(path, 4).cells]


@pytest.mark.kernel
def test_executed_notebooks_and_pages_are_written(house, capsys):
    house("01_one", "x = 20", "print(x + 1)")
    house("02_two", "print('x' in dir())")
    assert main(["course"]) == 0
    assert outputs(course.PAGES / "01_one.ipynb") == ["", "", "21\n"]
    assert outputs(course.PAGES / "02_two.ipynb")[1] == "False\n"
    assert "21" in (course.PAGES / "01_one.html").read_text()
    shown = capsys.readouterr().out
    for part in ("01_one", "cell 2 of 2", "done, 2 of 2 cells", "02_two", " s\n"):
        assert part in shown


@pytest.mark.kernel
def test_pages_with_recorded_results_are_kept_apart(house, monkeypatch):
    monkeypatch.setenv("CODEALONG_SPEED", "recorded")
    house("01_one", "import os; print(os.environ['CODEALONG_SPEED'])")
    assert main(["course"]) == 0
    assert not course.PAGES.exists()
    assert outputs(course.PAGES.with_name("build-recorded") / "01_one.ipynb")[1] == "recorded\n"


@pytest.mark.kernel
def test_the_first_failing_cell_is_named_and_nothing_follows(house, capsys):
    house("01_one", "x = 1", "print(undefined)")
    house("02_two", "open('reached', 'w')")
    assert main(["course"]) == 1
    captured = capsys.readouterr()
    assert "01_one.ipynb, code cell 2: NameError: name 'undefined' is not defined" in captured.err
    assert "02_two" not in captured.out
    assert not (course.NOTEBOOKS / "reached").exists()


@pytest.mark.kernel
def test_a_kernel_that_dies_is_named(house, capsys):
    house("01_one", "import os; os._exit(3)")
    assert main(["course"]) == 1
    assert "01_one.ipynb, code cell 1: the kernel died" in capsys.readouterr().err


@pytest.mark.kernel
def test_an_interrupt_stops_the_course_with_a_word(house, tmp_path):
    house("01_one", "import time; print('reached'); time.sleep(60)")
    code = f"""
from pathlib import Path
from codealong.publish import course
from codealong.__main__ import main
course.NOTEBOOKS, course.PAGES = Path({str(tmp_path)!r}), Path({str(tmp_path / "build")!r})
raise SystemExit(main(["course"]))
"""
    running = subprocess.Popen([sys.executable, "-uc", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "cell 1 of 1" in running.stdout.readline()
    time.sleep(2)
    running.send_signal(signal.SIGINT)
    shown, error = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "stopped, 1 of 1 cells" in shown
    assert error.endswith("\nstopped\n")


@pytest.mark.kernel
def test_pages_of_an_earlier_run_do_not_stay(house):
    course.PAGES.mkdir()
    (course.PAGES / "09_old.html").write_text("old")
    house("01_one", "1 / 0")
    main(["course"])
    assert not (course.PAGES / "09_old.html").exists()


def test_a_kernel_that_cannot_start_is_named(house, monkeypatch, capsys):
    def fails(*_, **__):
        raise RuntimeError("Kernel died before replying to kernel_info")

    house("01_one", "x = 1")
    monkeypatch.setattr(course.NotebookClient, "execute", fails)
    assert main(["course"]) == 1
    assert "01_one.ipynb, code cell 0: Kernel died before replying" in capsys.readouterr().err


@pytest.mark.kernel
def test_recording_refreshes_outputs_in_place_with_no_runs_at_hand(house, monkeypatch):
    monkeypatch.setenv("CODEALONG_RUNS", "a learner's")
    path = house("01_one", "import os; print(os.listdir(os.environ['CODEALONG_RUNS']))")
    assert main(["record"]) == 0
    assert outputs(path)[1] == "[]\n"


@pytest.mark.kernel
def test_a_recording_that_fails_leaves_the_notebook_as_it_was(house):
    path = house("01_one", "print(1)", "1 / 0")
    before = path.read_bytes()
    assert main(["record"]) == 1
    assert path.read_bytes() == before


def test_what_needs_ipex_is_skipped_with_the_reason(house, monkeypatch, capsys):
    house("01_one", "1 / 0", codealong={"needs": "ipex"})
    monkeypatch.setattr(ipex_guard, "status", lambda bf16: ipex_guard.Status(False, "this is a Mac"))
    assert main(["course"]) == 0
    assert "01_one: skipped, because this is a Mac" in capsys.readouterr().out


def test_a_notebook_that_measures_with_linux_s_tools_is_skipped_elsewhere(monkeypatch):
    notebook = nbformat.v4.new_notebook(metadata={"codealong": {"needs": "linux"}})
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert course.why_skipped(notebook).endswith("this is Darwin on arm64")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert course.why_skipped(notebook) is None


def test_a_notebook_that_compiles_is_skipped_where_nothing_does(monkeypatch):
    notebook = nbformat.v4.new_notebook(metadata={"codealong": {"needs": "compiler"}})
    monkeypatch.setattr(operators, "status", lambda: "there is no C++ compiler")
    assert course.why_skipped(notebook) == "there is no C++ compiler"
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert course.why_skipped(notebook).startswith("it measures with Linux's tools")
