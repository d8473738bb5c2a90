"""Both recipes are trained with each seed, the one and the other first, and what was stopped goes on."""

import pytest

from codealong import hardware
from codealong.measure import time_to_accuracy
from codealong.measure.worker import FASTEST, PUBLISHED


@pytest.fixture
def asked(monkeypatch):
    """What was asked of workers, none of which trains."""
    asked = []

    class Worker:
        def __init__(self, name):
            self.name, self.provenance = name, {"processor": "a processor"}

        def ask(self, do, seed, **how):
            if len(asked) == 7:
                raise KeyboardInterrupt
            asked.append((self.name, do, seed, how))
            return {"seconds": [1.0] if how else 1.0, "test_accuracy": [0.9] if how else 0.9}

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(time_to_accuracy, "Worker", Worker)
    monkeypatch.setattr(hardware, "wait_until_idle", lambda say: 1.0)
    return asked


def test_the_first_changes_with_the_seed_and_only_the_published_recipe_has_epochs(tmp_path, asked):
    with pytest.raises(KeyboardInterrupt):
        time_to_accuracy.measure(tmp_path, say=lambda _: None)
    epochs = {"epochs": time_to_accuracy.EPOCHS}
    assert asked[:4] == [
        (PUBLISHED, "train_on", 0, epochs),
        (FASTEST, "train", 0, {}),
        (FASTEST, "train", 1, {}),
        (PUBLISHED, "train_on", 1, epochs),
    ]


def test_what_was_stopped_keeps_whole_seeds_and_goes_on_with_the_next(tmp_path, asked):
    with pytest.raises(KeyboardInterrupt):
        time_to_accuracy.measure(tmp_path, say=lambda _: None)
    assert time_to_accuracy.missing(tmp_path) == list(time_to_accuracy.SEEDS)[3:]
    asked[:] = []
    with pytest.raises(KeyboardInterrupt):
        time_to_accuracy.measure(tmp_path, say=lambda _: None)
    assert asked[0][2] == 3
    assert [each["seed"] for each in time_to_accuracy.read(tmp_path)["trained"]] == list(range(6))
