"""Checks of notebook 4: the line that IPEX adds, and the schedule that belongs to its optimizer."""

import contextlib
import warnings

import torch
from torch.nn.functional import cross_entropy

from codealong import data, ipex_guard, training
from codealong.checks.exercise import Exercise, Wrong, examples

STEPS = 12

NOT_TWO = (
    "it should return two things, the network and the optimizer that ipex.optimize returns. Without the optimizer "
    "in its arguments, IPEX returns a network only, and nobody trains it."
)
NOT_THREE = "it should return three things: the network, its optimizer, and the scheduler."
OTHER_PEAK = (
    "the learning rate does not rise to training.RECIPE.max_lr within total_steps. Adam's own rate, or a number of "
    "epochs, is what most scripts have at hand; this schedule moves with every step."
)
OTHER_COURSE = (
    "the learning rate takes another course than OneCycleLR's own, which rises for the first 30 % of the steps: leave "
    "its other arguments as they are, so that all arms share one schedule."
)
OLD_OPTIMIZER = (
    "this is the old optimizer. It still exists and steps without complaint, but over weights that the new network no "
    "longer uses: return both of what ipex.optimize returns."
)
OLD_NETWORK = (
    "this is the old network. The name `net` means it until the result is stored in it; the new optimizer steps over "
    "the weights of another."
)
OWN_OPTIMIZER = (
    "this is a new optimizer, and not the one that ipex.optimize returns. It learns, but without what IPEX's own keeps "
    "for it, such as the missing half of each bfloat16 weight."
)
IN_PLACE = "inplace=True changes the network that was handed in, and its original is gone: leave it out here."
UNTOUCHED = "nothing was done to them: call ipex.optimize. Importing IPEX alone does not touch a network."


def _optimize(net, optimizer=None, dtype=torch.bfloat16, **options):
    import intel_extension_for_pytorch

    return intel_extension_for_pytorch.optimize(net, optimizer=optimizer, dtype=dtype, **options)


def _fresh():
    ipex_guard.load()
    net = training.initial(0)
    return net, torch.optim.Adam(net.parameters(), lr=1e-3)


def _learns(net, optimizer):
    """Tell whether the loss of three steps on the same images falls.

    A network that IPEX prepared for float32 ends the process under bfloat16's autocast, so that it goes without.
    """
    test = examples()
    images, labels = data.normalise(test.images[:128]), test.labels[:128]
    halved = net.classifier[1].weight.dtype == torch.bfloat16
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16) if halved else contextlib.nullcontext():
            loss = cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[-1] < losses[0]


def _state(net, optimizer, old_net, old):
    """Describe what came back: which network, in which precision, with which optimizer, and whether it learns."""
    layers = net.features[0], net.classifier[1]
    made_by_ipex = hasattr(optimizer, "params_attr")
    kinds = tuple((type(layer).__name__, str(layer.weight.dtype)) for layer in layers)
    return kinds, optimizer is old, made_by_ipex, net is old_net, _learns(net, optimizer)


def _optimised(answer):
    net, old = _fresh()
    returned = answer(net, old)
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise Wrong(NOT_TWO)
    return _state(*returned, net, old)


def _twice(net, optimizer):
    return _optimize(*_optimize(net, optimizer))


def _positional(net, optimizer):
    import intel_extension_for_pytorch

    return intel_extension_for_pytorch.optimize(net, optimizer, torch.bfloat16)


def _own_optimizer(net, optimizer):
    net, _ = _optimize(net, optimizer)
    return net, torch.optim.Adam(net.parameters(), lr=1e-3)


with_ipex = Exercise(
    "with_ipex",
    lambda net, optimizer: _optimize(net, optimizer),
    _optimised,
    {
        OLD_OPTIMIZER: lambda net, optimizer: (_optimize(net, optimizer)[0], optimizer),
        OLD_NETWORK: lambda net, optimizer: (net, _optimize(net, optimizer)[1]),
        OWN_OPTIMIZER: _own_optimizer,
        "it does not learn. Most often it was optimised twice, as when a cell is run again, or the optimizer is "
        "that of another network; there is no message.": _twice,
        "this is prepared for float32: dtype=torch.bfloat16 is missing, or is a string, which IPEX passes over. It "
        "works, and it is another arm.": lambda net, optimizer: _optimize(net, optimizer, dtype=None),
        "IPEX had nothing to do with it: the network itself was turned into bfloat16. Small steps of the optimizer are "
        "then lost in rounding; IPEX keeps the missing bits.": (
            lambda net, optimizer: (net.bfloat16(), optimizer),
            lambda net, optimizer: (net.bfloat16(), torch.optim.Adam(net.parameters(), lr=1e-3)),
        ),
        IN_PLACE: lambda net, optimizer: _optimize(net, optimizer, inplace=True),
        UNTOUCHED: lambda net, optimizer: (net, optimizer),
        "the second argument of ipex.optimize is dtype, and not the optimizer: give both their names.": _positional,
        NOT_TWO: lambda net, optimizer: (_optimize(net, optimizer)[0],),
    },
)


