import hashlib

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torchvision.datasets import FashionMNIST

from codealong import data, sources


def test_splits_have_the_shapes_and_types_they_promise(splits):
    for split, count in zip(splits, (50_000, 10_000, 10_000), strict=True):
        assert split.images.shape == (count, 1, 28, 28) and split.images.dtype == torch.uint8
        assert split.labels.shape == (count,) and split.labels.dtype == torch.int64


def test_every_class_is_equally_frequent_in_every_split(splits):
    for split in splits:
        assert split.labels.bincount().tolist() == [len(split.labels) // 10] * 10


def test_train_and_valid_are_the_published_training_images(splits):
    published = FashionMNIST(sources.folder(), train=True)
    train, valid = data.split()
    assert torch.equal(torch.cat([train, valid]).sort().values, torch.arange(60_000))
    assert torch.equal(splits.train.images[:, 0], published.data[train])
    assert torch.equal(splits.valid.labels, published.targets[valid])


def test_test_images_are_the_published_ones(splits):
    published = FashionMNIST(sources.folder(), train=False)
    assert torch.equal(splits.test.images[:, 0], published.data)
    assert torch.equal(splits.test.labels, published.targets)


def test_the_split_never_changes(splits):
    _, valid = data.split()
    assert hashlib.sha256(valid.numpy().tobytes()).hexdigest()[:16] == "c5e05687e4013bd4"


def test_the_split_is_the_one_of_scikit_learn():
    labels = FashionMNIST(sources.folder(), train=True).targets.numpy()
    chosen = train_test_split(np.arange(60_000), test_size=10_000, stratify=labels, random_state=0)
    for ours, theirs in zip(data.split(), chosen, strict=True):
        assert ours.tolist() == sorted(theirs)


def test_class_names_are_those_of_torchvision():
    assert tuple(FashionMNIST.classes) == data.CLASSES


def test_normalised_training_pixels_have_mean_0_and_deviation_1(splits):
    pixels = data.normalise(splits.train.images).double()
    assert abs(pixels.mean()) < 0.001
    assert abs(pixels.std() - 1) < 0.001


def test_normalising_leaves_the_bytes_alone(few):
    before = few.train.images.clone()
    assert data.normalise(few.train.images).dtype == torch.float32
    assert torch.equal(few.train.images, before)


def test_images_can_stay_as_they_are_stored(few):
    assert torch.equal(next(data.batches(few.train, 600, prepare=lambda images: images))[0], few.train.images)


def test_one_pass_yields_every_image_once_in_order(few):
    passes = list(data.batches(few.train, 128))
    assert [len(labels) for _, labels in passes] == [128] * 4 + [88]
    assert torch.equal(torch.cat([labels for _, labels in passes]), few.train.labels)
    assert torch.equal(torch.cat([images for images, _ in passes]), data.normalise(few.train.images))


def test_a_generator_shuffles_images_with_their_labels(few):
    first, second = (next(data.batches(few.train, 600, torch.Generator().manual_seed(seed))) for seed in (0, 1))
    assert not torch.equal(first[1], second[1])
    order = torch.randperm(600, generator=torch.Generator().manual_seed(0))
    assert torch.equal(first[1], few.train.labels[order])
    assert torch.equal(first[0], data.normalise(few.train.images[order]))


def test_each_pass_with_one_generator_has_another_order(few):
    order = torch.Generator().manual_seed(0)
    passes = [torch.cat([labels for _, labels in data.batches(few.train, 128, order)]) for _ in range(2)]
    assert not torch.equal(*passes)
