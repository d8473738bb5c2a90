"""Training and prediction: one network, one arm, one seed."""

import math
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import nn

from codealong import CourseError, arms, hardware, operators, runs
from codealong.data import batches, normalise
from codealong.model import FashionCNN, pool_first
from codealong.progress import Progress


@dataclass(frozen=True)
class Recipe:
    """What is common to all arms; chosen with `stock-fp32` on the validation images.

    Attributes
    ----------
    epochs : int
    batch_size : int
        Images per step of the optimizer.
    max_lr : float
        Adam's learning rate at the top of a one-cycle schedule (Smith and Topin, 2017).
    pool_first : bool
        Whether pooling stands before ReLU, as `model.pool_first` puts it.
    channels_last : bool
        Whether images and weights lie channels last in every arm.
    fused : bool
        Whether Adam's step is PyTorch's single kernel, where IPEX brings none of its own.
    operators : bool
        Whether our own operators replace normalisation, first convolution, poolings and ReLUs (`operators.fuse`).
    """

    epochs: int = 5
    batch_size: int = 128
    max_lr: float = 4e-3
    pool_first: bool = False
    channels_last: bool = False
    fused: bool = False
    operators: bool = False

    def prepare(self, images):
        """Return a batch of uint8 images as the network takes them."""
        return images if self.operators else normalise(images)


RECIPE = Recipe()

TUNED = Recipe(epochs=5, batch_size=512, max_lr=2e-2, pool_first=True, channels_last=True, fused=True, operators=True)
"""The recipe for speed; larger batches need a larger learning rate, and `hardware.KEEP_MEMORY` belongs to it."""

WARM_UP_STEPS = 50


class Diverged(CourseError, ArithmeticError):
    """The loss is no finite number any more; the message says when, and what to do."""


