"""A study: every arm with many seeds, interleaved, one process per run; it goes on where it was stopped."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from codealong import CourseError, data, hardware, records, runs, training
from codealong.arms import ARMS
from codealong.measure import campaign, larger, timing

FIRST = 100
"""The first seed. Smaller ones were used while the rules of the verdicts were made, and confirm nothing."""

SEEDS = 12
FEWEST = 10
"""Seeds below which nothing is concluded."""

COMMAND = (sys.executable, "-m", "codealong.measure.study")
"""What makes one run; it gets the arm, the seed and the folder."""


class StudyError(CourseError):
    """A study cannot be made or read; the message says what to do."""


def conduct(folder, seeds=SEEDS):
    """Make the runs that a folder does not have yet, saying where it is.

    It can be stopped at any moment, and started again.

    Parameters
    ----------
    folder : path
        Of a machine.
    seeds : int, optional
        How many, from `FIRST` on.

    Raises
    ------
    StudyError
        When an arm cannot run here, a run fails, another study writes to the folder, or it has runs of another
        machine or recipe.
    """
    folder = Path(folder)
    present = [run for arm in ARMS for run in runs.of_machine(arm, folder)]
    names = {(run.arm, run.seed) for run in present}
    arms = _arms(names)
    seeds = max([seeds, *(seed + 1 - FIRST for _, seed in names)])
    left = [pair for pair in order(arms, seeds) if pair not in names]
    if left:
        for arm in arms:
            if not (status := ARMS[arm].status()).usable:
                raise StudyError(f"A study needs every arm, and {arm} cannot run here: {status.reason}")
        ensure_same(folder, present, asdict(training.RECIPE), hardware.provenance())
        records.ensure_writable(folder / runs.FOLDER)
        with _alone(folder):
            for unfinished in folder.rglob(".new-*"):
                unfinished.unlink()
            _make(left, len(arms) * seeds, folder, _took(present))
    print(f"{folder} holds a whole study: {seeds} seeds of {len(arms)} arms")


def _arms(names):
    """Return the arms of a study: those that it began with, once its second seed has begun, so that all are known."""
    begun = {arm for arm, seed in names if seed >= FIRST}
    return [arm for arm in ARMS if arm in begun] if any(seed > FIRST for _, seed in names) else list(ARMS)


def _make(left, total, folder, took):
    for number, (arm, seed) in enumerate(left):
        waiting = left[number:]
        print(f"run {total - len(waiting) + 1} of {total}: {arm}, seed {seed}; {_time_left(waiting, took)}", flush=True)
        started = time.perf_counter()
        _one(arm, seed, folder)
        took.setdefault(arm, []).append(time.perf_counter() - started)


def _took(present):
    """Return how many seconds runs took, by arm: from the end of the one before to their own, pauses included."""
    ended = sorted((datetime.fromisoformat(run.provenance["date"]), run.arm) for run in present)
    took = {}
    for (before, _), (after, arm) in itertools.pairwise(ended):
        took.setdefault(arm, []).append((after - before).total_seconds())
    return took


def order(arms, seeds):
    """Return the runs of a study as they follow each other: all arms of a seed, then of the next, starting one further.

    Parameters
    ----------
    arms : sequence of str
    seeds : int

    Returns
    -------
    list of (str, int)
        Arm and seed.
    """
    return [
        (arm, seed)
        for seed in range(FIRST, FIRST + seeds)
        for arm in timing.turn(arms, seed)
    ]  # fmt: skip


def record(arm, seed, folder):
    """Make one run in this process, warmed up, and record it.

    Only the predicted classes are kept, not the probabilities.
    """
    splits = data.load()
    training.warm_up(arm, splits.train)
    busy = hardware.wait_until_idle(print)
    run = training.fit(arm, seed, splits.train, splits.valid).run(splits.test)
    measured = {"warm_up_steps": training.WARM_UP_STEPS, "busy_percent": busy}
    run = replace(run, provenance=run.provenance | measured)
    runs.save(replace(run, probabilities=None), Path(folder) / runs.FOLDER)


def _one(arm, seed, folder):
    """Make one run in a process of its own, which ends with this one."""
    command = [*COMMAND, arm, str(seed), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        status = process.wait()
    if status:
        raise StudyError(
            f"{arm} with seed {seed} ended with status {status}, and was not recorded; "
            "the same command goes on with the study."
        )


def _time_left(waiting, took):
    """Say how many runs are left, and how long they will take by those that were made."""
    if not took:
        return f"{len(waiting)} left"
    every = [seconds for times in took.values() for seconds in times]
    minutes = sum(np.median(took.get(arm, every)) for arm, _ in waiting) / 60
    return f"{len(waiting)} left, about {np.ceil(minutes):.0f} min"


def ensure_same(folder, present, recipe, provenance):
    """Raise StudyError where runs, or campaigns beside them, were not made by one study on one machine."""
    cure = "keep one study in a folder: delete what is foreign, or choose another folder with --into."
    provenances = {run.name: run.provenance for run in present}
    for run in present:
        if run.recipe != recipe:
            raise StudyError(f"{run.name} in {folder} has another recipe; {cure}")
        if "warm_up_steps" not in run.provenance:
            raise StudyError(f"{run.name} in {folder} was not made by a study, which warms up first; {cure}")
    workers = {
        f"the {series.kind} of {each['rounds'][0]['date']}": each["provenance"]
        for series in (campaign.SERIES, larger.SERIES)
        for each in series.read_all(folder)
    }
    for name, its in workers.items():
        provenances[name] = its | {"allocator": provenance["allocator"]}  # workers choose their own
    for name, its in provenances.items():
        for field in hardware.MACHINE:
            if its.get(field, provenance[field]) != provenance[field]:
                raise StudyError(
                    f"{name} in {folder} was made with {field} {its[field]}, not {provenance[field]}; {cure}"
                )


@contextlib.contextmanager
def _alone(folder):
    """Hold a folder for one study; the system lets go of it however this process ends."""
    import fcntl  # a study needs IPEX, which needs Linux

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise StudyError(f"Another study is writing to {folder}: wait for it, or choose another with --into.") from None
    finally:
        os.close(handle)


def _end_with_parent():
    os.read(0, 1)
    os._exit(1)


def main(arm, seed, folder):
    """Make one run for the process that holds the other end of standard input."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        record(arm, int(seed), folder)
    except CourseError as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(*sys.argv[1:])
