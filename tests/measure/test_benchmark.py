"""The benchmark records what it measures, and its table says no more."""

from typing import ClassVar

import pytest
import torch

from codealong import hardware
from codealong.analysis import benchmark as analysis
from codealong.measure import benchmark
from codealong.measure.worker import PEERS, PUBLISHED, TUNED, BenchError
from codealong.records import RecordError

PEAKS = [{"fp32": 100.0, "bf16": 200.0, "bandwidth": 10.0}] * 2
COST = {"flops": 1e6, "bytes": 1e4}


def measured(number, row, batch, threads, rate):
    rates = {"images_per_second": rate, "inference_images_per_second": 3 * rate}
    return (
        {"round": number, "contestant": row, "batch": batch, "threads": threads, "busy": 0.0}
        | rates
        | {
            "peak_mib": 100.0 + number,
        }
    )


@pytest.fixture
def record():
    measurements = [
        measured(
            number, row, batch, threads, pace * speed_of_machine * (0.6 if threads == 1 else 1) * (1 + batch / 1024)
        )
        for number, speed_of_machine in enumerate((1.0, 2.0))
        for row, pace in (("published", 1000), ("stock-fp32", 2000), ("stock-bf16 tuned", 6000), ("keras", 5000))
        for batch in benchmark.BATCHES
        for threads in ((2,) if row == "keras" else (1, 2))
    ]
    trained = [
        {"contestant": "stock-bf16 tuned", "seed": 0, "seconds": 4.0, "epochs": 2, "test_accuracy": 0.909},
        {"contestant": "published", "seed": 0, "seconds": None, "epochs": None, "test_accuracy": None},
    ]
    contestants = ("published", "stock-fp32", "stock-bf16 tuned", "keras")
    return {
        "contestants": {
            name: {"start_seconds": 4.0, "first_step_seconds": 0.5, "provenance": {"processor": "x"}}
            for name in contestants
        },
        "costs": {"stock-fp32": COST, "stock-bf16 tuned": COST},
        "choosing": 0,
        "limits": PEAKS,
        "measurements": measurements,
        "goal_on": "validation images",
        "trained": trained,
    }


@pytest.fixture
def rows(record):
    return analysis.summarise(record)


def the(rows, name, batch, threads=2):
    (row,) = [row for row in rows if (row["contestant"], row["batch"], row["threads"]) == (name, batch, threads)]
    return row


def test_ratios_are_taken_within_a_round(rows):
    row = the(rows, "stock-bf16 tuned", 64)
    assert row["images_per_second"].estimate == 9562.5
    assert row["ratio_to_published"].estimate == 6.0
    assert row["ratio_to_stock_fp32"].estimate == 3.0


def test_time_to_the_goal_is_that_of_the_first_epoch_that_reaches_it(rows):
    row = the(rows, "stock-bf16 tuned", 256)
    assert (row["seconds_to_91"], row["epochs_to_91"], row["test_accuracy"]) == ([4.0], [2], [0.909])


def test_a_goal_that_was_not_reached_is_none_and_said(rows):
    assert the(rows, "published", 64)["seconds_to_91"] == [None]
    printed = analysis.table(rows).set_index("contestant")
    assert printed.loc["published", "s to 0.91"] == "never" and printed.loc["keras", "s to 0.91"] == "–"


def test_one_thread_has_its_share_of_the_roof(rows):
    # bf16: memory allows 10 GB/s / 10 kB = 1,000,000 images/s, arithmetic 200 GFLOP/s / 1 MFLOP = 200,000.
    assert the(rows, "stock-bf16 tuned", 64)["attainable_images_per_second"] == pytest.approx(200_000)
    assert the(rows, "stock-bf16 tuned", 64, threads=1)["attainable_images_per_second"] == pytest.approx(100_000)
    assert the(rows, "published", 64)["attainable_images_per_second"] == pytest.approx(100_000)
    assert "share_of_attainable" not in the(rows, "keras", 64)


