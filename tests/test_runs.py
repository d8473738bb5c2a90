"""A run is recorded whole or not at all, and a record is read whole or refused."""

import contextlib
import dataclasses
import io
import json
import os
import zipfile

import numpy as np
import pytest
import torch

from codealong import records, replay, runs, training

RECORDED = ["stock-fp32", "stock-bf16", "ipex-fp32", "ipex-bf16"]
HISTORY = [training.Epoch(n, 0.5, 0.8, 0.4, 0.85, 2.0, 25_000.0) for n in range(1, training.RECIPE.epochs + 1)]


@pytest.fixture
def run(monkeypatch):
    probabilities = torch.randn(10_000, 10, generator=torch.Generator().manual_seed(0)).softmax(1)
    monkeypatch.setattr(training, "predict", lambda net, test: probabilities)
    return training.Trained("stock-fp32", 7, training.RECIPE, None, HISTORY).run(None)


@pytest.fixture
def record(run, tmp_path):
    return runs.save(run, tmp_path)


def rewritten(record, name, content):
    """Write a record again with one of its members changed."""
    with zipfile.ZipFile(record) as old:
        members = {member: old.read(member) for member in old.namelist()}
    members[name] = content
    with zipfile.ZipFile(record, "w") as new:
        for member, value in members.items():
            new.writestr(member, value)


def fields(record, **changes):
    with zipfile.ZipFile(record) as old:
        rewritten(record, "run.json", json.dumps(json.loads(old.read("run.json")) | changes))


def epochs(**changes):
    """The history of a record, with the last epoch changed."""
    history = [dataclasses.asdict(epoch) for epoch in HISTORY]
    return [*history[:-1], history[-1] | changes]


def array(values):
    content = io.BytesIO()
    np.save(content, values)
    return content.getvalue()


def test_a_record_reads_back_as_it_was_written(run, record):
    again = runs.load(record)
    for field in dataclasses.fields(run):
        before, after = getattr(run, field.name), getattr(again, field.name)
        assert np.array_equal(before, after) if isinstance(before, np.ndarray) else before == after, field.name


def test_a_run_knows_where_and_with_what_it_was_made(run):
    assert run.provenance["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert run.provenance["threads"] == torch.get_num_threads()
    assert run.provenance["ipex_imported"] is False
    assert {"processor", "instruction_sets", "memory_gib", "allocator", "date", "system"} <= set(run.provenance)


def test_predicted_classes_are_the_most_probable(run):
    assert (run.classes == run.probabilities.astype(float).argmax(1)).mean() > 0.999
    assert run.classes.dtype == np.uint8 and run.probabilities.dtype == np.float16


def test_saving_again_replaces_the_record_and_leaves_nothing_else(run, record):
    runs.save(dataclasses.replace(run, classes=run.classes), record.parent)
    assert [path.name for path in record.parent.iterdir()] == ["stock-fp32-seed7.run.zip"]


def test_a_save_that_is_interrupted_keeps_the_old_record(run, record, monkeypatch):
    before = record.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runs.save(run, record.parent)
    assert record.read_bytes() == before
    assert len(list(record.parent.iterdir())) == 1


@pytest.mark.parametrize("keep", [0, 100, 20_000, -1])
def test_a_cut_off_record_is_refused(record, keep):
    record.write_bytes(record.read_bytes()[:keep])
    with pytest.raises(records.RecordError, match="delete it, and make the run again, in notebooks 3 and 4"):
        runs.load(record)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_a_record_with_a_flipped_byte_is_refused(record, place):
    content = bytearray(record.read_bytes())
    content[int(len(content) * place)] ^= 0xFF
    record.write_bytes(content)
    with pytest.raises(records.RecordError):
        runs.load(record)


def test_no_flipped_byte_ends_in_a_traceback(record):
    whole = record.read_bytes()
    for place in [*range(120), *range(len(whole) - 250, len(whole))]:
        record.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(records.RecordError):
            runs.load(record)


def test_a_missing_record_says_how_to_make_it(tmp_path):
    with pytest.raises(records.RecordError, match="does not exist: make the run again, in notebooks 3 and 4"):
        runs.load(tmp_path / "none.run.zip")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "somebody else's"}, "not the record of a run"),
        ({"version": 3}, "its version is 3"),
        ({"colour": "red"}, "its fields are"),
        ({"history": []}, "no history"),
        ({"history": [{"epoch": 1}]}, "history"),
        ({"history": [dict.fromkeys(runs.HISTORY, "fast")]}, "not a number"),
        ({"history": epochs()[:-1]}, "its history has 4 epochs, and its recipe 5"),
        ({"history": epochs()[1:]}, "are not counted from 1"),
        ({"history": epochs(train_accuracy=1.5)}, "an accuracy that is not between 0 and 1"),
        ({"history": epochs(valid_accuracy=float("nan"))}, "an accuracy that is not between 0 and 1"),
        ({"history": epochs(seconds=-1.0)}, "a time or a rate that is not above 0"),
        ({"history": epochs(images_per_second=float("inf"))}, "a time or a rate that is not above 0"),
        ({"provenance": {}}, "its provenance does not have"),
        ({"recipe": None}, "arm, seed or recipe"),
        ({"arm": "ipex-fp32"}, "it holds the run ipex-fp32-seed7"),
        ({"seed": True}, "it holds the run"),
    ],
)
def test_a_foreign_or_newer_record_is_refused(record, changes, said):
    fields(record, **changes)
    with pytest.raises(records.RecordError, match=said):
        runs.load(record)


