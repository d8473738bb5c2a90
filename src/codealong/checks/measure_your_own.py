"""Checks of notebook 8: a paired timing, page faults of a step, and which of two variants is faster."""

import itertools
import time

import numpy as np

from codealong.checks.exercise import Exercise, Wrong, number

ROUNDS, WARM_UP = 4, 2
SHAPE = "its shape is {}, and a row for each round and a column for each variant was asked for: shape (4, 2)."
NO_ARRAY = "this is no array, and only an array has columns: np.array makes one of a list of rows."
NO_CLOCK = "it never reads the clock that it was given: clock() before a step and after it."
TWO_CLOCKS = "a time is the difference of two readings of one clock: clock() before the step and clock() after it."
NO_COUNTER = "it never asks the counter that it was given: count(), and not page_faults(), so that others can be tried."


class _Machine:
    """Two steps that take longer each time, and much longer at first; and the clock that they move."""

    def __init__(self):
        self.now, self.calls, self.seconds, self.readings = 0.0, [], [], 0
        self.warm_up = None
        self.steps = [lambda: self._step("A", 1.0), lambda: self._step("B", 3.0)]

    def _step(self, name, seconds):
        before = self.calls.count(name)
        seconds += 0.1 * before + (50.0 if before < WARM_UP else 0.0)
        self.now += seconds
        self.calls.append(name)
        self.seconds.append(seconds)

    def clock(self):
        if self.warm_up is None:
            self.warm_up = len(self.calls)
        self.readings += 1
        return self.now


def _timed(answer):
    machine = _Machine()
    times = answer(machine.steps, ROUNDS, WARM_UP, machine.clock)
    if not isinstance(times, np.ndarray):
        raise Wrong(NO_ARRAY)
    if machine.warm_up is None:
        raise Wrong(NO_CLOCK)
    if times.shape != (ROUNDS, 2):
        raise Wrong(SHAPE.format(times.shape))
    first, rest = machine.calls[: machine.warm_up], machine.calls[machine.warm_up :]
    if machine.readings <= len(rest):
        raise Wrong(TWO_CLOCKS)
    rounds = [rest[place : place + 2] for place in range(0, len(rest), 2)]
    begins = [each[0] for each in rounds]
    in_rounds = all(sorted(each) == ["A", "B"] for each in rounds)
    return {
        "before the clock is first read, the number of calls of each variant is": (first.count("A"), first.count("B")),
        "the number of steps that are timed is": len(rest),
        "that every round has each variant once is": in_rounds,
        "that each variant begins half of the rounds is": begins.count("A") == begins.count("B"),
        "for the seconds of the first variant it gives": tuple(times[:, 0]) if in_rounds else times[:, 0].sum(),
        "for the seconds of the second variant it gives": tuple(times[:, 1]) if in_rounds else times[:, 1].sum(),
    }


def _paired(steps, rounds=20, warm_up=3, clock=time.perf_counter, order=None, warmed=None):
    """Return paired times, right but for what is asked to be wrong."""
    for step in steps if warmed is None else warmed(steps):
        for _ in range(warm_up):
            step()
    times = np.empty((rounds, len(steps)))
    for which, place in (order or _rotated)(rounds, len(steps)):
        started = clock()
        steps[place]()
        times[which, place] = clock() - started
    return times


def _rotated(rounds, steps):
    return [(which, (which + place) % steps) for which in range(rounds) for place in range(steps)]


def _never_rotated(rounds, steps):
    return [(which, place) for which in range(rounds) for place in range(steps)]


def _one_after_the_other(rounds, steps):
    return [(which, place) for place in range(steps) for which in range(rounds)]


def _but_for(**wrong):
    return lambda *arguments: _paired(*arguments, **wrong)


def _started_once(steps, rounds, warm_up, clock):
    _paired(steps, 0, warm_up, clock)
    times = np.empty((rounds, len(steps)))
    started = clock()
    for which, place in _rotated(rounds, len(steps)):
        steps[place]()
        times[which, place] = clock() - started
    return times


def _started_each_round(steps, rounds, warm_up, clock):
    _paired(steps, 0, warm_up, clock)
    times = np.empty((rounds, len(steps)))
    for which, place in _rotated(rounds, len(steps)):
        if place == which % len(steps):
            started = clock()
        steps[place]()
        times[which, place] = clock() - started
    return times


def _not_called(steps, rounds, warm_up, clock):
    _paired(steps, 0, warm_up, clock)
    times = np.empty((rounds, len(steps)))
    for which, place in _rotated(rounds, len(steps)):
        started = clock()
        _ = steps[place]
        times[which, place] = clock() - started
    return times


def _by_place(steps, rounds, warm_up, clock):
    times = _paired(steps, rounds, warm_up, clock)
    return np.array([np.roll(row, -which) for which, row in enumerate(times)])


def _alternating(*clocks):
    turns = itertools.cycle(clocks)
    return lambda: next(turns)()


