"""Training rates by width of the network and by batch size, recorded round by round."""

import contextlib
import time
from pathlib import Path

import numpy as np
import torch

from codealong import hardware, records
from codealong.arms import ARMS
from codealong.measure import timing
from codealong.measure.worker import Worker

WIDTHS = (1, 2, 4, 8)
BATCHES = (32, 128, 512)
ROUNDS = 6
SECONDS = 0.5
"""How long a rate is measured for, at least."""

NAME, KIND, VERSION = "sweep.json", "sweep", 1


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
    provenance, done = read(folder)
    names, threads = arms(folder), torch.get_num_threads()
    took = []
    for number in range(len(done), rounds):
        left = f"; about {np.ceil(np.mean(took) * (rounds - number) / 60):.0f} min left" if took else ""
        say(f"sweep over widths, round {number + 1} of {rounds}{left}")
        started = time.perf_counter()
        order = timing.turn(names, number)
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
        records.write(Path(folder) / NAME, KIND, VERSION, {"provenance": provenance, "rounds": done})
        took.append(time.perf_counter() - started)


def arms(folder):
    """Return the names of the arms of a study: those that its sweep has, or all where nothing was measured yet."""
    _, done = read(folder)
    return list(dict.fromkeys(cell["arm"] for cell in done[0]["cells"])) if done else list(ARMS)


def missing(folder, rounds=ROUNDS):
    """Return how many rounds of a sweep a folder lacks."""
    return max(0, rounds - len(read(folder)[1]))


def read(folder):
    """Return the provenance of a sweep and its rounds, as `measure` wrote them.

    Returns
    -------
    provenance : dict or None
        None where nothing was measured yet.
    rounds : list of dict
        ``busy_percent`` and ``cells``: a rate for each arm that was measured, width and batch size.

    Raises
    ------
    records.RecordError
        When the file is damaged, foreign, or newer than this course.
    """
    path = Path(folder) / NAME
    if not path.exists():
        return None, []
    again = f"`python -m codealong study --into {folder}` measures it again"
    content, _ = records.read(path, KIND, VERSION, again)
    try:
        arms = {cell["arm"] for cell in content["rounds"][0]["cells"]}
        whole = all(_is_whole(each["cells"], arms) for each in content["rounds"])
        provenance, rounds = dict(content["provenance"]), content["rounds"]
    except (KeyError, TypeError, IndexError, ValueError):
        whole = False
    if not whole:
        raise records.refused(path, "a round does not have each arm, width and batch size once", again)
    return provenance, rounds


def _is_whole(cells, arms):
    wanted = {(arm, width, batch) for arm in arms for width in WIDTHS for batch in BATCHES}
    return (
        len(cells) == len(wanted)
        and {(cell["arm"], cell["width"], cell["batch"]) for cell in cells} == wanted
        and all(cell["images_per_second"] > 0 for cell in cells)
    )
