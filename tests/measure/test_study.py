"""A study is interleaved, goes on where it was stopped, and is read whole or refused."""

import dataclasses
import json
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch

from codealong import data, hardware, ipex_guard, records, runs, training
from codealong.arms import ARMS
from codealong.measure import study

FOUR = ["stock-fp32", "stock-bf16", "ipex-fp32", "ipex-bf16"]

STAND_IN = """
import sys, time
from pathlib import Path
from codealong import files
prepared, arm, seed, folder = sys.argv[1:]
name = f"{arm}-seed{seed}.run.zip"
time.sleep(0.1)
with open(Path(prepared) / "made.txt", "a") as made:
    made.write(name + "\\n")
files.write(Path(folder) / 'runs' / name, (Path(prepared) / name).read_bytes())
"""
"""Stands in for training: takes a run that has been prepared."""


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A folder with four seeds of each arm as this machine would make them, and a study that takes them from there."""
    folder = tmp_path / "prepared"
    probabilities = torch.eye(10)[torch.arange(10_000) % 10]
    monkeypatch.setattr(training, "predict", lambda net, test: probabilities)
    for seed in range(study.FIRST, study.FIRST + 4):
        for arm in FOUR:
            epochs = range(1, training.RECIPE.epochs + 1)
            history = [training.Epoch(n, 0.5, 0.8, 0.4, 0.85, 2.0, 25_000.0) for n in epochs]
            run = training.Trained(arm, seed, training.RECIPE, None, history).run(None)
            runs.save(dataclasses.replace(run, provenance=run.provenance | {"warm_up_steps": 50}), folder)
    monkeypatch.setattr(study, "COMMAND", (sys.executable, "-c", STAND_IN, str(folder)))
    monkeypatch.setattr(study, "ARMS", {arm: ARMS[arm] for arm in FOUR})
    monkeypatch.setattr(ipex_guard, "status", lambda bf16=False: ipex_guard.Status(True, ""))
    return folder


def made(prepared):
    return (prepared / "made.txt").read_text().split()


def test_arms_follow_each_other_seed_by_seed_and_take_turns_in_being_first():
    pairs = study.order(FOUR, 8)
    assert [seed for _, seed in pairs] == [seed for seed in range(100, 108) for _ in FOUR]
    for seed in range(100, 108):
        assert {arm for arm, of in pairs if of == seed} == set(FOUR)
    for place in range(4):
        assert sorted(arm for arm, _ in pairs[place::4]) == sorted([*FOUR, *FOUR])


def test_every_run_is_made_once_and_none_again(prepared, tmp_path, capsys):
    folder = tmp_path / "study"
    study.conduct(folder, seeds=2)
    study.conduct(folder, seeds=2)
    assert made(prepared) == [f"{arm}-seed{seed}.run.zip" for arm, seed in study.order(FOUR, 2)]
    said = capsys.readouterr().out
    assert "run 1 of 8: stock-fp32, seed 100; 8 left" in said
    assert "run 3 of 8: ipex-fp32, seed 100; 6 left, about 1 min" in said


def test_a_study_that_goes_on_knows_from_its_records_how_long_runs_take(prepared):
    present = []
    for minutes, arm, seed in (
        (0, "stock-fp32", 100),
        (2, "stock-bf16", 100),
        (5, "stock-fp32", 101),
        (500, "stock-bf16", 101),
    ):
        run = runs.load(prepared / f"{arm}-seed{seed}.run.zip")
        date = f"2026-01-01T{minutes // 60:02}:{minutes % 60:02}:00+00:00"
        present.insert(0, dataclasses.replace(run, provenance=run.provenance | {"date": date}))
    took = study._took(present)
    assert took == {"stock-bf16": [120.0, 29700.0], "stock-fp32": [180.0]}
    assert study._time_left([("stock-fp32", 2), ("ipex-fp32", 2)], took) == "2 left, about 6 min"


def test_a_run_that_is_missing_is_made_again(prepared, tmp_path):
    folder = tmp_path / "study"
    study.conduct(folder, seeds=2)
    (folder / "runs" / "ipex-fp32-seed101.run.zip").unlink()
    study.conduct(folder, seeds=2)
    assert made(prepared)[8:] == ["ipex-fp32-seed101.run.zip"]


@pytest.mark.worker
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_study_that_is_killed_goes_on_and_ends_whole(prepared, tmp_path):
    folder = tmp_path / "study"
    code = (
        "from codealong import ipex_guard\nfrom codealong.measure import study\n"
        "ipex_guard.status = lambda bf16=False: ipex_guard.Status(True, '')\n"
        f"study.ARMS = {{arm: study.ARMS[arm] for arm in {FOUR}}}\n"
        f"study.COMMAND = {study.COMMAND!r}\n"
        f"study.conduct({str(folder)!r}, seeds=4)\n"
    )
    generator = random.Random(0)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        before = len(list(folder.glob("runs/*.zip")))
        while process.poll() is None and len(list(folder.glob("runs/*.zip"))) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(generator.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 0 < len(list(folder.glob("runs/*.zip"))) < 16
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0
    assert {path.name for path in (folder / "runs").iterdir()} == {
        f"{arm}-seed{seed}.run.zip" for arm, seed in study.order(FOUR, 4)
    }
    for path in (folder / "runs").iterdir():
        runs.load(path)


@pytest.mark.worker
def test_a_campaign_that_is_killed_goes_on_and_ends_whole(tmp_path):
    code = f"""