paired_times = Exercise(
    "paired_times",
    _paired,
    _timed,
    {
        "there is no warm-up: the first steps, which pay for reserving memory and making kernels, are timed with the "
        "others.": _but_for(warmed=lambda steps: []),
        "only one variant is warmed up, and the other one pays for its first steps while it is timed.": (
            _but_for(warmed=lambda steps: steps[:1]),
            _but_for(warmed=lambda steps: steps[1:]),
        ),
        "all rounds of one variant come before those of the other. The machine is faster at one moment and slower at "
        "the next, and these are two different moments: the loop over rounds belongs outside.": _but_for(
            order=_one_after_the_other
        ),
        "the same variant begins every round. What follows a step, such as freeing its memory, then always hits the "
        "other one: let another one begin each round.": _but_for(order=_never_rotated),
        "the clock is started once, so each time holds all the steps before it: read it just before each step.": (
            _started_once,
            _started_each_round,
        ),
        "the times are negative: the end minus the start.": lambda *arguments: -_paired(*arguments),
        "the step is named and not called: steps[place]() needs its brackets.": _not_called,
        "each time is in the place in which the round called it, and that is another variant in each round: put it "
        "into the column of its own variant.": _by_place,
        SHAPE.format((2, 4)): lambda *arguments: _paired(*arguments).T,
        SHAPE.format((2,)): lambda *arguments: _paired(*arguments).mean(axis=0),
        NO_ARRAY: lambda *arguments: _paired(*arguments).tolist(),
        TWO_CLOCKS: (
            lambda steps, rounds, warm_up, clock: _paired(
                steps, rounds, warm_up, _alternating(clock, time.perf_counter)
            ),
            lambda steps, rounds, warm_up, clock: _paired(
                steps, rounds, warm_up, _alternating(time.perf_counter, clock)
            ),
        ),
        NO_CLOCK: lambda steps, rounds, warm_up, clock: _paired(steps, rounds, warm_up, time.perf_counter),
    },
)


class _Counted:
    """A step that causes 1,000 page faults the first time, 4 and 3 later, in a process that has had 70 before."""

    def __init__(self):
        self.calls, self.faults, self.asked = 0, 70, False

    def step(self):
        self.faults += 3 + self.calls % 2 if self.calls else 1000
        self.calls += 1

    def count(self):
        self.asked = True
        return self.faults


def _faults(answer):
    observed = {}
    for steps in (5, 10):
        counted = _Counted()
        observed[f"for {steps} steps it gives"] = number(answer(counted.step, steps, counted.count))
        if not counted.asked:
            raise Wrong(NO_COUNTER)
        observed[f"for {steps} steps, the number of calls is"] = counted.calls
    return observed


def _page_faults():
    import resource  # there is none on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _counting(warm_up=1, fewer=0, by=lambda steps: steps, before=True, too_early=False):
    """Return a function that counts faults, right but for what is asked to be wrong."""

    def faults_per_step(step, steps=10, count=_page_faults):
        early = count()
        for _ in range(warm_up):
            step()
        start = (early if too_early else count()) if before else 0
        for _ in range(steps - fewer):
            step()
        return (count() - start) / by(steps)

    return faults_per_step


def _upside_down(step, steps, count):
    return -_counting()(step, steps, count)


faults_per_step = Exercise(
    "faults_per_step",
    _counting(),
    _faults,
    {
        "there is no warm-up: the first step asks for memory that the next ones have already.": _counting(warm_up=0),
        "the count is read before the warm-up, so the faults of that step are in it: warm up first, then read.": (
            _counting(too_early=True)
        ),
        "`//` and round leave a whole number, and an average need not be one: divide by `/`.": (
            lambda step, steps, count: _counting()(step, steps, count) // 1,
            lambda step, steps, count: round(_counting()(step, steps, count)),
        ),
        NO_COUNTER: lambda step, steps, count: 0.0 * steps,
        "these are the faults of all steps together: divide by how many there were.": _counting(by=lambda steps: 1),
        "this is what the process has had since it began. The counter never goes back: take it before and after, and "
        "subtract.": (
            _counting(before=False),
            lambda step, steps, count: (_counting()(step, steps, count), count())[1],
        ),
        "the step that warms up is not counted, so it is not in the number of steps either.": (
            _counting(by=lambda steps: steps + 1),
            _counting(fewer=1),
        ),
        "one step alone is counted: a loop over `steps` gives their average.": (
            lambda step, steps, count: _counting()(step, 1, count),
            lambda step, steps, count: _counting()(step, 1, count) / steps,
        ),
        "the faults before are the smaller number: after minus before.": _upside_down,
    },
)

WORDS = ("first", "second", "cannot tell")


def _words(answer):
    said = {
        f"for an interval from {low} to {high} it gives": answer(low, high)
        for low, high in ((1.1, 1.4), (0.6, 0.9), (0.9, 1.2), (0.7, 1.1), (0.5, 3.0))
    }
    for case, word in said.items():
        if word not in WORDS:
            raise Wrong(f"{case} gives {word!r}, and one of three was asked for: {', '.join(map(repr, WORDS))}.")
    return said


def _saying(second, first):
    return lambda low, high: "second" if second(low, high) else "first" if first(low, high) else "cannot tell"


faster = Exercise(
    "faster",
    _saying(lambda low, high: low > 1, lambda low, high: high < 1),
    _words,
    {
        "first and second are exchanged. A ratio above 1 says that the first one takes longer.": _saying(
            lambda low, high: high < 1, lambda low, high: low > 1
        ),
        "it always names one. An interval that contains 1 has both answers in it: these rounds cannot tell.": (
            _saying(lambda low, high: low > 1, lambda low, high: True),
            _saying(lambda low, high: high > 1, lambda low, high: True),
            _saying(lambda low, high: low + high > 2, lambda low, high: True),
        ),
        "no difference is a ratio of 1, and not of 0: a ratio of times is never negative.": (
            _saying(lambda low, high: low > 0, lambda low, high: high < 0),
            _saying(lambda low, high: False, lambda low, high: False),
        ),
        "either of the two may be the faster one: the whole interval can be above 1 or below it.": (
            _saying(lambda low, high: low > 1, lambda low, high: False),
            _saying(lambda low, high: False, lambda low, high: high < 1),
        ),
    },
)
