"""Checks of notebook 2: the network layer by layer, the way through it, and its parameters counted by hand."""

import torch
from torch import nn

from codealong import data
from codealong.checks.exercise import NOTHING, Exercise, Wrong, examples, numbers, returned
from codealong.model import FashionCNN

FIRST, SECOND = (0, (1, 16)), (3, (16, 32))
PARTS = ("features", "classifier")

TAKES = "A convolution says how many channels it takes, then how many it gives."
CHANNELS = (
    f"the first convolution takes the one channel of a grey image, and gives 16: nn.Conv2d(1, 16, …). {TAKES}",
    "the second convolution takes the 16 maps that the first one gives, not the image, and gives 32: "
    f"nn.Conv2d(16, 32, …). {TAKES}",
)
UNPADDED = (
    "without padding=1, a 3 × 3 filter does not fit at the border, and each convolution shaves a frame off its maps. "
    "Give it to both convolutions."
)


def _logits(network):
    """Return the layers with weights, the logits of eight images and of one, and whether gradients reach every weight.

    Where all layers have the right size, they get the weights of the solution: any order of making them is right.
    """
    torch.manual_seed(0)
    net, ours = network(), FashionCNN()
    _compare_convolutions(net)
    sizes, ours_sizes = _sizes(net), _sizes(ours)
    if sizes == ours_sizes:
        with torch.no_grad():
            for part in PARTS:
                for weight, right in zip(
                    getattr(net, part).parameters(), getattr(ours, part).parameters(), strict=True
                ):
                    weight.copy_(right)
    images = data.normalise(examples().images[:8])
    logits = returned(net(images))
    if isinstance(logits, nn.Module):
        raise Wrong("it returns layers, not what they compute: call them with the images, `self.features(images)`.")
    if not isinstance(logits, torch.Tensor):
        raise Wrong(f"it returns a {type(logits).__name__}, and logits are a tensor.")
    if logits.requires_grad:
        logits.sum().backward()
    reached = all(weight.grad is not None for weight in net.parameters())
    return sizes | {
        "for eight images it gives": logits.detach(),
        "whether training can reach every weight is": reached,
        "for a single image it gives": net(images[:1]).detach(),
        "whether its layers, called one after the other, give ten logits is": _one_after_the_other(net, images),
    }


def _compare_convolutions(net):
    """Compare what two convolutions take and give with ours, before their mistakes become errors of later layers."""
    convolutions = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    if len(convolutions) != 2:
        return
    for layer, (_, ours), reason in zip(convolutions, (FIRST, SECOND), CHANNELS, strict=True):
        if (layer.in_channels, layer.out_channels) != ours:
            raise Wrong(reason)
    if any(layer.kernel_size == (3, 3) and layer.padding in ((0, 0), "valid") for layer in convolutions):
        raise Wrong(UNPADDED)


def _one_after_the_other(net, images):
    """Tell whether images come through the layers as the next cell sends them."""
    try:
        return nn.Sequential(*net.features, *net.classifier)(images).shape == (len(images), 10)
    except (RuntimeError, TypeError):
        return False


def _sizes(net):
    """Say in words how large the layers with weights are, for each part of a network."""
    return {f"the layers of `{part}` that have weights are": _size(part, getattr(net, part, None)) for part in PARTS}


def _size(name, part):
    if isinstance(part, list | tuple):
        raise Wrong(
            f"`{name}` is a {type(part).__name__} of layers. Put them into `nn.Sequential(…)`, which calls them one "
            "after the other."
        )
    layers = part.modules() if isinstance(part, nn.Module) else []
    return ", ".join(_described(layer) for layer in layers if list(layer.parameters(recurse=False))) or "none"


def _described(layer):
    numbers = [
        getattr(layer, name)
        for name in ("in_channels", "out_channels", "in_features", "out_features")
        if hasattr(layer, name)
    ]
    if kernel := getattr(layer, "kernel_size", None):
        numbers.append(" × ".join(map(str, kernel)))
    if layer.bias is None:
        numbers.append("no bias")
    return f"{type(layer).__name__}({', '.join(map(str, numbers))})"


def _made(features=(), classifier=(), way=FashionCNN.forward):
    """Return a network in which each of the given positions has another layer, or none where that is None."""

    def make(net):
        FashionCNN.__init__(net)
        for part, changes in zip(PARTS, (features, classifier), strict=True):
            layers = dict(enumerate(getattr(net, part))) | dict(changes)
            setattr(net, part, nn.Sequential(*(layer for layer in layers.values() if layer is not None)))

    return type("FashionCNN", (FashionCNN,), {"__init__": make, "forward": way})


