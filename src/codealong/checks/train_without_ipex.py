"""Checks of notebook 3: a step of training, an accuracy, and a loss in bfloat16."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from codealong import data, training
from codealong.checks.exercise import Exercise, Wrong, batch, examples, number

# stepping

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

# measuring

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

# halving

NOT_TWO = "two things were asked for: the logits, and then the loss."


def _in_bf16(answer):
    """Compute a loss; return it, and in which types everything was on the way."""
    net, types = training.initial(0), {}
    net.features.register_forward_pre_hook(lambda layer, inputs: types.update(images=str(inputs[0].dtype)))
    net.features[0].register_forward_hook(lambda layer, inputs, maps: types.update(convolution=str(maps.dtype)))
    returned = answer(net, *batch(0))
    if not isinstance(returned, tuple | list) or len(returned) != 2 or not hasattr(returned[0], "dtype"):
        raise Wrong(NOT_TWO)
    logits, loss = returned
    if logits.ndim != 2:
        raise Wrong(NOT_TWO)
    return {
        "the loss": round(float(loss.detach()), 2),
        "the type of the images": types.get("images"),
        "the type that the first convolution": types.get("convolution"),
        "the type of the logits": str(logits.dtype),
        "the type of the loss": str(loss.dtype),
        "the type of the weights": str(net.features[0].weight.dtype),
        "whether the loss has a way back to the weights": loss.requires_grad,
        "whether gradients were computed": net.features[0].weight.grad is not None,
    }


def _under(**autocast):
    def bf16_loss(net, images, labels):
        with torch.autocast(**{"device_type": "cpu", "dtype": torch.bfloat16, **autocast}):
            logits = net(images)
            return logits, cross_entropy(logits, labels)

    return bf16_loss


def _whole_network(net, images, labels):
    logits = net.bfloat16()(images.bfloat16())
    return logits, cross_entropy(logits, labels)


def _images_only(net, images, labels):
    logits = net(images.bfloat16())
    return logits, cross_entropy(logits, labels)


def _images_too(net, images, labels):
    return _under()(net, images.bfloat16(), labels)


def _logits_only(net, images, labels):
    logits = net(images).bfloat16()
    return logits, cross_entropy(logits.float(), labels)


def _loss_outside(net, images, labels):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = net(images)
    return logits, cross_entropy(logits, labels)


def _without_gradient(net, images, labels):
    with torch.no_grad():
        return _under()(net, images, labels)


def _backward_too(net, images, labels):
    logits, loss = _under()(net, images, labels)
    loss.backward()
    return logits, loss


bf16_loss = Exercise(
    "bf16_loss",
    _under(),
    _in_bf16,
    {
        "the weights themselves have become bfloat16. It is the shortest way, but small steps of the optimizer are "
        "then lost in rounding: autocast leaves the weights alone.": _whole_network,
        "float16 is the type of graphics cards. Its range is small, so that small gradients vanish; bfloat16 has the "
        "range of float32.": _under(dtype=torch.float16),
        'nothing is computed in bfloat16: autocast is missing, is off, or is for another device ("cuda" is what most '
        'examples have; here it is "cpu").': _under(enabled=False),
        "the loss is computed outside of autocast, in bfloat16, where its digits are few. Under autocast cross_entropy "
        "goes back to float32 by itself: indent it too.": _loss_outside,
        "no gradient can come back from this loss. Training needs one: no_grad and detach have no place here.": (
            _without_gradient
        ),
        "this also computes gradients. loss.backward() belongs behind autocast, and to the step.": _backward_too,
        NOT_TWO: (
            lambda net, images, labels: _under()(net, images, labels)[1],
            lambda net, images, labels: _under()(net, images, labels)[::-1],
        ),
        "only the images are bfloat16. Weights and images then have different types, and a convolution refuses that: "
        "autocast changes both on the way.": _images_only,
        "the images need no cast of their own: autocast turns what a layer gets into bfloat16.": _images_too,
        "only the logits become bfloat16, after all the work is done in float32: the call of the network belongs under "
        "autocast.": _logits_only,
    },
)
