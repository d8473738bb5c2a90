"""Whether long cells show a recorded result at once: `CODEALONG_SPEED=recorded`."""

import os

from codealong import CourseError

SPEEDS = ("measured", "recorded")


def recorded():
    """Tell whether recorded results are wanted.

    Raises
    ------
    CourseError
        When `CODEALONG_SPEED` is set to something else than one of `SPEEDS`.
    """
    word = os.environ.get("CODEALONG_SPEED") or SPEEDS[0]
    if word not in SPEEDS:
        raise CourseError(f"SPEED is {' or '.join(SPEEDS)}, and this is {word}.")
    return word == SPEEDS[1]


def shown(provenance):
    """Say where a result comes from that is shown and not computed; for the output, where everybody reads it."""
    return f"SHOWN, NOT COMPUTED NOW: recorded {provenance['date'][:10]} on {provenance['processor']}"
