"""Whatever fails around the course, it says one sentence, ends with status 1, and every whole file is still whole.

These faults are made, not played: small and read-only file systems, other users, killed processes, servers that fail.
Where a machine does not let a test make one, the test is skipped, with the reason.
"""

import contextlib
import dataclasses
import gzip
import io
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from importlib import metadata
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from codealong import ROOT, CourseError, data, hardware, ipex_guard, records, runs, sources, training
from codealong.__main__ import main
from codealong.arms import ARMS
from codealong.measure import study
from codealong.measure.series import Series

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these faults are made with Linux's tools")

NOBODY = 65534


@pytest.fixture
def offered(monkeypatch):
    """The one source is a folder that has the files."""
    sources.obtain()
    whole = sources.raw_folder()
    monkeypatch.setattr(sources, "_SOURCES", {"the test's folder": lambda scratch: whole})
    return whole


@pytest.fixture
def mounted():
    """Mount something, or skip the test; it is unmounted after it."""
    places = []

    def mount(place, *words):
        said = subprocess.run(["mount", *words, place], capture_output=True, text=True)
        if said.returncode:
            pytest.skip(f"nothing can be mounted here: {said.stderr.strip()}")
        places.append(place)
        return place

    yield mount
    for place in reversed(places):
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def disk(mounted, tmp_path):
    """A disk of 1 MiB; call it with another size to make it that large."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted(place, "-t", "tmpfs", "-o", "size=1m", "tmpfs")

    def resize(size):
        subprocess.run(["mount", "-o", f"remount,size={size}", place], check=True)

    resize.place = place
    return resize


def fill(place):
    """Leave no room on a disk."""
    with (place / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))


def as_nobody(function, *words):
    """Call a function in a process that has given up root; return its answer, or 1, and its standard error."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    fork = multiprocessing.get_context("fork")
    mine, its = fork.Pipe()

    def run():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            status = function(*words)
        its.send((status, said.getvalue()))

    process = fork.Process(target=run)
    process.start()
    its.close()
    answer = mine.recv()
    process.join()
    return answer


def is_one_sentence(said):
    return said.count("\n") == 1 and "Traceback" not in said and said.endswith(".\n")


@pytest.fixture
def few_images(monkeypatch, splits, few):
    monkeypatch.setattr(data, "load", lambda: data.FashionMNIST(few.train, few.valid, splits.test))


@pytest.fixture
def a_run():
    """A recorded run that kept its probabilities."""
    return runs.load(records.REFERENCE / runs.NAME.format(arm="stock-fp32", seed=0))


def same(one, other):
    """Tell whether two runs are equal in every field."""
    pairs = ((getattr(one, each.name), getattr(other, each.name)) for each in dataclasses.fields(one))
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


# The network


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
ANSWERS = {
    "hangs in the middle": (HEAD + bytes(1000), 30),
    "sends HTML": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Please log in to the school's network", 0),
    "sends half": (HEAD + bytes(500_000), 0),
    "sends damaged bytes": (
        HEAD + random.Random(0).randbytes(10**6),
        0,
    ),
    "sends no HTTP": (b"\xff" * 1000, 0),
    "hangs up": (b"", 0),
    "hangs": (b"", 30),
}
"""What a server answers, and for how many seconds it then keeps silent."""


@pytest.fixture
def server(request):
    """The address of a server that gives one of `ANSWERS`."""
    said, silence = ANSWERS[request.param]
    done = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(10_000)
            with contextlib.suppress(OSError):
                self.request.sendall(said)
            done.wait(silence)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/"
        done.set()
        running.shutdown()


