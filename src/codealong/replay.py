"""Shows a recorded result in the place of a long cell, and says so: where `CODEALONG_SPEED=recorded` asks for it, and
bfloat16 where this processor would take minutes for an epoch.

Notebooks call it. Nothing that trains or measures does.
"""

import os
from dataclasses import asdict

from codealong import ROOT, CourseError, hardware, records, runs, training
from codealong.arms import ARMS
from codealong.model import FashionCNN
from codealong.progress import Progress

SPEEDS = ("measured", "recorded")

SHOWN = ROOT / "build" / "shown-runs"
"""Where runs are saved that were only shown, so that they replace none of a learner's own."""


def recorded():
    """Tell whether recorded results are wanted.

    Raises
    ------
    CourseError
        When `CODEALONG_SPEED` is set to something else than one of `SPEEDS`.
    """
    word = os.environ.get("CODEALONG_SPEED") or SPEEDS[0]
    if word not in SPEEDS:
        raise CourseError(
            f"CODEALONG_SPEED is {' or '.join(SPEEDS)}, and not {word}: set it to one of them, or unset it."
        )
    return word == SPEEDS[1]


def fit(arm, seed, train, valid, recipe=training.RECIPE):
    """Call `training.fit`, or show the recorded run of this arm, seed and recipe, at recorded speed or where
    the arm is `too_slow`.

    Only a run that kept its probabilities can be shown.

    Returns
    -------
    training.Trained
        Of a recorded run, its network refuses images, since weights are not recorded; `run` returns the recorded run.
    """
    path = records.REFERENCE / runs.NAME.format(arm=arm, seed=seed)
    if (recorded() or too_slow(arm)) and path.exists():
        run = runs.load(path)
        if run.recipe == asdict(recipe) and run.probabilities is not None:
            return _show(run, recipe, len(train.labels))
    return training.fit(arm, seed, train, valid, recipe)


def too_slow(arm):
    """Tell whether an arm computes in bfloat16 on a processor for which oneDNN has no bfloat16 kernels."""
    import torch

    instruction_sets = hardware.processor().instruction_sets
    slow = "AVX2" in instruction_sets and not torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return slow and ARMS[arm].precision == "bfloat16"


def save(run):
    """Save a run where a learner's runs are, or, where it was only shown, apart from them.

    Returns
    -------
    Path
    """
    return runs.save(run, SHOWN if recorded() or too_slow(run.arm) else None)


def find(arms=None, seed=None):
    """Call `runs.find`; at recorded speed, look at the recorded runs only."""
    return runs.find(arms, where=records.REFERENCE / runs.FOLDER if recorded() else None, seed=seed)


def instead_of(measure, load):
    """Return ``measure()``, or, at recorded speed, the record that `load` reads.

    Parameters
    ----------
    measure, load : callable
        Both return a dictionary with a ``"provenance"``.
    """
    if not recorded():
        return measure()
    record = load()
    print(_shown(record["provenance"]))
    return record


class _Replayed(training.Trained):
    """A recorded run in the place of a training."""

    def run(self, test):
        return self.net.recorded


class _WithoutWeights(FashionCNN):
    """Stands for a network whose weights were not recorded."""

    def __init__(self, run):
        super().__init__()
        self.recorded = run

    def forward(self, images):
        raise CourseError(
            f"{self.recorded.name} is a recorded run, and its weights were not kept: "
            "train a network with `training.fit`."
        )


def _show(run, recipe, images):
    history = [training.Epoch(**epoch) for epoch in run.history]
    why = "" if recorded() else " (in bfloat16, this processor would take minutes for an epoch)"
    with Progress(f"{run.arm}, seed {run.seed} · {_shown(run.provenance)}{why}", len(history), images) as progress:
        for epoch in run.history:
            progress.row(epoch)
    return _Replayed(run.arm, run.seed, recipe, _WithoutWeights(run).eval(), history)


def _shown(provenance):
    return f"SHOWN, NOT COMPUTED NOW: recorded {provenance['date'][:10]} on {provenance['processor']}"