def test_a_run_of_another_network_is_refused_unless_it_is_asked_for(run, tmp_path):
    provenance = run.provenance | {"network": "DeepFashionCNN"}
    deep = runs.save(dataclasses.replace(run, provenance=provenance), tmp_path)
    with pytest.raises(records.RecordError, match="its network is DeepFashionCNN, and not FashionCNN"):
        runs.find(["stock-fp32"], tmp_path)
    assert runs.load(deep, "DeepFashionCNN").seed == run.seed


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("classes", np.zeros(9_999, np.uint8), "10,000 numbers"),
        ("classes", np.full(10_000, 10, np.uint8), "from 0 to 9"),
        ("classes", np.zeros(10_000, np.uint8), "most probable"),
        ("probabilities", np.zeros((10_000, 9), np.float16), "10,000 rows of 10"),
        ("probabilities", np.ones((10_000, 10), np.float16), "sum to 1"),
        ("probabilities", np.full((10_000, 10), np.nan, np.float16), "sum to 1"),
    ],
)
def test_predictions_that_cannot_be_are_refused(record, name, values, said):
    rewritten(record, f"{name}.npy", array(values))
    with pytest.raises(records.RecordError, match=said):
        runs.load(record)


def test_a_pickle_in_a_record_is_not_opened(record):
    rewritten(record, "classes.npy", array(np.array([object()])))
    with pytest.raises(records.RecordError, match="cannot be read"):
        runs.load(record)


def test_a_learner_s_own_runs_come_first_when_all_arms_are_there(run, tmp_path):
    for arm in RECORDED:
        runs.save(dataclasses.replace(run, arm=arm), tmp_path)
    found, origin = runs.find(where=tmp_path)
    assert origin == "your own"
    assert {arm: own.seed for arm, own in found.items()} == dict.fromkeys(RECORDED, 7)


def test_recorded_runs_stand_in_when_one_arm_is_missing(run, tmp_path):
    runs.save(run, tmp_path)
    found, origin = runs.find(where=tmp_path)
    assert origin == "recorded"
    assert list(found) == RECORDED


def test_runs_of_different_seeds_are_not_compared(run, tmp_path):
    for seed, arm in enumerate(RECORDED):
        runs.save(dataclasses.replace(run, arm=arm, seed=seed), tmp_path)
    assert runs.find(where=tmp_path)[1] == "recorded"


def test_runs_of_different_recipes_are_not_compared(run, tmp_path):
    for arm in RECORDED:
        runs.save(dataclasses.replace(run, arm=arm, recipe={**run.recipe, "batch": len(arm)}), tmp_path)
    assert runs.find(where=tmp_path)[1] == "recorded"


def test_runs_of_two_releases_of_torch_are_not_compared(run, tmp_path):
    for arm in RECORDED:
        runs.save(dataclasses.replace(run, arm=arm), tmp_path)
    assert runs.find(where=tmp_path)[1] == "your own"
    other = run.provenance | {"versions": run.provenance["versions"] | {"torch": "2.7.1"}}
    runs.save(dataclasses.replace(run, arm=RECORDED[-1], provenance=other), tmp_path)
    assert runs.find(where=tmp_path)[1] == "recorded"


def test_a_folder_that_cannot_be_written_is_one_sentence(run, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(records.RecordError, match="cannot be written"):
        runs.save(run, tmp_path / "file")


def test_a_seed_that_nobody_ran_is_an_error(tmp_path):
    with pytest.raises(runs.RunError, match="no run of stock-fp32 with seed 99"):
        runs.find(["stock-fp32"], tmp_path, seed=99)


def test_a_record_without_probabilities_reads_back_without(run, tmp_path):
    record = runs.save(dataclasses.replace(run, probabilities=None), tmp_path)
    again = runs.load(record)
    assert again.probabilities is None and np.array_equal(again.classes, run.classes)
    assert record.stat().st_size < 10_000


@pytest.mark.parametrize("arm", RECORDED)
def test_recorded_runs_of_an_arm_reach_091(arm, splits):
    recorded = runs.of_machine(arm)
    accuracies = [(run.classes == splits.test.labels.numpy()).mean() for run in recorded]
    assert np.mean(accuracies) >= 0.91
    assert all(len(run.history) == run.recipe["epochs"] <= 6 for run in recorded)


def test_runs_from_before_our_own_operators_were_made_without(run, tmp_path):
    before = {key: value for key, value in run.recipe.items() if key != "operators"}
    assert not runs.load(runs.save(dataclasses.replace(run, recipe=before), tmp_path)).recipe["operators"]
    made = dataclasses.replace(run, recipe=before | {"operators": True})
    assert runs.load(runs.save(made, tmp_path)).recipe["operators"]


def test_at_recorded_speed_a_learner_s_own_runs_are_neither_used_nor_replaced(run, tmp_path, monkeypatch):
    monkeypatch.setenv("CODEALONG_RUNS", str(tmp_path / "own"))
    monkeypatch.setattr(replay, "SHOWN", tmp_path / "shown")
    for arm in RECORDED:
        runs.save(dataclasses.replace(run, arm=arm))
    assert replay.find()[1] == "your own"
    monkeypatch.setenv("CODEALONG_SPEED", "recorded")
    assert replay.find()[1] == "recorded"
    assert replay.save(run).parent == tmp_path / "shown"


def test_a_folder_of_runs_that_is_none_is_refused_where_recorded_runs_would_be_taken(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    for name, problem in (("file", "is a file"), ("missing", "does not exist")):
        monkeypatch.setenv("CODEALONG_RUNS", str(tmp_path / name))
        with pytest.raises(runs.RunError, match=f"CODEALONG_RUNS is .*{name}, which {problem}: set it to a folder"):
            runs.find(["stock-fp32"])
