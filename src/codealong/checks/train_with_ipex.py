"""Checks of notebook 4: the line that IPEX adds, and the schedule that belongs to its optimizer."""

import warnings
from unittest import mock

import torch

from codealong import arms, ipex_guard, training
from codealong.checks.exercise import Exercise, Wrong, batch
from codealong.checks.typed import Typed

STEPS = 12

NOT_TWO = (
    "it should return two things, the network and the optimizer that ipex.optimize returns. Without the optimizer "
    "among its arguments, IPEX returns a network only, and nothing trains that."
)
A_PAIR = (
    "ipex.optimize returns two things, and both of them went into one name: `net, optimizer = ipex.optimize(…)` gives "
    "each a name of its own."
)
OTHER_ORDER = "the order is another one: the network, its optimizer, then the scheduler."
NOT_THREE = "it should return three things: the network, its optimizer, and the scheduler."
OTHER_PEAK = (
    "the learning rate does not rise to training.RECIPE.max_lr. Adam's own rate is what most scripts have at hand; the "
    "recipe's is larger, because the schedule comes to it and goes again."
)
OTHER_STEPS = (
    "it is built for another number of steps. This schedule moves with every step, not with every epoch, and "
    "total_steps says how many there are."
)
MOVED = "the scheduler has stepped already. It steps in the training loop, once after each step of the optimizer."
OTHER_COURSE = (
    "the learning rate follows another curve than that of OneCycleLR alone, which rises for the first 30 % of the "
    "steps. Leave its other arguments as they are: all arms share one schedule."
)
OLD_OPTIMIZER = (
    "this is the old optimizer. It still exists and steps without complaint, but over weights that the new network no "
    "longer uses: return both of what ipex.optimize returns."
)
OLD_NETWORK = (
    "this is the old network. The new optimizer steps over the weights of another one: return both of what "
    "ipex.optimize returns."
)
THROWN_AWAY = (
    "ipex.optimize was called, but what it returns is lost. It leaves the network as it is and returns another one: "
    "`net, optimizer = ipex.optimize(…)`. Other calls, such as net.eval(), do change the network, so this is easily "
    "overlooked."
)
IN_PLACE = "inplace=True changes the network that was handed in, and its original is gone: leave it out here."
UNTOUCHED = "nothing was done to them: call ipex.optimize. Importing IPEX alone does not touch a network."


def _learns(net, optimizer):
    """Tell whether the loss of three steps on the same images falls.

    A network that IPEX prepared for float32 ends the process under bfloat16's autocast, so it goes without.
    """
    halved = net.classifier[1].weight.dtype == torch.bfloat16
    arm = arms.ARMS["ipex-bf16" if halved else "ipex-fp32"]
    losses = [training.train_step(net, optimizer, *batch(0), arm)[0].item() for _ in range(3)]
    return losses[-1] < losses[0]


def _prepared(answer, *more):
    """Return what an answer made of a fresh network and its optimizer, and a description of it.

    The description: the layers and their precision, whose optimizer and which network came back, whether they learn,
    and whether ipex.optimize was called for nothing.
    """
    ipex = ipex_guard.load()
    old_net = training.initial(0)
    old = torch.optim.Adam(old_net.parameters(), lr=1e-3)
    with mock.patch.object(ipex, "optimize", wraps=ipex.optimize) as optimize:
        returned = answer(old_net, old, *more)
    if not isinstance(returned, tuple | list) or len(returned) != 2 + len(more):
        raise Wrong(NOT_THREE if more else NOT_TWO)
    net, optimizer, *rest = returned
    if isinstance(net, tuple):
        raise Wrong(A_PAIR)
    if rest and isinstance(rest[0], torch.optim.Optimizer):
        raise Wrong(OTHER_ORDER)
    if not isinstance(net, torch.nn.Module) or not isinstance(optimizer, torch.optim.Optimizer):
        raise Wrong("the network comes first, then its optimizer.")
    layers = net.features[0], net.classifier[1]
    kinds = tuple((type(layer).__name__, str(layer.weight.dtype)) for layer in layers)
    both_old = net is old_net and optimizer is old
    from_ipex = hasattr(optimizer, "params_attr")
    starts = optimizer.param_groups[0]["lr"]
    lost = both_old and optimize.called
    return (optimizer, *rest), (kinds, optimizer is old, from_ipex, net is old_net, starts, lost), net


