"""Every figure looks as it did: drawn again from recorded or fixed data, it is the picture that is kept.

The tolerance is a root mean square of `TOLERANCE` of 255 levels. Drawn again, a figure differs by 0.00: a wheel of
matplotlib brings its font (DejaVu Sans) and what draws it, so neither the system nor the processor matters. The least
of the mistakes that were tried, a wrong digit in a label, differs by 0.9, a lost point by 2.6, and two labels that
changed places by 6.7.
"""

import sys

import pandas as pd
import pytest

from codealong import data, figures, model, runs
from codealong.analysis import benchmark, publication, reports
from codealong.figures import speed
from codealong.measure import instruction_sets

NAMES = sorted(set(figures.__all__) - {"ARM_COLOURS", "show"})
TOLERANCE = 0.5


@pytest.fixture(scope="module")
def drawing(splits, recorded_study):
    """What draws each figure."""
    labels, images = splits.test.labels.numpy(), splits.train.images[:100]
    pair = [runs.of_machine(arm)[0] for arm in ("stock-fp32", "ipex-fp32")]
    pair_reports = [reports.from_predictions(labels, run.classes) for run in pair]
    rates = pd.DataFrame({"64": [1.0, 2.0, 2.0, 2.0, 2.0, 3.0], "256": [2.0, 3.0, 3.0, 3.0, 3.0, 4.0]})
    parts = speed.parts({"aten::convolution_backward": 3.0, "aten::add": 1.0})
    levels = instruction_sets.read()
    return {
        "accuracies": lambda: figures.accuracies(recorded_study),
        "accuracy_and_rate": lambda: figures.accuracy_and_rate(reports.relative_rates(reports.overview(pair, labels))),
        "averages": lambda: figures.averages(splits.train),
        "benchmark": lambda: figures.benchmark(benchmark.load()),
        "class_f1": lambda: figures.class_f1(recorded_study),
        "confusions": lambda: figures.confusions(labels, pair),
        "curves": lambda: figures.curves({run.arm: run.history for run in pair}),
        "effects": lambda: figures.effects({"batch size": rates, "threads": rates}),
        "f1_differences": lambda: figures.f1_differences({"ours": reports.compare(*pair_reports)["f1-score"]}),
        "hundred_epochs": lambda: figures.hundred_epochs(publication.load()[0]),
        "instruction_sets": lambda: figures.instruction_sets(levels | {"levels": levels["levels"][:2]}, levels),
        "larger_models": lambda: figures.larger_models(recorded_study),
        "learning": lambda: figures.learning(recorded_study),
        "legend": lambda: figures.legend(),
        "network": lambda: figures.network(model.FashionCNN(), "The published network"),
        "pixel_histograms": lambda: figures.pixel_histograms(images, data.normalise(images)),
        "profiles": lambda: figures.profiles({"stock-fp32": parts, "stock-bf16": parts / 2}),
        "roofline": lambda: figures.roofline(benchmark.load()),
        "samples": lambda: figures.samples(splits.train),
    }


@pytest.mark.skipif(sys.version_info < (3, 11), reason="matplotlib for Python 3.10 draws letters of another form")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.mpl_image_compare(style="default", tolerance=TOLERANCE, savefig_kwargs={"dpi": 50})
def test_it_looks_as_it_did(drawing, name):
    return drawing[name]()
