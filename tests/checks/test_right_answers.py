"""Whatever a text-book would give is right, too."""

import bisect
import copy
from collections import Counter

import numpy as np
import pytest
import scipy.stats
import torch
from scipy.stats import t as student_t
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score
from torch import nn
from torch.nn import functional as F
from torchvision.transforms.v2.functional import normalize

from codealong import checks, data
from codealong.model import FashionCNN
from tests.checks import EXERCISES


def in_place(images):
    pixels = images.to(torch.float32)
    pixels /= 255.0
    pixels -= data.MEAN
    pixels /= data.STD
    return pixels


def loop(others, unseen):
    seen, count = set(others), 0
    for image in unseen:
        if image in seen:
            count += 1
    return count


def dictionary(others, unseen):
    seen = {image: True for image in others}
    return len([image for image in unseen if seen.get(image, False)])


def counter(others, unseen):
    times = Counter(others)
    return sum(1 for image in unseen if times[image] > 0)


def sorted_search(others, unseen):
    ordered = sorted(others)
    places = [bisect.bisect_left(ordered, image) for image in unseen]
    return sum(place < len(ordered) and ordered[place] == image for place, image in zip(places, unseen, strict=True))


def module_loss(net, optimizer, images, labels):
    criterion = nn.CrossEntropyLoss()
    net.train()
    outputs = net(images)
    loss = criterion(outputs, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def zero_grad_last(net, optimizer, images, labels):
    loss = F.cross_entropy(net(images), labels)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


def by_hand(net, optimizer, images, labels):
    net.zero_grad(set_to_none=False)
    loss = F.nll_loss(F.log_softmax(net.forward(images), dim=1), labels)
    loss.backward()
    optimizer.step()
    return loss.detach().clone()


def closure(net, optimizer, images, labels):
    def loss_of_batch():
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), F.one_hot(labels, 10).float())
        loss.backward()
        return loss

    return optimizer.step(loss_of_batch).detach()


def logarithm(net, optimizer, images, labels):
    optimizer.zero_grad()
    probabilities = net(images).softmax(dim=1)
    loss = -probabilities[range(len(labels)), labels].log().mean()
    loss.backward()
    optimizer.step()
    return torch.tensor(loss.item())


@torch.no_grad()
def decorated(net, split):
    net.eval()
    right = torch.sum(net(data.normalise(split.images)).argmax(1) == split.labels)
    net.train()
    return right / len(split.labels)


def in_batches(net, split):
    net.eval()
    right = total = 0
    with torch.inference_mode():
        for images, labels in data.batches(split, 64):
            _, predicted = torch.max(net(images), 1)
            total += labels.size(0)
            right += (predicted == labels).sum().item()
    net.train()
    return right / total


def by_sklearn(net, split):
    was = net.training
    net.eval()
    with torch.no_grad():
        probabilities = F.softmax(net(data.normalise(split.images)), dim=1)
    net.train(was)
    return accuracy_score(split.labels, probabilities.topk(1).indices[:, 0])


def keywords(net, images, labels):
    with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
        logits = net(images)
        return logits, nn.CrossEntropyLoss()(logits, labels)


def amp(net, images, labels):
    with torch.amp.autocast("cpu", torch.bfloat16):
        output = net(images)
        loss = F.cross_entropy(output, labels)
    return [output, loss]


@torch.autocast("cpu")
def default_type(net, images, labels):
    logits = net(images)
    return logits, F.cross_entropy(logits, labels)


def recalls_by_loop(labels, first, second):
    differences = []
    for label in range(10):
        mask = labels == label
        before, after = (sum(classes[mask] == label) / mask.sum() for classes in (first, second))
        differences.append(100 * (after - before))
    return differences


def recalls_by_matrix(labels, first, second):
    one, other = confusion_matrix(labels, first), confusion_matrix(labels, second)
    return 100 * (np.diag(other) / other.sum(axis=1) - np.diag(one) / one.sum(axis=1))


