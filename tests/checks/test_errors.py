"""Errors that stop an answer, and lines of it that do nothing, are explained."""

import pytest
import torch
from torch import nn

from codealong import checks, data
from codealong.checks.typed import Typed
from codealong.model import FashionCNN
from tests.checks import EXERCISES, words

STEP, ACCURACY, BF16 = (checks.train_step.solution, checks.accuracy.solution, checks.bf16_loss.solution)
MASKED = Typed("""
    def only_one(first, second):
        return (first & ~second).sum(), (~first & second).sum()
""")
MANY_LOSSES = STEP.but("labels)\n", 'labels, reduction="none")\n').but("loss.backward", "loss.sum().backward")
BYTES = Typed("""
    def normalise(images):
        return (images.float() / 255 - data.MEAN) / data.STD
""")
FORMULA = Typed("""
    def conv_parameters(inputs, outputs, size=3):
        return outputs * (inputs * size * size + 1)
""")


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("normalise", BYTES.but("return", "images /= 255; return"), "bytes hold whole numbers only"),
        ("normalise", BYTES.but("float()", "float"), "without its brackets is not called"),
        ("normalise", BYTES.but("return", "return normalise(images) #"), "The function calls itself"),
        ("normalise", BYTES.but("data.MEAN", "MEAN"), "nothing is called `MEAN` here: write `data.MEAN`"),
        ("normalise", BYTES.but("(images)", "()"), "The line with `def` stays as it was"),
        ("count_twins", lambda others, unseen: len(others & unseen), "`set(…)` makes a set of a list"),
        ("conv_parameters", FORMULA.but("* (", "("), "A multiplication needs its `*`"),
        ("conv_parameters", FORMULA.but("size *", "sise *"), "nothing is called `sise` here. Store a value"),
        ("amdahl", lambda share, times: 1 / (share - share), "below the fraction line"),
        ("train_step", STEP.but("labels)\n", "labels).detach()\n"), "The loss has no way back to the weights"),
        ("train_step", STEP.but("labels)\n", "labels).item()\n"), "The loss has no way back to the weights"),
        ("train_step", STEP.but("loss.backward()", "loss.backward(); loss.backward()"), "called twice on one loss"),
        ("train_step", STEP.but("loss.backward", "logits.backward"), "backward needs a loss that is one number"),
        ("train_step", STEP.but("step()", "step(loss)"), "optimizer.step(), which needs nothing"),
        ("train_step", STEP.but("(logits,", "(net,"), "the logits come first, then the labels"),
        ("train_step", STEP.but("(logits,", "(images,"), "the logits come first, then the labels"),
        ("train_step", STEP.but("net(images)", "net(images).exp(); logits += 1"), "changed in place"),
        ("train_step", STEP.but("optimizer.z", "net.features[0].weight.add_(1); optimizer.z"), "changed in place"),
        ("train_step", STEP.but("nn.functional.", ""), "write `nn.functional.cross_entropy`"),
        ("train_step", STEP.but("nn.", "np."), "`np` is not imported"),
        ("train_step", STEP.but("images)", "image)"), "nothing is called `image` here"),
        ("train_step", STEP.but("logits = net(images)", "print(loss)"), "Store something in loss before it is used"),
        ("train_step", MANY_LOSSES, "this is 32 numbers"),
        ("accuracy", ACCURACY.but("no_grad()", "no_grad"), "After `with`, a context needs its brackets"),
        ("accuracy", ACCURACY.but(".float().mean()", ".float.mean()"), "without its brackets is not called"),
        ("accuracy", ACCURACY.but(".float()", ""), ".float() turns them into 1 and 0 first"),
        ("accuracy", ACCURACY.but("argmax", "max"), "argmax(dim=1) gives the places, which are the classes"),
        ("accuracy", ACCURACY.but("argmax", "max").but("float().mean", "sum"), "max(dim=1) gives values and places"),
        ("accuracy", ACCURACY.but(".mean()", ""), ".mean() or .sum() makes one of them"),
        ("accuracy", ACCURACY.but("return", "return 1 if").but(".float().mean().item()", " else 0"), "for one yes"),
        ("accuracy", ACCURACY.but("data.normalise(split.images)", "split"), "Layers are called with images"),
        ("accuracy", ACCURACY.but("== split.labels", "== split.images[:9]"), "print `.shape` of both"),
        ("accuracy", ACCURACY.but(".item()", ".item"), "it returns the method item itself, not its result"),
        ("bf16_loss", BF16.but("torch.bfloat16", "bfloat16"), "write `torch.bfloat16`"),
        ("bf16_loss", BF16.but("torch.bfloat16", '"bfloat16"'), "A type is written without quotes"),
        ("bf16_loss", BF16.but('with torch.autocast("cpu", dtype=torch.bfloat16)', "if net.bfloat16()"), "Change both"),
        ("only_one", MASKED.but("& ~", "and not "), "work entry by entry"),
        ("only_one", MASKED.but("& ~", "- "), "True and False cannot be subtracted"),
        ("only_one", MASKED.but("sum()", "sum"), "it returns the method sum itself, not its result"),
        ("paired_interval", lambda first, second: sqrt(2), "nothing is called `sqrt` here: write `np.sqrt`"),  # noqa: F821
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:In CPU autocast")
def test_an_error_is_explained(name, answer, said, capsys):
    exercise = EXERCISES[name]
    assert exercise(answer) is exercise.solution
    assert said in words(capsys)


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        (lambda self, images: self.classifier(features(images)), "write `self.features`"),  # noqa: F821
        (lambda self, images: self.classifier(self.features), "give new values: `self.features(images)`"),
        (lambda self, images: self.classifier, "it returns layers, not what they compute"),
        (lambda self, images: self.classifier[1](self.features(images)), "nn.Flatten is missing"),
        (lambda self, images: self.classifier(self.features(images[0, 0, 0])), "A dimension is missing"),
        (lambda self, images: self.classifier(self.features(images)).relu, "the method relu itself"),
        (lambda images: images, "In a class, the first argument is `self`"),
    ],
)
def test_an_error_on_the_way_through_the_network_is_explained(forward, said, capsys):
    checks.network(type("FashionCNN", (FashionCNN,), {"forward": forward}))
    assert said in words(capsys)


