"""What is larger is trained by the same rules as the course's own network, in campaigns of rounds that get shorter."""

import collections

import pytest
import torch

from codealong import data, hardware, model, training
from codealong.measure import contestants, larger, networks

PARAMETERS = {
    "FashionCNN": 206_922,
    "FashionCNN ×2": 824_458,
    "FashionCNN ×4": 3_291_402,
    "FashionCNN ×8": 13_152_778,
    "DeepFashionCNN": 218_490,
    "ResNet-18": 11_175_370,
    "small transformer": 2_684_554,
}


def test_networks_have_so_many_parameters_and_take_images_of_every_size():
    for name, build in networks.NETWORKS.items():
        counted = {pixels: sum(weight.numel() for weight in build(pixels).parameters()) for pixels in networks.PIXELS}
        assert counted[28] == PARAMETERS[name]
        assert name == "small transformer" or len({*counted.values()}) == 1
        for pixels in networks.PIXELS:
            assert build(pixels)(torch.zeros(2, 1, pixels, pixels)).shape == (2, 10)


def test_at_28_pixels_the_course_s_network_is_the_course_s_own():
    nets = [training.initial(0, lambda: networks.NETWORKS["FashionCNN"](28)), training.initial(0)]
    assert str(nets[0]) == str(nets[1]) == str(model.FashionCNN())
    assert all(map(torch.equal, *(net.parameters() for net in nets)))


def test_there_is_a_cell_for_each_network_and_size_and_one_with_more_images():
    assert len(larger.CELLS) == len({*larger.CELLS}) == 7 * 3 + 1
    assert larger.CELLS[0] == larger.BASE and larger.CELLS[1].copies == 4


def test_images_are_resized_and_keep_their_labels(splits):
    images, labels = larger.images(splits, larger.Cell("ResNet-18", 112))
    assert images.shape == (larger.RESIZED_IMAGES, 1, 112, 112) and images.dtype == torch.uint8
    assert torch.equal(labels, splits.train.labels[: larger.RESIZED_IMAGES])
    small = torch.nn.functional.avg_pool2d(images.float(), 4)
    assert (small - splits.train.images[: larger.RESIZED_IMAGES]).abs().mean() < 8
    assert larger.images(splits, larger.BASE).images is splits.train.images


def test_the_larger_data_set_has_each_image_four_times_each_shifted(splits):
    few = data.Split(splits.train.images[:300], splits.train.labels[:300])
    images, labels = larger.shifted(few, 4)
    assert images.shape == (1200, 1, 28, 28) and torch.equal(labels, few.labels.repeat(4))
    shifts = collections.Counter()
    for number in range(1200):
        original = torch.nn.functional.pad(few.images[number % 300], [2] * 4)
        places = [
            (down, right)
            for down in range(5)
            for right in range(5)
            if torch.equal(original[:, down : down + 28, right : right + 28], images[number])
        ]
        assert places, number
        shifts[places[0]] += 1
    assert len(shifts) == 25


def test_all_60_000_images_are_in_it(splits):
    images, labels = larger.images(splits, larger.MORE_IMAGES)
    assert images.shape == (240_000, 1, 28, 28) and labels.shape == (240_000,)
    assert torch.equal(labels[50_000:60_000], splits.valid.labels)


class StandIn:
    """A worker that answers at once."""

    def __init__(self, arm):
        self.arm, self.provenance = arm, {"of": arm}
        self.asked = []

    def ask(self, do, **how):
        said.append((self.arm, do, how.get("cell")))
        return {"images": 128, "seconds": 1.0}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        said.append((self.arm, "end", None))


said = []


@pytest.fixture
def rounds(monkeypatch):
    monkeypatch.setattr(larger, "Worker", StandIn)
    monkeypatch.setattr(hardware, "wait_until_idle", lambda say: 3.0)
    said.clear()
    return [larger.one_round(["a", "b", "c"], 128, number, print) for number in range(3)]


def test_large_images_take_part_in_fewer_rounds(rounds):
    counted = collections.Counter(one["pixels"] for _, each in rounds for one in each["measurements"])
    assert counted == {28: 3 * 8 * 3, 56: 3 * 7 * 2, 112: 3 * 7}
    assert [len(each["measurements"]) for _, each in rounds] == [66, 45, 24]


def test_arms_follow_each_other_in_a_cell_in_turns_and_are_warm(rounds):
    kinds = [do for _, do, _ in said[:72]]
    assert kinds == ["train_steps"] * 3 + ["timed with"] * 66 + ["end"] * 3
    cells = [[cell for _, _, cell in said[3:69]][number : number + 3] for number in range(0, 66, 3)]
    assert all(len({*three}) == 1 for three in cells)
    assert {arms for arms in zip(*[iter(arm for arm, _, _ in said[3:69])] * 3, strict=True)} == {
        ("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b")
    }  # fmt: skip
    assert [provenance["of"] for provenance, _ in rounds] == ["a", "b", "c"]


def test_a_slow_step_is_timed_once_and_what_it_holds_is_told(splits, monkeypatch):
    steps = []
    monkeypatch.setattr(contestants.Contestant, "step", lambda self, images, labels: steps.append(images.shape))
    monkeypatch.setattr(contestants, "WARM_UP_SECONDS", 0)
    monkeypatch.setattr(contestants.time, "process_time", lambda: 1.0)
    ticks = iter(range(1000))
    monkeypatch.setattr(contestants.time, "perf_counter", lambda: 10.0 * next(ticks))
    told = contestants.timed_with("stock-fp32", ["ResNet-18", 56, 1], 128, torch.get_num_threads(), 0.5)
    assert told["images"] == 128 * (len(steps)) and len(steps) == 1
    assert steps[0] == (128, 1, 56, 56)
    assert told["held_mib"] > 0
