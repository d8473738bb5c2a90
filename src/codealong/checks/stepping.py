"""Check of notebook 3: a step of training."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from codealong import training
from codealong.checks.exercise import Exercise, Wrong, batch

NOT_DETACHED = (
    "the loss is returned with everything it was computed from. It works, but a list of such losses keeps every "
    "step's tensors in memory: return loss.detach()."
)
NO_TENSOR = "the loss should come back as a tensor, detached: the cells below take its .item() themselves."
EVALUATING = (
    "it leaves the network in evaluation mode. Ours would not mind, but in one with dropout a step then trains "
    "something else than it should: nothing here calls net.eval()."
)


def _four_steps(answer):
    """Take four steps; return the losses and what the weights have become.

    Plain gradient descent, because Adam makes the last digit of a tiny gradient a whole step.
    """
    net = training.initial(0)
    before = _weights(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    losses = []
    for step in range(4):
        loss = answer(net, optimizer, *batch(step))
        if not isinstance(loss, torch.Tensor):
            raise Wrong(NO_TENSOR)
        if loss.requires_grad:
            raise Wrong(NOT_DETACHED)
        if not net.training:
            raise Wrong(EVALUATING)
        losses.append(float(loss))
    moved = not torch.equal(_weights(net), before)
    # Where nothing moved, this tells a missing step from a missing gradient.
    has_gradient = moved or next(net.parameters()).grad is not None
    return {"its losses": losses, "a gradient": has_gradient, "what the weights become": _weights(net)}


def _weights(net):
    return torch.cat([weight.detach().flatten() for weight in net.parameters()])


def _step(net, optimizer, images, labels):
    optimizer.zero_grad()
    loss = cross_entropy(net(images), labels)
    loss.backward()
    optimizer.step()
    return loss.detach()


def _without_zero_grad(net, optimizer, images, labels):
    loss = cross_entropy(net(images), labels)
    loss.backward()
    optimizer.step()
    return loss.detach()


def _softmax_first(net, optimizer, images, labels):
    optimizer.zero_grad()
    loss = cross_entropy(net(images).softmax(dim=1), labels)
    loss.backward()
    optimizer.step()
    return loss.detach()


def _step_before_backward(net, optimizer, images, labels):
    optimizer.zero_grad()
    loss = cross_entropy(net(images), labels)
    optimizer.step()
    loss.backward()
    return loss.detach()


def _zero_before_step(net, optimizer, images, labels):
    loss = cross_entropy(net(images), labels)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.detach()


def _loss_after(net, optimizer, images, labels):
    _step(net, optimizer, images, labels)
    return cross_entropy(net(images), labels).detach()


def _swapped(net, optimizer, images, labels):
    return cross_entropy(labels, net(images)).detach()


def _class_called(net, optimizer, images, labels):
    return nn.CrossEntropyLoss(net(images), labels).detach()


def _in_evaluation_mode(net, optimizer, images, labels):
    net.eval()
    return _step(net, optimizer, images, labels)


def _summed(net, optimizer, images, labels):
    optimizer.zero_grad()
    loss = cross_entropy(net(images), labels, reduction="sum")
    loss.backward()
    optimizer.step()
    return loss.detach()


def _not_detached(net, optimizer, images, labels):
    optimizer.zero_grad()
    loss = cross_entropy(net(images), labels)
    loss.backward()
    optimizer.step()
    return loss


train_step = Exercise(
    "train_step",
    _step,
    _four_steps,
    {
        "the gradients of the last step are still there, and this one's are added to them. Nothing complains, and in "
        "the first step it makes no difference: begin with optimizer.zero_grad().": _without_zero_grad,
        "cross_entropy wants logits: it contains the softmax. A second one flattens the gradients. The network still "
        "learns, only more slowly, which is why nobody notices.": _softmax_first,
        "the weights do not move: optimizer.step() is missing, or stands before loss.backward(), where there is no "
        "gradient yet. The loss changes all the same, because the images do.": _step_before_backward,
        "there is no gradient when the optimizer steps: loss.backward() is missing, or zero_grad stands between the "
        "two. Nothing complains, and the loss changes all the same, because the images do.": _zero_before_step,
        "the loss is a sum over the images, and so the gradient grows with the batch. A learning rate that suits the "
        "mean does not suit it.": _summed,
        "this is the loss after the step. It looks better, but it costs a second pass, and the progress of training is "
        "told by the loss before it.": _loss_after,
        "cross_entropy takes the logits first, and then the labels.": _swapped,
        "nn.CrossEntropyLoss is a class: nn.CrossEntropyLoss()(logits, labels) makes one and calls it. "
        "nn.functional.cross_entropy is the same as a function.": _class_called,
        EVALUATING: _in_evaluation_mode,
        NO_TENSOR: lambda *step: _step(*step).item(),
        NOT_DETACHED: _not_detached,
    },
)
