"""Every known trap of IPEX 2.8.0 is closed, and where it cannot run it says so."""

import platform

import pytest
import torch

from codealong import hardware, ipex, training
from tests.conftest import in_a_process, needs_ipex

INTEL = hardware.Processor("Intel Xeon", "GenuineIntel", ("AVX2", "AVX-512"))


@pytest.fixture
def able(monkeypatch):
    """A machine on which IPEX runs; tests take one thing away from it."""
    versions = {"torch": "2.8.0", ipex.PACKAGE: "2.8.0"}
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(hardware, "version", versions.get)
    monkeypatch.setattr(hardware, "processor", lambda: INTEL)
    return versions


def test_it_is_usable_where_everything_fits(able):
    assert ipex.status() == (True, "IPEX 2.8.0 with torch 2.8.0", True)


def test_other_systems_are_named(able, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert not ipex.status().usable
    assert "Linux on x86-64 only, and this is Darwin" in ipex.status().reason


def test_a_missing_extension_comes_with_the_command_that_installs_it(able):
    del able[ipex.PACKAGE]
    assert ipex.status() == (
        False, "IPEX is not installed: pip install intel-extension-for-pytorch==2.8.0", True
    )  # fmt: skip


@pytest.mark.parametrize("torch_version", ["2.7.1", "2.9.0", "3.8.0"])
def test_another_torch_is_a_mismatch(able, torch_version):
    able["torch"] = torch_version
    assert not ipex.status().usable
    assert f"torch {torch_version} is installed" in ipex.status().reason


def test_a_patch_release_of_torch_is_not_a_mismatch(able):
    able["torch"] = "2.8.1"
    assert ipex.status().usable


def test_a_processor_without_avx2_is_refused(able, monkeypatch):
    monkeypatch.setattr(hardware, "processor", lambda: INTEL._replace(instruction_sets=()))
    assert not ipex.status().usable
    assert "AVX2" in ipex.status().reason


def test_another_vendor_is_usable_with_a_word(able, monkeypatch):
    monkeypatch.setattr(hardware, "processor", lambda: INTEL._replace(vendor="AuthenticAMD"))
    assert ipex.status().usable and not ipex.status().validated
    assert "never validated" in ipex.status().reason


def test_loading_where_it_cannot_run_says_why_and_imports_nothing():
    code = """
from codealong import hardware, ipex
real = hardware.version
hardware.version = lambda package: "2.9.0" if package == "torch" else real(package)
try:
    ipex.load()
except ipex.Unusable as problem:
    answer = [str(problem), "intel_extension_for_pytorch" in sys.modules, "torch" in sys.modules]
"""
    (message, imported, torch_imported), _ = in_a_process(code)
    assert not imported and not torch_imported
    assert message


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda net: (net.eval(), torch.optim.Adam(net.parameters())), "evaluation mode"),
        (lambda net: (net, torch.optim.AdamW(net.parameters())), "no step for AdamW"),
        (lambda net: (net, torch.optim.Adam(net.parameters(), decoupled_weight_decay=True)), "decoupled"),
        (lambda net: (net, torch.optim.Adam(training.initial(0).parameters())), "another network"),
    ],
)
def test_misuse_is_refused_before_ipex_is_imported(misuse, said, monkeypatch):
    monkeypatch.setattr(ipex, "load", lambda: pytest.fail("IPEX was imported"))
    net, optimizer = misuse(training.initial(0))
    with pytest.raises(ipex.Misuse, match=said):
        ipex.optimize(net, optimizer, torch.float32)


def test_a_custom_optimizer_is_refused():
    class MyAdam(torch.optim.Adam):
        pass

    net = training.initial(0)
    with pytest.raises(ipex.Misuse, match="no step for MyAdam"):
        ipex.optimize(net, MyAdam(net.parameters()), torch.float32)


