"""Checks of notebook 2: the way through the network, and its parameters counted by hand."""

import torch

from codealong import data
from codealong.checks.exercise import NOTHING, Exercise, Wrong, examples, numbers
from codealong.model import FashionCNN


def _logits(network):
    """Return the logits of a network, and whether a gradient comes back from them to every weight."""
    torch.manual_seed(0)
    net = network()
    logits = net(data.normalise(examples().images[:8]))
    if logits is None:
        raise Wrong(NOTHING)
    if not isinstance(logits, torch.Tensor):
        raise Wrong(f"it returns a {type(logits).__name__}, and logits are a tensor.")
    if logits.requires_grad:
        logits.sum().backward()
    reached = all(weight.grad is not None for weight in net.parameters())
    return {"it": logits.detach(), "a gradient for every weight": reached}


def _going(way):
    """Return a network that goes another way from images to logits."""
    return type("FashionCNN", (FashionCNN,), {"forward": way})


forward = Exercise(
    "FashionCNN.forward",
    FashionCNN,
    _logits,
    {
        "softmax does not belong here. Probabilities are what one wants to see, but cross_entropy takes logits and "
        "contains the softmax; a second one flattens the gradients.": (
            _going(lambda net, images: net.classifier(net.features(images)).softmax(dim=1)),
            _going(lambda net, images: net.classifier(net.features(images)).log_softmax(dim=1)),
        ),
        "the features are returned, and nobody turns them into ten logits: send them through the classifier.": _going(
            lambda net, images: net.features(images)
        ),
        "the classifier meets the image itself. It expects 1568 features, and an image has 784 pixels: the features "
        "come first.": _going(lambda net, images: net.classifier(images)),
        "the winning class is returned. That is an answer, but it has no gradient to learn from: return the logits.": (
            _going(lambda net, images: net.classifier(net.features(images)).argmax(dim=1))
        ),
        "ReLU after the last layer sets negative logits to 0, and a class that is out of the question then looks like "
        "one that is undecided. It follows every other layer, which makes it tempting.": _going(
            lambda net, images: net.classifier(net.features(images)).relu()
        ),
        "the logits are right, and no gradient comes back from them to every weight: such a network cannot learn. "
        "detach and no_grad belong where nothing is trained.": (
            _going(lambda net, images: net.classifier(net.features(images)).detach()),
            _going(lambda net, images: net.classifier(net.features(images).detach())),
        ),
        "the images that come are normalised already. Twice is not safer: the network sees other numbers.": _going(
            lambda net, images: net.classifier(net.features(data.normalise(images.clone())))
        ),
        NOTHING: _going(lambda net, images: None),
    },
)

conv_parameters = Exercise(
    "conv_parameters",
    lambda inputs, outputs, size=3: outputs * (inputs * size * size + 1),
    lambda answer: numbers(answer, (1, 16), (16, 32), (3, 8, 5)),
    {
        "the biases are missing: one for each filter. They are few, and easily forgotten.": (
            lambda inputs, outputs, size=3: outputs * inputs * size * size
        ),
        "one bias for the whole layer is not enough: each filter has its own.": (
            lambda inputs, outputs, size=3: outputs * inputs * size * size + 1
        ),
        "a filter is size × size, not size.": lambda inputs, outputs, size=3: outputs * (inputs * size + 1),
        "a filter looks at all input channels at once: inputs × size × size weights. With one channel, as in the first "
        "layer, the difference does not show.": lambda inputs, outputs, size=3: outputs * (size * size + 1),
        "there is one bias for each filter, and not one for each of its channels.": (
            lambda inputs, outputs, size=3: outputs * inputs * (size * size + 1),
            lambda inputs, outputs, size=3: outputs * inputs * size * size + inputs,
        ),
        "9 is right for filters of 3 × 3 only: use size.": lambda inputs, outputs, size=3: outputs * (inputs * 9 + 1),
    },
)

dense_parameters = Exercise(
    "dense_parameters",
    lambda inputs, outputs: outputs * (inputs + 1),
    lambda answer: numbers(answer, (1568, 128), (128, 10), (3, 2)),
    {
        "the biases are missing: one for each output.": lambda inputs, outputs: outputs * inputs,
        "there is one bias for each output, and not one for each input: biases are added to what comes out.": (
            lambda inputs, outputs: (outputs + 1) * inputs
        ),
        "one bias for the whole layer is not enough: each output has its own.": (
            lambda inputs, outputs: outputs * inputs + 1
        ),
        "each input is joined to each output: multiply the two. Adding counts the values, and not the weights between "
        "them.": lambda inputs, outputs: inputs + outputs,
    },
)
