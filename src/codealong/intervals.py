"""An estimate with the interval around it, and how it is printed."""

from typing import NamedTuple


class Interval(NamedTuple):
    """An estimate and the ends of an interval around it; whoever makes one says what it covers.

    ``f"{interval:.2f}"`` gives ``1.28 (1.18 to 1.40)``.
    """

    estimate: float
    low: float
    high: float

    def __format__(self, form):
        return f"{self.estimate:{form}} ({self.low:{form}} to {self.high:{form}})"

    def times(self, factor):
        """Return the interval of `factor` times what is estimated; `factor` is above 0."""
        return Interval(*(factor * part for part in self))