def test_rounds_that_chose_a_batch_size_do_not_count_where_others_do(record):
    record["choosing"] = 1
    kept = [each for each in record["measurements"] if each["round"] == 0 or each["batch"] == 64]
    kept += [measured(1, "keras", 256, 2, 12_500.0)]
    for each in kept:
        if (each["round"], each["contestant"], each["batch"]) == (0, "keras", 256):
            each["images_per_second"] = 9e9
    record["measurements"] = kept
    rows = analysis.summarise(record)
    keras = the(rows, "keras", 256)
    assert keras["chosen"] and keras["rounds"] == 1 and keras["images_per_second"].estimate == 12_500
    assert keras["ratio_to_published"].estimate == pytest.approx(12_500 / 2125)
    other = the(rows, "keras", 1024)
    assert not other["chosen"] and other["images_per_second"].estimate == 10_000
    assert the(rows, "published", 1024)["ratio_to_published"].estimate == pytest.approx(2000 / 1062.5)


def test_the_interval_of_ten_rounds_leaves_the_two_outermost_out(record):
    record["measurements"] = [measured(number, "published", 64, 2, 100.0 + number) for number in range(10)]
    record["measurements"] += [measured(number, "stock-fp32", 64, 2, 1000.0) for number in range(10)]
    (row, _) = analysis.summarise(record)
    assert row["images_per_second"] == (104.5, 101, 108)


def test_each_row_is_shown_at_its_best_batch_with_all_threads(rows):
    best = analysis.best(rows)
    assert [row["contestant"] for row in best] == ["stock-bf16 tuned", "keras", "stock-fp32", "published"]
    assert {(row["batch"], row["threads"]) for row in best} == {(1024, 2)}


def test_first_steps_and_memory_are_reported_apart(rows):
    row = the(rows, "stock-fp32", 64)
    assert (row["first_step_seconds"], row["start_seconds"], row["peak_mib"]) == (0.5, 4.0, 100.0)


OURS = (PUBLISHED, "stock-fp32", "stock-bf16 tuned")


class StandIn:
    """A contestant that answers at once, fastest with 256 images, and predicting with 1,024."""

    asked: ClassVar[list] = []
    dies_at = None

    def __init__(self, name, peers=None):
        self.name, self.start_seconds = name, 4.0
        self.provenance = {"versions": {"keras": "3"}} if name in PEERS else hardware.provenance()

    def ask(self, do, **how):
        if do == StandIn.dies_at:
            raise BenchError("died")
        StandIn.asked.append((do, self.name, how))
        pace = {64: 1.0, 256: 3.0, 1024: 2.0}.get(how.get("batch"), 1.0)
        predicting = {"inference_images_per_second": 4.0 if how.get("batch") == 1024 else pace}
        answers = {
            "train_steps": 0.25,
            "latency": 1.5,
            "limits": PEAKS[0],
            "cost": COST,
            "rates": {} if self.name == "openvino" else {"images_per_second": pace},
            "train": {
                "history": [{"epoch": 1, "seconds": 5.0, "valid_accuracy": 0.9},
                            {"epoch": 2, "seconds": 6.0, "valid_accuracy": 0.92}],
                "test_accuracy": 0.915,
            },
        }  # fmt: skip
        return answers[do] | predicting | {"peak_mib": 100.0} if do == "rates" else answers[do]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(benchmark, "Worker", StandIn)
    monkeypatch.setattr(benchmark, "here", lambda peers=None: [*OURS, "keras", "openvino"])
    monkeypatch.setattr(hardware, "wait_until_idle", lambda say: 3.0)
    monkeypatch.setattr(StandIn, "asked", [])
    monkeypatch.setattr(StandIn, "dies_at", None)
    return StandIn


