"""Check of notebook 3: a loss in bfloat16."""

import torch
from torch.nn.functional import cross_entropy

from codealong import training
from codealong.checks.exercise import Exercise, Wrong, batch

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
