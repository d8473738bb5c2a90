"""The pictures of `images/`, which the README and the notebooks show."""

from codealong import ROOT, bench, drawing, evidence, model, plots, speed, study

FOLDER = ROOT / "images"


def draw():
    """Draw every picture, each as SVG and PNG.

    Returns
    -------
    list of Path
    """
    recorded = study.load()
    figures = {
        "fashion-cnn": drawing.network(model.FashionCNN(), "FashionCNN: 206,922 parameters"),
        "deep-fashion-cnn": drawing.network(model.DeepFashionCNN(), "DeepFashionCNN: 218,490 parameters"),
        "layer-types": drawing.legend(),
        "learning": evidence.learning(recorded),
        "widths": evidence.widths(recorded),
        "benchmark": speed.benchmark(bench.load()),
    }
    FOLDER.mkdir(exist_ok=True)
    paths = []
    for name, fig in figures.items():
        for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            paths.append(FOLDER / f"{name}.{kind}")
            fig.savefig(paths[-1], metadata=metadata)
        plots.pyplot().close(fig)
    return paths
