"""Training rates by width of the network and by batch size, recorded round by round."""

import contextlib
import json
import time
from pathlib import Path

import numpy as np
import torch

from codealong import CourseError, files, hardware
from codealong.arms import ARMS
from codealong.measure import timing
from codealong.measure.worker import Worker

WIDTHS = (1, 2, 4, 8)
BATCHES = (32, 128, 512)
ROUNDS = 6
SECONDS = 0.5
"""How long a rate is measured for, at least."""

FORMAT, VERSION = "codealong sweep", 1
NAME = "sweep.json"


class SweepError(CourseError):
    """A recorded sweep is missing, unfinished, damaged or newer than this course."""


def measure(folder, rounds=ROUNDS, say=print):
    """Measure what is missing, each round written as it ends.

    In a round the arms follow each other at every width and batch size, and start one further in the next.
    Each round has processes of its own, so that what differs from process to process is in their spread.

    Parameters
    ----------
    folder : Path
    rounds : int, optional
    say : callable, optional
        Gets a sentence before each round.
    """
    path = Path(folder) / NAME
    provenance, done = read(path) if path.exists() else (None, [])
    if not missing(folder, rounds):
        return
    threads = torch.get_num_threads()
    took = []
    for number in range(len(done), rounds):
        left = f"; about {np.ceil(np.mean(took) * (rounds - number) / 60):.0f} min left" if took else ""
        say(f"sweep over widths, round {number + 1} of {rounds}{left}")
        started = time.perf_counter()
        order = timing.turn([*ARMS], number)
        with contextlib.ExitStack() as opened:
            workers = {arm: opened.enter_context(Worker(arm)) for arm in order}
            provenance = provenance or workers["stock-fp32"].provenance
            busy = hardware.wait_until_idle(say)
            cells = [
                {
                    "arm": arm,
                    "width": width,
                    "batch": batch,
                    "images_per_second": workers[arm].ask(
                        "rate by width", width=width, batch=batch, threads=threads, seconds=SECONDS
                    ),
                }
                for width in WIDTHS
                for batch in BATCHES
                for arm in order
            ]
        done.append({"busy_percent": busy, "cells": cells})
        content = {"format": FORMAT, "version": VERSION, "provenance": provenance, "rounds": done}
        files.write(path, (json.dumps(content) + "\n").encode())
        took.append(time.perf_counter() - started)


def missing(folder, rounds=ROUNDS):
    """Return how many rounds of a sweep a folder lacks."""
    path = Path(folder) / NAME
    return max(0, rounds - len(read(path)[1])) if path.exists() else rounds


def read(path):
    """Return the provenance of a sweep and its rounds, as `measure` wrote them.

    Raises
    ------
    SweepError
        When the file is damaged, foreign, or newer than this course.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        raise _refused(path, "it cannot be read") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _refused(path, "it is not a sweep of this course")
    if content.get("version") != VERSION:
        raise _refused(path, f"its version is {content.get('version')}, and this course reads version {VERSION}")
    try:
        whole = all(map(_is_round, content["rounds"])) and isinstance(content["provenance"], dict)
    except (KeyError, TypeError):
        whole = False
    if not whole:
        raise _refused(path, "a round does not have each arm, width and batch size once")
    return content["provenance"], content["rounds"]


def _is_round(measured):
    wanted = {(arm, width, batch) for arm in ARMS for width in WIDTHS for batch in BATCHES}
    cells = measured["cells"]
    return (
        len(cells) == len(wanted)
        and {(cell["arm"], cell["width"], cell["batch"]) for cell in cells} == wanted
        and all(cell["images_per_second"] > 0 for cell in cells)
    )


def _refused(path, problem):
    return SweepError(f"{path} is refused: {problem}. Restore it, or delete it; {cure(path)} measures it again.")


def cure(path):
    """Name the command that makes a sweep whole."""
    return f"`python -m codealong study --into {path.parent}`"
