"""A study is read whole or refused, and knows its accuracies and times."""

import dataclasses
import shutil

import numpy as np
import pytest

from codealong import records, runs, training
from codealong.analysis import reports, study
from codealong.analysis.campaigns import Campaigns
from codealong.analysis.verdicts.verdict import PAIRS
from codealong.arms import ARMS
from codealong.classes import CLASSES
from codealong.measure import campaign, larger
from codealong.measure.study import FEWEST, FIRST, SEEDS, StudyError, order
from tests.conftest import rewritten


def copied(folder):
    """Copy the recorded study."""
    shutil.copytree(records.REFERENCE / runs.FOLDER, folder / runs.FOLDER)
    for series in (campaign.SERIES, larger.SERIES):
        if (its := records.REFERENCE / series.folder).exists():
            shutil.copytree(its, folder / series.folder)


def test_a_study_with_a_run_missing_is_not_read(tmp_path):
    copied(tmp_path)
    (tmp_path / "runs" / "stock-bf16-seed103.run.zip").unlink()
    with pytest.raises(StudyError, match=f"{SEEDS} of stock-fp32-matched, {SEEDS - 1} of stock-bf16"):
        study.load(tmp_path)


def test_a_study_of_too_few_seeds_is_not_read(tmp_path):
    copied(tmp_path)
    for path in tmp_path.glob("runs/*.run.zip"):
        if runs.load(path).seed >= FIRST + FEWEST - 1:
            path.unlink()
    with pytest.raises(StudyError, match="each arm needs the same 10 seeds or more"):
        study.load(tmp_path)


def test_a_campaign_of_another_machine_is_not_mixed_in(tmp_path):
    copied(tmp_path)
    path = next((tmp_path / campaign.SERIES.folder).iterdir())
    with rewritten(path) as content:
        content["provenance"]["processor"] = "another"
    with pytest.raises(StudyError, match=r"the campaign of .* in .* was made with processor another"):
        study.load(tmp_path)


def test_the_recorded_study_is_small_and_whole(recorded_study):
    assert recorded_study.seeds == list(range(FIRST, FIRST + SEEDS)) and len(recorded_study.runs) == 5
    assert recorded_study.earlier.seeds == list(range(12)) and recorded_study.earlier.earlier is None
    for machine in records.RECORDED.iterdir():
        assert sum(path.stat().st_size for path in machine.rglob("*.*")) < 2e6
    for arm, made in [*recorded_study.runs.items(), *recorded_study.earlier.runs.items()]:
        for run in made:
            assert run.recipe == dataclasses.asdict(training.RECIPE)
            assert run.provenance["ipex_imported"] is ARMS[arm].uses_ipex
            assert (run.probabilities is None) == (run.seed > 0)


def test_a_study_knows_its_accuracies(recorded_study):
    run = recorded_study.runs["ipex-fp32"][4]
    assert recorded_study.accuracy("ipex-fp32")[4] == (run.classes == recorded_study.labels).mean()


def test_seconds_per_epoch_are_those_of_the_campaigns(recorded_study):
    times = Campaigns({"ipex-fp32": np.array([[10_000.0, 40_000.0]])}, [None])
    assert dataclasses.replace(recorded_study, campaigns=times).seconds_per_epoch("ipex-fp32") == pytest.approx(
        50_000 / 20_000
    )


def test_a_study_knows_precision_recall_and_f1(recorded_study):
    run = recorded_study.runs["stock-bf16"][2]
    coats, called = recorded_study.labels == 4, run.classes == 4
    hits = (coats & called).sum()
    expected = [hits / called.sum(), hits / coats.sum(), 2 * hits / (coats.sum() + called.sum())]
    assert recorded_study.quantities("stock-bf16")[2, :, 4] == pytest.approx(expected)


def test_runs_of_the_recorded_study_were_interleaved(recorded_study):
    dates = {(run.arm, run.seed): run.provenance["date"] for made in recorded_study.runs.values() for run in made}
    assert sorted(dates, key=dates.get) == order(list(recorded_study.runs), SEEDS)


def test_the_class_that_moves_furthest_is_the_one_that_lesson_7_names(recorded_study):
    f1 = 100 * (recorded_study.quantities("ipex-fp32") - recorded_study.quantities("stock-fp32"))[:, 2].mean(axis=0)
    furthest = np.abs(f1).argmax()
    assert (CLASSES[furthest], f"{f1[furthest]:.2f}") == ("Shirt", "-0.24")


def test_the_pairs_of_notebook_5_have_the_ratios_that_lesson_7_names(recorded_study):
    by_arm, _ = runs.find(where=records.REFERENCE / runs.FOLDER)
    rates = reports.overview(by_arm.values(), recorded_study.labels).set_index("arm")["images/s"]
    pairs = [*PAIRS.values(), *zip(*PAIRS.values(), strict=True)]
    assert [f"{rates[fast] / rates[slow]:.2f}" for slow, fast in pairs] == ["1.41", "1.00", "1.73", "1.24"]
