"""An exercise: a check runs what a learner typed, and says that it is right, or which mistake it is."""

import contextlib
import signal
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from codealong import YOUR_TURN, data
from codealong.checks import errors, idle
from codealong.checks.observations import difference, named, same

BATCH = 32
WIDTH = 100  # JupyterLab breaks longer lines within a word

NOTHING = "nothing is returned. `print` and the last line of a cell only show a value; a function needs `return`."
SOMETIMES = "for some arguments nothing is returned: a way through the function ends without `return`."
PATIENCE_SECONDS = 20
"""Of computing, after which an answer is taken not to end."""

ENDLESS = (
    f"after {PATIENCE_SECONDS} seconds it had not ended. A `while` loop ends when its condition changes: is everything "
    "in it worked out anew each time, and does it move the right way?"
)
GRADIENTS_OFF = (
    "it also switches gradients off for everything that follows, and then nothing learns any more. "
    "`with torch.no_grad():` switches them on again at its end."
)

AUTOCAST_ON = (
    "it also leaves autocast on for everything that follows. `with torch.autocast(…):` switches it off again at its "
    "end."
)


@cache
def examples():
    """Return real images to try answers on, the test split, read once."""
    return data.load().test


def batch(number):
    """Return a batch of real images, normalised, and their labels."""
    test = examples()
    chosen = slice(number * BATCH, (number + 1) * BATCH)
    return data.normalise(test.images[chosen]), test.labels[chosen].clone()


class Wrong(Exception):
    """An observation found a mistake by itself; the message is what the learner reads."""


@dataclass(frozen=True)
class Exercise:
    """Something that a learner types.

    Attributes
    ----------
    name : str
        Of the function that is typed.
    solution : callable
    observe : callable
        Gets an answer, runs it on real tensors and returns what it did: a number, a tensor, a word, or a tuple, list
        or dictionary of them; the keys of a dictionary read "for 2, 3 it gives". It raises `Wrong` for a mistake that
        no example could stand for. It starts from the same numbers each time, because what the solution and the
        mistakes do is observed once and kept.
    mistakes : dict of str to callable or tuple of callable
        By what is wrong and why it is tempting: answers with this mistake. Each behaves differently.
    """

    name: str
    solution: Callable
    observe: Callable
    mistakes: dict

    def __call__(self, answer):
        """Check an answer and print what was found.

        Returns
        -------
        callable
            The answer where it is right, else the solution, so that the notebook goes on whatever was typed.
        """
        observed = _outcome(self.observe, answer)
        if isinstance(observed, NotImplementedError) and str(observed) == YOUR_TURN:
            print(f"⬜ {self.name} is yours to type. Until then, the notebook uses ours.")
            return self.solution
        expected = _expected(self.observe, self.solution)
        if same(observed, expected):
            print(f"✅ {self.name}")
            return answer
        print(textwrap.fill(f"❌ {self.name}: {self._reason(answer, observed, expected)}", WIDTH))
        print("Change the cell and run it again. Until then, the notebook uses our version.")
        return self.solution

    def _reason(self, answer, observed, expected):
        nothing = isinstance(observed, Wrong) and str(observed) == NOTHING
        if not nothing and (line := idle.line(answer)):
            return line
        if isinstance(observed, Wrong):
            return str(observed)
        for reason, mistakes in self.mistakes.items():
            if any(same(observed, _known(self.observe, mistake)) for mistake in variants(mistakes)):
                return reason
        if isinstance(observed, Exception):
            return errors.explained(observed)
        return f"{difference(observed, expected)}."


def variants(mistakes):
    """Return answers with one mistake as a tuple."""
    return mistakes if isinstance(mistakes, tuple) else (mistakes,)


def number(value):
    """Return what an answer gave as a float, or say that a number was asked for."""
    try:
        if isinstance(value, str):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise Wrong(f"the answer should be one number, and it gives {named(value)}.") from None


def numbers(answer, *cases):
    """Return what an answer gives for some arguments, by how it was called."""
    return {f"for {', '.join(map(str, case))} it gives": number(answer(*case)) for case in cases}


def untouched(answer, *arrays):
    """Call an answer with copies of arrays, and say where it changes them."""
    copies = [array.copy() for array in arrays]
    value = answer(*copies)
    if not all(map(np.array_equal, copies, arrays)):
        raise Wrong("it changes the arrays it was given, and others still need them: make new arrays instead.")
    return value


def returned(value, nothing=NOTHING):
    """Return what an answer returned, unless it forgot to return or to call something."""
    if value is None:
        raise Wrong(nothing)
    for each in value if isinstance(value, tuple | list) else [value]:
        if (name := getattr(each, "__name__", None)) and callable(each) and not isinstance(each, type):
            raise Wrong(f"it returns the method {name} itself, not its result: the brackets are missing, `.{name}()`.")
    return value


def _outcome(observe, answer):
    """Return what an answer does, or the exception that it ends with; leave torch as it was."""
    autocast, depth = torch.is_autocast_enabled("cpu"), _autocast_depth()
    came = []

    def call(*given, **named):
        came.append(returned(answer(*given, **named), SOMETIMES if came else NOTHING))
        return came[-1]

    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        try:
            with _limited():
                observed = observe(answer if isinstance(answer, type) else call)
        except Exception as problem:
            observed = problem.with_traceback(None)
        if not torch.is_grad_enabled():
            observed = Wrong(GRADIENTS_OFF)
    if torch.is_autocast_enabled("cpu") != autocast:
        observed = Wrong(AUTOCAST_ON)
    torch.set_autocast_enabled("cpu", autocast)
    while (
        _autocast_depth() > depth
    ):  # else copies of weights in bfloat16 are kept, and training under it learns nothing
        torch.autocast_decrement_nesting()
    torch.clear_autocast_cache()
    return observed


@contextlib.contextmanager
def _limited():
    """End an answer that computes for too long, where the system can: not on Windows, and in the main thread only."""
    if not hasattr(signal, "SIGVTALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_):
        raise Wrong(ENDLESS)

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _autocast_depth():
    torch.autocast_increment_nesting()
    return torch.autocast_decrement_nesting()


_known = cache(_outcome)
"""What a mistake does, worked out when it is first asked for."""


@cache
def _expected(observe, solution):
    """Return what the solution does. An exception is the machine's and not the learner's: no data, no IPEX."""
    outcome = _outcome(observe, solution)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
