"""The two published networks, layer by layer, and their summary."""

from itertools import pairwise
from typing import NamedTuple

from torch import nn

INPUT_SHAPE = (1, 28, 28)
"""Channels, height and width of one image."""


class FashionCNN(nn.Module):
    """The network of the published summary table: two convolutions, 206,922 parameters.

    Takes float32 images of shape (N, 1, 28, 28) and returns logits of shape (N, 10).
    """

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )

    def forward(self, images):
        return self.classifier(self.features(images))


class DeepFashionCNN(nn.Module):
    """The network of the published text and drawing: four convolutions, 218,490 parameters.

    Takes float32 images of shape (N, 1, 28, 28) and returns logits of shape (N, 10).
    """

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )

    def forward(self, images):
        return self.classifier(self.features(images))


def pool_first(net):
    """Move each ReLU that stands before a pooling behind it.

    ReLU never decreases, so the largest of four pixels is the same before and after it: the same
    function, and three quarters of ReLU's work saved.

    Parameters
    ----------
    net : FashionCNN
        It is changed; the names of its weights stay.

    Returns
    -------
    FashionCNN
    """
    layers = list(net.features)
    for index, (layer, following) in enumerate(pairwise(list(layers))):
        if isinstance(layer, nn.ReLU) and isinstance(following, nn.MaxPool2d):
            layers[index : index + 2] = following, layer
    net.features = nn.Sequential(*layers)
    return net


def wide(width):
    """Return a `FashionCNN` with `width` times the channels of both convolutions and units of the dense layer."""
    if width == 1:
        return FashionCNN()
    net = FashionCNN()
    first, second, dense = 16 * width, 32 * width, 128 * width
    net.features[0] = nn.Conv2d(1, first, kernel_size=3, padding=1)
    net.features[3] = nn.Conv2d(first, second, kernel_size=3, padding=1)
    net.classifier[1] = nn.Linear(second * 7 * 7, dense)
    net.classifier[3] = nn.Linear(dense, 10)
    return net


class Layer(NamedTuple):
    """One row of a summary.

    Attributes
    ----------
    kind : str
        Class of the layer, such as ``Conv2d``.
    output_shape : tuple of int
        Shape of what it returns for one image, without the batch.
    parameters : int
        Numbers it learns.
    trainable : int
        Those of them that an optimizer may change.
    """

    kind: str
    output_shape: tuple
    parameters: int
    trainable: int


def layers(net):
    """List the layers of a network in the order in which an image passes them.

    Parameters
    ----------
    net : torch.nn.Module
        A network for images of shape `INPUT_SHAPE`.

    Returns
    -------
    list of Layer
    """
    import torchinfo

    traced = torchinfo.summary(net, input_size=(1, *INPUT_SHAPE), device="cpu", verbose=0)
    return [
        Layer(row.class_name, tuple(row.output_size[1:]), row.num_params, row.trainable_params)
        for row in traced.summary_list
        if row.is_leaf_layer
    ]


def summary(net):
    """Return the summary of a network in the published layout.

    Parameters
    ----------
    net : torch.nn.Module
        A network for images of shape `INPUT_SHAPE`.

    Returns
    -------
    str
        One line a layer (``Conv2d-1  [-1, 16, 28, 28]  160``), then the totals.
    """
    rows = layers(net)
    total, trainable = sum(row.parameters for row in rows), sum(row.trainable for row in rows)
    lines = ["-" * 64, f"{'Layer (type)':>20}  {'Output Shape':>25} {'Param #':>15}", "=" * 64]
    for number, row in enumerate(rows, 1):
        shape = str([-1, *row.output_shape])
        lines.append(f"{f'{row.kind}-{number}':>20}  {shape:>25} {row.parameters:>15,}")
    lines += ["=" * 64, f"Total params: {total:,}", f"Trainable params: {trainable:,}"]
    lines += [f"Non-trainable params: {total - trainable:,}", "-" * 64]
    return "\n".join(lines)
