"""The pictures of `images/`, which the README and the notebooks show."""

import matplotlib.pyplot as plt

from codealong import ROOT, data, drawing, model, plots, report, runs
from codealong.arms import ARMS

FOLDER = ROOT / "images"


def draw():
    """Draw every picture, each as SVG and PNG.

    Returns
    -------
    list of Path
    """
    test = data.load().test
    recorded = [run for arm in ARMS for run in runs.recorded(arm)]
    rates = report.relative_rates(report.overview(recorded, test.labels.numpy()))
    figures = {
        "fashion-cnn": drawing.network(model.FashionCNN(), "FashionCNN: 206,922 parameters"),
        "deep-fashion-cnn": drawing.network(model.DeepFashionCNN(), "DeepFashionCNN: 218,490 parameters"),
        "layer-types": drawing.legend(),
        "accuracy-and-rate": plots.accuracy_and_rate(rates),
    }
    FOLDER.mkdir(exist_ok=True)
    paths = []
    for name, fig in figures.items():
        for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            paths.append(FOLDER / f"{name}.{kind}")
            fig.savefig(paths[-1], metadata=metadata)
        plt.close(fig)
    return paths
