"""A worker measures one contestant in a process of its own, and stands still otherwise."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from codealong import hardware, operators
from codealong.figures import speed
from codealong.measure import contestants
from codealong.measure.worker import BenchError, Worker

pytestmark = pytest.mark.worker


@pytest.fixture(scope="module")
def worker():
    with Worker("stock-fp32 tuned", options={"operators": False}) as opened:
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
    assert answer["peak_mib"] > 100


def test_the_first_step_is_told_and_is_the_slowest_of_all(worker):
    with Worker("stock-fp32 tuned") as another:
        began = time.perf_counter()
        first = another.ask("train_steps", batch=64, steps=1)
        assert 0 < first < time.perf_counter() - began
        assert another.ask("train_steps", batch=64, steps=1) < first


def test_a_tuned_worker_keeps_its_memory(worker):
    environment = Path(f"/proc/{worker._process.pid}/environ").read_text()
    assert all(f"{key}={value}" in environment for key, value in hardware.KEEP_MEMORY.items())
    assert worker.ask("page_faults", batch=256) < 1000


def test_a_worker_that_is_not_tuned_gives_memory_back_whatever_its_parent_does(monkeypatch):
    for key, value in hardware.KEEP_MEMORY.items():
        monkeypatch.setenv(key, value)
    with Worker("stock-fp32") as plain:
        environment = Path(f"/proc/{plain._process.pid}/environ").read_text()
        assert plain.provenance["allocator"] == "default"
    assert not [key for key in hardware.KEEP_MEMORY if key in environment]


def test_the_published_recipe_shuffles_its_images_anew_in_each_pass():
    published = contestants.Published()
    torch.manual_seed(0)
    first, second = (next(published.batches(64))[1].tolist() for _ in range(2))
    unshuffled = [published.images[place][1] for place in range(64)]
    assert first != unshuffled and second not in (first, unshuffled)


def test_a_variable_can_be_taken_away():
    with Worker("stock-fp32 tuned", options={"fused": False}, MALLOC_TRIM_THRESHOLD_=None) as without:
        environment = Path(f"/proc/{without._process.pid}/environ").read_text()
    assert "MALLOC_MMAP_THRESHOLD_" in environment and "MALLOC_TRIM_THRESHOLD_" not in environment


def test_what_torch_compile_keeps_is_of_its_own_process_and_goes_with_it():
    with Worker("limits") as one, Worker("limits") as another:
        folders = [
            re.search("TORCHINDUCTOR_CACHE_DIR=([^\0]+)", Path(f"/proc/{each._process.pid}/environ").read_text())[1]
            for each in (one, another)
        ]
        assert folders[0] != folders[1] and all(os.stat(folder).st_mode & 0o777 == 0o700 for folder in folders)
    assert not any(map(os.path.exists, folders))


def test_a_step_costs_what_its_layers_cost(worker):
    forward = 2 * (9 * 16 * 28**2 + 9 * 16 * 32 * 14**2 + 1568 * 128 + 128 * 10)
    first_layer = 2 * 9 * 16 * 28**2
    assert worker.ask("cost", batch=64)["flops"] == 3 * forward - first_layer


def test_a_profile_names_the_convolutions(worker):
    table = speed.parts(worker.ask("profile", batch=64))
    assert table.loc["convolution"].min() > 0 and table.loc["dense layer"].min() > 0
    assert table.loc["optimizer", "forward"] > 0 and table.loc["fetching images", "forward"] > 0


@pytest.mark.skipif(operators.status() is not None, reason=f"{operators.status()}")
def test_a_tuned_worker_trains_and_predicts_with_our_own_operators():
    with Worker("stock-fp32 tuned") as own:
        table = speed.parts(own.ask("profile", batch=64))
        cost = own.ask("cost", batch=64)
        kinds = [kernel[0] for kernel in own.ask("kernels", batch=64)]
        answer = own.ask("rates", batch=64, threads=1, seconds=0.1)
        assert own.ask("latency", threads=1, seconds=0.1) > 0.01
    assert table.loc["first block in one"].min() > 0 and table.loc["pooling"].min() > 0
    rest = 3 * 2 * (9 * 16 * 32 * 14**2 + 1568 * 128 + 128 * 10)
    assert cost["flops"] == rest + 2 * 9 * 16 * (28**2 + 14**2) and kinds.count("convolution") == 3
    assert answer["inference_images_per_second"] > answer["images_per_second"] > 100


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
    for _ in range(1200):
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
