"""What answers do, compared and put into words."""

import math

import numpy as np
import torch


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


def difference(observed, expected, gives="it gives"):
    """Say what an answer gives, and what it should give."""
    if isinstance(expected, dict) and isinstance(observed, dict):
        gives = next(key for key in expected if not same(observed[key], expected[key]))
        return difference(observed[gives], expected[gives], gives)
    if isinstance(expected, torch.Tensor) and isinstance(observed, torch.Tensor) and _alike(observed, expected):
        (mean, spread), (right_mean, right_spread) = map(_moments, (observed, expected))
        return (
            f"shape and type are right, but the numbers are not: {gives} a mean of {mean:.3g} and a standard deviation "
            f"of {spread:.3g} instead of {right_mean:.3g} and {right_spread:.3g}"
        )
    return f"{gives} {short(observed)} instead of {short(expected)}"


def short(value):
    """Return a value as text of at most about 150 characters."""
    if isinstance(value, torch.Tensor) and value.numel() > 12:
        return f"a {str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray) and value.size > 12:
        return f"a numpy array of shape {value.shape}"
    if isinstance(value, tuple | list):
        return ", ".join(map(short, value)) if len(value) <= 12 else f"a {type(value).__name__} of {len(value)}"
    text = _digits(value) if _is_number(value) else repr(value)
    return text if len(text) <= 150 else f"{text[:149]}…"


def named(value):
    """Return a value as text, with its type where the text does not say it."""
    text = short(value)
    return text if text.startswith("a ") else f"{text} ({type(value).__name__})"


def _digits(value):
    if isinstance(value, int | np.integer) or (abs(value) < 1e15 and float(value).is_integer()):
        return f"{int(value):,}"
    return f"{value:,.1f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def _alike(one, other):
    return one.shape == other.shape and one.dtype == other.dtype


def _is_number(value):
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _moments(tensor):
    return tensor.double().mean().item(), tensor.double().std().item()
