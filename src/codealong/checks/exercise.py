"""An exercise: a check runs what a learner typed, and says that it is right, or which mistake it is."""

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from codealong import YOUR_TURN, data

BATCH = 32
WIDTH = 100  # JupyterLab breaks longer lines within a word

NOTHING = "nothing is returned. In a notebook the last line of a cell shows itself; a function needs `return`."
GRADIENTS_OFF = (
    "it switches gradients off for everything that follows, too, and nothing learns any more. `with torch.no_grad():` "
    "switches them on again at its end."
)


@cache
def examples():
    """Return real images to try answers on, the test split, read once."""
    return data.load().test


def batch(number):
    """Return a batch of real images, normalised, and their labels."""
    test = examples()
    chosen = slice(number * BATCH, (number + 1) * BATCH)
    return data.normalise(test.images[chosen]), test.labels[chosen]


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
        or dictionary of them. It raises `Wrong` for a mistake that no example could stand for.
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
            print(f"⬜ {self.name} is yours to type. Until then this notebook goes on with ours.")
            return self.solution
        expected = _outcome(self.observe, self.solution)
        if same(observed, expected):
            print(f"✅ {self.name}")
            return answer
        print(textwrap.fill(f"❌ {self.name}: {self._reason(observed, expected)}", WIDTH))
        print("Mend the cell and run it again. Until then this notebook goes on with ours.")
        return self.solution

    def _reason(self, observed, expected):
        if isinstance(observed, Wrong):
            return str(observed)
        for reason, mistakes in self.mistakes.items():
            if any(same(observed, _outcome(self.observe, mistake)) for mistake in variants(mistakes)):
                return reason
        if isinstance(observed, NameError):
            return f"{observed}. A module's name (`nn.functional.`, `data.`) or `self.` may have to stand before it."
        if isinstance(observed, Exception):
            return f"it stops with {type(observed).__name__}: {observed}"
        return f"{_difference(observed, expected)}."


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
        raise Wrong(f"one number was asked for, and it gives {_short(value)} ({type(value).__name__}).") from None


def numbers(answer, *cases):
    """Return what an answer gives for some arguments, by how it was called."""
    return {f"for {', '.join(map(str, case))} it": number(answer(*case)) for case in cases}


def untouched(answer, *arrays):
    """Call an answer with copies of arrays, and say where it changes them."""
    copies = [array.copy() for array in arrays]
    value = answer(*copies)
    if not all(map(np.array_equal, copies, arrays)):
        raise Wrong("it changes the arrays that it was given, which others still need: make new ones instead.")
    return value


def same(one, other):
    """Tell whether two observations agree, numbers within a relative error of 1e-4."""
    if isinstance(one, Exception) or isinstance(other, Exception):
        return type(one) is type(other) and str(one) == str(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and same(list(one.values()), list(other.values()))
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return _alike(one, other) and torch.allclose(one.double(), other.double(), rtol=1e-4, atol=1e-6, equal_nan=True)
    if _is_number(one) and _is_number(other):
        one, other = float(one), float(other)
        return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    return type(one) is type(other) and not isinstance(one, torch.Tensor | np.ndarray) and one == other


def _alike(one, other):
    return one.shape == other.shape and one.dtype == other.dtype


def _is_number(value):
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _outcome(observe, answer):
    """Return what an answer does, or the exception that it ends with."""

    def returning(*arguments, **named):
        value = answer(*arguments, **named)
        if value is None:
            raise Wrong(NOTHING)
        return value

    try:
        observed = observe(answer if isinstance(answer, type) else returning)
    except Exception as problem:
        observed = problem
    if not torch.is_grad_enabled():
        torch.set_grad_enabled(True)
        return Wrong(GRADIENTS_OFF)
    return observed


def _difference(observed, expected, name="it"):
    """Say what an answer gives, and what it should give."""
    if isinstance(expected, dict) and isinstance(observed, dict):
        apart = [key for key in expected if not same(observed[key], expected[key])]
        return _difference(observed[apart[0]], expected[apart[0]], apart[0])
    if isinstance(expected, torch.Tensor) and isinstance(observed, torch.Tensor) and _alike(observed, expected):
        (mean, spread), (right_mean, right_spread) = map(_moments, (observed, expected))
        return (
            f"shape and type are right, and the numbers are not: {name} gives a mean of {mean:.3g} and a standard "
            f"deviation of {spread:.3g}, and they should be {right_mean:.3g} and {right_spread:.3g}"
        )
    return f"{name} gives {_short(observed)}, and should give {_short(expected)}"


def _moments(tensor):
    return tensor.double().mean().item(), tensor.double().std().item()


def _short(value):
    if isinstance(value, torch.Tensor) and value.numel() > 12:
        return f"a {str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray) and value.size > 12:
        return f"a numpy array of shape {value.shape}"
    if isinstance(value, tuple | list):
        return ", ".join(map(_short, value)) if len(value) <= 12 else f"a {type(value).__name__} of {len(value)}"
    text = f"{value:.4g}" if isinstance(value, float | np.floating) else repr(value)
    return text if len(text) <= 150 else f"{text[:149]}…"
