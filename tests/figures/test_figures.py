from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from codealong import data, figures, model, runs
from codealong.analysis import reports
from codealong.arms import ARMS
from codealong.publish import pictures
from tests.figures.common import *  # noqa: F403


@pytest.fixture(scope="module")
def drawn(splits):
    labels = splits.test.labels.numpy()
    pair = [runs.of_machine(arm)[0] for arm in ("stock-fp32", "ipex-fp32")]
    pair_reports = [reports.from_predictions(labels, run.classes) for run in pair]
    images = splits.train.images[:100]
    by_name = {
        "samples": figures.samples(splits.train),
        "averages": figures.averages(splits.train),
        "pixels": figures.pixel_histograms(images, data.normalise(images)),
        "curves": figures.curves({run.arm: run.history for run in pair}),
        "confusions": figures.confusions(labels, pair),
        "differences": figures.f1_differences({"ours": reports.compare(*pair_reports)["f1-score"]}),
        "rates": figures.accuracy_and_rate(reports.relative_rates(reports.overview(pair, labels))),
        "network": figures.network(model.FashionCNN(), "title"),
        "deep network": figures.network(model.DeepFashionCNN(), "title"),
        "legend": figures.legend(),
    }
    yield by_name
    plt.close("all")


def test_descriptions_carry_the_numbers_that_are_drawn(drawn):
    assert "stock-fp32 0.9144 at 1.00 times the rate" in drawn["rates"].description
    assert "in stock-fp32, 107 images of Shirt are taken for T-shirt/top" in drawn["confusions"].description


def test_confusion_matrices_show_every_count(drawn, splits):
    (left, right) = drawn["confusions"].axes
    for axis, arm in ((left, "stock-fp32"), (right, "ipex-fp32")):
        assert axis.get_title(loc="left").startswith(f"{arm}: ")
        assert sum(int(text.get_text()) for text in axis.texts) == 10_000
        (frame,) = axis.patches
        assert f"{data.CLASSES[round(frame.get_y() + 0.5)]} is most often taken for" in axis.get_title(loc="left")
        shown = axis.images[0].get_array() ** 2
        for text in axis.texts:
            column, row = text.get_position()
            assert shown[row, column] == pytest.approx(int(text.get_text()))


def test_dots_stand_at_the_accuracies(drawn, splits):
    dots = drawn["rates"].axes[0].collections[0].get_offsets()
    overview = reports.overview([runs.of_machine(arm)[0] for arm in ("stock-fp32", "ipex-fp32")], splits.test.labels)
    assert dots[:, 0].tolist() == pytest.approx(overview["test accuracy"].tolist())
    rates = drawn["rates"].axes[1].collections[0].get_offsets()
    assert rates[:, 0].tolist() == pytest.approx(reports.relative_rates(overview)["rate / stock-fp32"].tolist())


def test_the_sample_grid_shows_images_of_the_class_beside_them(drawn, splits):
    axes = drawn["samples"].axes
    assert len(axes) == 80
    for label, name in enumerate(data.CLASSES):
        row = axes[8 * label : 8 * label + 8]
        assert row[0].get_ylabel() == name
        shown = torch.stack([torch.from_numpy(axis.images[0].get_array().data) for axis in row])
        assert torch.equal(shown, splits.train.images[splits.train.labels == label][:8, 0])


def test_averages_are_means_of_their_class(drawn, splits):
    assert drawn["averages"].axes[0].get_gridspec().get_geometry() == (2, 5)
    for label, axis in enumerate(drawn["averages"].axes):
        assert axis.get_title() == data.CLASSES[label]
        mean = splits.train.images[splits.train.labels == label, 0].float().mean(0)
        assert np.allclose(axis.images[0].get_array(), mean)


def test_histograms_hold_all_pixels(drawn):
    for axis in drawn["pixels"].axes:
        assert sum(bar.get_height() for bar in axis.patches) == pytest.approx(100)


def test_curves_follow_the_history(drawn):
    accuracy, loss = drawn["curves"].axes
    history = runs.of_machine("stock-fp32")[0].history
    for axis, quantity in ((accuracy, "accuracy"), (loss, "loss")):
        drawn = [list(line.get_ydata()) for line in axis.lines[:2]]
        assert drawn == [[epoch[f"{split}_{quantity}"] for epoch in history] for split in ("valid", "train")]


def test_f1_differences_stand_beside_their_class(drawn, splits):
    pair = [runs.of_machine(arm)[0] for arm in ("stock-fp32", "ipex-fp32")]
    expected = reports.compare(*(reports.from_predictions(splits.test.labels, run.classes) for run in pair))
    axis = drawn["differences"].axes[0]
    names = [text.get_text() for text in axis.get_yticklabels()]
    assert names == list(data.CLASSES)
    assert np.allclose(axis.lines[0].get_xdata(), expected.loc[names, "f1-score"])


def test_every_figure_of_the_course_is_drawn_in_these_tests():
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in figures.__all__ if callable(getattr(figures, name)) and f'"{name}"' not in tests
            and f"figures.{name}(" not in tests and name != "show"] == []  # fmt: skip


def test_every_arm_has_a_colour_of_its_own():
    assert set(figures.ARM_COLOURS) == set(ARMS)
    assert len(set(figures.ARM_COLOURS.values())) == len(ARMS)


def test_showing_a_figure_stores_its_description_and_closes_it(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda content, raw, metadata: shown.append((content, metadata)))
    fig = figures.legend()
    figures.show(fig)
    ((content, metadata),) = shown
    assert metadata == {"image/png": {"alt": fig.description}}
    assert content["text/plain"] == fig.description
    assert content["image/png"].startswith(b"\x89PNG")
    assert fig.number not in plt.get_fignums()


def test_the_command_draws_every_picture_of_the_folder(tmp_path, monkeypatch):
    kept = {path.name for path in pictures.FOLDER.iterdir()} - {"exercise.png", "slide.png"}
    monkeypatch.setattr(pictures, "FOLDER", tmp_path)
    drawn = pictures.draw()
    assert {path.name for path in drawn} == kept
    assert all(path.stat().st_size > 1000 for path in drawn)