def classifier(*layers):
    """Return a network with these layers in its classifier."""

    class Network(FashionCNN):
        def __init__(self):
            super().__init__()
            del self.classifier
            self.classifier = layers[0] if len(layers) == 1 else nn.Sequential(*layers)

    return Network


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ((nn.Flatten(), nn.Linear(1568, 64), nn.ReLU(), nn.Linear(64, 10)), "are 'Linear(1568, 64), Linear(64, 10)'"),
        ((nn.Flatten(), nn.Linear(1568, 128, bias=False)), "'Linear(1568, 128, no bias)' instead of"),
        ((nn.Flatten(), nn.ReLU), "A layer has round brackets, even empty ones"),
        (([nn.Flatten(), nn.Linear(1568, 10)],), "`classifier` is a list of layers"),
        ((nn.Identity(),), "`classifier` that have weights are 'none'"),
    ],
)
def test_wrong_layers_are_told(layers, said, capsys):
    checks.network(classifier(*layers))
    assert said in words(capsys)


def test_a_layer_without_its_module_is_told_where_it_belongs(capsys):
    class Network(FashionCNN):
        def __init__(self):
            super().__init__()
            self.features = Sequential()  # noqa: F821

    checks.network(Network)
    assert "write `nn.Sequential`" in words(capsys)


def test_unpadded_convolutions_are_named_where_the_dense_layer_fits_them(capsys):
    class Unpadded(FashionCNN):
        def __init__(self):
            nn.Module.__init__(self)
            first, second = (nn.Conv2d(*channels, kernel_size=3) for channels in ((1, 16), (16, 32)))
            self.features = nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.MaxPool2d(2))
            self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(800, 128), nn.ReLU(), nn.Linear(128, 10))

    checks.network(Unpadded)
    assert "without padding=1" in words(capsys)


