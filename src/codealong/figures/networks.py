"""Draws a network: a solid for each layer, sized by feature map and channels, coloured by type."""

import math

from matplotlib.patches import Patch, Polygon

from codealong import model
from codealong.figures import style

COLOURS = {
    "Input": "#B0B0B0",
    "Conv2d": "#E69F00",
    "ReLU": "#D55E00",
    "MaxPool2d": "#009E73",
    "Flatten": "#CC79A7",
    "Linear": "#0072B2",
}
"""Layer types and their colours, from Okabe and Ito's palette."""

MEANING = {
    "Input": "the image",
    "Conv2d": "convolution, 3×3",
    "ReLU": "negative values become 0",
    "MaxPool2d": "the largest of each 2×2",
    "Flatten": "maps become one row",
    "Linear": "dense layer",
}

PITCH = 1.9
"""Distance from layer to layer; the largest feature map is 3.4 high."""
RELU_WIDTH, POOL_WIDTH = 0.1, 0.42
WIDEST = 11.8
"""Inches that a slide has room for."""
SLANT = 0.2
"""How far a solid reaches back, as a share of its height."""


def network(net, title):
    """Draw a network from left to right, each ReLU on the face of the layer before it.

    Parameters
    ----------
    net : torch.nn.Module
        A network of the layer types in `COLOURS`, for images of shape `model.INPUT_SHAPE`.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = [model.Layer("Input", model.INPUT_SHAPE, 0, 0), *model.layers(net)]
    columns = sum(row.kind != "ReLU" for row in rows)
    fig = style.pyplot().figure(figsize=(min(1.1 * columns, WIDEST), 3.6))
    axis = fig.add_axes((0, 0, 1, 0.92))
    x, end, entry = -PITCH, 0.0, 0.0
    for row in rows:
        height, width = _size(row.output_shape)
        if row.kind == "ReLU":
            _solid(axis, end, height, height, RELU_WIDTH, row)
            continue
        x += PITCH
        if row.kind == "MaxPool2d":
            _solid(axis, x, entry, height, POOL_WIDTH, row)
        else:
            _solid(axis, x, height, height, width, row)
        label = f"{row.kind}\n{_shape(row.output_shape)}".replace("Pool2d", "\nPool2d")
        axis.text(x + 0.4, -1.95, label, ha="center", va="top", fontsize=12)
        end, entry = x + width, height
    axis.set(xlim=(-0.6, x + PITCH - 0.6), ylim=(-2.7, 2.5), aspect="equal")
    axis.axis("off")
    fig.suptitle(title, x=0.01, ha="left")
    path = ", ".join(f"{row.kind} {_shape(row.output_shape)}" for row in rows)
    return style.described(fig, f"Drawing of the network from left to right: {path}.")


def legend():
    """Draw the legend of layer types."""
    fig, axis = style.pyplot().subplots(figsize=(11, 0.9))
    axis.axis("off")
    patches = [
        Patch(facecolor=colour, edgecolor="black", label=f"{kind}: {MEANING[kind]}") for kind, colour in COLOURS.items()
    ]
    axis.legend(handles=patches, loc="center", ncols=3)
    return style.described(fig, "Legend of layer types. " + "; ".join(patch.get_label() for patch in patches) + ".")


def _size(shape):
    """Return the height and the width of a solid: maps to scale, rows of numbers by their logarithm."""
    if len(shape) == 1:
        return 0.32 * math.log2(shape[0]), 0.2
    channels, height, _ = shape
    return 3.4 * height / model.INPUT_SHAPE[1], 0.12 + 0.02 * channels


def _shape(shape):
    return "×".join(map(str, shape))


def _solid(axis, x, entry, height, width, row):
    """Draw a box, or a wedge where the height at its entry differs."""
    slant = SLANT if len(row.output_shape) == 3 else 0.06
    left, right, near, far = entry / 2, height / 2, slant * entry, slant * height
    end = x + width
    front = [(x, -left), (x, left), (end, right), (end, -right)]
    top = [(x, left), (x + near, left + near), (end + far, right + far), (end, right)]
    side = [(end, -right), (end, right), (end + far, right + far), (end + far, far - right)]
    for corners, shadow in ((front, 0.0), (top, 0.12), (side, 0.25)):
        edges = {"closed": True, "edgecolor": "black", "linewidth": 0.8}
        axis.add_patch(Polygon(corners, facecolor=COLOURS[row.kind], **edges))
        axis.add_patch(Polygon(corners, facecolor="black", alpha=shadow, linewidth=0))
