"""Executes the notebooks in order, in clean kernels, with live progress."""

import os
import platform
import shutil
import sys
import tempfile
import threading
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from codealong import ROOT, CourseError, files, ipex_guard, replay
from codealong.publish import pages

NOTEBOOKS = ROOT / "notebooks"
PAGES = ROOT / "build" / "course"


class CellFailed(CourseError):
    """A cell of a notebook failed; the message names the notebook, the cell and the error."""


def notebooks():
    """Return the paths of the notebooks of the course, in order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def why_skipped(notebook):
    """Say why a notebook cannot run on this machine, or return None.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Its metadata says what it needs: ``{"codealong": {"needs": "ipex"}}``, ``"linux"``, or ``"compiler"``, which
        needs Linux, too.
    """
    needs = notebook.metadata.get("codealong", {}).get("needs")
    system = f"{platform.system()} on {platform.machine()}"
    if needs in ("linux", "compiler") and system != "Linux on x86_64":
        return f"it measures with Linux's tools on x86-64 processors, but this is {system}"
    if needs == "compiler":
        from codealong import operators  # torch takes seconds to import

        return operators.status()
    able = ipex_guard.status(bf16=True)
    return able.reason if needs == "ipex" and not able.usable else None


def execute(path, **environment):
    """Execute one notebook in a clean kernel, saying where it is.

    Parameters
    ----------
    path : Path
    **environment : str
        Variables that its kernel gets beside those of this process.

    Returns
    -------
    nbformat.NotebookNode
        With fresh outputs.

    Raises
    ------
    CellFailed
    KeyboardInterrupt
        When it is interrupted; the kernel is shut down.
    """
    notebook = nbformat.read(path, as_version=4)
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    live = _Live(path.stem, len(code))
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=40"],  # its start-up warnings are not a learner's business
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=lambda cell, cell_index: live.cell(code.index(cell_index) + 1),
    )
    outcome = "failed"
    try:
        client.execute(env={**os.environ, **environment})
        outcome = "done"
    except CellExecutionError as problem:
        raise CellFailed(f"{path.name}, code cell {live.number}: {problem.ename}: {problem.evalue}") from None
    except DeadKernelError:
        raise CellFailed(f"{path.name}, code cell {live.number}: the kernel died") from None
    except AssertionError:  # nbclient answers Ctrl-C by taking the kernel away from under the cell
        if client.km is not None:
            raise
        outcome = "stopped"
        raise KeyboardInterrupt from None
    except RuntimeError as problem:
        raise CellFailed(f"{path.name}, code cell {live.number}: {problem}") from None
    finally:
        live.end(outcome)
    return notebook


def run():
    """Execute the course, and write the executed notebooks and their HTML pages to `PAGES`.

    At `CODEALONG_SPEED=recorded` they go to a folder beside it, so that neither is taken for the other.

    Raises
    ------
    CellFailed
        At the first cell that fails.
    """
    folder = PAGES.with_name(f"{PAGES.name}-recorded") if replay.recorded() else PAGES
    shutil.rmtree(folder, ignore_errors=True)
    for path in notebooks():
        if reason := why_skipped(nbformat.read(path, as_version=4)):
            print(f"{path.stem}: skipped, because {reason}")
            continue
        executed = execute(path)
        files.write(folder / path.name, _text(executed))
        files.write(folder / path.with_suffix(".html").name, pages.page(executed, path).encode())


def record():
    """Execute the notebooks in place, each with an empty folder of runs, as the tests do.

    Raises
    ------
    CellFailed
        At the first cell that fails; that notebook and those after it stay as they were.
    """
    for path in notebooks():
        if reason := why_skipped(nbformat.read(path, as_version=4)):
            print(f"{path.stem}: keeps its stored outputs, because {reason}")
            continue
        with tempfile.TemporaryDirectory() as empty:
            executed = execute(path, CODEALONG_RUNS=empty)
        files.write(path, _text(executed))


def _text(notebook):
    return (nbformat.writes(notebook) + "\n").encode()


class _Live:
    """One line per notebook: it ticks in a terminal, and is a line per cell elsewhere."""

    def __init__(self, name, cells):
        self.name, self.cells, self.number = name, cells, 0
        self.started = time.perf_counter()
        self.ended = threading.Event()
        self.terminal = sys.stdout.isatty()
        if self.terminal:
            threading.Thread(target=self._tick, daemon=True).start()

    def cell(self, number):
        self.number = number
        if not self.terminal:
            print(self._line(f"cell {number} of {self.cells}"), flush=True)

    def end(self, word):
        self.ended.set()
        line = self._line(f"{word}, {self.number} of {self.cells} cells")
        print(f"\r\x1b[K{line}" if self.terminal else line, flush=True)

    def _tick(self):
        while not self.ended.wait(0.2):
            print(f"\r\x1b[K{self._line(f'cell {self.number} of {self.cells}')}", end="", flush=True)

    def _line(self, text):
        return f"{self.name:26} {text:24} {time.perf_counter() - self.started:6.1f} s"
