"""The figure of the published 100 epochs."""

import numpy as np

from codealong.analysis import publication
from codealong.figures.style import ARM_COLOURS, described, pyplot


def hundred_epochs(long_runs):
    """Draw validation accuracy and validation loss of the long runs against the epoch, and the mean of each arm.

    Parameters
    ----------
    long_runs : dict
        As `measure.publication.read_long` returns them.
    """
    fig, axes = pyplot().subplots(1, 2, figsize=(11, 3.8))
    said = []
    for arm, by_seed in long_runs.items():
        colour = ARM_COLOURS[arm]
        for axis, quantity in zip(axes, ("valid_accuracy", "valid_loss"), strict=True):
            curves = np.array([run[quantity] for run in by_seed.values()])
            epochs = np.arange(1, curves.shape[1] + 1)
            axis.plot(epochs, curves.T, color=colour, linewidth=0.5, alpha=0.5)
            axis.plot(epochs, curves.mean(axis=0), color=colour, linewidth=2.5, label=arm)
        accuracy = np.mean([run["valid_accuracy"] for run in by_seed.values()], axis=0)
        loss = np.mean([run["valid_loss"] for run in by_seed.values()], axis=0)
        said.append(
            f"{arm} is most accurate on validation images after epoch {accuracy.argmax() + 1} "
            f"({accuracy.max():.4f}) and ends at {accuracy[-1]:.4f}; its loss is smallest after epoch "
            f"{loss.argmin() + 1} ({loss.min():.2f}) and ends at {loss[-1]:.2f}"
        )
    _, too_many = publication.cost(long_runs)
    axes[0].set(title=f"On test images, from best epoch to last: {too_many.estimate:+.1f} points", xlabel="epoch")
    axes[0].set_ylabel("validation accuracy")
    axes[1].set(title="The loss turns early", xlabel="epoch", ylim=(0, None))
    axes[1].set_ylabel("validation loss")
    axes[0].legend(loc="lower right")
    fig.tight_layout()
    return described(
        fig, f"The published recipe for {len(epochs)} epochs, means of {len(by_seed)} seeds: {'; '.join(said)}."
    )
