"""Figures of the data: samples, averages, pixel values."""

import numpy as np

from codealong.classes import CLASSES
from codealong.figures.style import described, pyplot


def samples(split, per_class=8):
    """Draw the first images of each class, one row per class, five classes beside the other five."""
    fig = pyplot().figure(figsize=(2 * per_class * 0.58 + 2.6, 3.9), layout="constrained")
    rows = [row for half in fig.subfigures(1, 2) for row in half.subplots(len(CLASSES) // 2, per_class)]
    for label, row in enumerate(rows):
        chosen = split.images[split.labels == label][:per_class]
        for axis, image in zip(row, chosen, strict=True):
            _picture(axis, image[0])
        _beside(row[0], CLASSES[label])
    fig.suptitle(f"Ten classes, {per_class} images of each")
    return described(
        fig, f"Grid of photographs, {per_class} from each of ten classes of clothing: {', '.join(CLASSES)}."
    )


def averages(split):
    """Draw the average image of each class."""
    fig, axes = pyplot().subplots(2, 5, figsize=(9, 4.6))
    for label, axis in enumerate(axes.flat):
        _picture(axis, split.images[split.labels == label, 0].float().mean(0))
        axis.set_title(CLASSES[label], loc="center")
    fig.suptitle("On average, pullover, coat and shirt are nearly the same")
    fig.tight_layout(h_pad=1.5)
    return described(
        fig,
        "Average image of each class. Trouser, bag, sneaker and ankle boot keep their outline, sandal blurs; "
        "pullover, coat and shirt become nearly the same dark torso.",
    )


def pixel_histograms(images, normalised):
    """Draw the distribution of pixel values before and after normalisation, side by side."""
    fig, axes = pyplot().subplots(1, 2, figsize=(10, 3.7), sharey=True)
    panels = (("uint8, 0 to 255", images.float()), ("float32, normalised", normalised))
    for axis, (name, values) in zip(axes, panels, strict=True):
        values = values.flatten().numpy()
        axis.hist(values, bins=64, weights=np.full(len(values), 100 / len(values)), color="#0072B2")
        axis.axvline(values.mean(), color="black", linewidth=1)
        axis.annotate(
            f"mean {round(float(values.mean()), 2) + 0.0:.2f}\nstandard deviation {values.std():.2f}",
            (values.mean(), 0.95), xycoords=("data", "axes fraction"),
            xytext=(8, 0), textcoords="offset points", va="top",
        )  # fmt: skip
        axis.set(title=name, xlabel="pixel value", yscale="log")
    axes[0].set_ylabel("% of pixels")
    fig.suptitle("Normalisation moves and stretches the axis; the shape stays", x=0.01, ha="left")
    fig.tight_layout()
    return described(
        fig,
        "Two histograms of pixel values with the same shape, half of all pixels in the leftmost bar: "
        "before normalisation from 0 to 255, after it with mean 0 and standard deviation 1.",
    )


def _picture(axis, image):
    axis.imshow(image.numpy(), cmap="gray_r")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)


def _beside(axis, name):
    axis.set_ylabel(name, rotation=0, ha="right", va="center")
