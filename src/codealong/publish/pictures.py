"""The pictures of `images/`, which the README and the notebooks show."""

from codealong import ROOT, figures, model
from codealong.analysis import benchmark, publication, study
from codealong.figures.style import pyplot

FOLDER = ROOT / "images"


def draw():
    """Draw every picture, each as SVG and PNG.

    Returns
    -------
    list of Path
    """
    recorded = study.load()
    drawn = {
        "fashion-cnn": figures.network(model.FashionCNN(), "FashionCNN: 206,922 parameters"),
        "deep-fashion-cnn": figures.network(model.DeepFashionCNN(), "DeepFashionCNN: 218,490 parameters"),
        "layer-types": figures.legend(),
        "learning": figures.learning(recorded),
        "larger-models": figures.larger_models(recorded),
        "hundred-epochs": figures.hundred_epochs(publication.load()[0]),
        "benchmark": figures.benchmark(benchmark.load()),
    }
    FOLDER.mkdir(exist_ok=True)
    paths = []
    for name, fig in drawn.items():
        for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            paths.append(FOLDER / f"{name}.{kind}")
            fig.savefig(paths[-1], metadata=metadata)
        pyplot().close(fig)
    return paths
