import dataclasses
import io
import re
import time

import pytest
import torch

from codealong import progress, training
from codealong.arms import ARMS

SHORT = dataclasses.replace(training.RECIPE, epochs=2)


@pytest.fixture(scope="module")
def fitted(few):
    return training.fit("stock-fp32", 0, few.train, few.valid, SHORT)


def test_the_same_seed_gives_the_same_run(few, fitted):
    again = training.fit("stock-fp32", 0, few.train, few.valid, SHORT)
    for one, other in zip(again.net.parameters(), fitted.net.parameters(), strict=True):
        assert torch.equal(one, other)
    assert [epoch.train_loss for epoch in again.history] == [epoch.train_loss for epoch in fitted.history]


def test_another_seed_gives_another_run(few, fitted):
    other = training.fit("stock-fp32", 1, few.train, few.valid, SHORT)
    assert other.history[0].train_loss != fitted.history[0].train_loss


def test_history_agrees_with_the_network_that_is_returned(few, fitted):
    net, history = fitted.net, fitted.history
    assert [epoch.epoch for epoch in history] == [1, 2]
    assert (history[-1].valid_loss, history[-1].valid_accuracy) == training.evaluate(net, few.valid)


def test_rate_and_seconds_of_an_epoch_agree(fitted):
    for epoch in fitted.history:
        assert epoch.seconds > 0
        assert epoch.images_per_second == pytest.approx(600 / epoch.seconds)


def test_the_seconds_of_an_epoch_are_of_training_alone(few, monkeypatch):
    def evaluate(net, split):
        time.sleep(0.5)
        return 0.0, 0.0

    monkeypatch.setattr(training, "evaluate", evaluate)
    began = time.perf_counter()
    history = training.fit("stock-fp32", 0, few.train, few.valid, SHORT).history
    assert sum(epoch.seconds for epoch in history) <= time.perf_counter() - began - 2 * 0.5


def test_the_seed_decides_the_order_of_the_images_too(few, monkeypatch):
    orders = {}
    step = training.train_step

    def watched(net, optimizer, images, labels, arm):
        orders.setdefault(seed, []).append(labels)
        return step(net, optimizer, images, labels, arm)

    monkeypatch.setattr(training, "train_step", watched)
    for seed in (0, 1):
        training.fit("stock-fp32", seed, few.train, few.valid, dataclasses.replace(SHORT, epochs=1))
    first, second = (torch.cat(labels) for labels in orders.values())
    assert not torch.equal(first, second) and torch.equal(first.sort().values, second.sort().values)


def test_a_loss_that_is_no_number_ends_the_training_with_a_sentence(few):
    steep = dataclasses.replace(SHORT, max_lr=1e30)
    with pytest.raises(training.Diverged, match=r"stock-fp32, seed 0, became \w+ in epoch 1: .* than 1e\+30"):
        training.fit("stock-fp32", 0, few.train, few.valid, steep)


def test_an_evaluation_looks_at_every_image(few):
    class Even(torch.nn.Module):
        """Is sure of class 0 for the first images it sees, and of class 1 afterwards."""

        seen = 0

        def forward(self, images):
            places = torch.arange(self.seen, self.seen + len(images))
            self.seen += len(images)
            return torch.nn.functional.one_hot((places >= 450).long(), 10) * 100.0

    split = few.valid._replace(labels=torch.zeros(600, dtype=torch.int64))
    loss, accuracy = training.evaluate(Even(), split)
    assert accuracy == 0.75 and loss == pytest.approx(25)


def test_training_accuracy_is_counted_while_training(few):
    history = training.fit("stock-fp32", 0, few.train, few.valid, dataclasses.replace(SHORT, max_lr=1e-12)).history
    untrained = training.evaluate(training.initial(0), few.train)
    assert history[0].train_loss == pytest.approx(untrained[0], rel=1e-4)
    assert history[0].train_accuracy == pytest.approx(untrained[1], abs=0.005)


def test_one_step_is_adam_on_the_mean_cross_entropy(few):
    nets = [training.initial(0) for _ in range(2)]
    optimizers = [torch.optim.Adam(net.parameters(), lr=1e-3) for net in nets]
    images, labels = few.train.images[:64].float(), few.train.labels[:64]
    loss, logits = training.train_step(nets[0], optimizers[0], images, labels, ARMS["stock-fp32"])
    assert torch.equal(logits, nets[1](images))
    probabilities = nets[1](images).softmax(1)[torch.arange(64), labels]
    by_hand = -probabilities.log().mean()
    assert torch.isclose(loss, by_hand)
    by_hand.backward()
    optimizers[1].step()
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_gradients_do_not_add_up_over_steps(few):
    net = training.initial(0)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.0)
    images, labels = few.train.images[:64].float() / 255, few.train.labels[:64]
    gradients = []
    for _ in range(2):
        training.train_step(net, optimizer, images, labels, ARMS["stock-fp32"])
        gradients.append(net.classifier[3].bias.grad.clone())
    assert torch.equal(*gradients)