@pytest.mark.parametrize("server", ANSWERS, indirect=True)
def test_a_server_that_fails_is_one_message_and_whole_files_stay(server, tmp_path, monkeypatch, capsys):
    from torchvision.datasets import FashionMNIST

    sources.obtain()
    raw = sources.raw_folder(tmp_path)
    raw.mkdir(parents=True)
    label_files = [name for name in sources.SHA256 if "labels" in name]
    for name in label_files:
        shutil.copy(sources.raw_folder() / name, raw)
    monkeypatch.setenv("CODEALONG_DATA", str(tmp_path))
    monkeypatch.setattr(FashionMNIST, "mirrors", [server])
    monkeypatch.setattr(sources, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(sources, "_SOURCES", {"torchvision's download": sources._torchvision_download})
    began = time.perf_counter()
    assert main(["data"]) == 1
    assert time.perf_counter() - began < 20
    said = capsys.readouterr().err
    assert said.startswith("Fashion-MNIST could not be found or fetched. Tried\n  - the data folder: ")
    assert "\n  - torchvision's download: " in said and said.endswith("and run the same command again.\n")
    assert len(said.splitlines()) == 4
    assert sorted(path.name for path in raw.iterdir()) == sorted(label_files)
    assert all(sources.read(name, raw) for name in label_files)


@pytest.mark.worker
def test_without_a_network_it_says_what_was_tried_and_what_to_do(tmp_path):
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("a process cannot be cut off from the network here")
    if sources.DEBIAN_FOLDER.exists():
        pytest.skip("Debian's package has the data, so no network is needed")
    command = [*alone, sys.executable, "-m", "codealong", "data"]
    environment = os.environ | {"CODEALONG_DATA": str(tmp_path / "data")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and done.stdout == ""
    first, *tried, last = done.stderr.splitlines()
    assert first == "Fashion-MNIST could not be found or fetched. Tried"
    assert len(tried) == 4 and all(line.startswith("  - ") for line in tried)
    assert last.startswith("Get the four files from https://github.com/zalandoresearch/fashion-mnist on any machine")
    assert not (tmp_path / "data").exists()


# The disk


def test_a_disk_that_is_full_keeps_the_data_that_is_whole_and_with_more_room_it_goes_on(
    disk, offered, monkeypatch, capsys
):
    monkeypatch.setenv("CODEALONG_DATA", str(disk.place))
    disk("48m")  # the training images and their labels fit
    assert main(["data"]) == 1
    said = capsys.readouterr().err
    raw = sources.raw_folder()
    assert said == (f"{raw} cannot be written (No space left on device): set CODEALONG_DATA to a folder that can.\n")
    first, second, *_ = sources.SHA256
    assert sorted(path.name for path in raw.iterdir()) == sorted((first, second))
    assert all(sources.read(name, raw) for name in (first, second))
    disk("64m")
    assert main(["data"]) == 0
    assert sorted(path.name for path in raw.iterdir()) == sorted(sources.SHA256)


@pytest.mark.worker
def test_a_disk_that_is_full_keeps_earlier_runs(disk, few_images, a_run, capsys):
    earlier = runs.save(a_run, disk.place)
    fill(disk.place)
    assert main(["train", "stock-fp32", "--seed", "1", "--into", str(disk.place)]) == 1
    assert capsys.readouterr().err == (
        f"{disk.place} cannot be written (No space left on device): "
        "choose another folder, with CODEALONG_RUNS or --into.\n"
    )
    assert same(runs.load(earlier), a_run)
    assert sorted(path.name for path in disk.place.iterdir()) == ["ballast", earlier.name]


def test_a_disk_that_is_full_keeps_the_rounds_of_a_campaign_and_with_more_room_it_goes_on(disk):
    when = {"date": "2999-01-01T00:00:00+00:00"}

    def one_round(arms, batch, number, say):
        return hardware.provenance(), when | {"number": number, "measurements": [0.5] * 20_000}

    series = Series("campaign", "campaigns", "campaign", 8, one_round)
    with pytest.raises(records.RecordError, match=r"cannot be written \(No space left on device\): choose another"):
        series.measure(disk.place, say=lambda _: None)
    (path,) = (disk.place / "campaigns").iterdir()
    numbers = [each["number"] for each in series._read(path)["rounds"]]
    assert 0 < len(numbers) < 8 and numbers == [*range(len(numbers))]
    disk("16m")
    assert series.measure(disk.place, say=lambda _: None) == path
    assert [each["number"] for each in series._read(path)["rounds"]] == [*range(8)]


@pytest.mark.worker
def test_a_disk_that_is_full_keeps_the_runs_of_a_study_and_with_more_room_it_goes_on(
    disk, a_run, tmp_path, monkeypatch, capfd
):
    arms = ["stock-fp32", "stock-bf16"]
    provenance = hardware.provenance() | {"warm_up_steps": training.WARM_UP_STEPS}
    for arm in arms:
        recipe = dataclasses.asdict(training.RECIPE)
        run = dataclasses.replace(a_run, arm=arm, seed=study.FIRST, recipe=recipe, provenance=provenance)
        runs.save(run, tmp_path / "prepared")
    stand_in = f"""
import sys
from pathlib import Path
from codealong import runs
from codealong.measure import study

def record(arm, seed, folder):
    runs.save(runs.load(Path({str(tmp_path)!r}, "prepared", f"{{arm}}-seed{{seed}}.run.zip")), Path(folder, "runs"))

study.record = record
study.main(*sys.argv[1:])
"""
    monkeypatch.setattr(study, "COMMAND", (sys.executable, "-c", stand_in))
    monkeypatch.setattr(study, "ARMS", {arm: ARMS[arm] for arm in arms})
    size = (tmp_path / "prepared" / "stock-fp32-seed100.run.zip").stat().st_size
    (disk.place / "ballast").write_bytes(bytes(2**20 - size * 3 // 2))
    cause = rf"stock-\w+ with seed {study.FIRST} ended with status 1, and was not recorded; the same command goes on"
    with pytest.raises(study.StudyError, match=cause):
        study.conduct(disk.place, seeds=1)
    assert "cannot be written (No space left on device): choose another folder" in capfd.readouterr().err
    (first,) = (disk.place / "runs").iterdir()
    before = first.read_bytes()
    runs.load(first)
    (disk.place / "ballast").unlink()
    study.conduct(disk.place, seeds=1)
    assert sorted(path.name for path in (disk.place / "runs").iterdir()) == [
        "stock-bf16-seed100.run.zip",
        "stock-fp32-seed100.run.zip",
    ]
    assert first.read_bytes() == before


@pytest.fixture
def read_only(mounted, tmp_path):
    """Mount a folder once more, read-only."""

    def mount(folder):
        place = tmp_path / "read-only"
        place.mkdir()
        mounted(place, "--bind", folder)
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        return place

    return mount


def test_whole_data_is_used_from_a_folder_that_is_read_only(read_only, offered, monkeypatch, capsys):
    monkeypatch.setenv("CODEALONG_DATA", str(read_only(sources.folder())))
    assert main(["data"]) == 0
    assert "intact" in capsys.readouterr().out


def test_data_that_is_missing_from_a_folder_that_is_read_only_is_one_sentence(
    read_only, offered, tmp_path, monkeypatch, capsys
):
    (tmp_path / "data").mkdir()
    place = read_only(tmp_path / "data")
    monkeypatch.setenv("CODEALONG_DATA", str(place))
    assert main(["data"]) == 1
    assert capsys.readouterr().err == (
        f"{sources.raw_folder()} cannot be written (Read-only file system): set CODEALONG_DATA to a folder that can.\n"
    )


def test_runs_are_refused_by_a_folder_that_is_read_only_before_training(read_only, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "fit", lambda *_: pytest.fail("it trained"))
    (tmp_path / "runs").mkdir()
    assert main(["train", "stock-fp32", "--into", str(read_only(tmp_path / "runs"))]) == 1
    assert is_one_sentence(said := capsys.readouterr().err) and "(Read-only file system): choose another" in said


# A class


@pytest.fixture
def shared(monkeypatch, offered):
    """The folder of a class, which belongs to root, and whose data everybody may read."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are nobody else's to open
        Path(folder).chmod(0o755)
        raw = sources.raw_folder(folder)
        raw.mkdir(parents=True)
        for name in sources.SHA256:
            shutil.copy(offered / name, raw)
        monkeypatch.setenv("CODEALONG_DATA", folder)
        yield raw


def test_a_learner_uses_the_data_of_another_user(shared):
    assert as_nobody(main, ["data"]) == (0, "")


def test_a_learner_who_cannot_replace_damaged_data_learns_what_to_do(shared):
    before = (shared / "t10k-labels-idx1-ubyte").read_bytes()
    (shared / "t10k-labels-idx1-ubyte").write_bytes(b"nonsense")
    status, said = as_nobody(main, ["data"])
    assert status == 1 and said.endswith(
        f"{shared} cannot be written (Permission denied): set CODEALONG_DATA to a folder that can.\n"
    )
    (shared / "t10k-labels-idx1-ubyte").write_bytes(before)
    assert as_nobody(main, ["data"])[0] == 0


@pytest.mark.parametrize("what", ["", "FashionMNIST", "FashionMNIST/raw"])
def test_a_folder_that_a_learner_may_not_open_is_one_sentence(shared, what):
    (sources.folder() / what).chmod(0o700)
    status, said = as_nobody(main, ["data"])
    assert status == 1 and is_one_sentence(said) and "cannot be written (Permission denied): set CODEALONG" in said


def test_a_note_of_the_origin_that_a_learner_may_not_read_is_no_obstacle(shared):
    note = shared.parent / sources.ORIGIN
    note.write_text("Debian")
    note.chmod(0o600)
    assert as_nobody(main, ["data"]) == (0, "")


def test_runs_go_elsewhere_than_into_the_folder_of_another_user(shared, monkeypatch):
    monkeypatch.setattr(training, "fit", lambda *_: pytest.fail("it trained"))
    status, said = as_nobody(main, ["train", "stock-fp32", "--into", str(shared)])
    assert status == 1 and is_one_sentence(said) and "cannot be written (Permission denied): choose another" in said


# Processes that are killed


SLOWLY = """
import os, time
replace = os.replace
os.replace = lambda *names: (time.sleep(0.1), replace(*names))
"""
"""Leaves each new file a tenth of a second unfinished, so that a test can kill a process then."""


def killed(code, at, seconds=0.0):
    """Run code in a process, wait until `at` is true, and a moment more, and kill it."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not at() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said.decode()


def test_fetching_that_is_killed_leaves_no_file_half_written(offered, tmp_path):
    raw, generator = sources.raw_folder(tmp_path), random.Random(0)
    code = f"""{SLOWLY}
from pathlib import Path
from codealong import sources
sources._SOURCES = {{"the test's folder": lambda scratch: Path({str(offered)!r})}}
while True:
    sources.obtain({str(tmp_path)!r})
    for path in Path({str(raw)!r}).iterdir():
        path.unlink()
"""
    halves = 0
    for _ in range(8):
        shutil.rmtree(raw, ignore_errors=True)
        killed(code, lambda: any(raw.glob(".new-*")), generator.uniform(0, 0.25))
        halves += len(list(raw.glob(".new-*")))
        for path in raw.glob("[!.]*"):
            assert path.name in sources.SHA256 and sources.read(path.name, raw)
    assert halves
    sources.obtain(tmp_path)
    assert {path.name for path in raw.glob("[!.]*")} == {*sources.SHA256}


@pytest.mark.worker
def test_training_that_is_killed_records_nothing_and_keeps_the_run_before(a_run, tmp_path):
    earlier = runs.save(a_run, tmp_path)
    reached = tmp_path / "reached"
    code = f"""
from pathlib import Path
from codealong import data, training
from codealong.__main__ import main
step, steps = training.train_step, []

def watched(*words):
    steps.append(1)
    if len(steps) == 3:
        Path({str(reached)!r}).touch()
    return step(*words)

training.train_step = watched
main(["train", "stock-fp32", "--seed", "0", "--into", {str(tmp_path)!r}])
"""
    killed(code, reached.exists, 0.3)
    reached.unlink()
    assert [path.name for path in tmp_path.iterdir()] == [earlier.name]
    assert same(runs.load(earlier), a_run)


@pytest.mark.worker
def test_recording_that_is_killed_leaves_the_run_of_before_or_the_new_one(a_run, tmp_path):
    other = dataclasses.replace(a_run, probabilities=None)
    path, generator = runs.save(a_run, tmp_path), random.Random(0)
    code = f"""{SLOWLY}
import dataclasses
from pathlib import Path
from codealong import runs
run = runs.load({str(path)!r})
print(flush=True)
while True:
    for kept in (run.probabilities, None):
        runs.save(dataclasses.replace(run, probabilities=kept), {str(tmp_path)!r})
"""
    halves = 0
    for _ in range(6):
        runs.save(a_run, tmp_path)
        killed(code, lambda: any(tmp_path.glob(".new-*")), generator.uniform(0, 0.25))
        halves += len(list(tmp_path.glob(".new-*")))
        found = runs.load(path)
        assert same(found, a_run if found.probabilities is not None else other)
    assert halves


@pytest.mark.kernel
def test_recording_notebooks_that_is_killed_leaves_them_as_they_were(tmp_path):
    reached = tmp_path / "reached"
    notebook = nbformat.v4.new_notebook()
    cell = f"from pathlib import Path; import time; Path({str(reached)!r}).touch(); time.sleep(60)"
    notebook.cells = [nbformat.v4.new_code_cell(cell)]
    nbformat.write(notebook, tmp_path / "01_one.ipynb")
    before = (tmp_path / "01_one.ipynb").read_bytes()
    code = f"""
from pathlib import Path
from codealong.publish import course
course.NOTEBOOKS = Path({str(tmp_path)!r})
course.record()
"""
    killed(code, reached.exists)
    assert (tmp_path / "01_one.ipynb").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01_one.ipynb", "reached"]


# A loss that is no number


def breaking(at, done):
    """Return a training step that counts, and makes the weights no numbers at a step, counted from 1."""
    step = training.train_step

    def train_step(net, *words):
        answer = step(net, *words)
        done.append(answer)
        if len(done) == at:
            with torch.no_grad():
                next(net.parameters()).fill_(float("nan"))
        return answer

    return train_step


@pytest.mark.worker
@pytest.mark.parametrize(("at", "epoch"), [(7, 2), (25, 5)], ids=["in the middle", "in the very last step"])
def test_a_loss_that_becomes_no_number_is_one_sentence_and_the_run_is_not_recorded(
    at, epoch, few_images, a_run, tmp_path, monkeypatch, capsys
):
    steps, done = training.RECIPE.epochs * -(-600 // training.RECIPE.batch_size), []
    assert steps == 25
    earlier = runs.save(a_run, tmp_path)
    monkeypatch.setattr(training, "train_step", breaking(at, done))
    assert main(["train", "stock-fp32", "--into", str(tmp_path)]) == 1
    assert len(done) == min(at + 1, steps)
    assert capsys.readouterr().err == (
        f"The loss of stock-fp32, seed 0, became nan in epoch {epoch}: training was stopped, and there is nothing to "
        f"record. Try a smaller max_lr than {training.RECIPE.max_lr}.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == [earlier.name]
    assert same(runs.load(earlier), a_run)


# Another IPEX, another torch, another processor


@pytest.fixture
def packages(tmp_path):
    """What is installed, as links in one folder; tests take something away from it, or change it."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for path in Path(metadata.distribution("torch").locate_file("")).iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def train_ipex(folder, *before, arm="ipex-fp32"):
    """Train with the packages of a folder only; return the status and the standard error."""
    command = [*before, sys.executable, "-S", "-m", "codealong", "train", arm, "--into", folder.parent / "runs"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, timeout=120)
    recorded = [*(folder.parent / "runs").iterdir()] if (folder.parent / "runs").exists() else []
    assert not recorded
    return done.returncode, done.stderr


needs_x86 = pytest.mark.skipif(
    hardware.version(ipex_guard.PACKAGE) is None or "AVX2" not in hardware.processor().instruction_sets,
    reason="IPEX is not here",
)


@needs_x86
def test_without_ipex_one_sentence_says_how_to_install_it(packages):
    for path in packages.glob("intel_extension_for_pytorch*"):
        path.unlink()
    said = "IPEX is not installed: pip install intel-extension-for-pytorch==2.8.0\n"
    assert train_ipex(packages) == (1, said)


@needs_x86
def test_beside_another_torch_one_sentence_names_both_versions(packages):
    (about,) = packages.glob("torch-*.dist-info")
    about.unlink()
    about = packages / "torch-2.9.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.9.0\n")
    assert train_ipex(packages) == (1, "IPEX 2.8.0 runs with torch 2.8.0 only, and torch 2.9.0 is installed\n")


@needs_x86
@pytest.mark.parametrize(
    ("lacking", "arm", "said"),
    [
        ("avx512f avx_ne_convert", "ipex-bf16", r"IPEX needs AVX-512 for bfloat16, and .* has none"),
        ("avx2 avx512f", "ipex-fp32", r"IPEX needs a processor with AVX2, and .* has none"),
    ],
)
def test_on_a_processor_that_lacks_instructions_one_sentence_says_so(packages, mounted, lacking, arm, said):
    cpuinfo = packages.parent / "cpuinfo"
    flags = Path("/proc/cpuinfo").read_text().split("\n")
    cpuinfo.write_text("\n".join(" ".join(w for w in line.split(" ") if w not in lacking.split()) for line in flags))
    bound = ["unshare", "--mount", "sh", "-c", f'mount --bind {cpuinfo} /proc/cpuinfo && exec "$@"', "sh"]
    if subprocess.run([*bound, "true"], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    status, error = train_ipex(packages, *bound, arm=arm)
    assert status == 1
    assert re.fullmatch(said + "\n", error)


# Random damage


def damaged(content, generator):
    """Return bytes with one thing changed: a bit, a byte, a piece, or the end."""
    content, place = bytearray(content), generator.randrange(len(content))
    kind = generator.choice(("bit", "byte", "piece", "end"))
    if kind == "bit":
        content[place] ^= 1 << generator.randrange(8)
    elif kind == "byte":
        content[place] = generator.randrange(256)
    elif kind == "piece":
        content[place : place + generator.randrange(64)] = generator.randbytes(generator.randrange(64))
    else:
        del content[place:]
    return bytes(content)


def read_run(path):
    run = runs.load(path)
    return json.dumps([run.arm, run.seed, run.recipe, run.history, run.provenance]), *(
        None if each is None else each.tobytes() for each in (run.classes, run.probabilities)
    )


def read_json(kind):
    return lambda path: json.dumps(records.read(path, kind, 1, "measure it again")[0])


def read_data(path):
    return sources.read(path.name.removesuffix(".gz"), path.parent)


LABELS = "t10k-labels-idx1-ubyte"
KINDS = {
    "a file of data": (LABELS, read_data),
    "a compressed file of data": (f"{LABELS}.gz", read_data),
    "a run": ("stock-fp32-seed0.run.zip", read_run),
    "a small run": ("stock-fp32-seed100.run.zip", read_run),
    "a campaign": ("campaign.json", read_json("campaign")),
}


@pytest.fixture
def originals():
    """The content of each file of `KINDS`."""
    sources.obtain()
    labels = (sources.raw_folder() / LABELS).read_bytes()
    campaign, *_ = sorted((records.REFERENCE / "campaigns").iterdir())
    kept = records.REFERENCE / "runs"
    contents = [labels, gzip.compress(labels)]
    contents += [(kept / KINDS[kind][0]).read_bytes() for kind in ("a run", "a small run")]
    return dict(zip(KINDS, [*contents, campaign.read_bytes()], strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_hundred_damaged_files_each_is_refused_or_read_as_it_was(kind, originals, tmp_path):
    name, read = KINDS[kind]
    path, generator, refused = tmp_path / name, random.Random(kind), 0
    path.write_bytes(originals[kind])
    whole = read(path)
    for _ in range(100):
        path.write_bytes(damaged(originals[kind], generator))
        try:
            assert read(path) == whole
        except CourseError as problem:
            refused += 1
            assert "\n" not in str(problem)
    assert refused > 50