def _optimised(answer):
    (optimizer,), description, net = _prepared(answer)
    return *description, _learns(net, optimizer)


WITH_IPEX = Typed("""
    def with_ipex(net, optimizer):
        import intel_extension_for_pytorch as ipex
        new, its_optimizer = ipex.optimize(net, optimizer=optimizer, dtype=torch.bfloat16)
        return new, its_optimizer
""")
PLAIN = WITH_IPEX.but("ipex.optimize(net, optimizer=optimizer, dtype=torch.bfloat16)", "net, optimizer")

with_ipex = Exercise(
    "with_ipex",
    WITH_IPEX,
    _optimised,
    {
        OLD_OPTIMIZER: WITH_IPEX.but("return new, its_optimizer", "return new, optimizer"),
        OLD_NETWORK: WITH_IPEX.but("return new,", "return net,"),
        "this is an optimizer of your own, not the one that ipex.optimize returns. It learns, but without what IPEX "
        "keeps in its optimizer, such as the missing half of each bfloat16 weight.": WITH_IPEX.but(
            "return new, its_optimizer", "return new, torch.optim.Adam(new.parameters(), lr=1e-3)"
        ),
        "it does not learn, and there is no message. Most often it was optimised twice, as when a cell is run again, "
        "or the optimizer is that of another network.": WITH_IPEX.but(
            "return new, its_optimizer", "return ipex.optimize(new, optimizer=its_optimizer, dtype=torch.bfloat16)"
        ),
        "this is prepared for float32: dtype=torch.bfloat16 is missing, or is a string, which IPEX ignores. It works, "
        "but it is another arm.": (
            WITH_IPEX.but(", dtype=torch.bfloat16", ""),
            WITH_IPEX.but("torch.bfloat16", "torch.float32"),
        ),
        "IPEX had nothing to do with it: the network itself was turned into bfloat16. Small steps of the optimizer are "
        "then lost in rounding; IPEX keeps the missing bits.": (
            PLAIN.but("return new,", "return new.bfloat16(),"),
            PLAIN.but(
                "return new, its_optimizer", "return net.bfloat16(), torch.optim.Adam(net.parameters(), lr=1e-3)"
            ),
        ),
        IN_PLACE: WITH_IPEX.but("torch.bfloat16", "torch.bfloat16, inplace=True"),
        THROWN_AWAY: WITH_IPEX.but("return new, its_optimizer", "return net, optimizer"),
        UNTOUCHED: PLAIN,
        "the second argument of ipex.optimize is dtype, not the optimizer: write the names of both, optimizer=… and "
        "dtype=….": WITH_IPEX.but("optimizer=optimizer, dtype=", "optimizer, "),
        NOT_TWO: WITH_IPEX.but("new, its_optimizer\n", "new\n"),
        A_PAIR: WITH_IPEX.but("new, its_optimizer = ", "new = ").but(
            "return new, its_optimizer", "return new, optimizer"
        ),
    },
)


