"""What answers a learner: a check for each exercise, and the claims that a notebook ends with."""

from codealong.checks.an_operator_of_your_own import bytes_moved, pool_relu, pool_relu_backward
from codealong.checks.architecture import conv_parameters, dense_parameters, network
from codealong.checks.claims import ClaimError, claims
from codealong.checks.data import count_twins, normalise
from codealong.checks.five_conclusions import ratio_interval, seeds_needed, within
from codealong.checks.many_seeds import only_one, paired_interval
from codealong.checks.measure_your_own import faster, faults_per_step, paired_times
from codealong.checks.train_with_ipex import with_ipex, with_schedule
from codealong.checks.train_without_ipex import accuracy, bf16_loss, train_step
from codealong.checks.two_reports import counts, recall_difference
from codealong.checks.where_the_time_goes import amdahl, attainable

__all__ = [
    "ClaimError", "accuracy", "amdahl", "attainable", "bf16_loss", "bytes_moved", "claims", "conv_parameters",
    "count_twins", "counts", "dense_parameters", "faster", "faults_per_step", "network", "normalise", "only_one",
    "paired_interval", "paired_times", "pool_relu", "pool_relu_backward", "ratio_interval", "recall_difference",
    "seeds_needed", "train_step", "with_ipex", "with_schedule", "within",
]  # fmt: skip
