"""Every known trap of IPEX 2.8.0 is closed, and where it cannot run it says so."""

import platform

import nbformat
import pytest
import torch

from codealong import hardware, ipex_guard, training
from codealong.publish import course
from tests.conftest import in_a_process, needs_ipex

INTEL = hardware.Processor("Intel Xeon", "GenuineIntel", ("AVX2", "AVX-512"))


@pytest.fixture
def able(monkeypatch):
    """A machine on which IPEX runs; tests take one thing away from it."""
    versions = {"torch": "2.8.0", ipex_guard.PACKAGE: "2.8.0"}
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(hardware, "version", versions.get)
    monkeypatch.setattr(hardware, "processor", lambda: INTEL)
    return versions


def test_it_is_usable_where_everything_fits(able):
    assert ipex_guard.status() == (True, "IPEX 2.8.0 with torch 2.8.0", True)


def test_other_systems_are_named(able, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert not ipex_guard.status().usable
    assert "only for Linux on x86-64, and this is Darwin" in ipex_guard.status().reason


def test_a_missing_extension_comes_with_the_command_that_installs_it(able):
    del able[ipex_guard.PACKAGE]
    assert ipex_guard.status() == (
        False, "IPEX is not installed: pip install intel-extension-for-pytorch==2.8.0", True
    )  # fmt: skip


@pytest.mark.parametrize("torch_version", ["2.7.1", "2.9.0", "3.8.0"])
@pytest.mark.parametrize("there", [True, False])
def test_another_torch_is_a_mismatch_whether_the_extension_is_there_or_not(able, torch_version, there):
    able["torch"] = torch_version
    if not there:
        del able[ipex_guard.PACKAGE]
    assert ipex_guard.status() == (
        False, f"IPEX 2.8.0 runs with torch 2.8.0 only, and torch {torch_version} is installed", True
    )  # fmt: skip


def test_a_patch_release_of_torch_is_not_a_mismatch(able):
    able["torch"] = "2.8.1"
    assert ipex_guard.status().usable


def test_a_processor_without_avx2_is_refused(able, monkeypatch):
    monkeypatch.setattr(hardware, "processor", lambda: INTEL._replace(instruction_sets=()))
    assert not ipex_guard.status().usable
    assert "AVX2" in ipex_guard.status().reason


def test_bfloat16_needs_avx_512(able, monkeypatch):
    monkeypatch.setattr(hardware, "processor", lambda: INTEL._replace(instruction_sets=("AVX2",)))
    assert ipex_guard.status().usable
    assert not ipex_guard.status(bf16=True).usable
    assert "needs AVX-512 for bfloat16" in ipex_guard.status(bf16=True).reason
    monkeypatch.setattr(hardware, "processor", lambda: INTEL._replace(instruction_sets=("AVX2", "AVX-NE-CONVERT")))
    assert ipex_guard.status(bf16=True).usable


@pytest.mark.parametrize("variable", ipex_guard.CAPS)
def test_bfloat16_is_refused_where_a_variable_forbids_avx_512(able, monkeypatch, variable):
    monkeypatch.setenv(variable, "avx2")
    assert ipex_guard.status().usable
    assert ipex_guard.status(bf16=True) == (
        False, f"IPEX needs AVX-512 for bfloat16, and {variable}=avx2 forbids it: unset {variable}", True
    )  # fmt: skip
    for allowed in ("AVX512_CORE", "DEFAULT"):
        monkeypatch.setenv(variable, allowed)
        assert ipex_guard.status(bf16=True).usable


@pytest.mark.parametrize("variable", ipex_guard.CAPS)
def test_the_lesson_that_needs_bfloat16_is_skipped_where_a_variable_forbids_avx_512(able, monkeypatch, variable):
    path = course.NOTEBOOKS / "04_train_with_ipex.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert course.why_skipped(notebook) is None
    monkeypatch.setenv(variable, "AVX2")
    assert course.why_skipped(notebook).endswith(f"and {variable}=AVX2 forbids it: unset {variable}")


def test_what_cannot_run_is_unusable_before_anything_is_imported(able, monkeypatch):
    monkeypatch.setattr(hardware, "processor", lambda: INTEL._replace(instruction_sets=("AVX2",)))
    monkeypatch.setattr(ipex_guard, "load", lambda: pytest.fail("IPEX was imported"))
    net = training.initial(0)
    with pytest.raises(ipex_guard.Unusable, match="AVX-512"):
        ipex_guard.optimize(net, torch.optim.Adam(net.parameters()), torch.bfloat16)


def test_another_vendor_is_usable_with_a_word(able, monkeypatch):
    monkeypatch.setattr(hardware, "processor", lambda: INTEL._replace(vendor="AuthenticAMD"))
    assert ipex_guard.status().usable and not ipex_guard.status().validated
    assert "never validated" in ipex_guard.status().reason


@pytest.mark.worker
def test_loading_where_it_cannot_run_says_why_and_imports_nothing():
    code = """
from codealong import hardware, ipex_guard
real = hardware.version
hardware.version = lambda package: "2.9.0" if package == "torch" else real(package)
try:
    ipex_guard.load()
except ipex_guard.Unusable as problem:
    answer = [str(problem), "intel_extension_for_pytorch" in sys.modules, "torch" in sys.modules]
"""
    (message, imported, torch_imported), _ = in_a_process(code)
    assert not imported and not torch_imported
    assert message == ipex_guard.status().reason or "torch 2.9.0 is installed" in message


def scheduled(net):
    optimizer = torch.optim.Adam(net.parameters())
    torch.optim.lr_scheduler.StepLR(optimizer, 1)
    return optimizer


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda net: (net.eval(), torch.optim.Adam(net.parameters())), "evaluation mode"),
        (lambda net: (net, torch.optim.AdamW(net.parameters())), "no step for AdamW"),
        (lambda net: (net, torch.optim.Adam(net.parameters(), decoupled_weight_decay=True)), "decoupled"),
        (lambda net: (net, torch.optim.Adam(training.initial(0).parameters())), "another network"),
        (lambda net: (net, scheduled(net)), "schedule"),
    ],
)
def test_misuse_is_refused_before_ipex_is_imported(misuse, said, monkeypatch):
    monkeypatch.setattr(ipex_guard, "load", lambda: pytest.fail("IPEX was imported"))
    net, optimizer = misuse(training.initial(0))
    with pytest.raises(ipex_guard.Misuse, match=said):
        ipex_guard.optimize(net, optimizer, torch.float32)


