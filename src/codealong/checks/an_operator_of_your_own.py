"""Checks of notebook 10: the bytes that two operators move, pooling with ReLU of one window, and its gradient."""

from codealong.checks.exercise import Exercise, Wrong
from codealong.checks.observations import named

SIZES = (2, 4)
WINDOWS = (
    (0.5, 2.0, -1.0, 1.0), (3.0, 1.0, 2.0, 0.5), (-1.0, -2.0, -0.5, -3.0), (1.0, 2.0, 2.0, 1.0), (0.0, -1.0, 0.0, -2.0),
    (-1.0, -2.0, -3.0, 0.25),
)  # fmt: skip
GRADIENTS = ((3.0, 0), (-2.0, 1), (0.5, 2), (3.0, 3), (3.0, 4))


def _pair(value, what):
    """Return what an answer gave as two numbers."""
    try:
        first, second = (float(each) for each in value)
    except (TypeError, ValueError):
        raise Wrong(f"it should return two numbers, {what}, and it gives {named(value)}.") from None
    return first, second


def _bytes(answer):
    what = "the bytes of two operators and those of one"
    return {f"for numbers of {size} bytes it gives": _pair(answer(size), what) for size in SIZES}


def _pooled(answer):
    return {
        f"for the window {list(window)} it gives": _pair(answer(list(window)), "the largest and its place")
        for window in WINDOWS
    }


def _spread(answer):
    observed = {}
    for gradient, place in GRADIENTS:
        four = answer(gradient, place)
        try:
            four = [float(each) for each in four]
        except (TypeError, ValueError):
            raise Wrong(f"it should return four numbers in a list, and it gives {named(four)}.") from None
        if len(four) != 4:
            raise Wrong(f"a window has four numbers, and it returns {len(four)} gradients.")
        observed[f"for a gradient of {gradient} and the place {place} it gives"] = four
    return observed


def _first(window, above=0.0, last=False):
    best, place = above, 4
    for where, value in enumerate(window):
        if value > best or (last and value == best):
            best, place = value, where
    return best, place


def _of_four(window):
    return max(window), window.index(max(window))


def _of_five(*five):
    return max(five), five.index(max(five))


def _put(gradient, place):
    four = [0.0] * 4
    four[place] = gradient
    return four


bytes_moved = Exercise(
    "bytes_moved",
    lambda size: (4 * size + size + 8 + 2 * size, 4 * size + size + 1),
    _bytes,
    {
        "the place is missing: pooling writes it as an integer of 8 bytes, the fused operator as one byte.": (
            lambda size: (4 * size + size + 2 * size, 4 * size + size)
        ),
        "pooling's place is missing: an integer of 8 bytes for each pixel of its output.": (
            lambda size: (4 * size + size + 2 * size, 4 * size + size + 1)
        ),
        "the fused operator's place is missing: it fits into 1 byte, but it has to be written.": (
            lambda size: (4 * size + size + 8 + 2 * size, 4 * size + size)
        ),
        "the fused operator writes its place as *one byte*: five values fit into it easily.": (
            lambda size: (4 * size + size + 8 + 2 * size, 4 * size + size + 8)
        ),
        "a place has 8 bytes whatever the size of the numbers: it is an integer, not one of them.": (
            lambda size: (4 * size + size + 8 * size + 2 * size, 4 * size + size + size),
            lambda size: (4 * size + size + size + 2 * size, 4 * size + size + 1),
            lambda size: (4 * size + size + 8 * size + 2 * size, 4 * size + size + 1),
        ),
        "ReLU reads one number and writes one: that is twice the size.": (
            lambda size: (4 * size + size + 8 + size, 4 * size + size + 1)
        ),
        "ReLU comes *after* pooling here, so it goes through one number for each pixel of the output, not four.": (
            lambda size: (4 * size + size + 8 + 8 * size, 4 * size + size + 1)
        ),
        "this is pooling alone: ReLU reads its result, and writes one of its own.": (
            lambda size: (4 * size + size + 8, 4 * size + size + 1)
        ),
        "only what is read is counted. What is written moves, too.": (
            lambda size: (4 * size + size, 4 * size),
            lambda size: (5 * size, 4 * size),
        ),
        "only what is written is counted. What is read moves, too.": lambda size: (size + 8 + size, size + 1),
        "pooling reads *four* pixels for each that it writes.": (
            lambda size: (size + size + 8 + 2 * size, size + size + 1)
        ),
        "the order is exchanged: two operators first, one operator second.": (
            lambda size: (4 * size + size + 1, 4 * size + size + 8 + 2 * size)
        ),
        "the fused operator does not store what pooling found and read it back: it reads four, and writes one number "
        "and its place.": lambda size: (4 * size + size + 8 + 2 * size, 4 * size + size + 1 + 2 * size),
    },
)