IN_ONE_PROCESS = """
import copy, io, logging, os, pickle
import torch
logging.getLogger("IPEX")  # makes a careless import fail
from codealong import arms, data, ipex, training
answer = {}
module = ipex.load()
answer["root handlers"] = len(logging.root.handlers)
answer["compile threads"] = os.environ["TORCHINDUCTOR_COMPILE_THREADS"]
import psutil
answer["children"] = len(psutil.Process().children(recursive=True))
try:
    training.fit("stock-fp32", 0, None, None)
except ipex.Misuse as problem:
    answer["without"] = str(problem)
images, labels = torch.randn(64, 1, 28, 28), torch.arange(64) % 10
for name in ("ipex-fp32", "ipex-bf16"):
    arm, plain = arms.get(name), training.initial(0)
    before = {key: value.clone() for key, value in plain.state_dict().items()}
    optimizer = torch.optim.Adam(plain.parameters(), lr=1e-3)
    net, its_optimizer = arm.prepare(plain, optimizer)
    facts = answer[name] = {"refused": []}
    facts["optimizer is another"] = its_optimizer is not optimizer
    for what, action in {
        "twice": lambda: ipex.optimize(net, its_optimizer, arm.dtype),
        "load": lambda: net.load_state_dict(before),
        "deepcopy": lambda: copy.deepcopy(net),
        "pickle": lambda: pickle.dumps(net),
        "save": lambda: torch.save(net, io.BytesIO()),
        "average": lambda: torch.optim.swa_utils.AveragedModel(net),
    }.items():
        try:
            action()
        except ipex.Misuse:
            facts["refused"].append(what)
    weights = ipex.plain_weights(net)
    facts["starts from the same weights"] = all(torch.equal(weights[key], before[key]) for key in before)
    losses = [training.train_step(net, its_optimizer, images, labels, arm)[0].item() for _ in range(30)]
    facts["loss"] = [losses[0], losses[-1]]
    facts["kept weights do not move"] = all(torch.equal(weights[key], before[key]) for key in before)
    facts["original untouched"] = all(torch.equal(plain.state_dict()[key], before[key]) for key in before) and all(
        layer.weight.is_contiguous() for layer in plain.modules() if hasattr(layer, "weight")
    )
    trained = ipex.plain_weights(net)
    facts["shapes"] = all(trained[key].shape == before[key].shape for key in before) and len(trained) == len(before)
    facts["types"] = sorted({str(value.dtype) for value in trained.values()})
    fresh = training.initial(1)
    fresh.load_state_dict(trained)
    with torch.no_grad(), arm.autocast():
        plain_logits, logits = fresh(images).float(), net(images).float()
        facts["same logits"] = ((plain_logits - logits).abs().max() / logits.abs().max()).item()
"""


@pytest.fixture(scope="module")
def tried():
    """What one process that uses IPEX saw, and what it wrote to standard error."""
    answer, error = in_a_process(IN_ONE_PROCESS)
    return answer | {"standard error": error}


@needs_ipex
def test_its_import_and_use_are_silent(tried):
    assert tried["standard error"] == ""


@needs_ipex
def test_its_import_leaves_logging_alone_and_starts_no_worker(tried):
    assert tried["root handlers"] == 0
    assert tried["compile threads"] == "1"
    assert tried["children"] == 0


@needs_ipex
def test_training_without_it_is_refused_once_it_is_imported(tried):
    assert "restart the kernel" in tried["without"]


@needs_ipex
@pytest.mark.parametrize("arm", ["ipex-fp32", "ipex-bf16"])
def test_what_it_would_get_wrong_is_refused(tried, arm):
    assert tried[arm]["refused"] == ["twice", "load", "deepcopy", "pickle", "save", "average"]


@needs_ipex
@pytest.mark.parametrize("arm", ["ipex-fp32", "ipex-bf16"])
def test_the_original_network_stays_as_it_was(tried, arm):
    assert tried[arm]["original untouched"]
    assert tried[arm]["optimizer is another"]


@needs_ipex
@pytest.mark.parametrize("arm", ["ipex-fp32", "ipex-bf16"])
def test_it_starts_from_the_same_weights_and_learns(tried, arm):
    first, last = tried[arm]["loss"]
    assert tried[arm]["starts from the same weights"]
    assert last < 0.8 * first


@needs_ipex
@pytest.mark.parametrize("arm", ["ipex-fp32", "ipex-bf16"])
def test_plain_weights_fit_a_plain_network(tried, arm):
    assert tried[arm]["shapes"] and tried[arm]["types"] == ["torch.float32"]
    assert tried[arm]["kept weights do not move"]
    assert tried[arm]["same logits"] < 0.02
