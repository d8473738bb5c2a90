"""What the tests of checks share."""

from codealong import checks
from codealong.checks.exercise import Exercise, variants

EXERCISES = {name: each for name in checks.__all__ if isinstance(each := getattr(checks, name), Exercise)}
NEED_IPEX = ("with_ipex", "with_schedule")
WITHOUT = [name for name in EXERCISES if name not in NEED_IPEX]


def mistakes(exercise):
    """Return each reason of an exercise with each answer that has this mistake."""
    return [(reason, each) for reason, answers in exercise.mistakes.items() for each in variants(answers)]


def words(capsys):
    """Return what was printed, without its line breaks."""
    return " ".join(capsys.readouterr().out.split())
