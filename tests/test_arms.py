"""The arms differ in what they say they differ in, and in nothing else."""

import pytest
import torch

from codealong import arms, ipex_guard
from tests.conftest import in_a_process

WATCHED_FIT = """
import contextlib, dataclasses, hashlib
import torch
from codealong import arms, data, training

def digest(*tensors):
    whole = hashlib.sha256()
    for tensor in tensors:
        whole.update(tensor.detach().contiguous().numpy().tobytes())
    return whole.hexdigest()

prepare, step = arms.Arm.prepare, training.train_step

def watched_prepare(arm, net, optimizer):
    seen["initial"] = digest(*net.state_dict().values())
    seen["optimizer"] = [type(optimizer).__name__, {**optimizer.defaults, "fused": None}]
    seen["fused"] = optimizer.defaults["fused"]
    return prepare(arm, net, optimizer)

def watched_step(net, optimizer, images, labels, arm):
    seen["batches"].append(digest(images, labels))
    seen["rates"].append(optimizer.param_groups[0]["lr"])
    seen["momenta"].append(optimizer.param_groups[0]["betas"])
    loss, logits = step(net, optimizer, images, labels, arm)
    seen.setdefault("first loss", loss.item())
    return loss, logits

arms.Arm.prepare, training.train_step = watched_prepare, watched_step
train, _, _ = data.load()
few = data.Split(train.images[:600], train.labels[:600])
answer = {}
for name in NAMES:
    seen = answer[name] = {"batches": [], "rates": [], "momenta": []}
    with contextlib.redirect_stdout(sys.stderr):
        trained = training.fit(name, 3, few, few, dataclasses.replace(training.RECIPE, epochs=2))
    net, history = trained.net, trained.history
    seen["loss"] = [epoch.train_loss for epoch in history]
    seen["threads"] = torch.get_num_threads()
    seen["imported"] = "intel_extension_for_pytorch" in sys.modules
    seen["result"] = type(net).__name__, sum(p.numel() for p in net.parameters()), net.training
"""


@pytest.fixture(scope="module")
def watched():
    """What `fit` did in each arm that can run here; with and without IPEX in processes of their own."""
    seen = {}
    for uses_ipex in (False, True):
        names = [name for name, arm in arms.ARMS.items() if arm.uses_ipex is uses_ipex and arm.status().usable]
        seen |= in_a_process(f"NAMES = {names}\n{WATCHED_FIT}")[0]
    return seen


@pytest.mark.parametrize("what", ["initial", "batches", "rates", "momenta", "optimizer", "threads", "result"])
def test_every_arm_has_the_same(watched, what):
    assert len(watched["stock-fp32"]["batches"]) == 10
    for name, seen in watched.items():
        assert seen[what] == watched["stock-fp32"][what], name


def test_batches_are_shuffled_anew_in_each_epoch(watched):
    batches = watched["stock-fp32"]["batches"]
    assert len(set(batches)) == len(batches)


def test_the_learning_rate_reaches_the_optimizer_that_steps(watched):
    for name, seen in watched.items():
        assert max(seen["rates"]) > 3 * seen["rates"][0], name
        assert min(seen["rates"]) < seen["rates"][0], name


def test_every_arm_learns(watched):
    for name, seen in watched.items():
        assert seen["loss"][1] < 0.8 * seen["loss"][0], name


def test_only_ipex_arms_import_ipex(watched):
    for name, seen in watched.items():
        assert seen["imported"] is name.startswith("ipex"), name


def test_arms_compute_in_the_precision_of_their_name(watched):
    losses = {name: seen["loss"] for name, seen in watched.items()}
    assert losses["stock-bf16"] != losses["stock-fp32"]
    for name in set(losses) & {"ipex-fp32", "stock-fp32-matched"}:
        assert losses[name] == pytest.approx(losses["stock-fp32"], rel=1e-3)


@pytest.mark.parametrize("name", arms.ARMS)
def test_autocast_is_on_for_bf16_only(name):
    with arms.get(name).autocast():
        assert torch.is_autocast_enabled("cpu") is name.endswith("bf16")


def test_the_control_alone_has_the_fused_adam_of_stock_pytorch(watched):
    assert [name for name, seen in watched.items() if seen["fused"]] == ["stock-fp32-matched"]


def test_stock_fp32_leaves_the_memory_format_alone_and_stock_bf16_changes_it():
    for name, wanted in (("stock-fp32", False), ("stock-fp32-matched", True), ("stock-bf16", True)):
        net = torch.nn.Conv2d(4, 8, 3)
        net, _ = arms.get(name).prepare(net, None)
        assert net.weight.is_contiguous(memory_format=torch.channels_last) is wanted
        assert arms.get(name).place(torch.zeros(2, 4, 8, 8)).is_contiguous() is not wanted


def test_every_arm_starts_with_the_same_loss(watched):
    for name, seen in watched.items():
        tolerance = 1e-5 if name.endswith("fp32") else 0.01
        assert seen["first loss"] == pytest.approx(watched["stock-fp32"]["first loss"], rel=tolerance), name


def test_images_are_placed_as_the_arm_wants_them(few, monkeypatch):
    from codealong import training

    placed = []
    monkeypatch.setattr(arms.Arm, "place", lambda arm, images: placed.append(arm.name) or images)
    net = training.initial(0)
    images = few.train.images[:8].float()
    training.train_step(net, torch.optim.Adam(net.parameters()), images, few.train.labels[:8], arms.get("stock-bf16"))
    assert placed == ["stock-bf16"]


def test_an_unknown_arm_is_named_with_the_known_ones():
    with pytest.raises(arms.ArmError, match="'ipex-fp8' is not an arm: choose one of stock-fp32, stock-fp32-matched"):
        arms.get("ipex-fp8")


def test_an_ipex_arm_says_why_it_cannot_run(monkeypatch):
    monkeypatch.setattr(ipex_guard, "status", lambda bf16: ipex_guard.Status(False, "no AVX2"))
    assert arms.get("ipex-bf16").status().reason == "no AVX2"
    assert arms.get("stock-bf16").status().usable
