"""A run as a record on disk: history, predictions and provenance, read back whole or refused."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from codealong import ROOT, CourseError, records
from codealong.arms import ARMS
from codealong.classes import CLASSES

VERSION = 2
FOLDER, SUFFIX = "runs", ".run.zip"
NAME = FOLDER + "/{arm}-seed{seed}" + SUFFIX
"""Where the folder of a machine keeps a run."""

IMAGES = 10_000
HISTORY = {"epoch", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "seconds", "images_per_second"}
PROVENANCE = {"processor", "instruction_sets", "threads", "versions", "ipex_imported", "date"}
AGAIN = "make the run again, in notebooks 3 and 4 or with the study it belongs to"


class RunError(CourseError):
    """There is no such run, or no folder to keep it in; the message says what to do."""


@dataclass(frozen=True)
class Run:
    """One arm with one seed.

    Attributes
    ----------
    arm : str
    seed : int
    recipe : dict
        Fields of `training.Recipe`.
    history : list of dict
        Fields of `training.Epoch`, in order.
    classes : numpy.ndarray
        uint8, shape (10000,), the predicted class of each test image.
    probabilities : numpy.ndarray or None
        float16, shape (10000, 10), each row sums to 1 within 0.01; None where only the classes were kept.
    provenance : dict
        As `hardware.provenance` returns it.
    """

    arm: str
    seed: int
    recipe: dict
    history: list
    classes: np.ndarray
    probabilities: np.ndarray | None
    provenance: dict

    @property
    def name(self):
        return f"{self.arm}-seed{self.seed}"


def folder():
    """Return where a learner's runs are kept: `CODEALONG_RUNS` (relative to the project), or `runs/`."""
    return ROOT / (os.environ.get("CODEALONG_RUNS") or "runs")


def save(run, where=None):
    """Write a run, whole or not at all; a run of the same arm and seed is replaced.

    Parameters
    ----------
    run : Run
    where : path, optional
        `folder()` by default; made where it is missing.

    Returns
    -------
    Path
        Of the record.

    Raises
    ------
    records.RecordError
        When the folder cannot be written; an earlier record is kept.
    """
    arrays = {name: array for name in ("classes", "probabilities") if (array := getattr(run, name)) is not None}
    fields = {key: value for key, value in asdict(run).items() if key not in ("classes", "probabilities")}
    path = Path(where or folder()) / f"{run.name}{SUFFIX}"
    records.write(path, "run", VERSION, fields, arrays)
    return path


def load(path, network="FashionCNN"):
    """Read a run.

    Parameters
    ----------
    path : path
        A record that `save` wrote.
    network : str, optional
        That it has to be of, by the name of its class; runs of the course's own do not name it.

    Returns
    -------
    Run

    Raises
    ------
    records.RecordError
        When the record is missing, damaged, foreign, or newer than this course.
    """
    path = Path(path)
    fields, arrays = records.read(path, "run", VERSION, AGAIN)
    try:
        run = Run(**{"probabilities": None, **fields, **arrays})
    except TypeError:
        raise records.refused(path, f"its fields are {', '.join(fields)}", AGAIN) from None
    if path.name != f"{run.name}{SUFFIX}":
        raise records.refused(path, f"it holds the run {run.name}", AGAIN)
    if problem := _problem(run):
        raise records.refused(path, problem, AGAIN)
    if (its := run.provenance.get("network", "FashionCNN")) != network:
        raise records.refused(path, f"its network is {its}, and not {network}", AGAIN)
    run.recipe.setdefault("operators", False)  # the first runs were recorded before there was this choice
    return run


