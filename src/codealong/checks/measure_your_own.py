"""Checks of notebook 8: a paired timing, page faults of a step, and which of two variants is faster."""

import itertools
import time

import numpy as np

from codealong.checks.exercise import Exercise, Wrong, number

ROUNDS, WARM_UP = 12, 2
"""So many that an order that is drawn does not let the same variant begin every round."""
SHAPE = "its shape is {}, and a row for each round and a column for each variant was asked for: shape (12, 2)."
NO_ARRAY = "this is no array, and only an array has columns: np.array makes one of a list of rows."
NO_CLOCK = "it never reads the clock that it was given: clock() before a step and after it."
TWO_CLOCKS = "a time is the difference of two readings of one clock: clock() before the step and clock() after it."
BLOCKS = (
    "all rounds of one variant come before those of the other. The machine is faster at one moment and slower at the "
    "next, and these are two different moments: the loop over rounds belongs outside."
)
WARM_AGAIN = "the warm-up is repeated in every round; it belongs before the first."
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
    in_blocks = machine.calls in (sorted(machine.calls), sorted(machine.calls, reverse=True))
    if in_blocks and len(machine.calls) >= 2 * ROUNDS:
        raise Wrong(BLOCKS)
    if len(machine.calls) == 2 * ROUNDS * (WARM_UP + 1):
        raise Wrong(WARM_AGAIN)
    first, rest = machine.calls[: machine.warm_up], machine.calls[machine.warm_up :]
    if machine.readings <= 2 * ROUNDS:
        raise Wrong(TWO_CLOCKS)
    rounds = [rest[place : place + 2] for place in range(0, len(rest), 2)]
    begins = [each[0] for each in rounds]
    in_rounds = all(sorted(each) == ["A", "B"] for each in rounds)
    return {
        "before the clock is first read, the number of calls of each variant is": (first.count("A"), first.count("B")),
        "the number of steps that are timed is": len(rest),
        "that every round has each variant once is": in_rounds,
        "that each variant begins some of the rounds is": len({*begins}) == 2,
        "for the seconds of the first variant it gives": tuple(times[:, 0]) if in_rounds else times[:, 0].sum(),
        "for the seconds of the second variant it gives": tuple(times[:, 1]) if in_rounds else times[:, 1].sum(),
        "of three variants, the number that is called is": _called_of_three(answer),
    }


def _called_of_three(answer):
    called = []
    answer([lambda name=name: called.append(name) for name in "ABC"], 1, 0, time.perf_counter)
    return len({*called})


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


def _variants_outside(rounds, steps):
    return [(which, (which + place) % steps) for place in range(steps) for which in range(rounds)]


def _warm_again(steps, rounds, warm_up, clock):
    return np.concatenate([_paired(steps, 1, warm_up, clock) for _ in range(rounds)])


def _blocks(steps, rounds, warm_up, clock):
    return np.hstack([_paired([step], rounds, warm_up, clock) for step in steps])


def _rolled(times):
    return np.array([np.roll(row, -which) for which, row in enumerate(times)])


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
        BLOCKS: (_but_for(order=_one_after_the_other), _blocks),
        "the same variant begins every round. What follows a step, such as freeing its memory, then always hits the "
        "other one: let another one begin each round.": _but_for(order=_never_rotated),
        "the clock is started once, so each time holds all the steps before it: read it just before each step.": (
            _started_once,
            _started_each_round,
        ),
        "the times are negative: the end minus the start.": lambda *arguments: -_paired(*arguments),
        "the step is named and not called: steps[place]() needs its brackets.": _not_called,
        "each time is in the place in which the round called it, and that is another variant in each round: put it "
        "into the column of its own variant.": lambda *arguments: _rolled(_paired(*arguments)),
        "the variant that is called is not the one under which the time is stored: work out which one it is, and use "
        "it for both.": lambda *arguments: _rolled(_but_for(order=_never_rotated)(*arguments)),
        "all rows are one and the same list, as `[[0] * 2] * rounds` makes them: np.empty((rounds, len(steps))) has "
        "rows of their own.": lambda *arguments: np.array([_paired(*arguments)[-1]] * ROUNDS),
        "the warm-up is not as long as was asked for: `for _ in range(warm_up)`.": (
            lambda steps, rounds, warm_up, clock: _paired(steps, rounds, 1, clock),
            lambda steps, rounds, warm_up, clock: _paired(steps, rounds, 3, clock),
        ),
        "the loop over variants is outside, so the times of a round are far apart: the loop over rounds belongs "
        "outside.": _but_for(order=_variants_outside),
        WARM_AGAIN: _warm_again,
        SHAPE.format((2, 12)): lambda *arguments: _paired(*arguments).T,
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


def _divided_first(step, steps, count):
    step()
    before = count()
    for _ in range(steps):
        step()
    return count() - before / steps


faults_per_step = Exercise(
    "faults_per_step",
    _counting(),
    _faults,
    {
        "there is no warm-up: the first step asks for memory that the next ones have already.": _counting(warm_up=0),
        "the count is read before the warm-up, so the faults of that step are in it: warm up first, then read.": (
            _counting(too_early=True),
            _counting(too_early=True, by=lambda steps: steps + 1),
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
        "the step is named and not called: step() needs its brackets.": (
            lambda step, steps, count: (count() - count()) / steps
        ),
        "a division comes before a subtraction: (count() - before) / steps needs its brackets.": _divided_first,
        "the count before is read anew in every round of the loop: read it once, before the loop.": (
            lambda step, steps, count: _counting(warm_up=steps)(step, 1, count) / steps
        ),
        "it always makes 10 calls: `steps` says how many.": lambda step, steps, count: _counting()(step, 10, count),
        "the faults before are the smaller number: after minus before.": _upside_down,
    },
)

WORDS = ("first", "second", "cannot tell")


def _words(answer):
    said = {
        f"for an interval from {low} to {high} it gives": answer(low, high)
        for low, high in ((1.004, 1.4), (1.3, 1.5), (0.6, 0.996), (0.5, 0.7), (0.9, 1.2), (0.7, 1.1), (0.5, 3.0))
    }
    for case, word in said.items():
        if word not in WORDS:
            raise Wrong(f"{case} {word!r}, and one of three was asked for: {', '.join(map(repr, WORDS))}.")
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
            _saying(lambda low, high: low > 0, lambda low, high: high < 0)
        ),
        "it never names one. If both ends are above 1, or both below, the whole interval is on one side.": _saying(
            lambda low, high: False, lambda low, high: False
        ),
        "it asks for a margin. Here, any difference counts: compare both ends with 1.": (
            _saying(lambda low, high: low > 1.2, lambda low, high: high < 1 / 1.2),
            _saying(lambda low, high: low > 1.2, lambda low, high: high < 1),
            _saying(lambda low, high: low > 1.01, lambda low, high: high < 0.99),
        ),
        "either of the two may be the faster one: the whole interval can be above 1 or below it.": (
            _saying(lambda low, high: low > 1, lambda low, high: False),
            _saying(lambda low, high: False, lambda low, high: high < 1),
        ),
    },
)
