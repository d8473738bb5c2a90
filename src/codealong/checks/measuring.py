"""Check of notebook 3: an accuracy."""

import torch
from torch import nn

from codealong import data, training
from codealong.checks.exercise import Exercise, Wrong, examples, number

KEEPS_GRADIENTS = (
    "it keeps what a gradient would need. The number is right, but with 10,000 images that is a gigabyte for "
    "nothing: compute under torch.no_grad()."
)


def _other_images(seen, given):
    if not seen:
        return "it never shows the images of the split to the network."
    return (
        f"it looked at {seen:,} images, and the split that it was given has {given:,}. An accuracy on the training "
        "images is easily had, and flatters: those are known by heart."
    )


class _Watched(nn.Module):
    """A network with dropout that notes how it and its copies are used."""

    seen, with_gradients = 0, False

    def __init__(self):
        super().__init__()
        self.net, self.dropout = training.initial(0), nn.Dropout(0.9)

    def forward(self, images):
        _Watched.seen += len(images)
        _Watched.with_gradients |= torch.is_grad_enabled()
        return self.dropout(self.net(images))


def _accuracies(answer):
    """Measure on two parts of some images; return the shares and the mode that the network is left in."""
    test = examples()
    observed = {}
    for start, end in ((0, 500), (500, 800)):
        torch.manual_seed(start)
        net = _Watched()
        _Watched.seen, _Watched.with_gradients = 0, False
        value = number(answer(net, data.Split(test.images[start:end].clone(), test.labels[start:end])))
        if _Watched.seen != end - start:
            raise Wrong(_other_images(_Watched.seen, end - start))
        if _Watched.with_gradients:
            raise Wrong(KEEPS_GRADIENTS)
        observed[f"for {end - start} images it"] = value
        observed[f"whether the network is in training mode after {end - start} images"] = net.training
    return observed


def _share(net, split):
    with torch.no_grad():
        return (net(data.normalise(split.images)).argmax(dim=1) == split.labels).float().mean().item()


def _in_evaluation(measure):
    def accuracy(net, split):
        net.eval()
        value = measure(net, split)
        net.train()
        return value

    return accuracy


def _left_in_evaluation(net, split):
    net.eval()
    return _share(net, split)


def _on_the_training_images(net, split):
    return _share(net, data.Split(*(part[:1000] for part in data.load().train)))


def _of_probabilities(net, split):
    with torch.no_grad():
        probabilities = net(data.normalise(split.images)).softmax(dim=1)
    return probabilities[torch.arange(len(split.labels)), split.labels].mean().item()


def _with_gradients(net, split):
    return (net(data.normalise(split.images)).argmax(dim=1) == split.labels).float().mean().item()


def _prepared(prepare):
    def share(net, split):
        with torch.no_grad():
            return (net(prepare(split.images)).argmax(dim=1) == split.labels).float().mean().item()

    return share


def _column(net, split):
    with torch.no_grad():
        classes = net(data.normalise(split.images)).argmax(dim=1, keepdim=True)
    return (classes == split.labels).float().mean().item()


accuracy = Exercise(
    "accuracy",
    _in_evaluation(_share),
    _accuracies,
    {
        "training mode is on while it measures. This network would not mind, but one with dropout answers with most "
        "of its neurons switched off: call net.eval() first.": _share,
        "evaluation mode is left on. The number is right, but whoever trains on has no dropout any more, without a "
        "message: end with net.train().": _left_in_evaluation,
        "this is a number of images. An accuracy is a share, from 0 to 1.": _in_evaluation(
            lambda net, split: _share(net, split) * len(split.labels)
        ),
        "this is the average probability of the right class. It sounds like an accuracy, but a class that wins with "
        "0.4 is as right as one that wins with 0.9: compare argmax with the labels.": _in_evaluation(_of_probabilities),
        "the network gets bytes from 0 to 255, or shades from 0 to 1, and it learned from normalised images: "
        "data.normalise is missing.": (
            _in_evaluation(_prepared(torch.Tensor.float)),
            _in_evaluation(_prepared(lambda images: images)),
            _in_evaluation(_prepared(lambda images: images / 255)),
        ),
        "these are percent. An accuracy is a share, from 0 to 1.": _in_evaluation(
            lambda net, split: 100 * _share(net, split)
        ),
        "a column of classes is compared with a row of labels, and so each with every other. Leave keepdim out.": (
            _in_evaluation(_column)
        ),
        "this is the share of *wrong* answers.": _in_evaluation(lambda net, split: 1 - _share(net, split)),
        _other_images(1000, 500): _in_evaluation(_on_the_training_images),
        KEEPS_GRADIENTS: _in_evaluation(_with_gradients),
    },
)
