import pytest

from codealong.publish import course

NOTEBOOKS = [path.stem for path in course.notebooks()]

OVERFLOWING = {"05_compare_reports": "it is being divided into three lessons, each with slide types of its own"}
"""Notebooks whose slides are not made to fit yet, and why."""

FITTING = [
    pytest.param(name, marks=pytest.mark.xfail(reason=OVERFLOWING[name]) if name in OVERFLOWING else ())
    for name in NOTEBOOKS
]
