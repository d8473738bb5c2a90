"""Answers as text, so that a mistake is the same text with a wrong line in it."""

import re
import textwrap
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from codealong import data, training


@dataclass(frozen=True)
class Typed:
    """A function as a learner types it, with `torch`, `nn`, `data` and `training` imported.

    Attributes
    ----------
    source : str
    """

    source: str

    @cached_property
    def function(self):
        names = {"torch": torch, "nn": nn, "data": data, "training": training}
        exec(textwrap.dedent(self.source), names)
        return names[re.search(r"def (\w+)", self.source)[1]]

    def __call__(self, *arguments):
        return self.function(*arguments)

    def but(self, right, wrong="pass"):
        """Return the same function with a part of its source replaced.

        Raises
        ------
        ValueError
            When the source does not have this part.
        """
        if right not in self.source:
            raise ValueError(f"{right!r} is no part of {self.source}")
        return Typed(self.source.replace(right, wrong))
