"""The recipe for speed alone trains the same network, reproducibly, and learns."""

import numpy as np
import pytest
import torch

from codealong import data, fastest, training


@pytest.fixture(scope="module")
def small(splits):
    return data.Split(splits.train.images[:6000], splits.train.labels[:6000])


def test_it_learns_in_few_steps_and_returns_the_published_network(small, splits):
    net = fastest.fit(0, small)
    assert sum(weight.numel() for weight in net.parameters()) == 206_922 and not net.training
    assert training.evaluate(net, splits.valid)[1] > 0.8


def test_the_same_seed_gives_the_same_network_and_another_seed_another(small):
    few = data.Split(small.images[:1000], small.labels[:1000])
    first, again, other = (fastest.fit(seed, few).state_dict()["classifier.3.weight"] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_each_image_is_seen_once_in_an_epoch():
    chosen = torch.cat(fastest._batches(1000, seed=0))
    assert len(chosen) == fastest.EPOCHS * 1000
    assert chosen[:1000].sort().values.tolist() == list(range(1000))
    assert len(chosen[1000:].unique()) == len(chosen) - 1000


def test_small_batches_come_before_large_ones():
    sizes = [len(batch) for batch in fastest._batches(10_000, seed=0)]
    assert {*sizes[:10]} == {fastest.BATCH_SIZES[0]} and sizes[-2] == fastest.BATCH_SIZES[1]


def test_the_learning_rate_rises_and_falls():
    rate = [fastest._rate([range(128)] * 100)(step) for step in range(100)]
    top = int(np.argmax(rate))
    assert top == pytest.approx(100 * fastest.WARM_UP, abs=1) and rate[0] < 0.2 < 0.9 < rate[top]
    assert rate[top:] == sorted(rate[top:], reverse=True) and rate[-1] == pytest.approx(fastest.LAST, abs=0.02)


def test_an_update_is_made_orthogonal():
    torch.manual_seed(0)
    values = torch.linalg.svdvals(fastest.orthogonal(torch.randn(32, 144)))
    assert values.min() > 0.6 and values.max() < 1.3


def test_momentum_goes_on_from_step_to_step():
    weight = torch.nn.Parameter(torch.zeros(2, 3))
    optimizer = fastest.Muon([weight], 1.0, torch.float32)
    weight.grad = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    optimizer.step()
    first = weight.detach().clone()
    weight.grad = torch.zeros(2, 3)
    optimizer.step()
    assert (weight - first).abs().max() > 0.5
