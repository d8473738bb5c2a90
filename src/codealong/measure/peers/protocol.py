"""What a peer shares with the benchmark: the images, and questions answered as `codealong.measure.contestants` does."""

import json
import os
import sys
import time

import numpy as np

from codealong import hardware, sources

WARM_UP_SECONDS = 0.5


def images():
    """Return the published training images, uint8 of shape (60000, 28, 28, 1), and labels, int32."""
    raw = sources.raw_folder()
    pixels = np.frombuffer(sources.read("train-images-idx3-ubyte", raw), np.uint8, offset=16)
    labels = np.frombuffer(sources.read("train-labels-idx1-ubyte", raw), np.uint8, offset=8)
    return pixels.reshape(-1, 28, 28, 1), labels.astype(np.int32)


def serve(prepare):
    """Answer questions about rates until there are no more.

    Parameters
    ----------
    prepare : callable
        Takes a batch size; returns a function that trains on one batch and a function that predicts one.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(_rates(prepare, question["batch"], question["seconds"])), file=answers, flush=True)


def _rates(prepare, batch, seconds):
    hardware.reset_peak_memory()
    train, predict = prepare(batch)
    start = time.perf_counter()
    train()
    first = time.perf_counter() - start
    trained, inferred = _rate(train, batch, seconds), _rate(predict, batch, seconds / 2)
    return {
        "images_per_second": trained,
        "inference_images_per_second": inferred,
        "first_step_seconds": first,
        "peak_mib": hardware.peak_memory_mib(),
    }


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
