"""Set-up says what it does and how long is left, in few lines, and hides no error."""

import functools
import sys
import zipfile

import pytest

from codealong import ROOT, install
from tests.conftest import make as run_make

UV_SAYS = (
    "Using Python 3.11.7 environment at: .venv",
    "Resolved 149 packages in 195ms",
    "Downloading torch (846.9MiB)",
    "Downloading numpy (15.1MiB)",
    "Downloading triton (1.0GiB)",
    " Downloaded numpy",
    " Downloaded torch",
    " Downloaded triton",
    "Prepared 149 packages in 2m",
    "Installed 149 packages in 14ms",
    " + numpy==2.4.6",
    " + torch==2.8.0",
)


def test_a_download_is_counted_and_packages_are_not_listed():
    seconds = iter([0, 2, 89, 178, 200])
    say = install.Progress(lambda: next(seconds))
    assert [text for line in UV_SAYS if (text := say(line))] == [
        "  149 packages are needed; what is not in uv's cache is downloaded",
        "  862 of 1,886 MiB downloaded, about 2 min left",
        "  1,886 of 1,886 MiB downloaded, less than a minute left",
        "  149 packages installed, 200 s",
    ]


def test_what_uv_says_besides_is_kept():
    say = install.Progress()
    for line in ("error: No solution found", "  cause: dns error", "warning: Failed to hardlink files"):
        assert say(line) == line


@pytest.mark.parametrize("status", [0, 3])
def test_the_status_and_the_errors_of_uv_are_those_of_the_installation(status, monkeypatch, capsys):
    said = f"import sys; print('error: disk full', file=sys.stderr); sys.exit({status})"
    monkeypatch.setattr(install, "UV", (sys.executable, "-c", said))
    assert install.install("--editable", ".") == status
    assert capsys.readouterr().out == "error: disk full\n"


def test_the_package_index_is_asked_where_the_cpu_builds_are_not(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    monkeypatch.setattr(install, "install", lambda *words: asked.append(words) or (install.CPU in words))
    for there in (True, False):
        monkeypatch.setattr(install, "_cpu_builds_are_there", lambda _, there=there: there)
        assert install.main("requirements.lock", "ipex") == 0
        assert [install.CPU in words for words in asked] == [True, False] if there else [False]
        assert "the package index's build (7 GB on Linux)" in capsys.readouterr().out
        asked.clear()


def test_where_torch_is_there_it_is_not_asked_for_again(monkeypatch):
    asked = []
    monkeypatch.setattr(install, "install", lambda *words: asked.append(words) or 0)
    assert install.main("requirements.lock", "ipex", "teach") == 0
    lock = ROOT / "requirements.lock"
    assert asked == [("--constraint", lock, "--build-constraint", lock, "--editable", f"{ROOT}[ipex,teach]")]


def test_a_file_that_was_not_locked_ends_in_one_sentence_and_nothing_else_is_tried(monkeypatch, capsys):
    said = "import sys; sys.exit('error: Failed\\n  cause: Hash mismatch for `click==8.5.1`\\n\\n  Expected:')"
    monkeypatch.setattr(install, "UV", (sys.executable, "-c", said))
    monkeypatch.setattr(install, "_cpu_builds_are_there", lambda lock: True)
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        SystemExit, match=r"^click==8\.5\.1 is not the file that was locked, so nothing was installed: "
    ):
        install.main("requirements.lock")
    assert "package index's build" not in capsys.readouterr().out


@pytest.mark.kernel
def test_uv_refuses_a_file_whose_hash_is_not_locked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "six-1.0-py3-none-any.whl", "w") as wheel:
        about = {"METADATA": "Metadata-Version: 2.1\nName: six\nVersion: 1.0\n", "WHEEL": "Wheel-Version: 1.0\n"}
        for name, text in about.items():
            wheel.writestr(f"six-1.0.dist-info/{name}", text)
    (tmp_path / "lock").write_text(f"six==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(SystemExit, match=r"^six==1\.0 is not the file that was locked"):
        install.install("--target", tmp_path, "--no-index", "--find-links", tmp_path, "-c", tmp_path / "lock", "six")


@pytest.fixture
def make(tmp_path):
    """Run make in a folder that has what set-up needs, and nothing else."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-latest.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())

    return functools.partial(run_make, folder=tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no make")
@pytest.mark.parametrize("name", ["nonesuch", ""])
def test_a_python_that_is_not_there_is_one_sentence(make, name, tmp_path):
    done = make("course", f"PYTHON={name}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        f"There is no program {name or 'without a name'}: "
        "run make PYTHON=python3.11 (or another Python from 3.10 to 3.13)"
    )
    assert done.stdout == "" and not (tmp_path / ".venv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no make")
@pytest.mark.parametrize(
    ("words", "packages", "asked_for"),
    [((), "PyTorch, IPEX, JupyterLab", "requirements.lock ipex"),
     (("TORCH=latest",), "PyTorch, JupyterLab", "requirements-latest.lock")],
)  # fmt: skip
def test_setting_up_says_each_phase_and_how_long_it_takes(make, words, packages, asked_for, tmp_path):
    fake = tmp_path / "python"
    fake.write_text(
        '#!/bin/sh\ncase "$*" in *venv*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python";; esac\necho "$*" >> asked.txt\n'
    )
    fake.chmod(0o755)
    done = make("doctor", *words, f"PYTHON={fake}")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert "1 of 2: a Python environment" in first and "minute" in first
    assert f"2 of 2: {packages}" in second and "7 GB" in second
    asked = (tmp_path / "asked.txt").read_text()
    assert f"-I src/codealong/install.py {asked_for}\n" in asked.replace(" \n", "\n") and asked.endswith(
        "-m codealong doctor\n"
    )
