"""The benchmark measures what it says, one process at a time."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codealong import hardware
from codealong.analysis import benchmark as analysis
from codealong.arms import ARMS
from codealong.figures import speed
from codealong.measure import benchmark
from codealong.measure.worker import PEERS, TUNED, BenchError, Worker

PEAKS = [{"fp32": 100.0, "bf16": 200.0, "bandwidth": 10.0}] * 2
COST = {"flops": 1e6, "bytes": 1e4}


def measured(number, row, batch, threads, rate):
    rates = {"images_per_second": rate, "inference_images_per_second": 3 * rate}
    return (
        {"round": number, "row": row, "batch": batch, "threads": threads, "busy": 0.0}
        | rates
        | {
            "first_step_seconds": 0.5 - number / 10,
            "peak_mib": 100.0 + number,
        }
    )


@pytest.fixture
def rows():
    records = [
        measured(
            number, row, batch, threads, pace * speed_of_machine * (0.6 if threads == 1 else 1) * (1 + batch / 1024)
        )
        for number, speed_of_machine in enumerate((1.0, 2.0))
        for row, pace in (("published", 1000), ("stock-fp32", 2000), ("stock-bf16 tuned", 6000), ("keras", 5000))
        for batch in benchmark.BATCHES
        for threads in ((2,) if row == "keras" else (1, 2))
    ]
    history = [
        {"epoch": n, "seconds": 2.0, "valid_accuracy": accuracy} for n, accuracy in ((1, 0.90), (2, 0.911), (3, 0.909))
    ]
    trained = [
        {"row": "stock-bf16 tuned", "seed": 0, "history": history},
        {"row": "published", "seed": 0, "history": history[:1]},
    ]
    starts = dict.fromkeys(("published", "stock-fp32", "stock-bf16 tuned", "keras"), 4.0)
    return benchmark.summarise(
        records,
        trained,
        PEAKS,
        {"stock-fp32": COST, "stock-bf16 tuned": COST},
        starts,
        {name: {"processor": "x"} for name in starts},
    )


def the(rows, name, batch, threads=2):
    (row,) = [row for row in rows if (row["row"], row["batch"], row["threads"]) == (name, batch, threads)]
    return row


def test_ratios_are_taken_within_a_round(rows):
    row = the(rows, "stock-bf16 tuned", 64)
    assert row["images_per_second"] == {"median": 9562.5, "low": 6375.0, "high": 12750.0}
    assert row["ratio_to_published"] == {"median": 6.0, "low": 6.0, "high": 6.0}
    assert row["ratio_to_stock_fp32"]["median"] == 3.0


def test_time_to_the_goal_is_that_of_the_first_epoch_that_reaches_it(rows):
    row = the(rows, "stock-bf16 tuned", 256)
    assert (row["seconds_to_91"], row["epochs_to_91"], row["test_accuracy"]) == ([4.0], [2], [0.909])


def test_a_goal_that_was_not_reached_is_none_and_said(rows):
    assert the(rows, "published", 64)["seconds_to_91"] == [None]
    printed = analysis.table(rows).set_index("row")
    assert printed.loc["published", "s to 0.91"] == "never" and printed.loc["keras", "s to 0.91"] == "–"


def test_one_thread_has_its_share_of_the_roof(rows):
    # bf16: memory allows 10 GB/s / 10 kB = 1,000,000 images/s, arithmetic 200 GFLOP/s / 1 MFLOP = 200,000.
    assert the(rows, "stock-bf16 tuned", 64)["attainable_images_per_second"] == pytest.approx(200_000)
    assert the(rows, "stock-bf16 tuned", 64, threads=1)["attainable_images_per_second"] == pytest.approx(100_000)
    assert the(rows, "published", 64)["attainable_images_per_second"] == pytest.approx(100_000)
    assert "share_of_attainable" not in the(rows, "keras", 64)


def test_each_row_is_shown_at_its_best_batch_with_all_threads(rows):
    best = analysis.best(rows)
    assert [row["row"] for row in best] == ["stock-bf16 tuned", "keras", "stock-fp32", "published"]
    assert {(row["batch"], row["threads"]) for row in best} == {(1024, 2)}


def test_first_steps_and_memory_are_reported_apart(rows):
    row = the(rows, "stock-fp32", 64)
    assert (row["first_step_seconds"], row["start_seconds"], row["peak_mib"]) == (0.5, 4.0, 100.0)


def test_raw_measurements_are_kept(rows):
    assert [raw["round"] for raw in the(rows, "keras", 1024)["raw"]] == [0, 1]


def test_a_result_reads_back_as_it_was_written(rows, tmp_path):
    benchmark.save(rows, tmp_path / "bench.json")
    assert benchmark.load(tmp_path / "bench.json") == json.loads(json.dumps(rows))


def test_a_missing_or_damaged_result_is_one_sentence(tmp_path):
    (tmp_path / "bench.json").write_text("[")
    for path in (tmp_path / "none.json", tmp_path / "bench.json"):
        with pytest.raises(BenchError, match="run `make bench`"):
            benchmark.load(path)


def test_the_recorded_benchmark_has_every_row_batch_and_thread_count():
    rows = benchmark.load()
    cores = max(row["threads"] for row in rows)
    own = {(row["row"], row["batch"], row["threads"]) for row in rows if row["row"] not in PEERS}
    assert own == {
        (name, batch, threads) for name in benchmark.ROWS for batch in benchmark.BATCHES for threads in {1, cores}
    }
    assert {row["row"] for row in rows} == {*benchmark.ROWS, *PEERS}
    assert all(len(row["raw"]) == benchmark.ROUNDS for row in rows)
    assert all(len(row["seconds_to_91"]) == len(benchmark.SEEDS) for row in rows if row["row"] not in PEERS)


def test_every_tuned_arm_keeps_the_accuracy_of_0_91():
    accuracies = {row["row"]: row["test_accuracy"] for row in benchmark.load()}
    for arm in ARMS:
        assert sum(accuracies[arm + TUNED]) / len(benchmark.SEEDS) >= benchmark.GOAL


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


@pytest.fixture(scope="module")
def worker():
    with Worker("stock-fp32 tuned") as opened:
        yield opened


def stands_still(worker):
    state = Path(f"/proc/{worker._process.pid}/stat")
    for _ in range(100):
        if state.read_text().rpartition(")")[2].split()[0] == "T":
            return True
        time.sleep(0.01)
    return False


def test_a_worker_stands_still_until_it_is_asked_and_after_it(worker):
    assert stands_still(worker)
    answer = worker.ask("rates", batch=64, threads=1, seconds=0.1)
    assert stands_still(worker)
    assert answer["images_per_second"] > 100 and answer["inference_images_per_second"] > answer["images_per_second"]
    assert answer["peak_mib"] > 100 and answer["first_step_seconds"] > 0


def test_a_tuned_worker_keeps_its_memory(worker):
    environment = Path(f"/proc/{worker._process.pid}/environ").read_text()
    assert all(f"{key}={value}" in environment for key, value in hardware.KEEP_MEMORY.items())
    assert worker.ask("page_faults", batch=256) < 1000


def test_a_variable_can_be_taken_away():
    with Worker("stock-fp32 tuned", options={"fused": False}, MALLOC_TRIM_THRESHOLD_=None) as without:
        environment = Path(f"/proc/{without._process.pid}/environ").read_text()
    assert "MALLOC_MMAP_THRESHOLD_" in environment and "MALLOC_TRIM_THRESHOLD_" not in environment


def test_a_step_costs_what_its_layers_cost(worker):
    forward = 2 * (9 * 16 * 28**2 + 9 * 16 * 32 * 14**2 + 1568 * 128 + 128 * 10)
    first_layer = 2 * 9 * 16 * 28**2
    assert worker.ask("cost", batch=64)["flops"] == 3 * forward - first_layer


def test_a_profile_names_the_convolutions(worker):
    table = speed.parts(worker.ask("profile", batch=64))
    assert table.loc["convolution"].min() > 0 and table.loc["dense layer"].min() > 0
    assert table.loc["optimizer", "forward"] > 0 and table.loc["fetching images", "forward"] > 0


def test_kernels_of_a_step_are_heard(worker):
    kinds = [kernel[0] for kernel in worker.ask("kernels", batch=64)]
    assert kinds.count("convolution") == 5


def test_a_worker_tells_what_it_runs_with(worker):
    assert worker.start_seconds > 0.5
    assert "MALLOC_TRIM_THRESHOLD_" in worker.provenance["allocator"] and not worker.provenance["ipex_imported"]


def test_a_closed_worker_says_so():
    worker = Worker("limits")
    worker.close()
    with pytest.raises(BenchError, match="process for limits is closed"):
        worker.ask("limits", threads=1)


def test_an_interrupted_answer_is_never_taken_for_the_next(monkeypatch):
    worker = Worker("limits")

    class Interrupted:
        def readline(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(worker._process, "stdout", Interrupted())
    monkeypatch.setattr(worker._process, "communicate", worker._process.wait)
    with pytest.raises(KeyboardInterrupt):
        worker.ask("limits", threads=1)
    with pytest.raises(BenchError, match="closed"):
        worker.ask("limits", threads=1)


def test_a_worker_ends_when_its_parent_is_killed():
    code = "import time; from codealong.measure.worker import Worker; worker = Worker('limits')"
    code += "; print(worker._process.pid, flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, preexec_fn=os.setpgrp)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(200):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().rpartition(")")[2]:
            return
        time.sleep(0.05)
    os.kill(child, 9)
    pytest.fail("the worker outlived its parent")


def test_a_worker_that_dies_says_its_last_words():
    with pytest.raises(BenchError, match=r"process for fast died: .*'fast' is not an arm"):
        Worker("fast")


def test_peers_without_their_environment_are_one_sentence(tmp_path):
    with pytest.raises(BenchError, match="python does not exist: `make bench-peers`"):
        Worker("keras", peers=tmp_path / "python")