def _going(way):
    """Return a network that goes another way from images to logits."""
    return type("FashionCNN", (FashionCNN,), {"forward": way})


network = Exercise(
    "FashionCNN",
    FashionCNN,
    _logits,
    {
        UNPADDED: tuple(
            _made(
                {place: nn.Conv2d(*channels, kernel_size=3) for place, channels in which}, {1: nn.Linear(inputs, 128)}
            )
            for which in ([FIRST], [SECOND], [FIRST, SECOND])
            for inputs in (1568, 800 if len(which) == 2 else 1152)
        ),
        "a pooling is missing. There are two, one after each convolution and its ReLU; each halves height and width.": (
            _made({2: None}),
            _made({5: None}),
            _made({2: None, 5: None}),
            _made({2: None}, {1: nn.Linear(32 * 14 * 14, 128)}),
            _made({2: None, 5: None}, {1: nn.Linear(32 * 28 * 28, 128)}),
        ),
        "a ReLU is missing. The shapes are right without it, but two layers with nothing between them can do no more "
        "than one. It follows each convolution and the first dense layer.": (
            _made({1: None}),
            _made({4: None}),
            _made({}, {2: None}),
            _made({1: None, 4: None}),
            _made({1: None, 4: None}, {2: None}),
            _made({4: None}, {2: None}),
        ),
        "nn.Flatten is missing: the first dense layer takes a row of numbers, and pooling leaves maps. It comes first "
        "in the classifier.": _made({}, {0: None}),
        "the first dense layer takes every value that leaves the last pooling: 32 maps of 7 × 7, so 32 * 7 * 7 "
        "inputs.": tuple(
            _made({}, {1: nn.Linear(inputs, 128)})
            for inputs in (28 * 28, 32, 16 * 7 * 7, 7 * 7, 32 * 14 * 14, 32 * 28 * 28, 2 * 28 * 28 * 16, 32 * 7)
        ),
        CHANNELS[0]: tuple(
            _made({0: nn.Conv2d(*channels, kernel_size=3, padding=1)}) for channels in ((16, 1), (28, 16))
        ),
        CHANNELS[1]: tuple(
            _made({3: nn.Conv2d(*channels, kernel_size=3, padding=1)}) for channels in ((1, 32), (32, 16), (16, 16))
        ),
        "the last dense layer gives one number for each class, so ten.": (
            _made({}, {3: nn.Linear(128, 1)}),
            _made({}, {3: nn.Linear(10, 128)}),
            _made({}, {3: None}),
        ),
        "the last dense layer takes the 128 numbers that the one before it gives.": _made({}, {3: nn.Linear(1568, 10)}),
        "these are probabilities, or their logarithms. They are what one wants to see, but logits are asked for: what "
        "the last layer gives, as it is. Training (notebook 3) makes probabilities of them by itself.": (
            _going(lambda net, images: net.classifier(net.features(images)).softmax(dim=1)),
            _going(lambda net, images: net.classifier(net.features(images)).log_softmax(dim=1)),
            _going(lambda net, images: net.classifier(net.features(images)).sigmoid()),
        ),
        "these are the features. They still have to go through the classifier, which turns them into ten logits.": (
            _going(lambda net, images: net.features(images)),
            _going(lambda net, images: net.features(images).flatten(1)),
        ),
        "the classifier is given the images themselves. It takes 1568 numbers, and an image has 784: the features "
        "come first, and the classifier takes what they give.": _going(lambda net, images: net.classifier(images)),
        "this is the class with the largest logit. It is an answer, but too little to learn from: return all ten "
        "logits.": (
            _going(lambda net, images: net.classifier(net.features(images)).argmax(dim=1)),
            _going(lambda net, images: net.classifier(net.features(images)).max(dim=1).values),
        ),
        "ReLU after the last layer sets negative logits to 0, and then a class that is out of the question looks like "
        "one that is undecided. It is tempting because ReLU follows every other layer.": _going(
            lambda net, images: net.classifier(net.features(images)).relu()
        ),
        "the logits are right, but cut off from the weights that they were computed with, and such a network cannot "
        "learn. Return what the classifier gives, as it is.": (
            _going(lambda net, images: net.classifier(net.features(images)).detach()),
            _going(lambda net, images: net.classifier(net.features(images).detach())),
            _going(lambda net, images: net.classifier(net.features(images)).data),
        ),
        "the images are normalised already. Twice is not safer: the network sees other numbers.": (
            _going(lambda net, images: net.classifier(net.features(data.normalise(images.clone())))),
        ),
        "squeeze also removes the dimension that counts the images when there is only one. With more than one it does "
        "nothing, so it seems to be harmless: leave it out.": (
            _going(lambda net, images: net.classifier(net.features(images)).squeeze()),
            _going(lambda net, images: net.classifier(net.features(images).squeeze())),
        ),
        "this is a right way through the layers. But the next cell calls the layers one after the other, without "
        "`forward`: move the flattening into the classifier, as its first layer, nn.Flatten().": (
            _made({}, {0: None}, lambda net, images: net.classifier(net.features(images).flatten(1)))
        ),
        "torch.flatten without a 1 makes one long row of all images together. flatten(x, 1) keeps the images apart; "
        "here the classifier flattens by itself.": (
            _going(lambda net, images: net.classifier(torch.flatten(net.features(images)))),
            _going(lambda net, images: net.classifier[1:](torch.flatten(net.features(images)))),
        ),
        "it works for a batch of one size only. `-1` or `images.shape[0]` stands for however many images there are.": (
            _going(lambda net, images: net.classifier(net.features(images).view(8, 1568)))
        ),
        NOTHING: _going(lambda net, images: None),
    },
)

