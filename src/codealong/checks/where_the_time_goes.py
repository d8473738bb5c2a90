"""Checks of notebook 6: Amdahl's law, and the roof above a program."""

from codealong.checks.exercise import Exercise, numbers

amdahl = Exercise(
    "amdahl",
    lambda share, times: 1 / ((1 - share) + share / times),
    lambda answer: numbers(answer, (0.5, 2.0), (0.4, 4.0), (0.9, 10.0), (0.3, 1.0)),
    {
        "this is the time that is left, as a share. The speed-up is how many times it goes into the time before: "
        "1 divided by it.": lambda share, times: (1 - share) + share / times,
        "without brackets around the whole sum, 1 is divided by its first part only.": (
            lambda share, times: 1 / (1 - share) + share / times
        ),
        "the part becomes *shorter*: its share is divided by times. Multiplying makes the step slower the better "
        "the part is.": lambda share, times: 1 / ((1 - share) + share * times),
        "the speed-ups are averaged. It is the times that add up, and the part that stayed slow dominates them.": (
            lambda share, times: (1 - share) + share * times
        ),
        "the part is as if it took no time at all. That is the limit, and only an infinitely fast part reaches it.": (
            lambda share, times: 1 / (1 - share)
        ),
        "the rest of the step is missing: it takes as long as before, and its share is 1 - share.": (
            lambda share, times: times / share,
            lambda share, times: share * times,
        ),
        "it is rounded. What is printed may be, what others compute with should not.": (
            lambda share, times: round(1 / ((1 - share) + share / times), 2),
            lambda share, times: round(1 / ((1 - share) + share / times), 1),
        ),
    },
)

attainable = Exercise(
    "attainable",
    lambda peak, bandwidth, intensity: min(peak, bandwidth * intensity),
    lambda answer: numbers(answer, (400.0, 20.0, 5.0), (400.0, 20.0, 50.0), (900.0, 20.0, 40.0)),
    {
        "both limits hold at once, so the lower one decides: min and not max.": (
            lambda peak, bandwidth, intensity: max(peak, bandwidth * intensity)
        ),
        "memory's limit is missing. To the right of the bend that does no harm; to the left it is the limit.": (
            lambda peak, bandwidth, intensity: peak
        ),
        "arithmetic's limit is missing: no memory makes a processor calculate faster than it can.": (
            lambda peak, bandwidth, intensity: bandwidth * intensity
        ),
        "intensity is operations *per byte*: bytes a second times it are operations a second. Multiply.": (
            lambda peak, bandwidth, intensity: min(peak, bandwidth / intensity)
        ),
        "these are limits, and not contributions: no sum of them can be reached.": (
            lambda peak, bandwidth, intensity: peak + bandwidth * intensity
        ),
        "that would hold if memory and arithmetic waited for each other. A roof assumes that they work at the same "
        "time, so that the slower one decides.": (
            lambda peak, bandwidth, intensity: 1 / (1 / peak + 1 / (bandwidth * intensity))
        ),
    },
)
