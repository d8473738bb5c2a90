"""What the publication did and the study does not: 100 epochs of its recipe, and the network of its text."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from codealong import CourseError, data, hardware, model, records, runs, training
from codealong.arms import ARMS

RECIPE = training.Recipe(epochs=100, batch_size=64, max_lr=1e-3)
"""The published epochs and batch size. The optimizer was not published: Adam at its default rate stands in."""

ARMS_OF_EPOCHS = ("stock-fp32", "ipex-fp32")
EPOCHS_SEEDS, DEEP_SEEDS = range(100, 103), range(100, 105)

EPOCHS, DEEP = "hundred-epochs", "deep"
"""Folders in that of a machine."""

HISTORY = {f"{split}_{what}" for split in ("train", "valid", "test") for what in ("loss", "accuracy")}
KIND, VERSION, SUFFIX = "long run", 1, ".long.zip"
COMMAND = (sys.executable, "-m", "codealong.measure.publication")


class PublicationError(CourseError):
    """A run could not be made; the message says what to do."""


def conduct(folder, say=print):
    """Make the runs that the folder of a machine lacks, one on each core; stopped, it can be started again.

    Other work may go on beside: the times of these runs do not count.

    Parameters
    ----------
    folder : path
        Of a machine.
    say : callable, optional
        Is told where it is.

    Raises
    ------
    PublicationError
        When a run fails; those that have begun end, and no other begins.
    """
    left = missing(folder)
    for part in (EPOCHS, DEEP):
        records.ensure_writable(Path(folder) / part)
    alone = os.environ | hardware.KEEP_MEMORY | {"OMP_NUM_THREADS": "1"}

    failed = threading.Event()

    def make(job):
        if failed.is_set():
            return
        command = [*COMMAND, *map(str, job), str(folder)]
        status = subprocess.run(command, env=alone, stdout=subprocess.DEVNULL).returncode
        if status:
            failed.set()  # before this thread takes the next job: stopped from the keyboard, every run ends so
            raise PublicationError(
                f"{' '.join(map(str, job))} ended with status {status}, and was not recorded: "
                "the same command goes on with the others."
            )
        say(f"made {' '.join(map(str, job))}")

    say(f"{len(left)} runs are left")
    with ThreadPoolExecutor(hardware.cores()) as pool:
        list(pool.map(make, left))


def missing(folder):
    """Return what `conduct` would make: part, arm and seed of each run."""
    wanted = [(EPOCHS, arm, seed) for seed in EPOCHS_SEEDS for arm in ARMS_OF_EPOCHS]
    wanted += [(DEEP, arm, seed) for seed in DEEP_SEEDS for arm in ARMS]
    return [job for job in wanted if not _path(folder, *job).exists()]


def batches(split, generator=None):
    """Yield one pass over a split as the published recipe sees it: pixels from -1 to 1, from memory.

    Parameters
    ----------
    split : data.Split
    generator : torch.Generator, optional
        Shuffles the images.

    Yields
    ------
    images : torch.Tensor
        float32, shape (64, 1, 28, 28); the last batch may be smaller. Bitwise what torchvision's `ToTensor` and
        `Normalize` with 0.5 and 0.5 make of the same images.
    labels : torch.Tensor
        int64, shape (64,).
    """
    count = len(split.labels)
    order = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
    for chosen in order.split(RECIPE.batch_size):
        yield split.images[chosen].float().div_(255).sub_(0.5).div_(0.5), split.labels[chosen]


def long_run(arm, seed, splits, recipe=RECIPE):
    """Train as published, and look at all three splits after each epoch.

    Parameters
    ----------
    arm : str
    seed : int
        Decides the initial weights and the order of the images.
    splits : data.FashionMNIST
    recipe : training.Recipe, optional

    Returns
    -------
    dict of str to numpy.ndarray
        `train_loss` and `train_accuracy` over each epoch, while the weights were changing; `valid_loss`,
        `valid_accuracy`, `test_loss` and `test_accuracy` after it: float64, shape (epochs,).
    """
    arm, net, optimizer = training.start(arm, seed, recipe)
    order = torch.Generator().manual_seed(seed)
    plain, rows = model.FashionCNN(), []
    for epoch in range(1, recipe.epochs + 1):
        losses, right = 0.0, 0
        for images, labels in batches(splits.train, order):
            loss, logits = training.train_step(net, optimizer, images, labels, arm)
            losses += loss.item() * len(labels)
            right += (logits.argmax(1) == labels).sum().item()
        count = len(splits.train.labels)
        plain.load_state_dict(arm.weights(net))
        row = {"train_loss": losses / count, "train_accuracy": right / count}
        for name in ("valid", "test"):
            row[f"{name}_loss"], row[f"{name}_accuracy"] = _evaluate(plain, getattr(splits, name))
            training.finite(row[f"{name}_loss"], arm.name, seed, epoch, recipe)
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def read_long(folder=records.REFERENCE):
    """Return the recorded long runs of a machine.

    Returns
    -------
    dict of str to dict of int to dict of str to numpy.ndarray
        By arm and seed, as `long_run` returns them; arms and seeds that are not recorded are missing.

    Raises
    ------
    records.RecordError
    """
    found = {arm: {} for arm in ARMS_OF_EPOCHS}
    for path in sorted((Path(folder) / EPOCHS).glob(f"*{SUFFIX}")):
        again = "make it again with `python -m codealong publication`"
        fields, arrays = records.read(path, KIND, VERSION, again)
        arm, seed = fields.get("arm"), fields.get("seed")
        if path.name != f"{arm}-seed{seed}{SUFFIX}" or arm not in found:
            raise records.refused(path, f"it holds the run {arm}-seed{seed}", again)
        if {*arrays} != HISTORY or len({len(values) for values in arrays.values()}) != 1:
            raise records.refused(path, "its history does not have a number for each quantity and epoch", again)
        found[arm][seed] = arrays
    return found


def read_deep(folder=records.REFERENCE):
    """Return the recorded runs of `DeepFashionCNN` of a machine, by arm, by ascending seed."""
    places = {arm: [_path(folder, DEEP, arm, seed) for seed in DEEP_SEEDS] for arm in ARMS}
    return {
        arm: [runs.load(path, model.DeepFashionCNN.__name__) for path in paths if path.exists()]
        for arm, paths in places.items()
    }


def record(part, arm, seed, folder):
    """Make one run in this process, and record it in the folder of a machine."""
    splits, path = data.load(), _path(folder, part, arm, seed)
    if part == DEEP:
        trained = training.fit(arm, seed, splits.train, splits.valid, build=model.DeepFashionCNN)
        run, network = trained.run(splits.test), {"network": type(trained.net).__name__}
        runs.save(replace(run, probabilities=None, provenance=run.provenance | network), path.parent)
        return
    history = long_run(arm, seed, splits)
    fields = {"arm": arm, "seed": seed, "epochs": RECIPE.epochs, "batch_size": RECIPE.batch_size, "lr": RECIPE.max_lr}
    records.write(path, KIND, VERSION, fields | {"provenance": hardware.provenance()}, history)


def _path(folder, part, arm, seed):
    return Path(folder) / part / f"{arm}-seed{seed}{runs.SUFFIX if part == DEEP else SUFFIX}"


@torch.no_grad()
def _evaluate(net, split):
    logits = torch.cat([net(images) for images, _ in batches(split)])
    loss = torch.nn.functional.cross_entropy(logits, split.labels)
    return loss.item(), (logits.argmax(1) == split.labels).double().mean().item()


if __name__ == "__main__":
    part, arm, seed, folder = sys.argv[1:]
    try:
        record(part, arm, int(seed), folder)
    except CourseError as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