def test_a_custom_optimizer_is_refused():
    class Adam(torch.optim.Adam):
        pass

    net = training.initial(0)
    with pytest.raises(ipex_guard.Misuse, match="no step for Adam"):
        ipex_guard.optimize(net, Adam(net.parameters()), torch.float32)


IN_ONE_PROCESS = """
import copy, io, logging, os, pickle
import torch
logging.getLogger("IPEX")  # makes a careless import fail
from codealong import arms, data, ipex_guard, training
answer = {}
torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # imports Inductor, which then knows how many workers to start
answer["inductor was there"] = "torch._inductor.config" in sys.modules
module = ipex_guard.load()
os.write(2, b"standard error lives")
answer["logging disabled"] = logging.root.manager.disable
answer["root handlers"] = len(logging.root.handlers)
answer["compile threads"] = os.environ["TORCHINDUCTOR_COMPILE_THREADS"]
import psutil
answer["children"] = len(psutil.Process().children(recursive=True))
try:
    training.fit("stock-fp32", 0, None, None)
except ipex_guard.Misuse as problem:
    answer["without"] = str(problem)
images, labels = torch.randn(64, 1, 28, 28), torch.arange(64) % 10
for name in ("ipex-fp32", "ipex-bf16"):
    arm, plain = arms.get(name), training.initial(0)
    before = {key: value.clone() for key, value in plain.state_dict().items()}
    optimizer = torch.optim.Adam(plain.parameters(), lr=1e-3)
    net, its_optimizer = arm.prepare(plain, optimizer)
    facts = answer[name] = {"refused": {}}
    facts["optimizer is another"] = its_optimizer is not optimizer
    for what, action in {
        "twice": lambda: ipex_guard.optimize(net, its_optimizer, arm.dtype),
        "load": lambda: net.load_state_dict(before),
        "load a layer": lambda: net.features.load_state_dict(plain.features.state_dict()),
        "load in a wrapper": lambda: torch.nn.Sequential(net).load_state_dict(torch.nn.Sequential(plain).state_dict()),
        "deepcopy": lambda: copy.deepcopy(net),
        "pickle": lambda: pickle.dumps(net),
        "save": lambda: torch.save(net, io.BytesIO()),
        "average": lambda: torch.optim.swa_utils.AveragedModel(net),
    }.items():
        try:
            action()
        except ipex_guard.Misuse as problem:
            facts["refused"][what] = str(problem)
    try:
        optimizer.step()
    except ipex_guard.Misuse as problem:
        facts["old optimizer"] = str(problem)
    if name == "ipex-bf16":
        try:
            net(images)
        except RuntimeError as problem:
            facts["without autocast"] = "refused by IPEX itself"
    weights = ipex_guard.plain_weights(net)
    facts["starts from the same weights"] = all(torch.equal(weights[key], before[key]) for key in before)
    losses = [training.train_step(net, its_optimizer, images, labels, arm)[0].item() for _ in range(30)]
    facts["loss"] = [losses[0], losses[-1]]
    facts["kept weights do not move"] = all(torch.equal(weights[key], before[key]) for key in before)
    facts["original untouched"] = all(torch.equal(plain.state_dict()[key], before[key]) for key in before) and all(
        layer.weight.is_contiguous() for layer in plain.modules() if hasattr(layer, "weight")
    )
    trained = ipex_guard.plain_weights(net)
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
    assert tried["standard error"] == "standard error lives"


@needs_ipex
def test_its_import_leaves_logging_alone_and_starts_no_worker(tried):
    assert tried["root handlers"] == tried["logging disabled"] == 0
    assert tried["compile threads"] == "1" and tried["inductor was there"]
    assert tried["children"] == 0


@needs_ipex
def test_training_without_it_is_refused_once_it_is_imported(tried):
    assert "restart the kernel" in tried["without"]


@needs_ipex
@pytest.mark.parametrize("arm", ["ipex-fp32", "ipex-bf16"])
def test_what_it_would_get_wrong_is_refused(tried, arm):
    refused = tried[arm]["refused"]
    assert refused.pop("twice").startswith("This network is already optimised")
    assert list(refused) == ["load", "load a layer", "load in a wrapper", "deepcopy", "pickle", "save", "average"]
    assert all("gives garbage" in said for said in refused.values())
    assert "step the one that came back" in tried[arm]["old optimizer"]


@needs_ipex
def test_bfloat16_without_autocast_is_an_error(tried):
    assert tried["ipex-bf16"]["without autocast"] == "refused by IPEX itself"


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