pool_relu = Exercise(
    "pool_relu",
    _first,
    _pooled,
    {
        "where all four are negative, the largest of them *and 0* is 0: start with best = 0.0 and place = 4.": (
            _of_four,
            lambda window: _first(window, above=float("-inf")),
        ),
        "the number is right, but where none of the four is above 0 the place is 4.": (
            lambda window: (max(0.0, *window), window.index(max(window))),
        ),
        "a pixel that is 0.0 is not *above* 0: the place is 4, not that of the pixel.": (
            lambda window: _of_five(*window, 0.0)
        ),
        "the number is right, but 4 stands for a place only where *no* number is above 0.": (
            lambda window: (max(0.0, *window), 4)
        ),
        "of two that are equally large, the *first* counts, as in PyTorch; with `>=` a later one takes its place.": (
            lambda window: _first(window, last=True)
        ),
        "places count from 0, as Python does.": (
            lambda window: (_first(window)[0], _first(window)[1] + (_first(window)[1] < 4)),
            lambda window: (_first(window)[0], _first(window)[1] + 1),
        ),
        "the number comes first, and its place second.": lambda window: _first(window)[::-1],
        "this is the smallest. Max-pooling keeps the largest.": (
            lambda window: (min(window), window.index(min(window))),
            lambda window: (max(0.0, min(window)), window.index(min(window))),
        ),
        "the loop stops at the first number above 0, and a later one may be larger.": (
            lambda window: next(((value, where) for where, value in enumerate(window) if value > 0), (0.0, 4))
        ),
    },
)

pool_relu_backward = Exercise(
    "pool_relu_backward",
    lambda gradient, place: [gradient if where == place else 0.0 for where in range(4)],
    _spread,
    {
        "all four get the gradient. Three of them had no influence on the maximum, and get 0.": (
            lambda gradient, place: [gradient] * 4
        ),
        "the gradient is shared out, as for an average. A maximum passes *one* number through, which gets all of it.": (
            lambda gradient, place: [gradient / 4] * 4
        ),
        "the gradient at the place is 1 whatever came in: pass on the gradient that came from behind.": (
            lambda gradient, place: [1.0 if where == place else 0.0 for where in range(4)]
        ),
        "place 4 means that 0 was the largest, so none of the four gets a gradient.": (
            lambda gradient, place: [gradient if where == min(place, 3) else 0.0 for where in range(4)],
            lambda gradient, place: [gradient if where == place % 4 else 0.0 for where in range(4)],
            _put,
        ),
        "these are three zeros too few or too many: it is turned around. The *place* gets the gradient, the others "
        "0.": lambda gradient, place: [0.0 if where == place else gradient for where in range(4)],
        "places count from 0, so the first number has place 0.": (
            lambda gradient, place: [gradient if where + 1 == place else 0.0 for where in range(4)]
        ),
        "a negative gradient passes through as it is. ReLU cuts off numbers on the way forward, not gradients on the "
        "way back.": lambda gradient, place: [max(0.0, gradient) if where == place else 0.0 for where in range(4)],
        "it is a fixed list, whatever the place.": (
            lambda gradient, place: [gradient, 0.0, 0.0, 0.0],
            lambda gradient, place: [0.0, 0.0, 0.0, 0.0],
        ),
    },
)
