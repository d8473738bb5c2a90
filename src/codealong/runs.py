"""A run as a record on disk: history, predictions and provenance, read back whole or refused.

A record is one zip file, `stock-fp32-seed0.run.zip`, with `run.json`, `classes.npy` and, where they were
kept, `probabilities.npy` in it.
"""

import io
import json
import os
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from codealong import ROOT, CourseError, files, hardware, replay

FORMAT = "codealong run"
VERSION = 2
SUFFIX = ".run.zip"
IMAGES, CLASSES = 10_000, 10
HISTORY = {"epoch", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "seconds", "images_per_second"}

PROVENANCE = {"processor", "instruction_sets", "threads", "versions", "ipex_imported", "date"}

_UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    EOFError,
    zlib.error,
    NotImplementedError,
    RuntimeError,
)
"""What zipfile, json and numpy raise for a file that is not what they expect."""

RECORDED = Path(__file__).parent / "recorded"
"""The runs that ship with the course."""


class RunError(CourseError):
    """A record is damaged or not one of ours; the message says what to do."""


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


def new(arm, seed, recipe, history, probabilities):
    """Make a run of what `training.fit` and `training.predict` returned, with this process as provenance.

    Where a recorded run was shown instead, it is that run, with its own provenance.
    """
    if shown := to_show(arm, seed, asdict(recipe)):
        return shown
    probabilities = np.asarray(probabilities)
    return Run(
        arm, seed, asdict(recipe), [asdict(epoch) for epoch in history],
        probabilities.argmax(1).astype(np.uint8), probabilities.astype(np.float16),
        hardware.provenance(),
    )  # fmt: skip


def folder():
    """Return where a learner's runs are kept: `CODEALONG_RUNS` (relative to the project), or `runs/`.

    Recorded runs that were only shown go elsewhere, so that they replace none of a learner's own.
    """
    return ROOT / (os.environ.get("CODEALONG_RUNS") or ("build/shown-runs" if replay.recorded() else "runs"))


def to_show(arm, seed, recipe):
    """Return the recorded run that stands for training at `CODEALONG_SPEED=recorded`, or None.

    Parameters
    ----------
    arm : str
    seed : int
    recipe : dict
        Fields of `training.Recipe`. Only a run of this recipe that kept its probabilities can be shown.
    """
    path = RECORDED / f"{arm}-seed{seed}{SUFFIX}"
    if not replay.recorded() or not path.exists():
        return None
    run = load(path)
    return run if run.recipe == recipe and run.probabilities is not None else None


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
    RunError
        When the folder cannot be written; an earlier record is kept.
    """
    arrays = {name: array for name in ("classes", "probabilities") if (array := getattr(run, name)) is not None}
    fields = {key: value for key, value in asdict(run).items() if key not in ("classes", "probabilities")}
    fields = {"format": FORMAT, "version": VERSION, **fields}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as record:
        record.writestr("run.json", json.dumps(fields, indent=1))
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            record.writestr(f"{name}.npy", member.getvalue())
    path = Path(where or folder()) / f"{run.name}{SUFFIX}"
    try:
        files.write(path, content.getvalue())
    except OSError as problem:
        raise _unwritable(path.parent, problem) from None
    return path


def ensure_writable(where=None):
    """Raise RunError where `save` would, before the time is spent on a run."""
    where = Path(where or folder())
    try:
        files.write(where / ".writable", b"")
        (where / ".writable").unlink()
    except OSError as problem:
        raise _unwritable(where, problem) from None


def load(path):
    """Read a run.

    Parameters
    ----------
    path : path
        A record that `save` wrote.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        When the record is missing, damaged, foreign, or newer than this course.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as record:
            fields = json.loads(record.read("run.json"))
            kept = {"classes", *(name.removesuffix(".npy") for name in record.namelist() if name.endswith(".npy"))}
            arrays = {name: np.load(io.BytesIO(record.read(f"{name}.npy")), allow_pickle=False) for name in kept}
    except FileNotFoundError:
        raise RunError(f"{path} does not exist: run notebooks 03 and 04 to make it.") from None
    except _UNREADABLE as problem:
        raise _refused(path, f"it cannot be read ({problem})") from None
    if not isinstance(fields, dict) or fields.pop("format", None) != FORMAT:
        raise _refused(path, "it is not a record of this course")
    if (version := fields.pop("version", None)) != VERSION:
        raise _refused(path, f"its version is {version}, and this course reads version {VERSION}")
    try:
        run = Run(**{"probabilities": None, **fields, **arrays})
    except TypeError:
        raise _refused(path, f"its fields are {', '.join(fields)}") from None
    if path.name != f"{run.name}{SUFFIX}":
        raise _refused(path, f"it holds the run {run.name}")
    if problem := _problem(run):
        raise _refused(path, problem)
    return run


def find(arms, where=None, seed=None):
    """Return one run of each arm: the learner's own where all of them exist, else the recorded ones.

    Parameters
    ----------
    arms : sequence of str
    where : path, optional
        The learner's runs; `folder()` by default.
    seed : int, optional
        Only runs of this seed; by default the smallest that all the arms have.

    Returns
    -------
    runs : dict of str to Run
        By arm.
    origin : str
        ``"your own"`` or ``"recorded"``. A learner's runs that do not share one recipe are not compared.

    Raises
    ------
    RunError
        When neither place has them, a record is refused, or `CODEALONG_RUNS` names no folder.
    """
    own = [] if replay.recorded() and where is None else [(Path(where or _own_folder()), "your own")]
    for place, origin in (*own, (RECORDED, "recorded")):
        seeds = set.intersection(*(_seeds(place, arm) for arm in arms))
        if seed is not None:
            seeds &= {seed}
        if seeds:
            chosen = min(seeds)
            found = {arm: load(place / f"{arm}-seed{chosen}{SUFFIX}") for arm in arms}
            if all(run.recipe == found[arms[0]].recipe for run in found.values()):
                return found, origin
    wanted = "" if seed is None else f" with seed {seed}"
    raise RunError(f"There is no run of {', '.join(arms)}{wanted}: run notebooks 03 and 04 to make them.")


def recorded(arm, where=RECORDED):
    """Return all runs of an arm that a folder has, by ascending seed; the recorded ones by default."""
    where = Path(where)
    return [load(where / f"{arm}-seed{seed}{SUFFIX}") for seed in sorted(_seeds(where, arm))]


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


def _unwritable(where, problem):
    return RunError(
        f"{where} cannot be written ({problem.strerror}): choose a folder that can, with CODEALONG_RUNS or --into."
    )


def _refused(path, problem):
    cure = (
        "Restore it from the repository"
        if path.parent == RECORDED
        else "Delete it and make the run again: in notebooks 03 and 04, or with the study it belongs to"
    )
    return RunError(f"{path} is refused: {problem}. {cure}.")


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
    if run.classes.shape != (IMAGES,) or run.classes.dtype != np.uint8 or run.classes.max() >= CLASSES:
        return f"its classes are not {IMAGES:,} numbers from 0 to {CLASSES - 1}"
    if run.probabilities is None:
        return None
    if run.probabilities.shape != (IMAGES, CLASSES) or run.probabilities.dtype != np.float16:
        return f"its probabilities are not {IMAGES:,} rows of {CLASSES}"
    probabilities = run.probabilities.astype(np.float32)
    if not np.allclose(probabilities.sum(1), 1, atol=0.01):
        return "its probabilities do not sum to 1"
    if (probabilities[np.arange(IMAGES), run.classes] < probabilities.max(1)).any():
        return "its classes are not the most probable ones"
    return None
