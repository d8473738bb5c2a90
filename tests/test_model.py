import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from codealong import model
from codealong.figures import networks

PUBLISHED_SUMMARY = """
            Conv2d-1           [-1, 16, 28, 28]             160
              ReLU-2           [-1, 16, 28, 28]               0
         MaxPool2d-3           [-1, 16, 14, 14]               0
            Conv2d-4           [-1, 32, 14, 14]           4,640
              ReLU-5           [-1, 32, 14, 14]               0
         MaxPool2d-6             [-1, 32, 7, 7]               0
           Flatten-7                 [-1, 1568]               0
            Linear-8                  [-1, 128]         200,832
              ReLU-9                  [-1, 128]               0
           Linear-10                   [-1, 10]           1,290
================================================================
Total params: 206,922
Trainable params: 206,922
Non-trainable params: 0
"""


def test_summary_is_the_published_one():
    assert PUBLISHED_SUMMARY in model.summary(model.FashionCNN())


def test_deep_network_is_the_published_text():
    kinds = [row.kind for row in model.layers(model.DeepFashionCNN())]
    convolutions = ["Conv2d", "ReLU", "Conv2d", "ReLU", "MaxPool2d"]
    assert kinds == convolutions * 2 + ["Flatten", "Linear", "ReLU", "Linear"]
    assert "Total params: 218,490" in model.summary(model.DeepFashionCNN())


def test_deep_network_keeps_the_size_until_it_pools():
    shapes = [row.output_shape for row in model.layers(model.DeepFashionCNN()) if row.kind == "Conv2d"]
    assert shapes == [(16, 28, 28), (16, 28, 28), (32, 14, 14), (32, 14, 14)]


def test_a_frozen_layer_is_counted_as_not_trainable():
    net = model.FashionCNN()
    net.features[0].requires_grad_(False)
    assert "Trainable params: 206,762\nNon-trainable params: 160" in model.summary(net)


@pytest.mark.parametrize("network", [model.FashionCNN, model.DeepFashionCNN])
def test_logits_are_ten_per_image_and_unbounded(network):
    logits = network()(torch.randn(5, 1, 28, 28))
    assert logits.shape == (5, 10)
    assert logits.min() < 0


@pytest.mark.parametrize("network", [model.FashionCNN, model.DeepFashionCNN])
def test_drawing_names_every_layer_but_relu_and_its_shape(network):
    fig = networks.network(network(), "title")
    labels = [text.get_text().replace("\nPool", "Pool") for axis in fig.axes for text in axis.texts]
    written = [line for label in labels for line in label.split("\n")]
    for row in model.layers(network()):
        if row.kind != "ReLU":
            assert row.kind in written
            assert "×".join(map(str, row.output_shape)) in written
    plt.close(fig)


def test_solids_are_sized_by_feature_map_and_coloured_by_type():
    fig = networks.network(model.FashionCNN(), "title")
    fronts = fig.axes[0].patches[::6]  # each solid: front, top and side, each with its shadow
    kinds = ["Input", *(row.kind for row in model.layers(model.FashionCNN()))]
    assert [to_hex(front.get_facecolor()).upper() for front in fronts] == [networks.COLOURS[kind] for kind in kinds]
    heights = {kind: [] for kind in kinds}
    for kind, front in zip(kinds, fronts, strict=True):
        heights[kind].append(float(np.ptp(front.get_xy()[:, 1])))
    assert heights["Conv2d"][0] == pytest.approx(2 * heights["Conv2d"][1])
    assert heights["Linear"][0] > heights["Linear"][1]
    plt.close(fig)


def test_labels_of_the_drawing_do_not_touch():
    fig = networks.network(model.DeepFashionCNN(), "title")
    fig.canvas.draw()
    boxes = [text.get_window_extent() for text in fig.axes[0].texts]
    assert not [1 for i, box in enumerate(boxes) for other in boxes[i + 1 :] if box.overlaps(other)]
    plt.close(fig)


def test_legend_explains_every_layer_type_that_is_drawn():
    kinds = {row.kind for net in (model.FashionCNN(), model.DeepFashionCNN()) for row in model.layers(net)}
    assert kinds < set(networks.COLOURS) == set(networks.MEANING)


def test_pooling_first_is_the_same_function_with_the_same_gradients():
    images = torch.randn(16, 1, 28, 28)
    found = []
    for order in (lambda net: net, model.pool_first):
        torch.manual_seed(0)
        net = order(model.FashionCNN())
        logits = net(images)
        logits.square().sum().backward()
        found.append((list(net.state_dict()), logits, *(weight.grad for weight in net.parameters())))
    assert found[0][0] == found[1][0]
    for ours, theirs in zip(found[0][1:], found[1][1:], strict=True):
        assert torch.equal(ours, theirs)


def test_pooling_first_moves_every_relu_that_a_pooling_follows():
    kinds = [type(layer).__name__ for layer in model.pool_first(model.FashionCNN()).features]
    assert kinds == ["Conv2d", "MaxPool2d", "ReLU"] * 2
    kinds = [type(layer).__name__ for layer in model.pool_first(model.DeepFashionCNN()).features]
    assert kinds == ["Conv2d", "ReLU", "Conv2d", "MaxPool2d", "ReLU"] * 2


def test_a_wide_network_has_more_channels_and_units():
    shapes = [tuple(weight.shape) for weight in model.wide(2).parameters() if weight.dim() > 1]
    assert shapes == [(32, 1, 3, 3), (64, 32, 3, 3), (256, 64 * 7 * 7), (10, 256)]
    assert model.wide(2)(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_the_narrowest_is_the_course_s_own():
    torch.manual_seed(0)
    own = model.FashionCNN()
    torch.manual_seed(0)
    assert all(map(torch.equal, model.wide(1).state_dict().values(), own.state_dict().values()))
