"""What all figures share: one style, one colour per arm, a description for who cannot see them."""

import io
from pathlib import Path

import numpy as np

from codealong.classes import CLASSES

STYLE = Path(__file__).parent / "codealong.mplstyle"

ARM_COLOURS = {
    "stock-fp32": "#0072B2",
    "stock-fp32-matched": "#009E73",
    "stock-bf16": "#56B4E9",
    "ipex-fp32": "#D55E00",
    "ipex-bf16": "#E69F00",
}
"""Okabe and Ito's palette: stock PyTorch in blues, IPEX in oranges, bf16 the lighter one, the control in green."""


def pyplot():
    """Return matplotlib's pyplot in the style of this course; its import takes seconds, so it is made on demand."""
    import matplotlib.pyplot as plt

    plt.style.use(STYLE)
    return plt


def show(fig):
    """Show a figure in a notebook, with its description as alternative text and as the text that nbval compares."""
    from IPython.display import display

    picture = io.BytesIO()
    fig.savefig(picture, format="png", metadata={"Software": None})
    pyplot().close(fig)
    content = {"image/png": picture.getvalue(), "text/plain": fig.description}
    display(content, raw=True, metadata={"image/png": {"alt": fig.description}})


def described(fig, description):
    """Return a figure with its description, for who cannot see it."""
    fig.description = description
    return fig


def a_row_per_class(axis):
    """Give an axis of differences a row for each class, and a line at 0."""
    rows = np.arange(len(CLASSES))
    axis.axvline(0, color="black", linewidth=1)
    axis.set_yticks(rows, CLASSES)
    axis.set_yticks(rows[:-1] + 0.5, minor=True)
    axis.invert_yaxis()
    axis.grid(axis="y", which="minor")
    axis.tick_params(axis="y", which="both", length=0)
