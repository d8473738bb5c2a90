"""Networks from small to large, for images of several sizes: what "larger and more complex" is tried on."""

import functools

from torch import nn

from codealong import model

PIXELS = (28, 56, 112)
"""Width and height of the images: Fashion-MNIST's own, and twice and four times as wide."""

PATCH = 7
"""Width of the transformer's patches, in pixels."""


def fashion_cnn(width, pixels):
    """Return `model.wide(width)`; what it pools is averaged to 7×7 before the dense layers, which keeps their size."""
    return _averaged(model.wide(width), pixels)


def deep_fashion_cnn(pixels):
    """Return `model.DeepFashionCNN`, averaged likewise."""
    return _averaged(model.DeepFashionCNN(), pixels)


def resnet18(_):
    """Return torchvision's ResNet-18, with one input channel and ten outputs: 11,175,370 parameters."""
    from torchvision.models import resnet18

    net = resnet18(num_classes=10)
    net.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return net


def small_transformer(pixels):
    """Return torchvision's vision transformer, small: six layers of three heads, 192 wide, one input channel."""
    from torchvision.models import VisionTransformer

    net = VisionTransformer(pixels, PATCH, num_layers=6, num_heads=3, hidden_dim=192, mlp_dim=768, num_classes=10)
    net.conv_proj = nn.Conv2d(1, 192, kernel_size=PATCH, stride=PATCH)
    return net


NETWORKS = {
    "FashionCNN": functools.partial(fashion_cnn, 1),
    **{f"FashionCNN ×{width}": functools.partial(fashion_cnn, width) for width in (2, 4, 8)},
    "DeepFashionCNN": deep_fashion_cnn,
    "ResNet-18": resnet18,
    "small transformer": small_transformer,
}
"""Builders by name; each gets the pixels of an image and returns a plain network."""


def _averaged(net, pixels):
    if pixels != model.INPUT_SHAPE[-1]:
        net.features.append(nn.AdaptiveAvgPool2d(7))
    return net