import time
from datetime import datetime, timezone
from codealong.measure.series import Series

def one_round(arms, batch, number, say):
    time.sleep(0.05)
    return {hardware.provenance()!r}, dict(date=datetime.now(timezone.utc).isoformat(), number=number)

series = Series("campaign", "campaigns", "campaign", 8, one_round)
series.measure({str(tmp_path)!r}, say=lambda text: print(text, flush=True))
"""
    generator, rounds = random.Random(0), 0
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline().startswith(f"campaign, round {rounds + 1} of 8")
        time.sleep(generator.uniform(0, 0.15))
        process.kill()
        process.communicate()
        done = [len(json.loads(path.read_text())["rounds"]) for path in (tmp_path / "campaigns").glob("*.json")]
        assert len(done) < 2 and rounds <= sum(done) < 8
        rounds = sum(done)
    assert rounds
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0
    (path,) = (tmp_path / "campaigns").glob("*.json")
    assert [each["number"] for each in json.loads(path.read_text())["rounds"]] == [*range(8)]


@pytest.mark.worker
def test_a_run_ends_with_the_study_that_started_it(tmp_path):
    code = (
        "import time\nfrom codealong.measure import study\n"
        "study.record = lambda *_: (print('training', flush=True), time.sleep(120))\n"
        f"study.main('stock-fp32', '0', {str(tmp_path)!r})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "training\n"
    process.stdin.close()
    assert process.wait(10) == 1


@pytest.mark.worker
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_no_run_goes_on_when_its_study_is_killed(tmp_path):
    pid = tmp_path / "pid"
    child = f"""
import os, time
from pathlib import Path
from codealong.measure import study
study.record = lambda *_: (Path({str(pid)!r}).write_text(f"{{os.getpid()}}."), time.sleep(120))
study.main("stock-fp32", "0", "folder")
"""
    code = f"""
import sys
from codealong.measure import study
study.COMMAND = (sys.executable, "-c", {child!r})
study._one("stock-fp32", 0, "folder")
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    while not pid.exists() or not pid.read_text().endswith("."):
        time.sleep(0.05)
        assert process.poll() is None
    process.kill()
    process.wait()
    child = int(pid.read_text()[:-1])
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_a_killed_run_left_half_written_is_removed(prepared, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / ".new-abc").write_text("half")
    study.conduct(folder, seeds=1)
    assert len(list((folder / "runs").iterdir())) == 4


