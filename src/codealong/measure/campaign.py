"""The campaign of the arms: every arm's training rate, interleaved, in processes that are fresh in each round."""

import functools

import torch

from codealong.measure import timing
from codealong.measure.rounds import fresh
from codealong.measure.series import Series
from codealong.measure.worker import Worker

ROUNDS, REPEATS, SECONDS = 10, 3, 1.0
"""Rounds, how often each process is measured in one, and how long a measurement takes at least."""


def one_round(arms, batch, number, say):
    """Measure each arm in a process of its own, which trains `training.WARM_UP_STEPS` steps that nobody times.

    Then the processes are measured in turns, while the others stand still; the first quarter of a second of a
    measurement is not timed either.

    Returns
    -------
    provenance : dict
        Of the first process.
    dict
        `date`, `busy_percent` and `measurements`, a list of dict with `arm`, `repeat`, `images`, `seconds`,
        `cpu_seconds` of the process, and `stolen_seconds`, which the host gave to others (summed over cores, None where
        the system does not tell).
    """
    threads = torch.get_num_threads()
    with fresh({arm: functools.partial(Worker, arm) for arm in arms}, number, say, batch) as (workers, when):
        order = list(workers)
        measurements = [
            {"arm": arm, "repeat": repeat} | workers[arm].ask("timed", batch=batch, threads=threads, seconds=SECONDS)
            for repeat in range(REPEATS)
            for arm in timing.turn(order, repeat)
        ]
        return workers[order[0]].provenance, when | {"measurements": measurements}


SERIES = Series("campaign", "campaigns", "campaign", ROUNDS, one_round)