def test_two_rounds_choose_the_batch_sizes_that_the_others_measure(stand_in, tmp_path):
    record = benchmark.measure(tmp_path, choosing=2, rounds=3)
    assert benchmark.read(tmp_path) == record
    cores = torch.get_num_threads()
    conditions = {}
    for each in record["measurements"]:
        conditions.setdefault((each["round"] >= 2, each["contestant"]), []).append((each["batch"], each["threads"]))
    every = [(batch, threads) for batch in benchmark.BATCHES for threads in sorted({1, cores})]
    large = [(batch, cores) for batch in benchmark.LARGE]
    assert conditions[False, "stock-fp32"] == 2 * every
    assert conditions[False, "stock-bf16 tuned"] == 2 * (every + large)
    assert conditions[False, "keras"] == 2 * [(batch, cores) for batch in benchmark.BATCHES + benchmark.LARGE]
    assert conditions[True, "stock-bf16 tuned"] == conditions[True, "keras"] == 3 * [(256, cores), (1024, cores)]
    assert conditions[True, "openvino"] == 3 * [(1024, cores)]
    assert conditions[True, PUBLISHED] == 3 * [(64, cores), (256, cores), (1024, cores)]
    assert [(each["round"], each["milliseconds"]) for each in record["latencies"][::5]] == [
        (2, 1.5),
        (3, 1.5),
        (4, 1.5),
    ]
    assert len(record["limits"]) == 5 and {*record["costs"]} == {"stock-fp32", "stock-bf16 tuned"}
    assert record["contestants"]["keras"]["provenance"]["versions"] == {"keras": "3"}
    assert {each["first_step_seconds"] for each in record["contestants"].values()} == {0.25}


def test_the_order_rotates_from_round_to_round(stand_in, tmp_path):
    benchmark.measure(tmp_path, rates_only=True, choosing=1, rounds=2)
    warmed = [name for do, name, _ in stand_in.asked if do == "train_steps"]
    names = [*OURS, "keras", "openvino"]
    assert warmed == [*names, *names[1:], *names[:1], *names[2:], *names[:2]]


def test_training_is_timed_until_the_validation_images_are_right_and_peers_do_not_train(stand_in, tmp_path):
    record = benchmark.measure(tmp_path, choosing=1, rounds=1)
    assert record["goal_on"] == "validation images"
    trained = [(each["contestant"], each["seed"]) for each in record["trained"]]
    tuned = [(name, seed) for name, seed in trained if name.endswith(TUNED)]
    assert trained[:3] == [(name, 0) for name in OURS]
    assert sorted(trained) == sorted(
        [(name, seed) for name in OURS[:2] for seed in benchmark.SEEDS] + [(OURS[2], seed) for seed in range(10)]
    )
    assert tuned == [(OURS[2], seed) for seed in range(10)]
    first = {"contestant": PUBLISHED, "seed": 0, "seconds": 11.0, "epochs": 2, "test_accuracy": 0.915}
    assert record["trained"][0] == first


def test_a_benchmark_that_was_stopped_goes_on_with_the_training(stand_in, tmp_path):
    stand_in.dies_at = "train"
    with pytest.raises(BenchError):
        benchmark.measure(tmp_path, choosing=1, rounds=1)
    rates = benchmark.read(tmp_path)["measurements"]
    stand_in.dies_at = "rates"
    record = benchmark.measure(tmp_path)
    assert record["measurements"] == rates and len(record["trained"]) == 16 and benchmark.whole(tmp_path)
    stand_in.dies_at = None
    assert benchmark.measure(tmp_path, choosing=1, rounds=2)["measurements"] != rates


def test_rates_of_another_machine_are_not_gone_on_with(stand_in, tmp_path):
    stand_in.dies_at = "train"
    with pytest.raises(BenchError):
        benchmark.measure(tmp_path, choosing=1, rounds=1)
    record = benchmark.read(tmp_path)
    record["contestants"]["keras"]["provenance"]["processor"] = "another"
    benchmark.save(record, tmp_path)
    stand_in.dies_at = "rates"
    with pytest.raises(BenchError):
        benchmark.measure(tmp_path)


def test_a_record_reads_back_as_it_was_written(record, tmp_path):
    benchmark.save(record, tmp_path)
    assert benchmark.read(tmp_path) == record


def test_a_missing_or_damaged_record_is_one_sentence(tmp_path):
    for content in (None, "[", "{}"):
        if content:
            (tmp_path / benchmark.NAME).write_text(content)
        with pytest.raises(RecordError, match="measure it with `make bench`"):
            benchmark.read(tmp_path)