def test_a_run_that_fails_is_one_sentence_and_what_was_made_stays(prepared, tmp_path, monkeypatch):
    folder = tmp_path / "study"
    study.conduct(folder, seeds=1)
    monkeypatch.setattr(study, "COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(study.StudyError, match="stock-bf16 with seed 101 ended with status 3, and was not recorded"):
        study.conduct(folder, seeds=2)
    assert len(list((folder / "runs").iterdir())) == 4


def test_a_study_needs_every_arm(tmp_path, monkeypatch):
    monkeypatch.setattr(ipex_guard, "status", lambda bf16=False: ipex_guard.Status(False, "IPEX needs Linux"))
    with pytest.raises(study.StudyError, match="ipex-fp32 cannot run here: IPEX needs Linux"):
        study.conduct(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("field", hardware.MACHINE)
def test_runs_of_another_machine_are_not_mixed_in(prepared, tmp_path, field):
    run = runs.load(prepared / "ipex-bf16-seed100.run.zip")
    runs.save(dataclasses.replace(run, provenance=run.provenance | {field: "another"}), tmp_path / "study" / "runs")
    with pytest.raises(study.StudyError, match=f"made with {field} another, not .*another folder with --into"):
        study.conduct(tmp_path / "study")


def test_runs_of_another_recipe_are_not_mixed_in(prepared, tmp_path):
    run = runs.load(prepared / "ipex-bf16-seed100.run.zip")
    runs.save(dataclasses.replace(run, recipe=run.recipe | {"batch": 7}), tmp_path / "study" / "runs")
    with pytest.raises(study.StudyError, match=r"ipex-bf16-seed100 in .* has another recipe"):
        study.conduct(tmp_path / "study")


def test_runs_that_no_study_made_are_not_mixed_in(prepared, tmp_path):
    run = runs.load(prepared / "ipex-bf16-seed100.run.zip")
    del run.provenance["warm_up_steps"]
    runs.save(run, tmp_path / "study" / "runs")
    with pytest.raises(study.StudyError, match="was not made by a study, which warms up first"):
        study.conduct(tmp_path / "study")


def test_seeds_beyond_those_asked_for_are_finished(prepared, tmp_path):
    study.conduct(tmp_path / "study", seeds=1)
    shutil.copy(prepared / "stock-bf16-seed102.run.zip", tmp_path / "study" / "runs")
    study.conduct(tmp_path / "study", seeds=2)
    assert len(list((tmp_path / "study" / "runs").iterdir())) == 12


def test_a_study_keeps_the_arms_that_it_began_with(prepared, tmp_path, monkeypatch):
    study.conduct(tmp_path / "study", seeds=2)
    monkeypatch.setattr(study, "ARMS", ARMS)
    study.conduct(tmp_path / "study", seeds=3)
    assert {path.name.partition("-seed")[0] for path in (tmp_path / "study" / "runs").iterdir()} == set(FOUR)
    study.conduct(tmp_path / "study", seeds=3)
    assert len(made(prepared)) == 12


def test_two_studies_do_not_write_to_one_folder(prepared, tmp_path):
    with study._alone(tmp_path), pytest.raises(study.StudyError, match="Another study is writing to"):
        study.conduct(tmp_path, seeds=1)
    study.conduct(tmp_path, seeds=1)


@pytest.mark.worker
def test_a_recorded_run_is_the_one_that_training_alone_would_make(few, splits, tmp_path, monkeypatch):
    monkeypatch.setattr(hardware, "wait_until_idle", lambda say: 3.0)
    monkeypatch.setattr(data, "load", lambda: data.FashionMNIST(few.train, few.valid, splits.test))
    study.record("stock-bf16", 3, tmp_path)
    (run,) = runs.of_machine("stock-bf16", tmp_path)
    trained = training.fit("stock-bf16", 3, few.train, few.valid)
    timeless = {"seconds", "images_per_second"}
    expected = [{key: value for key, value in vars(epoch).items() if key not in timeless} for epoch in trained.history]
    assert [{key: value for key, value in epoch.items() if key not in timeless} for epoch in run.history] == expected
    assert np.array_equal(run.classes, training.predict(trained.net, splits.test).argmax(1))
    assert run.probabilities is None and run.provenance["warm_up_steps"] == training.WARM_UP_STEPS


def test_a_whole_study_is_left_alone_wherever_it_is(capsys, monkeypatch):
    monkeypatch.setattr(ipex_guard, "status", lambda bf16=False: ipex_guard.Status(False, "IPEX needs Linux"))
    study.conduct(records.REFERENCE)
    assert f"holds a whole study: {study.SEEDS} seeds of 5 arms" in capsys.readouterr().out