def find(arms=None, where=None, seed=None):
    """Return one run of each arm: the learner's own where all of them exist, else the recorded ones.

    Parameters
    ----------
    arms : sequence of str, optional
        Those of the lessons, by default: all whose run of seed 0 is recorded.
    where : path, optional
        The learner's runs; `folder()` by default.
    seed : int, optional
        Only runs of this seed; by default the smallest that all the arms have.

    Returns
    -------
    runs : dict of str to Run
        By arm.
    origin : str
        ``"your own"`` or ``"recorded"``. A learner's runs that do not share one recipe and one torch are not
        compared.

    Raises
    ------
    RunError
        When neither place has them, or `CODEALONG_RUNS` names no folder.
    records.RecordError
        When a record is refused.
    """
    recorded = records.REFERENCE / FOLDER
    arms = arms or [arm for arm in ARMS if 0 in _seeds(recorded, arm)]
    for place, origin in ((Path(where or _own_folder()), "your own"), (recorded, "recorded")):
        seeds = set.intersection(*(_seeds(place, arm) for arm in arms))
        if seed is not None:
            seeds &= {seed}
        if seeds:
            chosen = min(seeds)
            by_arm = {arm: load(place / f"{arm}-seed{chosen}{SUFFIX}") for arm in arms}
            first, *others = map(_recipe_and_torch, by_arm.values())
            if all(each == first for each in others):
                return by_arm, "recorded" if place == recorded else origin
    wanted = "" if seed is None else f" with seed {seed}"
    raise RunError(f"There is no run of {', '.join(arms)}{wanted}: run notebooks 03 and 04 to make them.")


def of_machine(arm, machine=records.REFERENCE):
    """Return all runs of an arm that the folder of a machine holds, by ascending seed."""
    where = Path(machine) / FOLDER
    return [load(where / f"{arm}-seed{seed}{SUFFIX}") for seed in sorted(_seeds(where, arm))]


def _recipe_and_torch(run):
    return run.recipe, run.provenance["versions"].get("torch")


def _own_folder():
    """Return `folder()`, and refuse a `CODEALONG_RUNS` in which no run can be: recorded ones would be taken instead."""
    chosen = folder()
    if os.environ.get("CODEALONG_RUNS") and not chosen.is_dir():
        what = "is a file" if chosen.exists() else "does not exist"
        raise RunError(f"CODEALONG_RUNS is {chosen}, which {what}: set it to a folder of runs, or unset it.")
    return chosen


def _seeds(place, arm):
    digits = (path.name[len(f"{arm}-seed") : -len(SUFFIX)] for path in place.glob(f"{arm}-seed*{SUFFIX}"))
    return {int(seed) for seed in digits if seed.isdigit()}


def _problem(run):
    """Say what is wrong with a run, or return None."""
    if not isinstance(run.arm, str) or type(run.seed) is not int or not isinstance(run.recipe, dict):
        return "its arm, seed or recipe is missing"
    if not isinstance(run.provenance, dict) or not set(run.provenance) >= PROVENANCE:
        return f"its provenance does not have {', '.join(sorted(PROVENANCE))}"
    if not isinstance(run.history, list) or not run.history:
        return "it has no history"
    if any(not isinstance(epoch, dict) or set(epoch) != HISTORY for epoch in run.history):
        return f"an epoch of its history does not have {', '.join(sorted(HISTORY))}"
    if any(type(value) not in (int, float) for epoch in run.history for value in epoch.values()):
        return "its history holds something that is not a number"
    if [epoch["epoch"] for epoch in run.history] != [*range(1, len(run.history) + 1)]:
        return "the epochs of its history are not counted from 1"
    if len(run.history) != run.recipe.get("epochs"):
        return f"its history has {len(run.history)} epochs, and its recipe {run.recipe.get('epochs')}"
    if any(not 0 <= epoch[key] <= 1 for epoch in run.history for key in ("train_accuracy", "valid_accuracy")):
        return "its history holds an accuracy that is not between 0 and 1"
    if any(not 0 < epoch[key] < np.inf for epoch in run.history for key in ("seconds", "images_per_second")):
        return "its history holds a time or a rate that is not above 0"
    if not isinstance(run.classes, np.ndarray) or not isinstance(run.probabilities, np.ndarray | None):
        return "its predictions are not arrays"
    if run.classes.shape != (IMAGES,) or run.classes.dtype != np.uint8 or run.classes.max() >= len(CLASSES):
        return f"its classes are not {IMAGES:,} numbers from 0 to {len(CLASSES) - 1}"
    if run.probabilities is None:
        return None
    if run.probabilities.shape != (IMAGES, len(CLASSES)) or run.probabilities.dtype != np.float16:
        return f"its probabilities are not {IMAGES:,} rows of {len(CLASSES)}"
    probabilities = run.probabilities.astype(np.float32)
    if not np.allclose(probabilities.sum(1), 1, atol=0.01):
        return "its probabilities do not sum to 1"
    if (probabilities[np.arange(IMAGES), run.classes] < probabilities.max(1)).any():
        return "its classes are not the most probable ones"
    return None