def test_the_recorded_benchmark_has_every_batch_and_thread_count_of_each_contestant():
    rows = analysis.load()
    cores = max(row["threads"] for row in rows)
    own = {(row["contestant"], row["batch"], row["threads"]) for row in rows if row["contestant"] not in PEERS}
    names = {name for name, _, _ in own}
    assert own == {(name, batch, threads) for name in names for batch in benchmark.BATCHES for threads in {1, cores}}
    assert names >= {PUBLISHED, "stock-fp32", "ipex-bf16 tuned"} and {"keras", "jax"} <= {
        row["contestant"] for row in rows
    }
    assert len({row["rounds"] for row in rows if row["chosen"]}) == 1
    assert all(len(row["seconds_to_91"]) >= len(benchmark.SEEDS) for row in rows if row["contestant"] not in PEERS)


def test_what_only_predicts_is_in_the_table_of_predictions_alone(stand_in, tmp_path):
    rows = analysis.summarise(benchmark.measure(tmp_path, rates_only=True, choosing=2, rounds=6))
    assert "openvino" not in {*analysis.table(rows)["contestant"]} | {*analysis.by_batch(rows).index}
    predicted = analysis.inference(rows).set_index("contestant")
    assert predicted.loc["openvino", "batch"] == predicted.loc["keras", "batch"] == 1024
    assert predicted.loc["openvino", "images/s"].startswith("4") and predicted.loc[
        "keras", "ms for one image"
    ].startswith("1.50")
    assert the(rows, "keras", 1024, torch.get_num_threads())["inference_ratio_to_published"].estimate == 4


def test_each_is_compared_with_keras_where_both_are_at_their_best(rows):
    ratios = {row["contestant"]: row["ratio_to_keras"].estimate for row in analysis.best(rows)}
    assert ratios == pytest.approx({"stock-bf16 tuned": 1.2, "keras": 1, "stock-fp32": 0.4, "published": 0.2})
    assert {row["batch"] for row in rows if "ratio_to_keras" in row} == {1024}
    assert the(rows, "published", 1024)["inference_ratio_to_keras"].estimate == pytest.approx(0.2)
    assert analysis.table(rows).set_index("contestant").loc["published", "/ keras"].startswith("0.20")


def test_profiles_take_turns_and_are_medians_of_the_rounds():
    asked = []

    class Profiled:
        def __init__(self, name, *profiles):
            self.name, self.profiles = name, iter(profiles)

        def ask(self, do, batch):
            asked.append((self.name, do, batch))
            return next(self.profiles)

    one = Profiled("one", {"mm": 1.0}, {"mm": 5.0, "relu": 3.0}, {"mm": 2.0, "relu": 1.0})
    two = Profiled("two", {"mm": 4.0}, {"mm": 4.0}, {"mm": 6.0})
    told = benchmark.profiles({"one": one, "two": two}, batch=8, rounds=3)
    assert told == {"one": {"mm": 2.0, "relu": 1.0}, "two": {"mm": 4.0}}
    assert asked == [(name, "profile", 8) for name in ("one", "two", "two", "one", "one", "two")]


def test_many_seeds_are_summed_up():
    assert analysis.each_seed([3.2, 4.0, None]) == "3 4 never" and analysis.each_seed([]) == "–"
    assert analysis.each_seed([5.0, None, 3.0, 4.0, 6.0]) == "5 (3 to never)"


def test_every_tuned_arm_keeps_the_accuracy_of_0_91():
    tuned = {row["contestant"]: row["test_accuracy"] for row in analysis.load() if row["contestant"].endswith(TUNED)}
    assert tuned and all(sum(each) / len(each) >= benchmark.GOAL for each in tuned.values())


def test_the_page_says_what_a_person_wants_to_know(rows):
    page = analysis.report(rows)
    for words in (
        "images/s",
        "/ published",
        "/ stock-fp32",
        "s to 0.91",
        "peak MiB",
        "first step s",
        "GFLOP/s in fp32, 200 in bf16",
    ):
        assert words in page


def test_a_benchmark_is_whole_when_every_contestant_was_trained_with_every_seed(stand_in, tmp_path):
    assert not benchmark.whole(tmp_path)
    record = benchmark.measure(tmp_path, choosing=1, rounds=1)
    assert benchmark.whole(tmp_path)
    record["trained"].pop()
    benchmark.save(record, tmp_path)
    assert not benchmark.whole(tmp_path)
