"""Rounds of measurements, each in processes that are fresh: what a process was lucky with ends with its round."""

import contextlib
import datetime

from codealong import hardware, training
from codealong.measure import timing


@contextlib.contextmanager
def fresh(starts, number, say, batch=training.RECIPE.batch_size):
    """Start a process for each name, one after the other, and train it warm; they end with the block.

    Parameters
    ----------
    starts : dict of str to callable
        Each returns a `worker.Worker`.
    number : int
        Of the round, from 0: each begins with the next name.
    say : callable
        Is told when other processes keep the machine busy.
    batch : int, optional
        Images of a step of the `training.WARM_UP_STEPS` that nobody times.

    Yields
    ------
    workers : dict of str to Worker
        In the order of the round, each with the `first_step_seconds` of its very first step. All stand still until they
        are asked.
    dict
        `date` and `busy_percent` of the round.
    """
    with contextlib.ExitStack() as opened:
        workers = {}
        for name in timing.turn(list(starts), number):
            workers[name] = opened.enter_context(starts[name]())
            first = workers[name].ask("train_steps", batch=batch, steps=training.WARM_UP_STEPS)
            workers[name].first_step_seconds = first
        busy = hardware.wait_until_idle(say)
        date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        yield workers, {"date": date, "busy_percent": busy}
