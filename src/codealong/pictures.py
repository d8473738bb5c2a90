"""The pictures of `images/`, which the README and the notebooks show."""

import matplotlib.pyplot as plt

from codealong import ROOT, drawing, model, plots, readme

FOLDER = ROOT / "images"


def draw():
    """Draw every picture, each as SVG and PNG.

    Returns
    -------
    list of Path
    """
    figures = {
        "fashion-cnn": drawing.network(model.FashionCNN(), "FashionCNN: 206,922 parameters"),
        "deep-fashion-cnn": drawing.network(model.DeepFashionCNN(), "DeepFashionCNN: 218,490 parameters"),
        "layer-types": drawing.legend(),
        "accuracy-and-rate": plots.accuracy_and_rate(readme.overview()),
    }
    FOLDER.mkdir(exist_ok=True)
    paths = []
    for name, fig in figures.items():
        for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            paths.append(FOLDER / f"{name}.{kind}")
            fig.savefig(paths[-1], metadata=metadata)
        plt.close(fig)
    return paths