def recalls_by_bincount(labels, first, second):
    right = [np.bincount(labels[classes == labels], minlength=10) for classes in (first, second)]
    return (right[1] - right[0]) / np.bincount(labels) * 100


def by_sem(first, second):
    difference = np.subtract(second, first)
    n = difference.size
    reach = scipy.stats.sem(difference) * student_t.ppf(1 - 0.05 / 2, n - 1)
    return [np.mean(difference), np.mean(difference) - reach, np.mean(difference) + reach]


def by_interval(first, second):
    difference = second - first
    error = np.std(difference, ddof=1) / np.sqrt(len(difference))
    return np.array([difference.mean(), *student_t.interval(0.95, len(first) - 1, difference.mean(), error)])


def by_test(first, second):
    low, high = scipy.stats.ttest_rel(second, first).confidence_interval(0.95)
    return float((second - first).mean()), low, high


def by_root_of_n_minus_1(first, second):
    difference = second - first
    n = len(first)
    mean = difference.sum() / n
    error = (((difference - mean) ** 2).sum() / (n - 1) / n) ** 0.5
    return mean, mean + student_t.ppf(0.025, n - 1) * error, mean + student_t.ppf(0.975, n - 1) * error


def parameters(layer):
    return sum(parameter.numel() for parameter in layer.parameters())


RIGHT = {
    "normalise": (
        lambda images: images.float().div(255).sub(data.MEAN).div(data.STD),
        lambda images: (images / 255 - data.MEAN) / data.STD,
        lambda images: (images - 255 * data.MEAN) / (255 * data.STD),
        lambda images: normalize(images.float() / 255, [data.MEAN], [data.STD]),
        lambda images: (torch.as_tensor(images, dtype=torch.float32) / 255 - data.MEAN).true_divide(data.STD),
        in_place,
    ),
    "count_twins": (
        lambda others, unseen: torch.tensor(len(set(unseen).intersection(others))),
        lambda others, unseen: len(set(unseen) - (set(unseen) - set(others))),
        lambda others, unseen: sum(map(set(others).__contains__, set(unseen))),
        lambda others, unseen: np.isin(unseen, others).sum(),
        lambda others, unseen: len(set(others)) + len(set(unseen)) - len(set(others + unseen)),
        loop, dictionary, counter, sorted_search,
    ),
    "conv_parameters": (
        lambda inputs, outputs, size=3: parameters(nn.Conv2d(inputs, outputs, size)),
        lambda inputs, outputs, size=3: inputs * outputs * size**2 + outputs,
        lambda inputs, outputs, size=3: sum(inputs * pow(size, 2) + 1 for _ in range(outputs)),
    ),
    "dense_parameters": (
        lambda inputs, outputs: parameters(nn.Linear(inputs, outputs)),
        lambda inputs, outputs: inputs * outputs + outputs,
        lambda inputs, outputs: np.zeros((outputs, inputs + 1)).size,
    ),
    "train_step": (module_loss, zero_grad_last, by_hand, closure, logarithm),
    "accuracy": (
        decorated, in_batches, by_sklearn,
        lambda net, split: checks.accuracy.solution(copy.deepcopy(net), split),
    ),
    "bf16_loss": (keywords, amp, default_type),
    "recall_difference": (
        recalls_by_loop, recalls_by_matrix, recalls_by_bincount,
        lambda labels, *pair: 100 * np.subtract(*(recall_score(labels, one, average=None) for one in pair[::-1])),
        lambda labels, *pair: torch.from_numpy(checks.recall_difference.solution(labels, *pair)),
    ),
    "only_one": (
        lambda first, second: [np.sum(first > second), np.sum(second > first)],
        lambda first, second: (np.count_nonzero(first & ~second), np.count_nonzero(second & ~first)),
        lambda first, second: (len(first[first & ~second]), len(np.flatnonzero(second & ~first))),
        lambda first, second: (first.sum() - (first & second).sum(), second.sum() - (first & second).sum()),
        lambda first, second: tuple(confusion_matrix(first, second)[[1, 0], [0, 1]]),
        lambda first, second: (
            sum(a and not b for a, b in zip(first, second, strict=True)),
            sum(b and not a for a, b in zip(first, second, strict=True)),
        ),
        lambda first, second: np.array([np.logical_and(first, second == False).sum(), (first < second).sum()]),  # noqa: E712
    ),
    "paired_interval": (by_sem, by_interval, by_test, by_root_of_n_minus_1),
    "amdahl": (
        lambda share, times: torch.tensor(1 / (1 - share + share / times)),
        lambda share, times: times / (times * (1 - share) + share),
        lambda share, times: np.reciprocal((1 - share) + share / times),
    ),
    "attainable": (
        lambda peak, bandwidth, intensity: np.minimum(peak, bandwidth * intensity),
        lambda peak, bandwidth, intensity: peak if peak < bandwidth * intensity else intensity * bandwidth,
        lambda peak, bandwidth, intensity: sorted([peak, bandwidth * intensity])[0],
    ),
    "bytes_moved": (lambda size: [7 * size + 8, 5 * size + 1],),
    "pool_relu": (
        lambda window: [max([*window, 0.0]), [*window, 0.0].index(max([*window, 0.0])) if max(window) > 0 else 4],
        lambda window: max([(0.0, 4), *zip(window, range(4), strict=True)], key=lambda each: each[0]),
        lambda window: (np.max([*window, 0]), np.argmax([*window, 0]) if max(window) > 0 else 4),
    ),
    "pool_relu_backward": (
        lambda gradient, place: torch.zeros(5).scatter(0, torch.tensor(place), gradient)[:4],
        lambda gradient, place: np.eye(5)[place][:4] * gradient,
        lambda gradient, place: tuple(gradient * (where == place) for where in range(4)),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers])
