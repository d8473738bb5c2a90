"""Checks of notebook 1: normalisation, and test images that stand among the others."""

from codealong import data
from codealong.checks.exercise import Exercise, examples, number

FIRST = 64


def _normalised(answer):
    return answer(examples().images[:FIRST].clone())


def _own_statistics(images):
    pixels = images.float() / 255
    return (pixels - pixels.mean()) / pixels.std()


normalise = Exercise(
    "normalise",
    lambda images: (images.float() / 255 - data.MEAN) / data.STD,
    _normalised,
    {
        "the mean is still in it. Dividing is what one remembers, but then the inputs do not lie around 0.": (
            lambda images: images.float() / 255 / data.STD,
            lambda images: images.float() / 255,
        ),
        "the spread is still that of the pixels. With the mean gone it looks done, because the average is 0.": (
            lambda images: images.float() / 255 - data.MEAN
        ),
        "MEAN and STD belong to pixels from 0 to 1, and these run to 255: divide by 255 first. Nothing complains, "
        "because the formula is the right one.": lambda images: (images.float() - data.MEAN) / data.STD,
        "this takes mean and spread of the images at hand. The result looks perfect, but then every batch is scaled "
        "differently, and test images bring statistics of their own.": _own_statistics,
        "// divides whole numbers, so that every shade below 255 becomes 0. It keeps the bytes small, which looks "
        "thrifty.": lambda images: (images // 255 - data.MEAN) / data.STD,
        "without brackets the division comes first: only MEAN / STD is subtracted.": (
            lambda images: images.float() / 255 - data.MEAN / data.STD
        ),
        "multiplying by STD makes the spread smaller still: divide by it.": (
            lambda images: (images.float() / 255 - data.MEAN) * data.STD
        ),
        "the mean is added, and it has to be taken away.": lambda images: (images.float() / 255 + data.MEAN) / data.STD,
    },
)


def _counted(answer):
    """Count among fingerprints of real images; ``x`` is one that differs from ``a`` in its last pixel only."""
    a, b, c, d, *_ = (image.numpy().tobytes() for image in examples().images[:4])
    x = a[:-1] + b"\x01"
    cases = ([a, b, b, c], [b, x, a, d]), ([a, d, d], [b, c]), ([a, b], [a, x, c])
    return tuple(number(answer(list(others), list(unseen))) for others, unseen in cases)


count_twins = Exercise(
    "count_twins",
    lambda others, unseen: len(set(others) & set(unseen)),
    _counted,
    {
        "this compares images at the same place only. zip is quick to write, but a twin may stand anywhere.": (
            lambda others, unseen: sum(one == other for one, other in zip(others, unseen, strict=False))
        ),
        "this counts repetitions among the others too. They are no leak: nobody is tested on them.": (
            lambda others, unseen: len(others) + len(unseen) - len({*others, *unseen})
        ),
        "this counts the images that have *no* twin. The minus of sets takes away; & keeps what is in both.": (
            lambda others, unseen: len(set(unseen) - set(others))
        ),
        "this counts how often the others repeat a test image, and not how many test images are repeated.": (
            lambda others, unseen: sum(other in set(unseen) for other in others)
        ),
        "this counts all different images. | unites two sets; & keeps what is in both.": (
            lambda others, unseen: len(set(others) | set(unseen))
        ),
    },
)
