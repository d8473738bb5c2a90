"""How long the published recipe and the one for speed alone train until 0.91 of the test images are right."""

from pathlib import Path

from codealong import hardware, records
from codealong.measure import timing
from codealong.measure.worker import FASTEST, PUBLISHED, Worker

SEEDS, EPOCHS = range(10), 11
"""Of the published recipe; over the three seeds of the hundred epochs, its mean test accuracy passes 0.91 after ten."""

NAME, KIND, VERSION = "time-to-accuracy.json", "time to accuracy", 1


def measure(folder, say=print):
    """Train both with each seed, in fresh processes, each first with every other seed, and record it.

    Parameters
    ----------
    folder : Path
        Of the machine. Its record is written after each seed; one that was stopped goes on with the next.
    say : callable, optional
        Is told where it is.

    Returns
    -------
    dict
        `provenance`, by contestant; `trained`, one for each seed: `seed`, `busy_percent` before each, and by
        contestant `seconds` of training and `test_accuracy`: after each of `EPOCHS` epochs of the published recipe, at
        the end of the other one.
    """
    records.ensure_writable(folder)
    record = read(folder) if (Path(folder) / NAME).exists() else {"provenance": {}, "trained": []}
    for seed in missing(folder):
        say(f"seed {seed + 1} of {len(SEEDS)}")
        its = {"seed": seed, "busy_percent": {}}
        for name in timing.turn([PUBLISHED, FASTEST], seed):
            with Worker(name) as worker:
                record["provenance"].setdefault(name, worker.provenance)
                its["busy_percent"][name] = hardware.wait_until_idle(say)
                how = {"do": "train_on", "epochs": EPOCHS} if name == PUBLISHED else {"do": "train"}
                its[name] = worker.ask(**how, seed=seed)
        record["trained"].append(its)
        records.write(Path(folder) / NAME, KIND, VERSION, record)
    return record


def missing(folder):
    """Return the seeds that the record of a machine lacks."""
    done = {each["seed"] for each in read(folder)["trained"]} if (Path(folder) / NAME).exists() else set()
    return [seed for seed in SEEDS if seed not in done]


def read(folder=records.REFERENCE):
    """Return a record, as `measure` describes it.

    Raises
    ------
    records.RecordError
    """
    again = "measure it with `python -m codealong time-to-accuracy`"
    record, _ = records.read(Path(folder) / NAME, KIND, VERSION, again)
    return record