def test_probabilities_sum_to_one_and_follow_the_images(few, fitted):
    probabilities = training.predict(fitted.net, few.test)
    assert probabilities.shape == (600, 10) and probabilities.dtype == torch.float32
    assert torch.allclose(probabilities.sum(1), torch.ones(600))
    accuracy = (probabilities.argmax(1) == few.test.labels).float().mean().item()
    assert accuracy == training.evaluate(fitted.net, few.test)[1] > 0.5


def test_the_schedule_covers_every_step():
    optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = training.schedule(optimizer, SHORT, 600)
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert max(rates) == pytest.approx(SHORT.max_lr)
    assert rates[-1] < SHORT.max_lr / 1000
    with pytest.raises(ValueError, match="Tried to step"):
        scheduler.step()


def test_an_interrupt_says_that_nothing_was_recorded(few, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.fit("stock-fp32", 0, few.train, few.valid, SHORT)
    assert "stopped in epoch 1 of 2; nothing was recorded" in capsys.readouterr().out


def test_a_file_gets_a_title_a_heading_and_a_row_an_epoch(few, capsys):
    training.fit("stock-fp32", 0, few.train, few.valid, SHORT)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "stock-fp32, seed 0: 2 epochs of 600 images"
    assert re.split(" {2,}", lines[1].strip()) == [heading for heading, _ in progress.COLUMNS.values()]
    assert [line.split()[0] for line in lines[2:]] == ["1", "2"]
    assert len({len(line) for line in lines[1:]}) == 1


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_where_training_is(monkeypatch):
    terminal = Terminal()
    clock = iter((100.0, 105.0))  # 50 images in 5 seconds, 150 to go
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 0)
    with progress.Progress("title", 2, 100) as shown:
        shown.advance(50, 25.0, 40)
    live = terminal.getvalue()
    for part in ("epoch 1/2", "━" * 12 + "─" * 12, "loss 0.500", "accuracy 0.800", "10 images/s", "0:15 left"):
        assert part in live


class Display:
    """Stands in for IPython's display of a notebook."""

    def __init__(self):
        self.shown = []

    def __call__(self, content, raw, display_id):
        self.shown.append(content["text/plain"])
        return self

    def update(self, content, raw):
        self.shown.append(content["text/plain"])


def test_a_notebook_s_display_ends_as_it_began(monkeypatch):
    display = Display()
    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(progress, "_line_for_this_output", progress._NotebookLine)
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 0)
    with progress.Progress("title", 2, 100) as shown:
        shown.advance(50, 25.0, 40)
    assert len(display.shown) == 3
    assert display.shown[0] == display.shown[-1] == "title: 2 epochs of 100 images"


def test_a_tuned_arm_starts_from_the_same_weights():
    _, plain, _ = training.start("stock-bf16", 3, training.RECIPE)
    _, tuned, _ = training.start("stock-bf16", 3, training.TUNED)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), tuned.parameters(), strict=True))


def test_a_tuned_arm_is_channels_last_fused_and_pools_first():
    arm, net, optimizer = training.start("stock-fp32", 0, training.TUNED)
    assert arm.memory_format is torch.channels_last
    assert net.features[3].weight.is_contiguous(memory_format=torch.channels_last)
    assert optimizer.defaults["fused"]
    assert type(net.features[0]).__name__ == "FirstBlock" and type(net.features[4]).__name__ == "PoolReLU"
    _, stock, _ = training.start("stock-fp32", 0, dataclasses.replace(training.TUNED, operators=False))
    assert isinstance(stock.features[1], torch.nn.MaxPool2d)


def test_the_course_s_own_recipe_is_plain():
    arm, net, optimizer = training.start("stock-fp32", 0, training.RECIPE)
    assert arm == ARMS["stock-fp32"] and not optimizer.defaults["fused"]
    assert isinstance(net.features[1], torch.nn.ReLU)


@pytest.mark.parametrize("arm", ["stock-fp32", pytest.param("stock-bf16", marks=pytest.mark.slow)])
def test_the_tuned_recipe_learns_and_returns_a_plain_network(few, arm):
    recipe = dataclasses.replace(training.TUNED, epochs=8, batch_size=50, max_lr=4e-3)
    trained = training.fit(arm, 0, few.train, few.valid, recipe)
    net, history = trained.net, trained.history
    assert history[-1].valid_accuracy > 0.7
    assert isinstance(net.features[1], torch.nn.ReLU) and net.features[0].weight.dtype is torch.float32


@pytest.mark.parametrize("arm", ["stock-fp32", pytest.param("stock-bf16", marks=pytest.mark.slow)])
def test_warming_up_changes_nothing_that_is_learned(few, arm):
    losses = []
    for warm in (False, True):
        if warm:
            training.warm_up(arm, few.train, steps=3)
        history = training.fit(arm, 2, few.train, few.valid, training.Recipe(epochs=1)).history
        losses.append(history[0].train_loss)
    assert losses[0] == losses[1]
