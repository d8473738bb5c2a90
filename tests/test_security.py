"""No pickle is opened, and Jupyter starts with its token, on this machine alone."""

import ast
import ipaddress
import re
import shlex
import sys

import nbformat
import pytest

from codealong import ROOT
from codealong.publish import course
from tests.conftest import in_a_process, make

PICKLES = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
LOADERS = {
    "torch.load",
    "torch.jit.load",
    "torch.export.load",
    "torch.hub.load",
    "torch.hub.load_state_dict_from_url",
    "torch.package.PackageImporter",
    "pandas.read_pickle",
    "pandas.read_hdf",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
}


def opened(source):
    """Return what a source does that could open a pickle, by the full names of modules and functions."""
    tree = ast.parse(source)
    names, found = {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                found += {alias.name.partition(".")[0]} & PICKLES
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found += {node.module.partition(".")[0]} & PICKLES
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = ast.unparse(node).partition(".")
            found += {f"{names.get(first, first)}.{rest}".rstrip(".")} & LOADERS
        elif isinstance(node, ast.Call):
            found += [
                "allow_pickle"
                for word in node.keywords
                if word.arg == "allow_pickle" and ast.unparse(word.value) != "False"
            ]
    return found


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import torch as t\nt.load('x')", ["torch.load"]),
        ("from torch import load as read\nread('x')", ["torch.load"]),
        ("import torch.jit\ntorch.jit.load('x')", ["torch.jit.load"]),
        ("import pandas as pd\npd.read_pickle('x')", ["pandas.read_pickle"]),
        ("from pickle import loads", ["pickle"]),
        ("import joblib.externals as e", ["joblib"]),
        ("import numpy as np\nnp.load('x', allow_pickle=True)", ["allow_pickle"]),
        ("import numpy as np\nnp.load('x')\nnp.load('x', allow_pickle=False)\ndata.load()", []),
    ],
)
def test_what_opens_a_pickle_is_seen(source, said):
    assert opened(source) == said


def test_no_source_opens_a_pickle():
    sources = sorted((ROOT / "src").rglob("*.py"))
    assert len(sources) > 60
    assert not {path.name: found for path in sources if (found := opened(path.read_text(encoding="utf-8")))}


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_no_notebook_opens_a_pickle(path):
    code = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    plain = re.sub("^( *)[%!].*", r"\1pass", "\n".join(code), flags=re.M)
    assert not opened(plain)


EFFECTIVE = """
import importlib, sys
module, *words = sys.argv[1:]
if module == "jupyter":
    assert words.pop(0) == "lab"
app = importlib.import_module({"jupyter": "jupyterlab.labapp"}.get(module, f"{module}.app"))
server = getattr(app, {"jupyter": "LabApp"}.get(module, "RiseApp")).initialize_server(words)
server._bind_http_server()
answer = {
    "token": len(server.identity_provider.token),
    "asks for it": server.identity_provider.auth_enabled,
    "addresses": [place.getsockname()[0] for place in server.http_server._sockets.values()],
    "origins": [server.allow_origin, server.allow_origin_pat, server.allow_remote_access, server.disable_check_xsrf],
}
"""


@pytest.mark.kernel
@pytest.mark.skipif(sys.platform == "win32", reason="there is no make")
@pytest.mark.parametrize("target", ["student", "lab", "present"])
def test_jupyter_asks_for_its_token_and_listens_on_this_machine_alone(target, tmp_path):
    ready = [word for name in (".venv/installed", ".venv/teaching", "data", "editions") for word in ("-o", name)]
    (line,) = [line for line in make("-n", *ready, target).stdout.splitlines() if "jupyter" in line]
    program, m, *words = shlex.split(line)
    assert (program, m) == (".venv/bin/python", "-m")
    words = [str(course.notebooks()[0]) if word.endswith(".ipynb") else word for word in words]  # an edition is derived
    own = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    answer, _ = in_a_process(EFFECTIVE, *words, HOME=str(tmp_path), JUPYTER_NO_CONFIG="1", **own)
    assert answer["token"] >= 48 and answer["asks for it"]
    assert answer["addresses"] and all(ipaddress.ip_address(place).is_loopback for place in answer["addresses"])
    assert answer["origins"] == ["", "", False, False]
