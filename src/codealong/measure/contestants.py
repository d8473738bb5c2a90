"""What runs in the process that a worker starts: one contestant, which measures itself when asked, in lines of JSON."""

import functools
import json
import os
import sys
import time
from dataclasses import asdict, replace

import torch
from torch import nn
from torch.utils.benchmark import Timer

from codealong import data, fastest, hardware, ipex_guard, operators, sources, training
from codealong.measure import larger, networks, onednn, roofline, timing
from codealong.measure.benchmark import GOAL
from codealong.measure.worker import FASTEST, PUBLISHED, TUNED

WARM_UP_SECONDS = 0.25
FEWEST_STEPS = 3


class Contestant:
    """An arm as the course trains it, or tuned.

    Parameters
    ----------
    name : str
        Of an arm, followed by ``" tuned"`` for the tuned recipe.
    compiled : bool, optional
        Whether the network goes through ``torch.compile``.
    cell : larger.Cell, optional
        Network and images; the course's own by default.
    **changes
        Fields of the recipe that differ from it.
    """

    def __init__(self, name, compiled=False, cell=larger.BASE, **changes):
        self.recipe = replace(training.TUNED if name.endswith(TUNED) else training.RECIPE, **changes)
        build = functools.partial(networks.NETWORKS[cell.network], cell.pixels)
        self.arm, self.net, self.optimizer = training.start(name.removesuffix(TUNED), 0, self.recipe, build)
        if compiled:
            self.net = torch.compile(self.net, dynamic=False)
        self.splits = data.load()
        self.images = larger.images(self.splits, cell)

    def batches(self, batch_size):
        """Yield batches of training images without end; every one has the full size."""
        while True:
            for images, labels in data.batches(self.images, batch_size, torch.Generator(), self.recipe.prepare):
                if len(labels) == batch_size:
                    yield images, labels

    def step(self, images, labels):
        """Train on one batch."""
        loss, _ = training.train_step(self.net, self.optimizer, images, labels, self.arm)
        return loss.item()

    def predictor(self):
        """Return a function from a batch of images to logits, prepared for inference."""
        net = training.initial(0)
        if self.recipe.pool_first:
            net = training.pool_first(net)
        if self.recipe.operators:
            net = operators.fuse(net)
        net = net.eval()
        if self.arm.uses_ipex:
            net = ipex_guard.load().optimize(net, dtype=self.arm.dtype, inplace=True)
        else:
            net = net.to(memory_format=self.arm.memory_format)
            for layer in net.modules():
                if isinstance(layer, (nn.Conv2d, nn.Linear)):
                    layer.to(self.arm.dtype)  # once; autocast would do it for each batch

        def predict(images):
            with torch.inference_mode(), self.arm.autocast():
                return net(self.arm.place(images))

        return predict

    def train(self, seed):
        """Train from the start, and look at the validation images after each epoch, at the test images at the end.

        Returns
        -------
        dict
            `history`, a list of dict with `epoch`, `seconds` and `valid_accuracy`; `test_accuracy`.
        """
        trained = training.fit(self.arm.name, seed, self.splits.train, self.splits.valid, self.recipe)
        _, accuracy = training.evaluate(trained.net, self.splits.test)
        return {"history": [asdict(epoch) for epoch in trained.history], "test_accuracy": accuracy}


