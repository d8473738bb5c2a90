"""Checks of notebook 9: Amdahl's law, and the roof above a program."""

from codealong.checks.exercise import Exercise, numbers

amdahl = Exercise(
    "amdahl",
    lambda share, times: 1 / ((1 - share) + share / times),
    lambda answer: numbers(answer, (0.5, 2.0), (0.4, 4.0), (0.9, 10.0), (0.3, 1.0)),
    {
        "this is the time that is left, as a share. 1 divided by the whole of it, in brackets, says how many times as "
        "fast the step is.": (
            lambda share, times: (1 - share) + share / times,
            lambda share, times: 1 / 1 - share + share / times,
        ),
        "without brackets around the whole sum, 1 is divided by its first part only.": (
            lambda share, times: 1 / (1 - share) + share / times,
        ),
        "share and rest are exchanged: `share` is the part that becomes faster, and 1 - share stays as it is.": (
            lambda share, times: 1 / (share + (1 - share) / times)
        ),
        "the part becomes *shorter*: divide its share by times. Multiplied, a faster part would make a slower "
        "step.": lambda share, times: 1 / ((1 - share) + share * times),
        "this averages how many times as fast the parts are. But it is their times that add up, and the part that "
        "stayed slow soon takes most of the time.": lambda share, times: (1 - share) + share * times,
        "here the part takes no time at all. That is the limit, which only an infinitely fast part reaches.": (
            lambda share, times: 1 / (1 - share)
        ),
        "the rest of the step is missing: it takes as long as before, and its share is 1 - share.": (
            lambda share, times: times / share,
            lambda share, times: share * times,
        ),
        "it is rounded. Round what is printed, not what others compute with.": (
            lambda share, times: round(1 / ((1 - share) + share / times), 2),
            lambda share, times: round(1 / ((1 - share) + share / times), 1),
        ),
    },
)

attainable = Exercise(
    "attainable",
    lambda peak, bandwidth, intensity: min(peak, bandwidth * intensity),
    lambda answer: numbers(answer, (400.0, 20.0, 5.0), (400.0, 20.0, 50.0), (900.0, 20.0, 40.0), (30.0, 50.0, 0.5)),
    {
        "both limits hold at once, so the lower one decides: min, not max.": (
            lambda peak, bandwidth, intensity: max(peak, bandwidth * intensity)
        ),
        "the limit of memory is missing. With many operations per byte that makes no difference; with few, memory is "
        "what limits.": lambda peak, bandwidth, intensity: peak,
        "the limit of arithmetic is missing: no memory makes a processor calculate faster than it can.": (
            lambda peak, bandwidth, intensity: bandwidth * intensity
        ),
        "bandwidth is in bytes and peak in operations, so they cannot be compared: multiply bandwidth by intensity.": (
            lambda peak, bandwidth, intensity: min(peak, bandwidth)
        ),
        "intensity is operations *per byte*, so bytes a second times intensity are operations a second: multiply.": (
            lambda peak, bandwidth, intensity: min(peak, bandwidth / intensity),
            lambda peak, bandwidth, intensity: min(peak, intensity / bandwidth),
        ),
        "intensity multiplies the bandwidth alone: peak is in operations already.": (
            lambda peak, bandwidth, intensity: min(peak, bandwidth) * intensity
        ),
        "peak is in GFLOP/s and bandwidth in GB/s: no factor is needed between them.": (
            lambda peak, bandwidth, intensity: 1e9 * min(peak, bandwidth * intensity)
        ),
        "these are limits, not contributions: their sum cannot be reached.": (
            lambda peak, bandwidth, intensity: peak + bandwidth * intensity
        ),
        "this would hold if memory and arithmetic waited for each other. Here they work at the same time, and the "
        "slower one decides.": lambda peak, bandwidth, intensity: 1 / (1 / peak + 1 / (bandwidth * intensity)),
    },
)