def _one_cycle(optimizer, steps, max_lr=training.RECIPE.max_lr, **options):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=max_lr, total_steps=steps, **options)


def _scheduled(answer):
    """Return what came back, whether the scheduler turns its optimizer, and the learning rates."""
    net, old = _fresh()
    returned = answer(net, old, STEPS)
    if not isinstance(returned, tuple | list) or len(returned) != 3:
        raise Wrong(NOT_THREE)
    new, optimizer, scheduler = returned
    starts, turned = optimizer.param_groups[0]["lr"], scheduler.optimizer is optimizer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a scheduler of another optimizer warns; the check says it in other words
        rates = _rates(optimizer, scheduler)
        own = _rates(optimizer, _one_cycle(torch.optim.SGD([torch.zeros(1)], lr=1.0), STEPS))
    if turned and rates != own:
        rises = len(rates) == STEPS and max(rates) > 0.9 * training.RECIPE.max_lr
        raise Wrong(OTHER_COURSE if rises else OTHER_PEAK)
    return *_state(new, optimizer, net, old), turned, starts, rates


def _rates(optimizer, scheduler):
    """Return the learning rate of each step, as far as the scheduler goes."""
    rates = []
    for step in range(STEPS):
        if step:
            try:
                scheduler.step()
            except ValueError:  # it was built for fewer steps
                break
        turned = optimizer if scheduler.optimizer is optimizer else scheduler.optimizer
        rates.append(round(turned.param_groups[0]["lr"], 9))
    return rates


def _scheduled_as(peak=training.RECIPE.max_lr, steps=None, dtype=torch.float32, **options):
    """Return an answer like the solution, but for one thing."""

    def with_schedule(net, optimizer, total_steps):
        net, optimizer = _optimize(net, optimizer, dtype)
        return net, optimizer, _one_cycle(optimizer, steps or total_steps, peak, **options)

    return with_schedule


def _schedule_first(net, optimizer, total_steps):
    scheduler = _one_cycle(optimizer, total_steps)
    return *_optimize(net, optimizer, torch.float32), scheduler


def _schedule_on_the_old(net, old, total_steps):
    net, optimizer = _optimize(net, old, torch.float32)
    return net, optimizer, _one_cycle(old, total_steps)


def _old_optimizer(net, old, total_steps):
    net, optimizer = _optimize(net, old, torch.float32)
    return net, old, _one_cycle(optimizer, total_steps)


def _old_optimizer_throughout(net, old, total_steps):
    net, _ = _optimize(net, old, torch.float32)
    return net, old, _one_cycle(old, total_steps)


def _old_network(net, optimizer, total_steps):
    _, optimizer = _optimize(net, optimizer, torch.float32)
    return net, optimizer, _one_cycle(optimizer, total_steps)


def _in_place(net, optimizer, total_steps):
    net, optimizer = _optimize(net, optimizer, torch.float32, inplace=True)
    return net, optimizer, _one_cycle(optimizer, total_steps)


with_schedule = Exercise(
    "with_schedule",
    _scheduled_as(),
    _scheduled,
    {
        "the scheduler was built before ipex.optimize, so it turns the old optimizer, which nobody steps. It is the "
        "order of most scripts, and the learning rate stays at the value that it starts from.": _schedule_first,
        "the scheduler is built on the old optimizer. Both are called optimizer in most scripts; the new one never "
        "hears of it, and keeps its learning rate.": _schedule_on_the_old,
        OLD_OPTIMIZER: (_old_optimizer, _old_optimizer_throughout),
        OLD_NETWORK: _old_network,
        "this is prepared for bfloat16, and float32 was asked for: another dtype is another arm.": _scheduled_as(
            dtype=torch.bfloat16
        ),
        OTHER_PEAK: (_scheduled_as(peak=1e-3), _scheduled_as(steps=training.RECIPE.epochs), _scheduled_as(steps=99)),
        OTHER_COURSE: _scheduled_as(pct_start=0.5),
        IN_PLACE: _in_place,
        UNTOUCHED: lambda net, optimizer, total_steps: (net, optimizer, _one_cycle(optimizer, total_steps)),
        NOT_THREE: lambda net, optimizer, total_steps: _optimize(net, optimizer, torch.float32),
    },
)