class Published(Contestant):
    """The published recipe: torchvision's images one by one through PIL, batches of 64, eager float32.

    Its optimizer was not published; Adam at its default rate stands in. It trains on the 50,000
    images that every contestant trains on.
    """

    BATCH_SIZE, EPOCHS = 64, 10

    def __init__(self):
        from torchvision import transforms
        from torchvision.datasets import FashionMNIST

        super().__init__("stock-fp32")
        self._start_again(0)
        sources.obtain()
        turned = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
        images = FashionMNIST(sources.folder(), train=True, transform=turned)
        chosen, _ = data.split()
        self.images = torch.utils.data.Subset(images, chosen.tolist())

    def batches(self, batch_size):
        while True:
            yield from torch.utils.data.DataLoader(self.images, batch_size, shuffle=True, drop_last=True)

    def train(self, seed):
        """Train until 0.91 of the validation images are right, ten epochs at most; return what a `Contestant` does."""
        history = []
        for epoch, seconds in self._epochs(seed, self.EPOCHS):
            accuracy = self._accuracy(self.splits.valid)
            history.append({"epoch": epoch, "seconds": seconds, "valid_accuracy": accuracy})
            if accuracy >= GOAL:
                break
        return {"history": history, "test_accuracy": self._accuracy(self.splits.test)}

    def train_on(self, seed, epochs):
        """Train for some epochs; return the `seconds` of each, and the `test_accuracy` after each."""
        history = [(seconds, self._accuracy(self.splits.test)) for _, seconds in self._epochs(seed, epochs)]
        return dict(zip(("seconds", "test_accuracy"), zip(*history, strict=True), strict=True))

    def _epochs(self, seed, epochs):
        """Train, and yield the number of each epoch, from 1, and its seconds."""
        self._start_again(seed)
        for epoch in range(1, epochs + 1):
            start = time.perf_counter()
            for images, labels in torch.utils.data.DataLoader(self.images, self.BATCH_SIZE, shuffle=True):
                self.step(images, labels)
            yield epoch, time.perf_counter() - start

    @torch.no_grad()
    def _accuracy(self, split):
        self.net.eval()
        scaled = split.images.float().div(255).sub(0.5).div(0.5)
        classes = torch.cat([self.net(images).argmax(1) for images in scaled.split(1000)])
        self.net.train()
        return (classes == split.labels).float().mean().item()

    def _start_again(self, seed):
        self.net = training.initial(seed)
        self.optimizer = torch.optim.Adam(self.net.parameters())


class Fastest:
    """The recipe for speed alone."""

    def __init__(self):
        self.splits = data.load()

    def train(self, seed):
        """Train from the start; return the `seconds` of all of it, and the `test_accuracy` at the end."""
        start = time.perf_counter()
        net = fastest.fit(seed, self.splits.train)
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "test_accuracy": training.evaluate(net, self.splits.test)[1]}


def rate(contestant, batch, threads, seconds):
    """Measure training alone, warmed up, in images per second."""
    torch.set_num_threads(threads)
    images = contestant.batches(batch)
    return _rate(lambda: contestant.step(*next(images)), batch, threads, seconds)


def timed(contestant, batch, threads, seconds, fewest=FEWEST_STEPS):
    """Train for some seconds, and for the fewest steps at least, and return what they brought and cost.

    Returns
    -------
    dict
        `images` trained on; `seconds` of the wall clock; `cpu_seconds` of this process; `stolen_seconds` that the host
        gave to others meanwhile, as `hardware.stolen_seconds` tells them.
    """
    torch.set_num_threads(threads)
    images = contestant.batches(batch)
    until = time.perf_counter() + WARM_UP_SECONDS
    while time.perf_counter() < until:
        contestant.step(*next(images))
    steps, stolen, cpu, began = 0, hardware.stolen_seconds(), time.process_time(), time.perf_counter()
    while (now := time.perf_counter()) < began + seconds or steps < fewest:
        contestant.step(*next(images))
        steps += 1
    return {
        "images": steps * batch,
        "seconds": now - began,
        "cpu_seconds": time.process_time() - cpu,
        "stolen_seconds": None if stolen is None else hardware.stolen_seconds() - stolen,
    }


def timed_with(name, cell, batch, threads, seconds):
    """Build an arm with the network and the images of a cell, and return what `timed` does, and the memory it held.

    A step is enough where it takes long.

    Returns
    -------
    dict
        As `timed` returns it, and `held_mib`, the most memory above what the process held before, images included.
    """
    hardware.reset_peak_memory()
    before = hardware.peak_memory_mib()
    brought = timed(Contestant(name, cell=larger.Cell(*cell)), batch, threads, seconds, fewest=1)
    return brought | {"held_mib": hardware.peak_memory_mib() - before}


def train_steps(contestant, batch, steps):
    """Train some steps that are not timed; return the seconds that the first one took."""
    images = contestant.batches(batch)
    began = time.perf_counter()
    contestant.step(*next(images))
    first = time.perf_counter() - began
    for _ in range(steps - 1):
        contestant.step(*next(images))
    return first


def rates(contestant, batch, threads, seconds):
    """Measure training and inference, warmed up.

    Parameters
    ----------
    contestant : Contestant
    batch : int
        Images per step.
    threads : int
    seconds : float
        To measure for, at least; inference gets half of it.

    Returns
    -------
    dict
        `images_per_second` and `inference_images_per_second`, both from stored images to the end of
        the step; `peak_mib`, the most memory the process held meanwhile.
    """
    torch.set_num_threads(threads)
    hardware.reset_peak_memory()
    images = contestant.batches(batch)
    trained = _rate(lambda: contestant.step(*next(images)), batch, threads, seconds)
    predict = contestant.predictor()
    inferred = _rate(lambda: predict(next(images)[0]), batch, threads, seconds / 2)
    return {
        "images_per_second": trained,
        "inference_images_per_second": inferred,
        "peak_mib": hardware.peak_memory_mib(),
    }