@pytest.mark.parametrize("part", ["features", "classifier"])
def test_layers_that_are_not_stored_are_told_so(part, capsys):
    class FashionCNN_(FashionCNN):
        def __init__(self):
            super().__init__()
            delattr(self, part)

    FashionCNN_.__name__ = "FashionCNN"
    checks.network(FashionCNN_)
    assert f"Write `self.{part} = …` in `__init__`: a name without `self.` is gone" in words(capsys)


@pytest.mark.parametrize("layer", [lambda: nn.Conv2d(16, kernel_size=3), lambda: nn.Linear(10)])
def test_a_layer_with_one_number_is_told_that_it_needs_two(layer, capsys):
    checks.network(type("FashionCNN", (FashionCNN,), {"__init__": lambda self: layer()}))
    assert "A layer is told how much it takes, then how much it gives" in words(capsys)


def test_a_misspelt_forward_is_explained(capsys):
    checks.network(type("FashionCNN", (nn.Module,), {"foward": lambda self, images: images}))
    assert "Its name has to be `forward`" in words(capsys)


def test_an_error_that_nobody_foresaw_is_shown_as_it_is(capsys):
    def train_step(net, optimizer, images, labels):
        raise NotImplementedError("no such kernel\nand much more")

    checks.train_step(train_step)
    assert "it stops with NotImplementedError: no such kernel. Change the cell" in words(capsys)


def step_not_called(net, optimizer, images, labels):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(images), labels)
    loss.backward()
    optimizer.step  # noqa: B018
    return loss.detach()


def eval_not_called(net, split):
    net.eval  # noqa: B018
    with torch.no_grad():
        logits = net(data.normalise(split.images))
    net.train()
    return (logits.argmax(dim=1) == split.labels).float().mean().item()


def no_grad_alone(net, split):
    net.eval()
    torch.no_grad()
    logits = net(data.normalise(split.images))
    net.train()
    return (logits.argmax(dim=1) == split.labels).float().mean().item()


def autocast_alone(net, images, labels):
    torch.autocast("cpu", dtype=torch.bfloat16)
    logits = net(images)
    return logits, nn.functional.cross_entropy(logits, labels)


def thrown_away(images):
    images.float()
    return (images // 255 - data.MEAN) / data.STD


def compared(images):
    images == images / 255  # noqa: B015
    return (images - data.MEAN) / data.STD


def not_returned(images):
    images.float().sum()


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("train_step", step_not_called, "`optimizer.step` without brackets only names a method"),
        ("accuracy", eval_not_called, "`net.eval` without brackets only names a method"),
        ("accuracy", no_grad_alone, "Write `with torch.no_grad():`, and indent the lines"),
        ("bf16_loss", autocast_alone, "Write `with torch.autocast('cpu', dtype=torch.bfloat16):`"),
        ("normalise", thrown_away, "`images.float()` on a line of its own changes nothing"),
        ("normalise", compared, "on a line of its own only compares: one `=` stores"),
        ("normalise", not_returned, "nothing is returned"),
    ],
)
def test_a_line_that_does_nothing_is_named(name, answer, said, capsys):
    EXERCISES[name](answer)
    assert f"❌ {name}: " in (printed := words(capsys)) and said in printed


def test_a_network_whose_features_are_thrown_away_is_told(capsys):
    class FashionCNN_(FashionCNN):
        def forward(self, images):
            self.features(images)
            return self.classifier(images)

    checks.network(FashionCNN_)
    assert "`self.features(images)` on a line of its own changes nothing" in words(capsys)


def test_lines_are_read_as_a_notebook_keeps_them(capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.run_cell(
        "def train_step(net, optimizer, images, labels):\n"
        "    optimizer.zero_grad\n"
        "    loss = net(images).mean()\n"
        "    return loss.detach()\n"
    )
    checks.train_step(shell.user_ns["train_step"])
    assert "`optimizer.zero_grad` without brackets only names a method" in words(capsys)
