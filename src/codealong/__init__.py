"""The Fashion-MNIST code-along: what every notebook needs and no notebook teaches.

Importing the package is cheap: torch and the extension load when a module that needs them does.
"""

from pathlib import Path

__version__ = "0.1.0"


class CourseError(Exception):
    """Something a person can mend; the message says what is wrong and what to do next."""


ROOT = Path(__file__).resolve().parents[2]
"""Top folder of the project: `notebooks/`, `data/` and `runs/` stand in it."""

YOUR_TURN = "your turn"
"""What the stub of an exercise raises `NotImplementedError` with."""