conv_parameters = Exercise(
    "conv_parameters",
    lambda inputs, outputs, size=3: outputs * (inputs * size * size + 1),
    lambda answer: numbers(answer, (1, 16), (16, 32), (3, 8, 5)),
    {
        "the biases are missing: one for each filter. They are few and easily forgotten.": (
            lambda inputs, outputs, size=3: outputs * inputs * size * size
        ),
        "one bias for the whole layer is not enough: each filter has its own.": (
            lambda inputs, outputs, size=3: outputs * inputs * size * size + 1
        ),
        "a filter is size × size, not size.": (
            lambda inputs, outputs, size=3: outputs * (inputs * size + 1),
            lambda inputs, outputs, size=3: outputs * inputs * size,
        ),
        "the size of the image does not count: the same weights are used at every place.": (
            lambda inputs, outputs, size=3: outputs * (inputs * size * size + 1) * 28 * 28,
            lambda inputs, outputs, size=3: outputs * inputs * size * size * 28 * 28,
            lambda inputs, outputs, size=3: outputs * inputs * 28 * 28,
            lambda inputs, outputs, size=3: outputs * (inputs * 28 * 28 + 1),
        ),
        "a filter looks at all input channels at once: inputs × size × size weights. In the first layer, which has one "
        "channel, the difference does not show.": lambda inputs, outputs, size=3: outputs * (size * size + 1),
        "there is one bias for each filter, not one for each of its channels.": (
            lambda inputs, outputs, size=3: outputs * inputs * (size * size + 1),
            lambda inputs, outputs, size=3: outputs * inputs * size * size + inputs,
        ),
        "^ is not a power in Python (it compares the bits of two numbers): write size ** 2, or size * size.": (
            lambda inputs, outputs, size=3: outputs * (inputs * size ^ 2 + 1),
            lambda inputs, outputs, size=3: outputs * (inputs * (size ^ 2) + 1),
            lambda inputs, outputs, size=3: outputs * (size ^ 2 * inputs + 1),
        ),
        "9 is right for filters of 3 × 3 only: use size.": lambda inputs, outputs, size=3: outputs * (inputs * 9 + 1),
        "these are the parameters of one filter. The layer has one filter for each output channel.": (
            lambda inputs, outputs, size=3: inputs * size * size + 1,
            lambda inputs, outputs, size=3: inputs * size * size + outputs,
        ),
    },
)

dense_parameters = Exercise(
    "dense_parameters",
    lambda inputs, outputs: outputs * (inputs + 1),
    lambda answer: numbers(answer, (1568, 128), (128, 10), (3, 2)),
    {
        "the biases are missing: one for each output.": lambda inputs, outputs: outputs * inputs,
        "there is one bias for each output, not one for each input: a bias is added to what leaves the layer.": (
            lambda inputs, outputs: (outputs + 1) * inputs,
            lambda inputs, outputs: inputs * outputs + inputs + outputs,
        ),
        "one bias for the whole layer is not enough: each output has its own.": (
            lambda inputs, outputs: outputs * inputs + 1
        ),
        "each input is joined to each output: multiply the two. Adding counts the values, not the weights between "
        "them.": lambda inputs, outputs: inputs + outputs,
    },
)