def _scheduled(answer):
    """Return what came back, whether the scheduler belongs to its optimizer, and the learning rates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps in another order; the check says it in its words
        (optimizer, scheduler), description, net = _prepared(answer, STEPS)
        turned = scheduler.optimizer is optimizer
        if turned and getattr(scheduler, "total_steps", STEPS) != STEPS:
            raise Wrong(OTHER_STEPS)
        if turned and getattr(scheduler, "last_epoch", 0) > 0:
            raise Wrong(MOVED)
        rates = _rates(scheduler)
        own = _rates(_one_cycle(torch.optim.SGD([torch.zeros(1)], lr=1.0)))
    if turned and rates != own:
        rises = len(rates) == STEPS and max(rates) > 0.9 * training.RECIPE.max_lr
        raise Wrong(OTHER_COURSE if rises else OTHER_PEAK)
    return *description, _learns(net, optimizer), turned, rates


def _one_cycle(optimizer):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=training.RECIPE.max_lr, total_steps=STEPS)


def _rates(scheduler):
    """Return the learning rate of each step, as far as the scheduler goes."""
    rates = []
    for step in range(STEPS):
        if step:
            try:
                scheduler.step()
            except ValueError:  # it was built for fewer steps
                break
        rates.append(round(scheduler.optimizer.param_groups[0]["lr"], 9))
    return rates


SCHEDULE = Typed("""
    def with_schedule(net, optimizer, total_steps):
        import intel_extension_for_pytorch as ipex
        new, its_optimizer = ipex.optimize(net, optimizer=optimizer, dtype=torch.float32)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            its_optimizer, max_lr=training.RECIPE.max_lr, total_steps=total_steps
        )
        return new, its_optimizer, scheduler
""")
PREPARE = "new, its_optimizer = ipex.optimize(net, optimizer=optimizer, dtype=torch.float32)\n"
ON_THE_OLD = SCHEDULE.but("            its_optimizer,", "            optimizer,")

with_schedule = Exercise(
    "with_schedule",
    SCHEDULE,
    _scheduled,
    {
        "the scheduler was built before ipex.optimize, so it belongs to the old optimizer, which nothing steps. It is "
        "the order of most scripts, and the learning rate stays at the value that it starts from.": (
            ON_THE_OLD.but(PREPARE, "pass\n").but("        return", f"        {PREPARE}        return")
        ),
        "the scheduler is built on the old optimizer. Both are called optimizer in most scripts; the new one keeps "
        "its learning rate.": ON_THE_OLD,
        OLD_OPTIMIZER: (
            SCHEDULE.but("return new, its_optimizer", "return new, optimizer"),
            ON_THE_OLD.but("return new, its_optimizer", "return new, optimizer"),
        ),
        OLD_NETWORK: SCHEDULE.but("return new", "return net"),
        THROWN_AWAY: ON_THE_OLD.but("return new, its_optimizer", "return net, optimizer"),
        "this is prepared for bfloat16, and float32 is asked for: another dtype is another arm.": SCHEDULE.but(
            "torch.float32", "torch.bfloat16"
        ),
        OTHER_PEAK: SCHEDULE.but("training.RECIPE.max_lr", "1e-3"),
        OTHER_STEPS: (
            SCHEDULE.but("=total_steps", "=training.RECIPE.epochs"),
            SCHEDULE.but("=total_steps", "=99"),
        ),
        MOVED: SCHEDULE.but("        return", "        scheduler.step()\n        return"),
        OTHER_ORDER: SCHEDULE.but("new, its_optimizer, scheduler\n", "new, scheduler, its_optimizer\n"),
        A_PAIR: SCHEDULE.but("new, its_optimizer = ", "new = ")
        .but("            its_optimizer,", "            optimizer,")
        .but("return new, its_optimizer", "return new, optimizer"),
        OTHER_COURSE: SCHEDULE.but("=total_steps", "=total_steps, pct_start=0.5"),
        IN_PLACE: SCHEDULE.but("torch.float32", "torch.float32, inplace=True"),
        UNTOUCHED: ON_THE_OLD.but("ipex.optimize(net, optimizer=optimizer, dtype=torch.float32)", "net, optimizer").but(
            "return new, its_optimizer", "return net, optimizer"
        ),
        NOT_THREE: SCHEDULE.but(", scheduler\n", "\n"),
    },
)
