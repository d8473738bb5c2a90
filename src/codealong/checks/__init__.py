"""What answers a learner: a check for each exercise, and the claims that a notebook ends with."""

from codealong.checks.claim import ClaimError, claims
from codealong.checks.comparing import only_one, paired_interval, recall_difference
from codealong.checks.halving import bf16_loss
from codealong.checks.images import count_twins, normalise
from codealong.checks.measuring import accuracy
from codealong.checks.network import conv_parameters, dense_parameters, forward
from codealong.checks.speeding import amdahl, attainable
from codealong.checks.stepping import train_step
from codealong.checks.with_ipex import with_ipex, with_schedule

__all__ = [
    "ClaimError", "accuracy", "amdahl", "attainable", "bf16_loss", "claims", "conv_parameters", "count_twins",
    "dense_parameters", "forward", "normalise", "only_one", "paired_interval", "recall_difference", "train_step",
    "with_ipex", "with_schedule",
]  # fmt: skip
