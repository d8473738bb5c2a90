"""A recorded result is shown where a lesson asks for it, says so, and never passes for a measurement."""

import dataclasses

import pytest
import torch

from codealong import CourseError, data, hardware, replay, runs, training
from codealong.arms import ARMS
from codealong.measure import instruction_sets, study


@pytest.fixture
def recorded_speed(monkeypatch):
    monkeypatch.setenv("CODEALONG_SPEED", "recorded")


def test_a_recorded_run_is_shown_and_says_so(splits, recorded_speed, capsys):
    kept = runs.of_machine("stock-bf16")[0]
    trained = replay.fit("stock-bf16", 0, splits.train, splits.valid)
    said = capsys.readouterr().out
    assert "SHOWN, NOT COMPUTED NOW" in said and kept.provenance["date"][:10] in said
    assert [dataclasses.asdict(epoch) for epoch in trained.history] == kept.history
    run = trained.run(splits.test)
    assert run.provenance == kept.provenance
    assert (run.classes == kept.classes).all()
    with pytest.raises(CourseError, match="its weights were not kept: train a network with"):
        training.evaluate(trained.net, splits.valid)


def test_what_has_no_record_is_trained(few, recorded_speed, capsys):
    trained = replay.fit("stock-fp32", 0, few.train, few.valid, training.Recipe(epochs=1))
    assert type(trained) is training.Trained
    assert "SHOWN" not in capsys.readouterr().out


@pytest.fixture
def measured_speed(monkeypatch):
    monkeypatch.delenv("CODEALONG_SPEED", raising=False)
    monkeypatch.setattr(training, "fit", lambda *asked: asked)


def on_a_processor(monkeypatch, instruction_sets, has_bf16_kernels):
    cpu = hardware.Processor("x", "y", instruction_sets)
    monkeypatch.setattr(hardware, "processor", lambda: cpu)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: has_bf16_kernels)


def test_at_measured_speed_everything_is_trained(few, monkeypatch, measured_speed):
    on_a_processor(monkeypatch, ("AVX2", "AVX-512"), True)
    for arm in ARMS:
        assert replay.fit(arm, 0, few.train, few.valid)[:2] == (arm, 0)


def test_bfloat16_is_shown_where_it_would_take_minutes_and_is_kept_apart(
    few, monkeypatch, measured_speed, capsys, tmp_path
):
    on_a_processor(monkeypatch, ("AVX2",), False)
    monkeypatch.setattr(replay, "SHOWN", tmp_path / "shown")
    trained = replay.fit("stock-bf16", 0, few.train, few.valid)
    said = capsys.readouterr().out
    assert "SHOWN, NOT COMPUTED NOW" in said and "this processor would take minutes" in said
    assert replay.save(trained.run(None)).parent == tmp_path / "shown"
    assert replay.fit("stock-fp32", 0, few.train, few.valid)[:2] == ("stock-fp32", 0)


def test_bfloat16_is_trained_where_nothing_is_known_of_the_processor(few, monkeypatch, measured_speed):
    on_a_processor(monkeypatch, (), False)
    assert replay.fit("stock-bf16", 0, few.train, few.valid)[:2] == ("stock-bf16", 0)


def test_an_unknown_speed_is_refused(few, monkeypatch):
    monkeypatch.setenv("CODEALONG_SPEED", "fast")
    with pytest.raises(CourseError, match="SPEED is measured or recorded, and not fast: set it"):
        replay.fit("stock-fp32", 0, few.train, few.valid)


def test_a_record_stands_for_a_long_measurement_and_says_so(recorded_speed, capsys, monkeypatch):
    record = replay.instead_of(lambda: pytest.fail("measured"), instruction_sets.read)
    assert record == instruction_sets.read()
    assert "SHOWN, NOT COMPUTED NOW" in capsys.readouterr().out
    monkeypatch.setenv("CODEALONG_SPEED", "measured")
    assert replay.instead_of(lambda: "measured", instruction_sets.read) == "measured"


@pytest.mark.worker
def test_a_study_trains_whatever_the_speed_of_a_lesson(few, splits, recorded_speed, tmp_path, monkeypatch):
    monkeypatch.setattr(hardware, "wait_until_idle", lambda say: 3.0)
    monkeypatch.setattr(training, "RECIPE", training.RECIPE)
    monkeypatch.setattr(data, "load", lambda: data.FashionMNIST(few.train, few.valid, splits.test))
    study.record("stock-bf16", 0, tmp_path)
    (run,) = runs.of_machine("stock-bf16", tmp_path)
    kept = runs.of_machine("stock-bf16")[0]
    assert run.provenance["date"] > kept.provenance["date"] and run.history != kept.history
