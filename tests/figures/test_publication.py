"""The figure of 100 epochs shows what was recorded."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from codealong import figures
from codealong.analysis import publication
from tests.figures.common import *  # noqa: F403


@pytest.fixture(scope="module")
def long_runs():
    return publication.load()[0]


@pytest.fixture(scope="module")
def drawn(long_runs):
    yield {"hundred_epochs": figures.hundred_epochs(long_runs)}
    plt.close("all")


def test_the_figure_shows_the_runs_and_says_where_they_peak(drawn, long_runs):
    fig = drawn["hundred_epochs"]
    accuracies, losses = fig.axes
    for axis, quantity in ((accuracies, "valid_accuracy"), (losses, "valid_loss")):
        means = [line.get_ydata() for line in axis.lines if line.get_linewidth() > 1]
        for mean, by_seed in zip(means, long_runs.values(), strict=True):
            assert np.allclose(mean, np.mean([its[quantity] for its in by_seed.values()], axis=0))
    _, too_many = publication.cost(long_runs)
    assert (
        accuracies.get_title(loc="left") == f"On test images, from best epoch to last: {too_many.estimate:+.1f} points"
    )
    mean = np.mean([its["valid_loss"] for its in long_runs["stock-fp32"].values()], axis=0)
    assert f"smallest after epoch {mean.argmin() + 1} ({mean.min():.2f})" in fig.description
    assert mean.argmin() < 10  # "The loss turns early"
