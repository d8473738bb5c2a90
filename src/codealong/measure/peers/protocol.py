"""What a peer shares with the benchmark: the images, and questions answered as `codealong.measure.contestants` does."""

import json
import os
import sys
import time

import numpy as np

from codealong import hardware, sources
from codealong.measure import timing

WARM_UP_SECONDS = 0.5


def images():
    """Return the published training images, uint8 of shape (60000, 28, 28, 1), and labels, int32."""
    raw = sources.raw_folder()
    pixels = np.frombuffer(sources.read("train-images-idx3-ubyte", raw), np.uint8, offset=16)
    labels = np.frombuffer(sources.read("train-labels-idx1-ubyte", raw), np.uint8, offset=8)
    return pixels.reshape(-1, 28, 28, 1), labels.astype(np.int32)


def serve(prepare, packages):
    """Answer questions about rates until there are no more.

    Parameters
    ----------
    prepare : callable
        Takes a batch size; returns a function that trains on one batch, or None, and a function that predicts one.
    packages : sequence of str
        Those whose versions belong to the result.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps({"versions": {name: hardware.version(name) for name in packages}}), file=answers, flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(QUESTIONS[question.pop("do")](prepare, **question)), file=answers, flush=True)


def _train_steps(prepare, batch, steps):
    train, predict = prepare(batch)
    step = train or predict
    began = time.perf_counter()
    step()
    first = time.perf_counter() - began
    for _ in range(steps - 1):
        step()
    return first


def _rates(prepare, batch, threads, seconds):
    """Measure with all threads, which is what a peer is asked for; as `codealong.measure.contestants.rates`."""
    hardware.reset_peak_memory()
    train, predict = prepare(batch)
    rates = {"images_per_second": _rate(train, batch, seconds)} if train else {}
    rates["inference_images_per_second"] = _rate(predict, batch, seconds / 2)
    return rates | {"peak_mib": hardware.peak_memory_mib()}


def _latency(prepare, threads, seconds):
    """As `codealong.measure.contestants.latency`."""
    _, predict = prepare(1)
    return 1000 * timing.median_seconds(predict, seconds, WARM_UP_SECONDS)


def _rate(step, batch, seconds):
    until = time.perf_counter() + WARM_UP_SECONDS
    step()
    while time.perf_counter() < until:
        step()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() < start + seconds:
        step()
        steps += 1
    return steps * batch / (time.perf_counter() - start)


QUESTIONS = {"train_steps": _train_steps, "rates": _rates, "latency": _latency}
