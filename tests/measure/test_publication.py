"""The published recipe is trained as published; runs are made once each, and a run that fails loses no other."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from codealong import data, hardware, records, training
from codealong.measure import publication

STAND_IN = """
import sys
from pathlib import Path
part, arm, seed, folder = sys.argv[1:]
if (arm, seed) == ("ipex-fp32", "101") and Path(folder, "fail").exists():
    sys.exit(3)
path = Path(folder) / part / f"{arm}-seed{seed}{'.run.zip' if part == 'deep' else '.long.zip'}"
with open(path, "a") as made:
    made.write("made ")
"""


@pytest.fixture
def few(splits):
    return data.FashionMNIST(*(data.Split(split.images[:200], split.labels[:200]) for split in splits))


def test_batches_are_bitwise_what_torchvision_makes_of_the_images(splits):
    from torchvision import transforms

    turned = transforms.Compose([transforms.ToPILImage(), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    images, labels = next(publication.batches(splits.train, torch.Generator().manual_seed(3)))
    order = torch.randperm(len(splits.train.labels), generator=torch.Generator().manual_seed(3))[:64]
    assert torch.equal(images, torch.stack([turned(splits.train.images[each]) for each in order]))
    assert torch.equal(labels, splits.train.labels[order])


def test_a_long_run_learns_at_a_constant_rate_and_looks_at_every_split_after_each_epoch(few, monkeypatch):
    rates, train_step = set(), training.train_step

    def noting(net, optimizer, *rest):
        rates.update(group["lr"] for group in optimizer.param_groups)
        return train_step(net, optimizer, *rest)

    monkeypatch.setattr(training, "train_step", noting)
    recipe = training.Recipe(epochs=12, batch_size=64, max_lr=1e-3)
    history = publication.long_run("stock-fp32", 100, few, recipe)
    assert rates == {1e-3}
    assert {name: values.shape for name, values in history.items()} == dict.fromkeys(
        (f"{split}_{what}" for split in ("train", "valid", "test") for what in ("loss", "accuracy")), (12,)
    )
    assert history["train_loss"][-1] < history["train_loss"][0] / 2
    on_train = publication.long_run("stock-fp32", 100, few._replace(valid=few.train, test=few.train), recipe)
    assert np.array_equal(on_train["valid_loss"], on_train["test_loss"])
    assert np.array_equal(on_train["train_loss"], history["train_loss"])
    assert not np.array_equal(on_train["valid_loss"], history["valid_loss"])
    assert on_train["valid_accuracy"][-1] > 0.7
    other = publication.long_run("stock-fp32", 101, few, recipe)
    assert not np.array_equal(other["train_loss"], history["train_loss"])


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(publication, "COMMAND", (sys.executable, "-c", STAND_IN))


def test_after_one_that_fails_no_other_begins(tmp_path, monkeypatch):
    fails = "import sys; from pathlib import Path; Path(sys.argv[4], '-'.join(sys.argv[1:4])).touch(); sys.exit(130)"
    monkeypatch.setattr(publication, "COMMAND", (sys.executable, "-c", fails))
    monkeypatch.setattr(hardware, "cores", lambda: 1)
    with pytest.raises(publication.PublicationError, match="stock-fp32 100 ended with status 130"):
        publication.conduct(tmp_path, say=lambda text: None)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["hundred-epochs-stock-fp32-100"]


def test_every_run_is_made_once_and_one_that_fails_loses_no_other(tmp_path, stand_in):
    (tmp_path / "fail").touch()
    assert len(publication.missing(tmp_path)) == 6 + 25
    with pytest.raises(publication.PublicationError, match="hundred-epochs ipex-fp32 101 ended with status 3"):
        publication.conduct(tmp_path, say=lambda text: None)
    (tmp_path / "fail").unlink()
    said = []
    publication.conduct(tmp_path, say=said.append)
    assert "made hundred-epochs ipex-fp32 101" in said
    assert publication.missing(tmp_path) == []
    made = [path.read_text() for path in tmp_path.glob("*/*.zip")]
    assert made == ["made "] * 31


def test_a_long_run_is_read_as_it_was_recorded(few, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "load", lambda: few)
    monkeypatch.setattr(publication, "RECIPE", training.Recipe(epochs=2, batch_size=64, max_lr=1e-3))
    monkeypatch.setattr(publication.long_run, "__defaults__", (publication.RECIPE,))
    publication.record(publication.EPOCHS, "stock-fp32", 100, tmp_path)
    found = publication.read_long(tmp_path)
    assert {arm: list(seeds) for arm, seeds in found.items()} == {"stock-fp32": [100], "ipex-fp32": []}
    expected = publication.long_run("stock-fp32", 100, few)
    assert all(np.array_equal(found["stock-fp32"][100][name], values) for name, values in expected.items())
    (path,) = (tmp_path / publication.EPOCHS).iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(records.RecordError, match="cannot be read"):
        publication.read_long(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda fields, arrays: fields.update(seed=7), "it holds the run stock-fp32-seed7"),
        (lambda fields, arrays: fields.pop("arm"), "it holds the run None-seed100"),
        (lambda fields, arrays: arrays.pop("valid_loss"), "a number for each quantity and epoch"),
        (lambda fields, arrays: arrays.update(valid_loss=np.ones(1)), "a number for each quantity and epoch"),
    ],
)
def test_a_long_run_that_is_not_what_it_should_be_is_refused(tmp_path, change, said):
    fields, arrays = {"arm": "stock-fp32", "seed": 100}, {name: np.ones(2) for name in publication.HISTORY}
    path = tmp_path / publication.EPOCHS / "stock-fp32-seed100.long.zip"
    records.write(path, publication.KIND, publication.VERSION, fields, arrays)
    assert list(publication.read_long(tmp_path)["stock-fp32"]) == [100]
    change(fields, arrays)
    records.write(path, publication.KIND, publication.VERSION, fields, arrays)
    with pytest.raises(records.RecordError, match=said):
        publication.read_long(tmp_path)


def test_a_long_run_of_an_arm_that_has_none_is_refused(tmp_path):
    fields, arrays = {"arm": "stock-bf16", "seed": 100}, {name: np.ones(2) for name in publication.HISTORY}
    path = tmp_path / publication.EPOCHS / "stock-bf16-seed100.long.zip"
    records.write(path, publication.KIND, publication.VERSION, fields, arrays)
    with pytest.raises(records.RecordError, match="it holds the run stock-bf16-seed100"):
        publication.read_long(tmp_path)


@pytest.mark.worker
def test_who_stops_it_is_obeyed(tmp_path):
    begin = (
        "import sys, time; from pathlib import Path; part, arm, seed, folder = sys.argv[1:]; "
        "Path(folder, f'{part}-{arm}-{seed}').touch(); time.sleep(60)"
    )
    code = (
        "import sys\nfrom codealong import hardware\nfrom codealong.measure import publication\n"
        f"publication.COMMAND, hardware.cores = (sys.executable, '-c', {begin!r}), lambda: 2\n"
        f"publication.conduct({str(tmp_path)!r}, say=print)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL)

    def begun():
        return [path for path in tmp_path.iterdir() if path.is_file()]

    until = time.monotonic() + 60
    while len(begun()) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=120) and len(begun()) == 2


def test_a_long_run_whose_last_step_breaks_the_weights_is_not_recorded(few, monkeypatch):
    step, steps = training.train_step, iter(range(4))

    def train_step(net, *words):
        answer = step(net, *words)
        if next(steps) == 3:
            next(net.parameters()).data.fill_(float("nan"))
        return answer

    monkeypatch.setattr(training, "train_step", train_step)
    recipe = training.Recipe(epochs=1, batch_size=64, max_lr=1e-3)
    with pytest.raises(training.Diverged, match="The loss of stock-fp32, seed 100, became nan in epoch 1: "):
        publication.long_run("stock-fp32", 100, few, recipe)


def test_deep_runs_are_of_the_deep_network(few, tmp_path, monkeypatch):
    test = data.Split(few.test.images.repeat(50, 1, 1, 1), few.test.labels.repeat(50))
    monkeypatch.setattr(data, "load", lambda: few._replace(test=test))
    publication.record(publication.DEEP, "stock-fp32", 100, tmp_path)
    by_arm = publication.read_deep(tmp_path)
    assert [len(its) for its in by_arm.values()] == [1, 0, 0, 0, 0]
    assert by_arm["stock-fp32"][0].provenance["network"] == "DeepFashionCNN"


def test_runs_share_the_cores_one_thread_each(tmp_path, monkeypatch):
    look = (
        "import os, sys; from pathlib import Path; part, arm, seed, folder = sys.argv[1:]; "
        "Path(folder, f'{part}-{arm}-{seed}').write_text(os.environ['OMP_NUM_THREADS'])"
    )
    monkeypatch.setattr(publication, "COMMAND", (sys.executable, "-c", look))
    monkeypatch.setattr(hardware, "cores", lambda: 2)
    publication.conduct(tmp_path, say=lambda text: None)
    assert {path.read_text() for path in tmp_path.iterdir() if path.is_file()} == {"1"}