def test_a_right_answer_of_another_kind_is_right(name, answer, capsys):
    assert EXERCISES[name](answer) is answer
    assert capsys.readouterr().out == f"✅ {name}\n"


def layer_by_layer(self, images):
    for layer in (*self.features, *self.classifier):
        images = layer(images)
    return images


def flattened_before(self, images):
    x = self.features(images)
    x = x.view(x.size(0), -1)
    return self.classifier(x)


def functional(self, images):
    x = F.max_pool2d(F.relu(self.features[0](images)), 2)
    x = F.max_pool2d(F.relu(self.features[3](x), inplace=True), 2)
    x = self.classifier[1](torch.flatten(x, 1))
    return self.classifier[3](F.relu(x))


def joined(self, images):
    return nn.Sequential(self.features, self.classifier)(images)


@pytest.mark.parametrize("forward", [layer_by_layer, flattened_before, functional, joined])
def test_another_way_through_the_same_layers_is_right(forward):
    network = type("FashionCNN", (FashionCNN,), {"forward": forward})
    assert checks.network(network) is network


def test_layers_made_in_another_order_and_written_otherwise_are_right():
    class Otherwise(nn.Module):
        def __init__(self):
            super().__init__()
            self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10))
            first = (nn.Conv2d(1, 16, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2, 2))
            self.features = nn.Sequential(*first, nn.Conv2d(16, 32, (3, 3), 1, 1), nn.MaxPool2d(2), nn.ReLU())

        def forward(self, images):
            return self.classifier(self.features(images))

    assert checks.network(Otherwise) is Otherwise


def test_a_relu_that_works_in_place_is_right():
    class InPlace(FashionCNN):
        def __init__(self):
            super().__init__()
            for layer in (*self.features, *self.classifier):
                if isinstance(layer, nn.ReLU):
                    layer.inplace = True

    assert checks.network(InPlace) is InPlace
