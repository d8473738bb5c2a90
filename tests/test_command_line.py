import json
import re
import sys

import pytest

from codealong import ROOT, arms, hardware, ipex_guard, runs, training
from codealong.__main__ import main
from codealong.measure import benchmark, worker
from tests.conftest import in_a_process, make

FOUR = ("stock-fp32", "stock-bf16", "ipex-fp32", "ipex-bf16")
"""Arms of the lessons."""

pytestmark = pytest.mark.usefixtures("no_collection")


def test_comparison_prints_published_and_recorded_reports(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("CODEALONG_RUNS", str(tmp_path))
    assert main(["compare"]) == 0
    page = capsys.readouterr().out
    assert "recorded runs (seed 0, " in page
    for heading in ("published without", "published with", *FOUR, "accuracy", "images/s"):
        assert heading in page


def test_a_damaged_run_is_one_sentence_and_exit_status_1(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("CODEALONG_RUNS", str(tmp_path))
    for arm in FOUR:
        (tmp_path / f"{arm}-seed0.run.zip").write_text("nonsense")
    assert main(["compare"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "is refused" in error


def test_an_unknown_arm_is_one_sentence_and_exit_status_1(capsys):
    assert main(["train", "fast"]) == 1
    assert capsys.readouterr().err == (f"'fast' is not an arm: choose one of {', '.join(arms.ARMS)}.\n")


def test_an_unknown_arm_is_refused_before_torch_is_imported():
    code = """
from codealong.__main__ import main
answer = [main(["train", "fast"]), sorted({"torch", "numpy"} & set(sys.modules))]
"""
    assert in_a_process(code)[0] == [1, []]


def test_the_command_alone_lists_every_command_with_one_line_each(capsys):
    assert main([]) == 0
    listed = capsys.readouterr().out.splitlines()
    for group in ("Learn:", "Teach:", "Measure:", "Maintain:"):
        assert group in listed
    for command in ("doctor", "course", "train", "verdicts", "slides", "bench", "record"):
        (line,) = [line for line in listed if line.startswith(f"  {command} ")]
        assert len(line) <= 120


def test_a_wrong_option_shows_the_usage_of_its_command(capsys):
    with pytest.raises(SystemExit):
        main(["verdicts", "--jsno"])
    error = capsys.readouterr().err
    assert error.startswith("usage: python -m codealong verdicts [-h] [--json]")
    assert error.endswith("error: unrecognized arguments: --jsno\n")


@pytest.mark.parametrize("words", [["verdicts", "--study="], ["study", "--into="], ["bench", "--peers", ""]])
def test_an_empty_path_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert "it is empty: name a path, or leave this option out" in capsys.readouterr().err


def test_an_arm_that_cannot_run_here_is_one_sentence_and_exit_status_1(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("codealong.data.load", lambda: pytest.fail("it fetched data"))
    monkeypatch.setattr(
        ipex_guard, "status", lambda bf16=False: ipex_guard.Status(False, "IPEX needs a processor with AVX2")
    )
    assert main(["train", "ipex-fp32", "--into", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "IPEX needs a processor with AVX2\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", ["-1", "seven", str(10**22), ""])
def test_a_seed_that_is_none_is_refused(seed, capsys):
    with pytest.raises(SystemExit):
        main(["train", "stock-fp32", f"--seed={seed}"])
    assert f"a seed is a whole number, 0 or more, and not {seed!r}" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_named_before_training(monkeypatch, tmp_path, capsys):
    from codealong import training

    monkeypatch.setattr(training, "fit", lambda *_: pytest.fail("it trained"))
    (tmp_path / "file").write_text("not a folder")
    assert main(["train", "stock-fp32", "--into", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_an_interrupted_training_records_nothing(monkeypatch, tmp_path, capsys):
    from codealong import training

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train_step", interrupted)
    assert main(["train", "stock-fp32", "--into", str(tmp_path)]) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.worker
def test_a_trained_run_is_recorded(monkeypatch, tmp_path, splits, few, capsys):
    from codealong import data

    monkeypatch.setattr(data, "load", lambda: data.FashionMNIST(few.train, few.valid, splits.test))
    main(["train", "stock-bf16", "--seed", "5", "--into", str(tmp_path)])
    run = runs.load(tmp_path / "stock-bf16-seed5.run.zip")
    assert (run.arm, run.seed, len(run.history)) == ("stock-bf16", 5, 5)
    assert "test accuracy 0." in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="there is no make")
def test_make_alone_lists_every_command_with_one_line_each():
    listed = make().stdout.splitlines()
    groups = {}
    for line in filter(None, listed):
        if line.startswith("  make "):
            groups[group].append(line.split()[1])  # noqa: F821 a heading is first
            assert len(line) <= 120
        else:
            group = line.split()[0]
            groups[group] = []
    assert list(groups) == ["Learn", "Teach", "Measure", "Maintain"]
    assert groups["Learn"][:3] == ["course", "student", "lab"]
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.M)[1]
    listed = [command for group in groups.values() for command in group]
    assert sorted(listed) == sorted(set(phony.split()) - {"help", "data", "\\"})


@pytest.mark.skipif(sys.platform == "win32", reason="there is no make")
@pytest.mark.parametrize(
    ("words", "minor", "said"),
    [
        ((), 9, r"Python 3\.10 to 3\.13 is needed, and .* is 3\.9: run make PYTHON=python3\.11 \(or"),
        ((), 14, r"Python 3\.10 to 3\.13 is needed, and .* is 3\.14: run .*; Python 3\.14 needs TORCH=latest"),
        (("TORCH=latest",), 15, r"Python 3\.11 to 3\.14 is needed, and .* is 3\.15: run .*\)$"),
        (("TORCH=latest",), 10, r"Python 3\.11 to 3\.14 is needed, and .* is 3\.10: run .*\)$"),
    ],
)
def test_a_python_that_does_not_fit_is_one_sentence_before_anything_is_made(words, minor, said, tmp_path):
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-latest.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    fake = tmp_path / "python3"
    fake.write_text(
        f"#!{sys.executable}\nimport sys\nsys.version_info = (3, {minor}, 0)\n"
        "exec(sys.argv[sys.argv.index('-c') + 1])\n"
    )
    fake.chmod(0o755)
    done = make("course", *words, f"PYTHON={fake}", folder=tmp_path)
    assert done.returncode == 2  # make's own; the check itself ends with 1
    assert re.match(said, done.stderr.splitlines()[0])
    assert not (tmp_path / ".venv").exists() and not (tmp_path / "build").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no make")
def test_a_torch_that_has_no_environment_is_one_sentence():
    done = make("course", "TORCH=2.9")
    assert done.returncode == 2
    assert "TORCH is 2.9, and there are two environments only: TORCH=latest, or no TORCH" in done.stderr


def test_tuned_training_starts_again_with_memory_kept_and_says_so(capsys, monkeypatch):
    class Started(Exception):
        pass

    def execve(program, arguments, environment):
        assert program == sys.executable and arguments[0] == program
        raise Started(environment)

    monkeypatch.setattr("os.execve", execve)
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    for key in hardware.KEEP_MEMORY:
        monkeypatch.delenv(key, raising=False)
    with pytest.raises(Started) as started:
        main(["train", "stock-bf16", "--tuned"])
    assert started.value.args[0].items() >= hardware.KEEP_MEMORY.items()
    assert capsys.readouterr().out.startswith("keeping memory: MALLOC_MMAP_THRESHOLD_=1073741824 ")


def test_tuned_runs_do_not_replace_the_course_s_own(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("CODEALONG_RUNS", str(tmp_path))
    for key, value in hardware.KEEP_MEMORY.items():
        monkeypatch.setenv(key, value)
    seen = {}

    def fit(arm, seed, train, valid, recipe):
        seen.update(recipe=recipe)
        history = [training.Epoch(n, 1.0, 0.5, 1.0, 0.5, 1.0, 50_000.0) for n in range(1, recipe.epochs + 1)]
        return training.Trained(arm, seed, recipe, training.initial(seed), history)

    monkeypatch.setattr(training, "fit", fit)
    assert main(["train", "stock-bf16", "--tuned"]) == 0
    assert seen["recipe"] == training.TUNED
    assert runs.load(tmp_path / "tuned" / "stock-bf16-seed0.run.zip").recipe["pool_first"]


def test_the_benchmark_prints_and_draws_its_result(capsys, monkeypatch, tmp_path):
    recorded = benchmark.read()
    monkeypatch.setattr(benchmark, "measure", lambda folder, peers, rates_only: recorded)
    assert main(["bench", "--into", str(tmp_path)]) == 0
    assert "ipex-bf16 tuned" in capsys.readouterr().out
    assert (tmp_path / "benchmark.png").stat().st_size > 10_000


@pytest.fixture
def no_benchmark(monkeypatch):
    monkeypatch.setattr(benchmark, "measure", lambda *_, **__: pytest.fail("it measured"))


@pytest.mark.usefixtures("no_benchmark")
@pytest.mark.parametrize(
    ("peers", "problem"),
    [
        ("missing", "cannot be run (No such file or directory)"),
        ("no-program", "cannot be run (Permission denied)"),
        (sys.executable, "lacks one of the peers"),
    ],
)
def test_peers_that_cannot_be_measured_are_named_before_anything_is(peers, problem, tmp_path, capsys):
    (tmp_path / "no-program").touch()
    assert main(["bench", "--peers", str(tmp_path / peers)]) == 1
    assert capsys.readouterr().err == (
        f"{tmp_path / peers} {problem}: `make bench-peers` sets up an environment that has them.\n"
    )


@pytest.mark.parametrize("command", ["bench", "ablation", "instruction-sets", "study", "campaign", "machine"])
def test_a_folder_of_records_that_cannot_be_written_is_named_before_anything_is_measured(
    command, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(worker.Worker, "__init__", lambda *_, **__: pytest.fail("it measured"))
    monkeypatch.setattr(ipex_guard, "status", lambda bf16=False: ipex_guard.Status(True, "usable"))
    (tmp_path / "file").touch()
    assert main([command, "--into", str(tmp_path / "file")]) == 1
    assert "cannot be written (" in capsys.readouterr().err


def test_verdicts_are_printed_for_readers_and_for_programs(capsys):
    assert main(["verdicts"]) == 0
    page = capsys.readouterr().out
    assert main(["verdicts", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len({each["claim"] for each in listed}) == len(listed) == 7
    for each in listed:
        assert each["conclusion"] in " ".join(page.split()) and each["verdict"].upper() in page and each["numbers"]


def test_verdicts_on_a_folder_without_a_study_are_one_sentence(capsys, tmp_path):
    assert main(["verdicts", "--study", str(tmp_path)]) == 1
    assert "holds no study: name the folder of one, such as build/measured, where" in capsys.readouterr().err


def test_verdicts_on_no_folder_say_what_is_wrong(capsys, tmp_path):
    (tmp_path / "file").touch()
    for name, problem in (("file", "is a file"), ("missing", "does not exist")):
        assert main(["verdicts", "--study", str(tmp_path / name)]) == 1
        assert capsys.readouterr().err == (
            f"{tmp_path / name} {problem}: name the folder of a study, or leave --study out to read the recorded one.\n"
        )


@pytest.mark.parametrize("seeds", ["9", "many", "-1", "100000"])
def test_a_study_of_too_few_seeds_is_refused(capsys, seeds):
    with pytest.raises(SystemExit):
        main(["study", f"--seeds={seeds}"])
    assert f"a study needs 10 to 1,000 seeds, and not {seeds!r}" in capsys.readouterr().err
