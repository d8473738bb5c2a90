import matplotlib.pyplot as plt
import pytest

from codealong import data, drawing, model, pictures, plots, report, runs
from codealong.arms import ARMS


@pytest.fixture(scope="module")
def figures(splits):
    labels = splits.test.labels.numpy()
    pair = [runs.recorded(arm)[0] for arm in ("stock-fp32", "ipex-fp32")]
    reports = [report.from_predictions(labels, run.classes) for run in pair]
    images = splits.train.images[:100]
    drawn = {
        "samples": plots.samples(splits.train),
        "averages": plots.averages(splits.train),
        "pixels": plots.pixel_histograms(images, data.normalise(images)),
        "curves": plots.curves({run.arm: run.history for run in pair}),
        "confusions": plots.confusions(labels, pair),
        "differences": plots.f1_differences({"ours": report.compare(*reports)["f1-score"]}),
        "rates": plots.accuracy_and_rate(report.relative_rates(report.overview(pair, labels))),
        "network": drawing.network(model.FashionCNN(), "title"),
        "legend": drawing.legend(),
    }
    yield drawn
    plt.close("all")


def test_every_figure_is_described_for_who_cannot_see_it(figures):
    for name, fig in figures.items():
        assert len(fig.description) > 60 and fig.description.endswith("."), name


def test_descriptions_carry_the_numbers_that_are_drawn(figures):
    assert "stock-fp32 0.9144 at 1.00 times the rate" in figures["rates"].description
    assert "in stock-fp32, 107 images of Shirt are taken for T-shirt/top" in figures["confusions"].description


def test_confusion_matrices_show_every_count(figures, splits):
    (left, right) = figures["confusions"].axes
    for axis, arm in ((left, "stock-fp32"), (right, "ipex-fp32")):
        assert axis.get_title(loc="left").startswith(f"{arm}: ")
        assert sum(int(text.get_text()) for text in axis.texts) == 10_000


def test_dots_stand_at_the_accuracies(figures, splits):
    dots = figures["rates"].axes[0].collections[0].get_offsets()
    overview = report.overview([runs.recorded(arm)[0] for arm in ("stock-fp32", "ipex-fp32")], splits.test.labels)
    assert dots[:, 0].tolist() == pytest.approx(overview["test accuracy"].tolist())


def test_every_arm_has_a_colour_of_its_own():
    assert set(plots.ARM_COLOURS) == set(ARMS)
    assert len(set(plots.ARM_COLOURS.values())) == len(ARMS)


def test_showing_a_figure_stores_its_description_and_closes_it(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda fig, metadata: shown.append(metadata))
    fig = drawing.legend()
    plots.show(fig)
    assert shown == [{"image/png": {"alt": fig.description}}]
    assert fig.number not in plt.get_fignums()


def test_the_command_draws_every_picture_of_the_folder(tmp_path, monkeypatch):
    kept = {path.name for path in pictures.FOLDER.iterdir()}
    monkeypatch.setattr(pictures, "FOLDER", tmp_path)
    drawn = pictures.draw()
    assert {path.name for path in drawn} == kept
    assert all(path.stat().st_size > 1000 for path in drawn)
