"""The campaign of what is larger: the arms with other networks, with larger images and with more of them."""

import functools
import itertools
from typing import NamedTuple

import torch

from codealong.data import Split
from codealong.measure import timing
from codealong.measure.networks import NETWORKS, PIXELS
from codealong.measure.rounds import fresh
from codealong.measure.series import Series
from codealong.measure.worker import Worker

ROUNDS = {28: 3, 56: 2, 112: 1}
"""In how many rounds images of so many pixels take part: a step with large ones takes long, and one says enough."""

SECONDS = 0.5
"""How long a measurement takes at least."""

RESIZED_IMAGES = 2048
"""How many images are made larger; they are trained on again and again."""

COPIES, LARGEST_SHIFT = 4, 2
"""Of the larger data set: how often it has each image, and how far each copy is shifted at most, in pixels."""


class Cell(NamedTuple):
    """What is trained.

    Attributes
    ----------
    network : str
        One of `networks.NETWORKS`.
    pixels : int
        Width and height of an image.
    copies : int
        1 for the course's 50,000 images (of which those that are made larger are a part), `COPIES` for all 60,000
        published training images, each so many times and shifted at random.
    """

    network: str
    pixels: int
    copies: int = 1


BASE, MORE_IMAGES = Cell("FashionCNN", 28), Cell("FashionCNN", 28, COPIES)
CELLS = (BASE, MORE_IMAGES, *(Cell(*each) for each in itertools.product(NETWORKS, PIXELS) if Cell(*each) != BASE))


def images(splits, cell):
    """Return the images that a cell is trained on, made before anything is timed.

    Parameters
    ----------
    splits : data.FashionMNIST
    cell : Cell

    Returns
    -------
    data.Split
        Shape (N, 1, pixels, pixels).
    """
    if cell.copies > 1:
        return shifted(Split(*map(torch.cat, zip(splits.train, splits.valid, strict=True))), cell.copies)
    if cell.pixels == splits.train.images.shape[-1]:
        return splits.train
    few = Split(*(each[:RESIZED_IMAGES] for each in splits.train))
    size = (cell.pixels, cell.pixels)
    resized = torch.nn.functional.interpolate(few.images.float(), size, mode="bilinear")
    return Split(resized.round().byte(), few.labels)


def shifted(split, copies):
    """Return each image so many times, each copy shifted at random by up to `LARGEST_SHIFT` pixels either way."""
    generator, width = torch.Generator().manual_seed(0), split.images.shape[-1]
    count = copies * len(split.labels)
    padded = torch.nn.functional.pad(split.images, [LARGEST_SHIFT] * 4).repeat(copies, 1, 1, 1)
    moved = torch.empty(count, 1, width, width, dtype=torch.uint8)
    choice = torch.randint((2 * LARGEST_SHIFT + 1) ** 2, (count,), generator=generator)
    for number, (down, right) in enumerate(itertools.product(range(2 * LARGEST_SHIFT + 1), repeat=2)):
        its = choice == number
        moved[its] = padded[its, :, down : down + width, right : right + width]
    return Split(moved, split.labels.repeat(copies))


def one_round(arms, batch, number, say):
    """Measure the cells of a round, the arms of a cell one after the other, each arm in a process of its own.

    Returns
    -------
    provenance : dict
        Of the first process.
    dict
        `date`, `busy_percent` and `measurements`, a list of dict with `arm`, the fields of a `Cell`, those of
        `contestants.timed`, and `held_mib`, what training it took of memory at most.
    """
    threads = torch.get_num_threads()
    with fresh({arm: functools.partial(Worker, arm) for arm in arms}, number, say, batch) as (workers, when):
        order = list(workers)
        measurements = [
            {"arm": arm, **cell._asdict()}
            | workers[arm].ask("timed with", cell=cell, batch=batch, threads=threads, seconds=SECONDS)
            for place, cell in enumerate(CELLS)
            if number < ROUNDS[cell.pixels]
            for arm in timing.turn(order, place)
        ]
        return workers[order[0]].provenance, when | {"measurements": measurements}


SERIES = Series("larger", "larger", "campaign of what is larger", max(ROUNDS.values()), one_round)
