"""Checks of notebook 1: normalisation, and test images that are also among the others."""

import contextlib

from codealong import data
from codealong.checks.exercise import Exercise, Wrong, examples, number

FIRST = 64


def _normalised(answer):
    return answer(examples().images[:FIRST].clone())


def _own_statistics(dimensions):
    def normalise(images):
        pixels = images.float() / 255
        return (pixels - pixels.mean(dimensions, keepdim=True)) / pixels.std(dimensions, keepdim=True)

    return normalise


normalise = Exercise(
    "normalise",
    lambda images: (images.float() / 255 - data.MEAN) / data.STD,
    _normalised,
    {
        "the mean is not subtracted, so the numbers are not around 0. Dividing is the part that one remembers.": (
            lambda images: images.float() / 255 / data.STD,
            lambda images: images.float() / 255,
        ),
        "it is not divided by the standard deviation. With the mean gone it looks done, because the average is 0.": (
            lambda images: images.float() / 255 - data.MEAN
        ),
        "MEAN and STD are for pixels from 0 to 1, and these go up to 255: divide by 255 first. Nothing complains: "
        "it is the right formula, for other numbers.": lambda images: (images.float() - data.MEAN) / data.STD,
        "this takes the mean and standard deviation of the images at hand. The result looks perfect, but then the same "
        "image gives other numbers among other images. Use data.MEAN and data.STD.": (
            _own_statistics((0, 1, 2, 3)),
            _own_statistics((1, 2, 3)),
            _own_statistics((0,)),
        ),
        "images.mean() would be that of the images at hand, and bytes have none: data.MEAN and data.STD are those of "
        "the training images, and are given.": (
            lambda images: (images / 255 - images.mean()) / images.std(),
            lambda images: (images - images.mean()) / images.std(),
        ),
        "float64 takes twice the memory of float32, and layers refuse it: .float() makes float32.": (
            lambda images: (images.double() / 255 - data.MEAN) / data.STD
        ),
        "// divides whole numbers, so every shade below 255 becomes 0. Bytes stay bytes that way, which looks "
        "thrifty.": lambda images: (images // 255 - data.MEAN) / data.STD,
        "division comes before subtraction, so only MEAN / STD is subtracted. Put brackets around the subtraction.": (
            lambda images: images.float() / 255 - data.MEAN / data.STD
        ),
        "it is divided by the square of STD. STD is the standard deviation itself: divide by STD.": (
            lambda images: (images.float() / 255 - data.MEAN) / data.STD**2
        ),
        "multiplying by STD makes the spread smaller still: divide by it.": (
            lambda images: (images.float() / 255 - data.MEAN) * data.STD
        ),
        "the mean is added: subtract it.": lambda images: (images.float() / 255 + data.MEAN) / data.STD,
        "MEAN and STD have changed places. Both are numbers between 0 and 1, so nothing complains: subtract MEAN, then "
        "divide by STD.": lambda images: (images.float() / 255 - data.STD) / data.MEAN,
        "it divides by 256. There are 256 shades, but the first is 0 and the last is 255.": (
            lambda images: (images.float() / 256 - data.MEAN) / data.STD
        ),
    },
)

SLOW = (
    "the count is right, but it looks through all the others again for each image. With 60,000 others this cell would "
    "seem to hang. Make a set of the others once, at the beginning; looking something up in a set takes no search."
)


class _Fingerprint(bytes):
    """Bytes that count how often one is compared with another or prepared for a set."""

    work = 0

    def __eq__(self, other):
        _Fingerprint.work += 1
        return bytes.__eq__(self, other)

    def __hash__(self):
        _Fingerprint.work += 1
        return bytes.__hash__(self)


def _counted(answer):
    """Count among fingerprints of real images; ``x`` is one that differs from ``a`` in its last pixel only."""
    a, b, c, d, *more = (image.numpy().tobytes() for image in examples().images[:404])
    x = a[:-1] + b"\x01"
    cases = ([a, b, b, c], [b, x, a, d]), ([a, d, d], [b, c]), ([a, b], [a, x, c]), (more[:300], more[297:])
    counts = []
    for others, unseen in cases:
        value = answer(list(others), list(unseen))
        if isinstance(value, set | frozenset | list):
            raise Wrong("these are the images themselves, and their number was asked for: len(…) counts them.")
        counts.append(number(value))
    if counts == [2, 0, 1, 3] and _work(answer, *cases[-1]) > 10 * len(more):
        raise Wrong(SLOW)
    return counts


def _work(answer, *lists):
    _Fingerprint.work = 0
    with contextlib.suppress(Exception):  # numpy and pandas, which are quick, take nothing but bytes
        answer(*([_Fingerprint(each) for each in fingerprints] for fingerprints in lists))
    return _Fingerprint.work


count_twins = Exercise(
    "count_twins",
    lambda others, unseen: len(set(others) & set(unseen)),
    _counted,
    {
        "this compares images at the same place only. zip is quick to write, but a twin can be anywhere.": (
            lambda others, unseen: sum(one == other for one, other in zip(others, unseen, strict=False))
        ),
        "this also counts images that are repeated within one list. Only those that are in both lists count.": (
            lambda others, unseen: len(others) + len(unseen) - len({*others, *unseen})
        ),
        "this counts the images that have *no* twin. To count what is in both of two sets, join them with &.": (
            lambda others, unseen: len(set(unseen) - set(others))
        ),
        "this counts pairs, or others that are in the test images. A test image that the others repeat counts more "
        "than once: go through the test images, and count each at most once.": (
            lambda others, unseen: sum(other in unseen for other in others),
            lambda others, unseen: sum(one == other for one in unseen for other in others),
        ),
        "this counts all different images of both lists together. For two sets, & keeps what is in both.": (
            lambda others, unseen: len(set(others) | set(unseen))
        ),
        "this counts all different test images. `and` does not join sets, it gives the second one; & keeps what is in "
        "both.": lambda others, unseen: len(set(others) and set(unseen)),
        "this says whether there is a twin. The question is how many there are.": (
            lambda others, unseen: not set(others).isdisjoint(unseen)
        ),
        SLOW: (
            lambda others, unseen: sum(image in others for image in unseen),
            lambda others, unseen: sum(image in set(others) for image in unseen),
        ),
    },
)
