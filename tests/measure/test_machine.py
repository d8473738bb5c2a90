"""A machine is recorded step by step: what is there is left alone, and what is missing is said beforehand."""

import datetime
import shutil

import pytest

from codealong import hardware, ipex_guard, records
from codealong.measure import (
    ablation,
    benchmark,
    campaign,
    instruction_sets,
    machine,
    publication,
    study,
    time_to_accuracy,
)
from tests.conftest import rewritten


@pytest.fixture
def done(monkeypatch):
    """The steps that were done, none of which measures, as if every arm ran here."""
    done = []
    monkeypatch.setattr(ipex_guard, "status", lambda bf16=False: ipex_guard.Status(True, "it runs"))
    monkeypatch.setattr(study, "conduct", lambda folder: done.append("study"))
    monkeypatch.setattr(campaign.Series, "measure", lambda series, folder: done.append(series.command))
    monkeypatch.setattr(publication, "missing", lambda folder: not (folder / publication.DEEP).exists())
    monkeypatch.setattr(publication, "conduct", lambda folder: done.append("publication"))
    monkeypatch.setattr(benchmark, "whole", lambda folder: (folder / benchmark.NAME).exists())
    monkeypatch.setattr(benchmark, "measure", lambda folder, peers: done.append(f"benchmark with {peers}"))
    monkeypatch.setattr(ablation, "measure", lambda folder: done.append("ablation"))
    monkeypatch.setattr(instruction_sets, "measure", lambda: "levels")
    monkeypatch.setattr(instruction_sets, "save", lambda record, folder: done.append(record))
    monkeypatch.setattr(time_to_accuracy, "measure", lambda folder: done.append("time to 0.91"))
    return done


def test_everything_is_measured_for_a_machine_without_records(tmp_path, done):
    said = []
    machine.record(tmp_path, "peers", said.append)
    assert done == [
        "campaign", "larger", "study", "publication", "benchmark with peers", "ablation", "levels", "time to 0.91",
    ]  # fmt: skip
    for what in (
        "a campaign of times (9 min), a campaign of what is larger (10 min)",
        "the study (80 min), the published",
    ):
        assert what in said[0]
    assert said[1].startswith("about 248 minutes") and said[-1].startswith("A verdict on time needs three campaigns")


def test_where_an_arm_cannot_run_what_needs_every_arm_is_left_out(tmp_path, done, monkeypatch):
    said = []
    monkeypatch.setattr(ipex_guard, "status", lambda bf16=False: ipex_guard.Status(not bf16, "no AVX-512"))
    machine.record(tmp_path, "peers", said.append)
    assert done == ["campaign", "larger", "benchmark with peers", "ablation", "levels", "time to 0.91"]
    assert said[0] == (
        "ipex-bf16 cannot run here (no AVX-512); what needs every arm is left out: "
        "the study, the published epochs and network"
    )


def test_a_campaign_that_has_just_been_measured_is_not_followed_by_another(tmp_path, done):
    shutil.copytree(records.REFERENCE / campaign.SERIES.folder, tmp_path / campaign.SERIES.folder)
    *_, last = sorted((tmp_path / campaign.SERIES.folder).iterdir())
    with rewritten(last) as record:
        record["rounds"][0]["date"] = datetime.datetime.now(datetime.timezone.utc).isoformat()
    machine.record(tmp_path, say=lambda _: None)
    assert "campaign" not in done and "study" in done


def test_what_is_recorded_is_not_measured_again_but_for_a_campaign(tmp_path, done):
    for module in (benchmark, ablation, instruction_sets):
        (tmp_path / module.NAME).touch()
    (tmp_path / publication.DEEP).touch()
    record = {"provenance": {}, "trained": [{"seed": seed} for seed in time_to_accuracy.SEEDS]}
    records.write(tmp_path / time_to_accuracy.NAME, time_to_accuracy.KIND, time_to_accuracy.VERSION, record)
    machine.record(tmp_path, say=lambda _: None)
    assert done == ["campaign", "larger", "study"]


def test_what_was_stopped_goes_on_where_it_was(tmp_path, done, monkeypatch):
    def stopped(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(ablation, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        machine.record(tmp_path, say=lambda _: None)
    (tmp_path / benchmark.NAME).touch()
    monkeypatch.setattr(ablation, "measure", lambda folder: done.append("ablation"))
    done.clear()
    machine.record(tmp_path, say=lambda _: None)
    assert done == ["campaign", "larger", "study", "publication", "ablation", "levels", "time to 0.91"]


@pytest.mark.parametrize(
    ("name", "newest", "folder"),
    [
        ("AMD EPYC 9R45", "AVX-512 bf16", "amd-epyc-9r45-avx512-bf16"),
        ("Intel(R) Xeon(R) Platinum 8488C", "AMX", "intel-xeon-platinum-8488c-amx"),
    ],
)
def test_a_machine_is_named_after_processor_and_newest_instruction_set(monkeypatch, name, newest, folder):
    monkeypatch.setattr(hardware, "processor", lambda: hardware.Processor(name, "x", ("AVX2", newest)))
    assert machine.folder() == records.RECORDED / folder


def test_another_model_of_the_same_name_gets_a_folder_of_its_own(monkeypatch):
    xeon = hardware.Processor("Intel(R) Xeon(R) Processor", "x", ("AVX2", "AMX"), "6/207/2")
    monkeypatch.setattr(hardware, "processor", lambda: xeon)
    assert machine.folder() == records.RECORDED / "intel-xeon-processor-amx"
    monkeypatch.setattr(hardware, "processor", lambda: xeon._replace(model="6/167/1"))
    assert machine.folder() == records.RECORDED / "intel-xeon-processor-amx-6-167-1"


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path, done):
    (tmp_path / "file").touch()
    with pytest.raises(records.RecordError, match="cannot be written"):
        machine.record(tmp_path / "file" / "folder", say=lambda _: None)
    assert not done
