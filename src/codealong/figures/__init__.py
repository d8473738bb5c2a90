"""What is drawn: figures of the data, the network, runs, a study and speed, all in one style."""

from codealong.figures.images import averages, pixel_histograms, samples
from codealong.figures.networks import legend, network
from codealong.figures.publication import hundred_epochs
from codealong.figures.runs import accuracy_and_rate, confusions, curves, f1_differences
from codealong.figures.speed import benchmark, effects, instruction_sets, profiles, roofline
from codealong.figures.study import accuracies, class_f1, larger_models, learning
from codealong.figures.style import ARM_COLOURS, show

__all__ = [
    "ARM_COLOURS", "accuracies", "accuracy_and_rate", "averages", "benchmark", "class_f1", "confusions", "curves",
    "effects", "f1_differences", "hundred_epochs", "instruction_sets", "larger_models", "learning", "legend",
    "network", "pixel_histograms", "profiles", "roofline", "samples", "show",
]  # fmt: skip
