"""Machines stand side by side, each with what its records can say."""

import shutil

import pytest

from codealong import records
from codealong.analysis import benchmark as benchmarks
from codealong.analysis import campaigns, machines, stats
from codealong.measure import ablation, benchmark, campaign, instruction_sets
from tests.conftest import rewritten


@pytest.fixture
def folder(tmp_path):
    """Two machines: one with all campaigns of the reference, one with a single one and a newer instruction set."""
    for name, kept in (("one", None), ("two", 1)):
        source = records.REFERENCE / campaign.SERIES.folder
        (tmp_path / name / source.name).mkdir(parents=True)
        for path in sorted(source.iterdir())[:kept]:
            shutil.copy(path, tmp_path / name / source.name)
    level = {"contestant": "stock-fp32 tuned", "ran_on": None}
    one = [level | {"level": "AVX2", "images_per_second": [100, 50, 200]}]
    one += [level | {"level": "AVX-512", "images_per_second": [150, 100, 300]}]
    two = [level | {"level": "AVX2", "images_per_second": [100] * 6}]
    two += [level | {"level": "AMX", "images_per_second": [100, 200, 300, 300, 300, 500]}]
    for name, its in (("one", one), ("two", two)):
        instruction_sets.save({"provenance": {}, "levels": its}, tmp_path / name)
    return tmp_path


def test_speed_ups_have_an_interval_where_there_are_campaigns_enough(folder):
    table = machines.speed_ups(folder)
    its = campaigns.load(folder / "one")
    assert list(table.index) == ["one", "two"] and list(table["campaigns"]) == [len(its), 1]
    assert table.loc["one", "IPEX, float32"] == f"{its.ratio('stock-fp32', 'ipex-fp32'):.2f}"
    assert table.loc["one", "both"] == f"{its.ratio('stock-fp32', 'ipex-bf16'):.2f}"
    (alone,) = campaigns.load(folder / "two").by_campaign("stock-fp32-matched", "ipex-fp32")
    assert table.loc["two", "its kernels"] == f"{alone:.2f}"


def test_an_arm_that_cannot_run_on_a_machine_is_a_dash(folder):
    for path in (folder / "two" / campaign.SERIES.folder).iterdir():
        with rewritten(path) as record:
            record["arms"].remove("ipex-bf16")
    table = machines.speed_ups(folder)
    assert set(table.loc["two", ["IPEX, bfloat16", "both"]]) == {"–"}
    assert "–" not in {*table.loc["one"], *table.loc["two", ["IPEX, float32", "its kernels", "bfloat16, stock"]]}


def test_levels_are_divided_within_a_round_and_one_that_a_machine_lacks_is_a_dash(folder):
    table = machines.levels(folder)
    assert table.loc["stock-fp32 tuned"].to_dict("index") == {
        "AVX2": {"one": "1", "two": "1"},
        "AVX-512": {"one": "1.50", "two": "–"},
        "AMX": {"one": "–", "two": "3.00 (1.00 to 5.00)"},
    }


def test_contestants_are_told_at_their_best_and_one_that_a_machine_has_not_measured_is_a_dash(folder):
    record = benchmark.read()
    benchmark.save(record, folder / "one")
    without = [each for each in record["measurements"] if each["contestant"] != "keras"]
    benchmark.save(record | {"measurements": without}, folder / "two")
    table = machines.contestants(folder)
    (keras,) = [row for row in benchmarks.best(benchmarks.load()) if row["contestant"] == "keras"]
    assert table.loc["keras"].to_dict() == {"one": f"{keras['ratio_to_published']:.1f}", "two": "–"}
    assert table.loc["published", "two"] == table.loc["published", "one"] != "–"


def test_predictions_are_told_with_the_time_of_one_image_where_it_was_measured(folder):
    record = benchmark.read(records.RECORDED / "intel-xeon-processor-amx-6-167-1")
    benchmark.save(record, folder / "one")
    benchmark.save({key: its for key, its in record.items() if key != "latencies"}, folder / "two")
    table, rows = machines.predictions(folder), benchmarks.summarise(record)
    (vino,) = [row for row in rows if row["contestant"] == "openvino" and row["chosen_for_inference"]]
    assert table.loc["openvino"].to_dict() == {
        "one": f"{vino['inference_ratio_to_published']:.1f}",
        "one, ms for one image": f"{vino['latency_milliseconds']:.2f}",
        "two": f"{vino['inference_ratio_to_published']:.1f}",
    }


def test_variations_stand_in_one_order_and_one_that_a_machine_has_not_measured_is_a_dash(folder):
    record = ablation.read()
    rates = record["images_per_second"]
    for name, kept in (("one", rates), ("two", {key: rates[key] for key in ("tuned", "float32", "tcmalloc")})):
        records.write(
            folder / name / ablation.NAME, ablation.KIND, ablation.VERSION, record | {"images_per_second": kept}
        )
    table = machines.variations(folder)
    assert [name for _, name in table.index] == [
        name for name in [*ablation.LEFT_OUT, *ablation.ADDED] if name in rates
    ]
    assert table.loc[("changed", "float32"), "one"] == table.loc[("changed", "float32"), "two"]
    assert table.loc[("added", "jemalloc"), "two"] == "–" != table.loc[("added", "jemalloc"), "one"]


def test_a_machine_without_a_record_is_left_out(folder):
    (folder / "two" / instruction_sets.NAME).unlink()
    shutil.rmtree(folder / "one" / campaign.SERIES.folder)
    assert list(machines.levels(folder)) == ["one"] and list(machines.speed_ups(folder).index) == ["two"]


def test_every_machine_that_is_recorded_is_shown():
    recorded = {path.name for path in records.RECORDED.iterdir()}
    assert set(machines.speed_ups().index) == set(machines.levels()) == recorded


def test_amx_about_doubles_the_rate_of_bfloat16_as_lesson_9_says():
    levels = instruction_sets.read(records.RECORDED / "intel-xeon-processor-amx")["levels"]
    rates = {(each["contestant"], each["level"]): each["images_per_second"] for each in levels}
    ratio = stats.ratio(rates["stock-bf16 tuned", "AMX"], rates["stock-bf16 tuned", "AVX-512 bf16"])
    assert 1.5 < ratio.low < 2 < ratio.estimate < 2.5
