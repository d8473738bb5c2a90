"""How to compare times fairly: warmed up, in turns, paired by round."""

import functools
import time

import numpy as np


def turn(names, number):
    """Return names in the order of a round: each round begins with the next one.

    Parameters
    ----------
    names : sequence
    number : int
        Of the round, from 0.

    Returns
    -------
    list
    """
    start = number % len(names)
    return [*names[start:], *names[:start]]


def in_turns(questions, rounds, say=lambda text: None):
    """Ask each question once a round, in turns.

    Parameters
    ----------
    questions : sequence of callable
        Each returns a number.
    rounds : int
    say : callable, optional
        Is told where it is.

    Returns
    -------
    numpy.ndarray
        The answers, shape (rounds, questions). Those of a row belong together: the machine was as busy for one as
        for the others.
    """
    answers = np.empty((rounds, len(questions)))
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for place in turn(range(len(questions)), number):
            answers[number, place] = questions[place]()
    return answers


def median_seconds(step, seconds, warm_up):
    """Return the median time of a step, called for some seconds after `warm_up` seconds that do not count."""
    began, took = time.perf_counter(), []
    while (now := time.perf_counter()) < began + warm_up + seconds or not took:
        step()
        if now >= began + warm_up:
            took.append(time.perf_counter() - now)
    return float(np.median(took))


def paired_times(steps, rounds=20, warm_up=3, clock=time.perf_counter):
    """Time some variants of a step in turns, warmed up.

    Parameters
    ----------
    steps : sequence of callable
    rounds : int, optional
    warm_up : int, optional
        How often each is called before anything is timed.
    clock : callable, optional
        Returns seconds.

    Returns
    -------
    numpy.ndarray
        Seconds, shape (rounds, steps).
    """
    for step in steps:
        for _ in range(warm_up):
            step()
    return in_turns([functools.partial(_seconds, step, clock) for step in steps], rounds)


def page_faults():
    """Return how many page faults this process has had that needed no disk; Unix only."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def faults_per_step(step, steps=20, count=page_faults):
    """Return how many page faults a step causes, on average, once it is warmed up.

    Parameters
    ----------
    step : callable
    steps : int, optional
        How many are counted.
    count : callable, optional
        Returns the page faults so far.
    """
    step()
    before = count()
    for _ in range(steps):
        step()
    return (count() - before) / steps


def _seconds(step, clock):
    started = clock()
    step()
    return clock() - started
