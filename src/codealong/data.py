"""Fashion-MNIST as verified tensors: a fixed split, and batches normalised as they are used."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from codealong import sources
from codealong.classes import CLASSES as CLASSES

MEAN, STD = 0.2857, 0.3528
"""Mean and standard deviation of the training pixels, on a scale from 0 to 1."""

VALIDATION = Path(__file__).parent / "validation.npy"
"""Indices of the validation images among the published training images, uint16."""


class Split(NamedTuple):
    """Images and their labels.

    Attributes
    ----------
    images : torch.Tensor
        uint8, shape (N, 1, 28, 28).
    labels : torch.Tensor
        int64, shape (N,), an index into `CLASSES`.
    """

    images: torch.Tensor
    labels: torch.Tensor


class FashionMNIST(NamedTuple):
    """The three splits: 50,000 images to train on, 10,000 to choose by, 10,000 to report on."""

    train: Split
    valid: Split
    test: Split


def load(root=None):
    """Load Fashion-MNIST; fetch it first where that is needed.

    Parameters
    ----------
    root : path, optional
        The data folder; `sources.folder()` by default.

    Returns
    -------
    FashionMNIST
        `train`, `valid` and `test`. The published training images are split 50,000 / 10,000,
        stratified by class, the same way every time.

    Raises
    ------
    codealong.sources.DataError
        When the data cannot be had.
    """
    sources.obtain(root)
    published, test = _published("train", root), _published("t10k", root)
    train, valid = (Split(published.images[chosen], published.labels[chosen]) for chosen in split())
    return FashionMNIST(train, valid, test)


def split():
    """Return the fixed indices of the training and the validation images, stratified by class.

    scikit-learn's `train_test_split` chose them once; its import would cost every start some seconds.

    Returns
    -------
    train, valid : torch.Tensor
        int64, shapes (50000,) and (10000,), ascending.
    """
    valid = torch.from_numpy(np.load(VALIDATION).astype(np.int64))
    is_train = torch.ones(60_000, dtype=torch.bool)
    is_train[valid] = False
    return is_train.nonzero().flatten(), valid


def normalise(images):
    """Turn `uint8` images into float32 with mean 0 and standard deviation 1 over the training pixels."""
    return images.float().div_(255).sub_(MEAN).div_(STD)


def batches(split, batch_size, generator=None, prepare=normalise):
    """Yield one pass over a split, batch by batch.

    Parameters
    ----------
    split : Split
    batch_size : int
        Images per batch; the last batch of a pass may be smaller.
    generator : torch.Generator, optional
        Shuffles the images; in stored order without it.
    prepare : callable, optional
        What is done to the images of a batch.

    Yields
    ------
    images : torch.Tensor
        Shape (batch_size, 1, 28, 28); float32 and normalised, unless `prepare` does something else.
    labels : torch.Tensor
        int64, shape (batch_size,).
    """
    count = len(split.labels)
    order = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
    for chosen in order.split(batch_size):
        yield prepare(split.images.index_select(0, chosen)), split.labels[chosen]


def _published(which, root):
    """Read one pair of IDX files: a header of 16 or 8 bytes, then one byte per pixel or label."""
    raw = sources.raw_folder(root)
    images = bytearray(sources.read(f"{which}-images-idx3-ubyte", raw))
    labels = bytearray(sources.read(f"{which}-labels-idx1-ubyte", raw))
    return Split(
        torch.frombuffer(images, dtype=torch.uint8, offset=16).view(-1, 1, 28, 28),
        torch.frombuffer(labels, dtype=torch.uint8, offset=8).long(),
    )