def latency(contestant, threads, seconds):
    """Measure how long the prediction of one image takes, warmed up, in milliseconds; the median of all."""
    torch.set_num_threads(threads)
    images, predict = contestant.batches(1), contestant.predictor()
    return 1000 * timing.median_seconds(lambda: predict(next(images)[0]), seconds, WARM_UP_SECONDS)


def page_faults(contestant, batch, steps=20):
    """Return how many page faults a step of training causes, warmed up; None where the system does not count them."""
    images = contestant.batches(batch)
    for _ in range(steps):
        contestant.step(*next(images))
    try:
        return timing.faults_per_step(lambda: contestant.step(*next(images)), steps)
    except ImportError:
        return None


def kernels(contestant, batch):
    """Return what oneDNN ran in one step of training, as `onednn.parse` reads it."""
    images = contestant.batches(batch)
    contestant.step(*next(images))
    return onednn.listen(lambda: contestant.step(*next(images)))


def profile(contestant, batch, steps=10):
    """Return the operators of a step of training and their own milliseconds, by PyTorch's profiler.

    What fetching a batch and the optimizer's step consist of is added up as ``fetch`` and ``Optimizer.step``.
    """
    images = contestant.batches(batch)
    for _ in range(5):
        contestant.step(*next(images))
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        for _ in range(steps):
            with torch.profiler.record_function("fetch"):
                fetched = next(images)
            contestant.step(*fetched)
    milliseconds = {}
    for event in profiler.events():
        name, parent = event.name, event
        while parent is not None:
            if parent.name == "fetch" or parent.name.startswith("Optimizer.step"):
                name = parent.name.partition("#")[0]
            parent = parent.cpu_parent
        milliseconds[name] = milliseconds.get(name, 0) + event.self_cpu_time_total / 1000 / steps
    return milliseconds


def cost(contestant, batch):
    """Return the floating-point operations and the bytes of a forward and backward pass, per image."""
    images, labels = next(contestant.batches(batch))

    def step():
        contestant.optimizer.zero_grad()
        with contestant.arm.autocast():
            loss = nn.functional.cross_entropy(contestant.net(contestant.arm.place(images)), labels)
        loss.backward()

    step()
    operations, moved = roofline.count(step)
    return {"flops": operations / batch, "bytes": moved / batch}


def main(name, options="{}"):
    """Answer questions about one contestant until there are no more; `options` are those of `Contestant`, in JSON."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing else may stand between the answers
    threads = torch.get_num_threads()
    if name == "limits":
        questions = {"limits": lambda threads: roofline.measure(threads)}
    elif name == FASTEST:
        questions = {"train": Fastest().train}
    else:
        contestant = Published() if name == PUBLISHED else Contestant(name, **json.loads(options))
        questions = {
            "train_steps": lambda **how: train_steps(contestant, **how),
            "timed": lambda **how: timed(contestant, **how),
            "rate": lambda **how: rate(contestant, **how),
            "timed with": lambda **how: timed_with(name, **how),
            "rates": lambda **how: rates(contestant, **how),
            "latency": lambda **how: latency(contestant, **how),
            "train": contestant.train,
            "train_on": lambda **how: contestant.train_on(**how),
            "page_faults": lambda batch: page_faults(contestant, batch),
            "kernels": lambda batch: kernels(contestant, batch),
            "profile": lambda batch: profile(contestant, batch),
            "cost": lambda batch: cost(contestant, batch),
        }
    print(json.dumps(hardware.provenance()), file=answers, flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        torch.set_num_threads(threads)
        print(json.dumps(questions[question.pop("do")](**question)), file=answers, flush=True)


def _rate(step, batch, threads, seconds):
    until = time.perf_counter() + WARM_UP_SECONDS
    while (began := time.perf_counter()) < until:
        step()
        last = time.perf_counter() - began
    seconds = max(seconds, FEWEST_STEPS * last)
    measured = Timer("step()", globals={"step": step}, num_threads=threads).blocked_autorange(min_run_time=seconds)
    return batch / measured.mean


if __name__ == "__main__":
    main(*sys.argv[1:])
