"""Records everything that this course measures, for the machine it runs on; what is there already is left alone."""

from pathlib import Path
from typing import NamedTuple

from codealong import hardware, records
from codealong.arms import ARMS
from codealong.measure import (
    ablation,
    benchmark,
    campaign,
    instruction_sets,
    larger,
    publication,
    study,
    time_to_accuracy,
)


class Step(NamedTuple):
    """A part of a machine's record.

    Attributes
    ----------
    name : str
    minutes : int
        Roughly, on two idle cores: by the dates of the reference machine's records where they tell it (campaign,
        study), else estimated.
    missing : callable
        Tells of a folder whether it is to be done.
    do : callable
        Gets the folder and the Python of the peers, or None.
    every_arm : bool
        Whether it can be done only where every arm runs.
    """

    name: str
    minutes: int
    missing: callable
    do: callable
    every_arm: bool = False


def _lacks(module):
    return lambda folder: not (folder / module.NAME).exists()


STEPS = (
    Step("a campaign of times", 9, campaign.SERIES.due, lambda folder, _: campaign.SERIES.measure(folder)),
    Step("a campaign of what is larger", 10, larger.SERIES.due, lambda folder, _: larger.SERIES.measure(folder)),
    Step("the study", 80, lambda folder: True, lambda folder, _: study.conduct(folder), every_arm=True),
    Step(
        "the published epochs and network", 60, lambda folder: publication.missing(folder),
        lambda folder, _: publication.conduct(folder), every_arm=True,
    ),
    Step(
        "the benchmark", 45, lambda folder: not benchmark.whole(folder),
        lambda folder, peers: benchmark.measure(folder, peers),
    ),
    Step("the ablation", 8, _lacks(ablation), lambda folder, _: ablation.measure(folder)),
    Step(
        "the instruction sets", 6, _lacks(instruction_sets),
        lambda folder, _: instruction_sets.save(instruction_sets.measure(), folder),
    ),
    Step("the time to 0.91", 30, time_to_accuracy.missing, lambda folder, _: time_to_accuracy.measure(folder)),
)  # fmt: skip


def folder():
    """Return the folder of records for this machine, named after its processor and its newest instruction set.

    Its model is added where another one was recorded by that name: a cloud calls many processors just "Xeon".
    """
    cpu = hardware.processor()
    newest = cpu.instruction_sets[-1] if cpu.instruction_sets else "unknown"
    words = f"{cpu.name} {newest.replace('AVX-', 'AVX')}".lower()
    kept = "".join(letter if letter.isalnum() else " " for letter in words.replace("(r)", "").replace("(tm)", ""))
    named = records.RECORDED / "-".join(kept.split())
    models = {its["provenance"].get("model", cpu.model) for its in campaign.SERIES.read_all(named)}
    return named if models <= {cpu.model} else named.with_name(f"{named.name}-{cpu.model.replace('/', '-')}")


def record(into, peers=None, say=print):
    """Measure what the folder of a machine lacks, and a campaign where one is due; stopped, it can be started again.

    Parameters
    ----------
    into : path
    peers : path, optional
        The Python of an environment that has the peers of the benchmark.
    say : callable, optional
        Is told the plan, and where it is.
    """
    into = Path(into)
    records.ensure_writable(into)
    steps = [step for step in STEPS if step.missing(into)]
    for name, arm in ARMS.items():
        if not (status := arm.status()).usable:
            left_out = [step.name for step in steps if step.every_arm]
            say(f"{name} cannot run here ({status.reason}); what needs every arm is left out: {', '.join(left_out)}")
            steps = [step for step in steps if not step.every_arm]
            break
    say(f"{into.name}: {', '.join(f'{step.name} ({step.minutes} min)' for step in steps)}")
    say(f"about {sum(step.minutes for step in steps)} minutes if nothing of it was begun, on an idle machine")
    for number, step in enumerate(steps):
        say(f"{number + 1} of {len(steps)}: {step.name}")
        step.do(into, peers)
    say("A verdict on time needs three campaigns, hours apart: run this again later for the next one.")