@dataclass(frozen=True)
class Epoch:
    """One row of a history; accuracies from 0 to 1, losses are mean cross-entropies in nats.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    train_loss, train_accuracy : float
        Over the epoch, while the weights were changing.
    valid_loss, valid_accuracy : float
        After the epoch.
    seconds : float
        Of training alone.
    images_per_second : float
        Of training alone.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    seconds: float
    images_per_second: float


@dataclass(frozen=True)
class Trained:
    """What `fit` made, and of what.

    Attributes
    ----------
    arm : str
    seed : int
    recipe : Recipe
    net : torch.nn.Module
        Plain, in evaluation mode, with the trained weights, whatever the arm.
    history : list of Epoch
    """

    arm: str
    seed: int
    recipe: Recipe
    net: nn.Module
    history: list

    def run(self, test):
        """Predict the test images, and return the run; its provenance is this process, and what the arm does.

        Parameters
        ----------
        test : data.Split

        Returns
        -------
        runs.Run
        """
        probabilities = predict(self.net, test).numpy()
        return runs.Run(
            self.arm, self.seed, asdict(self.recipe), [asdict(epoch) for epoch in self.history],
            probabilities.argmax(1).astype(np.uint8), probabilities.astype(np.float16),
            hardware.provenance() | {"arm": asdict(arms.get(self.arm))},
        )  # fmt: skip


def initial(seed, build=FashionCNN):
    """Return a new network, as `build` returns it: the same seed gives bitwise the same weights, in every arm."""
    torch.manual_seed(seed)
    return build()


def start(arm, seed, recipe, build=FashionCNN):
    """Return what training starts from.

    Parameters
    ----------
    arm : str
    seed : int
    recipe : Recipe
    build : callable, optional
        Returns the network, plain.

    Returns
    -------
    arm : arms.Arm
    net : torch.nn.Module
    optimizer : torch.optim.Optimizer

    Raises
    ------
    arms.ArmError, ipex.Unusable, ipex.Misuse
    """
    arm = arms.get(arm)
    net = initial(seed, build)
    if recipe.channels_last:
        arm = replace(arm, channels_last=True)
    if recipe.pool_first:
        net = pool_first(net)
    if recipe.operators:
        net = operators.fuse(net)
    fused = (recipe.fused or arm.fused) and not arm.uses_ipex
    optimizer = torch.optim.Adam(net.parameters(), lr=recipe.max_lr, fused=fused)
    return arm, *arm.prepare(net, optimizer)


def train_step(net, optimizer, images, labels, arm):
    """Do one step of training.

    Parameters
    ----------
    net, optimizer
        As `Arm.prepare` returned them.
    images : torch.Tensor
        Shape (N, 1, 28, 28), as `Recipe.prepare` returned them.
    labels : torch.Tensor
        int64, shape (N,).
    arm : arms.Arm

    Returns
    -------
    loss : torch.Tensor
        Scalar, before the step.
    logits : torch.Tensor
        Shape (N, 10), before the step.
    """
    optimizer.zero_grad()
    with arm.autocast():
        logits = net(arm.place(images))
        loss = nn.functional.cross_entropy(logits, labels)
    loss.backward()
    optimizer.step()
    return loss.detach(), logits.detach()


def schedule(optimizer, recipe, images):
    """Return the learning-rate schedule for `recipe.epochs` passes over a number of images."""
    steps = recipe.epochs * -(-images // recipe.batch_size)
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe.max_lr, total_steps=steps)


def warm_up(arm, train, recipe=RECIPE, steps=WARM_UP_STEPS):
    """Train a network that is thrown away, so that what is timed next in this process compiles and loads nothing.

    Parameters
    ----------
    arm : str
    train : data.Split
    recipe : Recipe, optional
    steps : int, optional
    """
    arm, net, optimizer = start(arm, 0, recipe)
    passes = batches(train, recipe.batch_size, torch.Generator(), recipe.prepare)
    for _, (images, labels) in zip(range(steps), passes, strict=False):
        train_step(net, optimizer, images, labels, arm)


def finite(loss, arm, seed, epoch, recipe):
    """Return a loss, or raise `Diverged` where it is infinite or no number."""
    if not math.isfinite(loss):
        raise Diverged(
            f"The loss of {arm}, seed {seed}, became {loss} in epoch {epoch}: training was stopped, "
            f"and there is nothing to record. Try a smaller max_lr than {recipe.max_lr}."
        )
    return loss


def fit(arm, seed, train, valid, recipe=RECIPE, build=FashionCNN):
    """Train a fresh network, showing live progress.

    Parameters
    ----------
    arm : str
        One of `arms.ARMS`.
    seed : int
        Decides the initial weights and the order of the images.
    train, valid : data.Split
    recipe : Recipe, optional
    build : callable, optional
        Returns the network, plain.

    Returns
    -------
    Trained

    Raises
    ------
    ipex.Unusable
        When the arm needs IPEX and IPEX cannot run here.
    Diverged
        When a loss is infinite or no number.
    """
    arm, net, optimizer = start(arm, seed, recipe, build)
    scheduler = schedule(optimizer, recipe, len(train.labels))
    order = torch.Generator().manual_seed(seed)
    evaluated = build()
    history = []

    title = f"{arm.name}, seed {seed}"
    with Progress(title, recipe.epochs, len(train.labels)) as progress:
        for epoch in range(1, recipe.epochs + 1):
            loss_sum, correct = 0.0, 0
            net.train()
            began = time.perf_counter()
            for images, labels in batches(train, recipe.batch_size, order, recipe.prepare):
                loss, logits = train_step(net, optimizer, images, labels, arm)
                scheduler.step()
                value = finite(loss.item(), arm.name, seed, epoch, recipe)
                loss_sum += value * len(labels)
                correct += (logits.argmax(1) == labels).sum().item()
                progress.advance(len(labels), loss_sum, correct)
            seconds = time.perf_counter() - began
            evaluated.load_state_dict(arm.weights(net))
            valid_loss, valid_accuracy = evaluate(evaluated, valid)
            finite(valid_loss, arm.name, seed, epoch, recipe)  # the last step of all has no step after it
            count = len(train.labels)
            history.append(
                Epoch(
                    epoch, loss_sum / count, correct / count,
                    valid_loss, valid_accuracy, seconds, count / seconds,
                )
            )  # fmt: skip
            progress.row(asdict(history[-1]))
    return Trained(arm.name, seed, recipe, evaluated.eval(), history)


@torch.no_grad()
def forward(net, split, batch_size=1000):
    """Return the logits of a plain network, put into evaluation mode: float32, shape (N, 10)."""
    net.eval()
    return torch.cat([net(images) for images, _ in batches(split, batch_size)])


def predict(net, split):
    """Return the probability of each class for each image.

    Parameters
    ----------
    net : torch.nn.Module
        A plain network; it is put into evaluation mode.
    split : data.Split

    Returns
    -------
    torch.Tensor
        float32, shape (N, 10); each row sums to 1.
    """
    return forward(net, split).softmax(dim=1)


def evaluate(net, split):
    """Return the mean cross-entropy and the accuracy of a plain network on a split."""
    logits = forward(net, split)
    loss = nn.functional.cross_entropy(logits, split.labels)
    accuracy = (logits.argmax(1) == split.labels).float().mean()
    return loss.item(), accuracy.item()
