"""Checks of notebook 3: a step of training, an accuracy, and a loss in bfloat16."""

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from codealong import data, training
from codealong.checks.exercise import Exercise, Wrong, batch, examples, number
from codealong.checks.typed import Typed

# a step

STEP = Typed("""
    def train_step(net, optimizer, images, labels):
        optimizer.zero_grad()
        logits = net(images)
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        return loss.detach()
""")

NOT_DETACHED = (
    "the loss is returned together with everything it was computed from. It works, but a list of such losses keeps "
    "every step's tensors in memory: return loss.detach()."
)
NO_TENSOR = "the loss should be returned as a tensor, detached: the cells below call .item() themselves."
EVALUATING = (
    "it leaves the network in evaluation mode. Ours is not affected, but some networks then train differently: nothing "
    "here needs net.eval()."
)


def _four_steps(answer):
    """Take four steps, the last one with large gradients; return the losses and what the weights have become.

    Plain gradient descent, because Adam makes the last digit of a tiny gradient a whole step.
    """
    net = training.initial(0)
    before = _weights(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    losses = []
    for step, contrast in enumerate((1, 1, 1, 100)):
        images, labels = batch(step)
        loss = answer(net, optimizer, contrast * images, labels)
        if not isinstance(loss, torch.Tensor):
            raise Wrong(NO_TENSOR)
        if loss.requires_grad:
            raise Wrong(NOT_DETACHED)
        if not net.training:
            raise Wrong(EVALUATING)
        if loss.numel() != 1:
            raise Wrong(f"the loss is one number for the whole batch, and this is {loss.numel()} numbers.")
        losses.append(loss.item())
    moved = not torch.equal(_weights(net), before)
    return {
        "in four steps, its losses are": losses,
        # Where nothing moved, this tells a missing step from a missing gradient.
        "whether the weights have gradients is": moved or next(net.parameters()).grad is not None,
        "for the weights after four steps it gives": _weights(net),
    }


def _weights(net):
    return torch.cat([weight.detach().flatten() for weight in net.parameters()])


train_step = Exercise(
    "train_step",
    STEP,
    _four_steps,
    {
        "the gradients of the last step are still there, and this step's are added to them. Nothing complains, and in "
        "the first step it makes no difference: begin with optimizer.zero_grad().": STEP.but("optimizer.zero_grad()"),
        "cross_entropy takes logits: it contains the softmax. With a second one the network still learns, only more "
        "slowly, which is why nobody notices.": (
            STEP.but("net(images)", "net(images).softmax(dim=1)"),
            STEP.but("net(images)", "net(images).log_softmax(dim=1).exp()"),
        ),
        "the weights do not move: optimizer.step() is missing, or comes before loss.backward(), when there is no "
        "gradient yet. The loss changes all the same, because the images do.": (
            STEP.but("optimizer.step()"),
            STEP.but("loss.backward()", "optimizer.step(); loss.backward()").but("        optimizer.step()\n", ""),
        ),
        "there is no gradient when the optimizer steps: loss.backward() is missing, or zero_grad comes between the "
        "two. Nothing complains, and the loss changes all the same, because the images do.": (
            STEP.but("loss.backward()", "loss.backward(); optimizer.zero_grad()"),
            STEP.but("loss.backward()"),
        ),
        "the loss is a sum over the images, so its gradient grows with the batch. A step size that suits the mean "
        "does not suit the sum.": STEP.but("labels)\n        loss.b", 'labels, reduction="sum")\n        loss.b'),
        "this is the loss after the step. It looks better, but it costs a second pass, and the loss before the step "
        "is asked for.": STEP.but("return loss", "return nn.functional.cross_entropy(net(images), labels)"),
        "cross_entropy takes the logits first, and then the labels.": STEP.but("(logits, labels)", "(labels, logits)"),
        "cross_entropy takes all ten logits. The winning class is what one compares with a label, but it says nothing "
        "of how sure the network is.": STEP.but("(logits, labels)", "(logits.argmax(dim=1), labels)"),
        "nn.CrossEntropyLoss is a class: nn.CrossEntropyLoss()(logits, labels) makes one and calls it. "
        "nn.functional.cross_entropy is the same as a function.": STEP.but(
            "nn.functional.cross_entropy", "nn.CrossEntropyLoss"
        ),
        "it also limits (clips) the gradients. Many scripts do, and while gradients are small nothing changes. But "
        "then it is another step than the one this course compares: leave it out here.": (
            STEP.but("optimizer.step", "nn.utils.clip_grad_norm_(net.parameters(), 1.0); optimizer.step"),
            STEP.but("optimizer.step", "nn.utils.clip_grad_norm_(net.parameters(), 5.0); optimizer.step"),
            STEP.but("optimizer.step", "nn.utils.clip_grad_value_(net.parameters(), 1.0); optimizer.step"),
        ),
        "the images are normalised already. Twice is not safer: the network sees other numbers.": (
            STEP.but("net(images)", "net(data.normalise(images.clone()))")
        ),
        EVALUATING: STEP.but("optimizer.zero_grad()", "optimizer.zero_grad(); net.eval()"),
        NO_TENSOR: STEP.but("loss.detach()", "loss.item()"),
        NOT_DETACHED: STEP.but("loss.detach()", "loss"),
    },
)

# an accuracy

ACCURACY = Typed("""
    def accuracy(net, split):
        net.eval()
        with torch.no_grad():
            logits = net(data.normalise(split.images))
        net.train()
        return (logits.argmax(dim=1) == split.labels).float().mean().item()
""")

KEEPS_GRADIENTS = (
    "it keeps what a gradient would need. The number is right, but with 10,000 images that is a gigabyte for nothing: "
    "call the network inside `with torch.no_grad():`."
)


EACH = "this says of each image whether it is right. The share is the mean: .float().mean(), because True counts as 1."


def _other_images(seen, given):
    if seen < given:
        return f"it shows the network {seen:,} images, and the split has {given:,}: all of them count."
    if seen == 2 * given:
        return "it shows the network every image twice: once is enough, and takes half the time."
    return (
        f"it shows the network {seen:,} images, and the split has {given:,}. The images to use are split.images: on "
        "those that it was trained on, any network looks better."
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
        value = answer(net, data.Split(*(part[start:end].clone() for part in test)))
        if getattr(value, "dtype", None) == torch.bool and value.shape == (end - start,):
            raise Wrong(EACH)
        value = number(value)
        if _Watched.seen != end - start:
            raise Wrong(_other_images(_Watched.seen, end - start))
        if _Watched.with_gradients:
            raise Wrong(KEEPS_GRADIENTS)
        observed[f"for {end - start} images it gives"] = value
        observed[f"after {end - start} images, net.training is"] = net.training
    return observed


accuracy = Exercise(
    "accuracy",
    ACCURACY,
    _accuracies,
    {
        "training mode is on while it measures. Our network is not affected, but some layers behave differently in "
        "training: call net.eval() before the network, and net.train() after it.": ACCURACY.but("net.eval()"),
        "evaluation mode is left on. The number is right, but whoever trains on will train differently, without a "
        "message: end with net.train().": ACCURACY.but("net.train()"),
        "net.eval() and net.train() have changed places: eval comes before the network is called, train after.": (
            ACCURACY.but("net.train()", "net.train(False)").but("net.eval()", "net.train()")
        ),
        "len(split) is 2, because a split is a pair: images and labels. Divide by len(split.labels).": (
            ACCURACY.but(".float().mean()", ".sum().div(len(split))")
        ),
        "the right answers are divided by a fixed number. Splits differ in size: divide by len(split.labels).": tuple(
            ACCURACY.but(".float().mean()", f".sum().div({size})") for size in (128, 1_000, 10_000, 50_000)
        ),
        EACH: ACCURACY.but(".float().mean().item()", ""),
        "this is a number of images. An accuracy is a share, from 0 to 1.": ACCURACY.but(".float().mean()", ".sum()"),
        "this is the average probability of the right class. A class that wins with 0.4 is as right as one that wins "
        "with 0.9: compare argmax with the labels.": ACCURACY.but(
            "(logits.argmax(dim=1) == split.labels).float()", "logits.softmax(dim=1).gather(1, split.labels[:, None])"
        ),
        "the network was given bytes from 0 to 255, or shades from 0 to 1. It learns from normalised images: "
        "data.normalise is missing.": (
            ACCURACY.but("data.normalise(split.images)", "split.images"),
            ACCURACY.but("data.normalise(split.images)", "split.images.float()"),
            ACCURACY.but("data.normalise(split.images)", "split.images / 255"),
        ),
        "this is in percent. An accuracy is a share, from 0 to 1.": ACCURACY.but("return", "return 100 *"),
        "a column of classes is compared with a row of labels, so each is compared with every other: leave keepdim "
        "out.": ACCURACY.but("dim=1", "dim=1, keepdim=True"),
        "argmax(dim=0) looks for one image in each class. The classes of an image are side by side: dim=1.": (
            ACCURACY.but("dim=1", "dim=0")
        ),
        "argmax without dim=1 finds one place in the whole table of logits.": ACCURACY.but("dim=1", ""),
        "logits are compared with labels. The class is the *place* of the largest logit: argmax(dim=1).": (
            ACCURACY.but(".argmax(dim=1)", "")
        ),
        "this is the share of *wrong* answers.": ACCURACY.but("==", "!="),
        _other_images(600, 500): ACCURACY.but(
            "net.eval()", "net.eval(); split = data.Split(*(part[:600] for part in data.load().train))"
        ),
        _other_images(100, 500): ACCURACY.but("(split.images)", "(split.images[:100])"),
        _other_images(1000, 500): ACCURACY.but("net.train()", "    net(data.normalise(split.images)); net.train()"),
        KEEPS_GRADIENTS: ACCURACY.but("with torch.no_grad()", "if True"),
    },
)

# autocast

BF16 = Typed("""
    def bf16_loss(net, images, labels):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = net(images)
            loss = nn.functional.cross_entropy(logits, labels)
        return logits, loss
""")
PLAIN = BF16.but('with torch.autocast("cpu", dtype=torch.bfloat16)', "if True")

NOT_TWO = "two things are asked for: the logits, and then the loss."


class _Autocast(TorchFunctionMode):
    """Notes whether autocast was ever on."""

    on = False

    def __torch_function__(self, function, types, arguments=(), named=None):
        self.on |= torch.is_autocast_enabled("cpu")
        return function(*arguments, **named or {})


def _in_bf16(answer):
    """Compute a loss; return it, and in which types everything was on the way."""
    net, types = training.initial(0), {}
    net.features.register_forward_pre_hook(lambda layer, inputs: types.update(images=inputs[0].dtype))
    net.features[0].register_forward_hook(lambda layer, inputs, maps: types.update(convolution=maps.dtype))
    with _Autocast() as autocast:
        returned = answer(net, *batch(0))
    if not isinstance(returned, tuple | list) or len(returned) != 2 or not hasattr(returned[0], "dtype"):
        raise Wrong(NOT_TWO)
    logits, loss = returned
    if logits.ndim != 2:
        raise Wrong(NOT_TWO)
    return {
        "the loss is": round(number(loss.detach() if isinstance(loss, torch.Tensor) else loss), 2),
        "the type of the images is": types.get("images"),
        "the first convolution computes in": types.get("convolution"),
        "the type of the logits is": logits.dtype,
        "the type of the loss is": getattr(loss, "dtype", type(loss)),
        "the type of the weights is": net.features[0].weight.dtype,
        "whether the loss has a way back to the weights is": getattr(loss, "requires_grad", False),
        "whether gradients were computed is": net.features[0].weight.grad is not None,
        "whether autocast was ever on is": autocast.on,
    }


bf16_loss = Exercise(
    "bf16_loss",
    BF16,
    _in_bf16,
    {
        "the weights themselves have become bfloat16. It is the shortest way, but small steps of the optimizer are "
        "then lost in rounding: autocast leaves the weights alone.": PLAIN.but(
            "net(images)", "net.bfloat16()(images.bfloat16())"
        ),
        "float16 is the type of graphics cards. Its range is small, so small gradients become 0; bfloat16 has the "
        "range of float32.": BF16.but("torch.bfloat16", "torch.float16"),
        'nothing is computed in bfloat16: autocast is missing, is off, or is for another device ("cuda" is in most '
        'examples; here it is "cpu").': (PLAIN, BF16.but("dtype=torch.bfloat16", "enabled=False")),
        "only the loss is computed under autocast, and the work is in the network: indent the line that calls the "
        "network too.": PLAIN.but("    loss", '    with torch.autocast("cpu", dtype=torch.bfloat16): loss'),
        "the loss is computed outside of autocast, in bfloat16, which has few digits. Under autocast, cross_entropy "
        "uses float32 by itself: indent it too.": BF16.but("    loss", "loss"),
        "no gradient can come back from this loss, and training needs one: no_grad, detach and item have no place "
        "here.": (
            BF16.but("logits, loss", "logits, loss.detach()"),
            BF16.but("logits, loss", "logits, loss.item()"),
            BF16.but("with ", "with torch.no_grad(), "),
        ),
        "this also computes gradients. loss.backward() is a line of the training step, not of the loss.": BF16.but(
            "return", "loss.backward(); return"
        ),
        NOT_TWO: (
            BF16.but("return logits, loss", "return loss"),
            BF16.but("return logits, loss", "return loss, logits"),
        ),
        "the images come normalised. Twice is not safer: the network sees other numbers.": BF16.but(
            "(images)", "(data.normalise(images))"
        ),
        "only the images are bfloat16. Weights and images then have different types, and a convolution refuses that: "
        "autocast changes both on the way.": PLAIN.but("images)\n", "images.bfloat16())\n"),
        "the images need no cast of their own: autocast gives each layer what it needs.": BF16.but(
            "(images)", "(images.bfloat16())"
        ),
        "only the logits become bfloat16, after all the work was done in float32: the call of the network belongs "
        "under autocast.": PLAIN.but("(images)", "(images).bfloat16()").but("(logits,", "(logits.float(),"),
    },
)
