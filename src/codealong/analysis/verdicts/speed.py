"""What a study says of time: the claims on speed and on larger models, and two questions that were not asked."""

import numpy as np

from codealong.analysis import stats, sweep
from codealong.analysis.verdicts.verdict import PAIRS, REFUTED, SUPPORTED, UNDECIDED, Verdict, decide

SUBSTANTIAL = 1.2
"""A boost is substantial when an epoch without takes at least this many times as long."""

MOST = 0.5
"""Most of a speed-up is more than this share of its logarithm."""


def boost(study):
    """Judge "a substantial boost", by `SUBSTANTIAL`, in training time.

    Supported when the whole interval of the ratio of times per epoch lies at or above it, refuted when below.
    """
    ratios = {precision: _faster(study, *pair) for precision, pair in PAIRS.items()}
    judged = {
        precision: decide(found.low >= SUBSTANTIAL, found.high < SUBSTANTIAL) for precision, found in ratios.items()
    }
    said = {
        SUPPORTED: f"training with IPEX is at least {SUBSTANTIAL:g} times as fast, in the median",
        REFUTED: f"training with IPEX is less than {SUBSTANTIAL:g} times as fast, in the median",
        UNDECIDED: f"these seeds do not tell whether training with IPEX is {SUBSTANTIAL:g} times as fast",
    }
    return Verdict(
        "a substantial boost",
        True,
        "the Intel optimization provided a substantial boost in performance",
        f"the time of an epoch without, divided by the time with, is {ratios['float32']:.2f} in float32 and "
        f"{ratios['bfloat16']:.2f} in bfloat16. The published pair has no time in it, and no IPEX.",
        judged["float32"],
        f"In float32 {said[judged['float32']]}. In bfloat16 {said[judged['bfloat16']]}.",
        ratios | {"verdicts": judged},
    )


def larger_models(study):
    """Judge "larger models": the benefit is more evident with them.

    Supported when the widest network's speed-up is above 1 with its whole interval, and so is that speed-up
    divided by the narrowest network's; refuted when the whole interval of the quotient is below 1. A
    speed-up is the geometric mean over the batch sizes of a round, and judged by its median over the rounds.
    """
    numbers, judged = {}, {}
    for precision, pair in PAIRS.items():
        ups = sweep.speed_ups(study.sweep, *pair).groupby(["round", "width"])["ratio"]
        by_width = ups.apply(lambda ratios: np.exp(np.log(ratios).mean())).unstack("width")
        narrow, wide = by_width.columns[0], by_width.columns[-1]
        by_name = {f"×{width}": stats.median(by_width[width]) for width in by_width}
        growth = stats.ratio(by_width[wide], by_width[narrow])
        pays = sweep.begins_to_pay(study.sweep, *pair)
        numbers[precision] = {**by_name, "growth": growth, "begins to pay, by batch": pays}
        judged[precision] = decide(growth.low > 1 and by_name[f"×{wide}"].low > 1, growth.high < 1)
    said = "; ".join(
        f"in {precision} {its[f'×{narrow}']:.2f} at ×{narrow} and {its[f'×{wide}']:.2f} at ×{wide}"
        for precision, its in numbers.items()
    )
    concluded = {
        SUPPORTED: f"the speed-up by IPEX is larger at ×{wide} than at ×{narrow}",
        REFUTED: f"the speed-up by IPEX is smaller at ×{wide} than at ×{narrow}",
        UNDECIDED: f"these rounds show neither that IPEX helps more at ×{wide} than at ×{narrow}, nor less",
    }
    return Verdict(
        "larger models",
        True,
        "the benefits of Intel optimization might become more evident with larger and more complex datasets or models",
        f"times as fast with IPEX, by width of the network, in half-second measurements, averaged over the batch "
        f"sizes: {said}. Larger data sets were not tried.",
        judged["float32"],
        f"In float32 {concluded[judged['float32']]}. In bfloat16 {concluded[judged['bfloat16']]}.",
        numbers | {"verdicts": judged},
    )


def ipex_or_bf16(study):
    """Answer how much of the speed-up is IPEX and how much is bfloat16.

    The speed-up from `stock-fp32` to `ipex-bf16` is a product of two factors, each the geometric mean over the
    two orders in which the steps can be taken (Shapley's value, of logarithms). Their quotient is the rate of
    `ipex-fp32` relative to `stock-bf16`. The claim is supported when the quotient's whole interval lies above 1, and
    refuted when below; both need a speed-up to be divided.
    """
    stock32, stock16, ipex32, ipex16 = (
        study.seconds_per_epoch(arm) for arm in ("stock-fp32", "stock-bf16", "ipex-fp32", "ipex-bf16")
    )
    whole = stats.ratio(stock32, ipex16)
    ipex = stats.median(np.sqrt(stock32 * stock16 / (ipex32 * ipex16)))
    bf16 = stats.median(np.sqrt(stock32 * ipex32 / (stock16 * ipex16)))
    quotient = stats.ratio(stock16, ipex32)
    verdict = decide(whole.low > 1 and quotient.low > 1, whole.low > 1 and quotient.high < 1)
    return Verdict(
        "IPEX or bfloat16",
        False,
        "IPEX is the larger part of the speed-up from stock-fp32 to ipex-bf16",
        f"the speed-up is {whole:.2f}. Averaged over the two orders in which the steps can be taken, that is a "
        f"factor of {ipex:.2f} by IPEX and one of {bf16:.2f} by bfloat16.",
        verdict,
        {
            SUPPORTED: "IPEX contributes more than bfloat16 as stock-bf16 uses it, with its memory layout.",
            REFUTED: "bfloat16 as stock-bf16 uses it, with its memory layout, contributes more than IPEX.",
            UNDECIDED: "These seeds do not tell which contributes more.",
        }[verdict],
        {"whole": whole, "ipex": ipex, "bf16": bf16, "ipex / bf16": quotient},
    )


def stock_today(study):
    """Answer how much of the speed-up stock PyTorch gives.

    Speed-ups multiply, so the share is one of their logarithms: the speed-up from `stock-fp32` to `stock-bf16` is the
    one to `ipex-bf16`, to the power of the share. The claim is supported when the whole interval of the share
    lies above `MOST`, refuted when below; both need a speed-up to be shared.
    """
    whole = _faster(study, "stock-fp32", "ipex-bf16")
    alone = _faster(study, "stock-fp32", "stock-bf16")
    relative = _faster(study, "ipex-bf16", "stock-bf16")
    stock32, stock16, ipex16 = (
        np.log(study.seconds_per_epoch(arm)) for arm in ("stock-fp32", "stock-bf16", "ipex-bf16")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = stats.ratio(stock32 - stock16, stock32 - ipex16)
    verdict = decide(whole.low > 1 and share.low > MOST, whole.low > 1 and share.high < MOST)
    return Verdict(
        "stock PyTorch alone",
        False,
        "stock PyTorch gives most of the speed-up from stock-fp32 to ipex-bf16 by itself",
        f"the rate of stock-bf16 is {alone:.2f} times that of stock-fp32, and that of ipex-bf16 is "
        f"{whole:.2f} times. Of the logarithm of that speed-up, stock PyTorch's share is {share:.2f}. "
        f"Its rate is {relative:.2f} times that of ipex-bf16.",
        verdict,
        {
            SUPPORTED: "Stock PyTorch gives most of the speed-up by itself.",
            REFUTED: "IPEX gives most of the speed-up.",
            UNDECIDED: "These seeds do not tell whether stock PyTorch gives most of the speed-up.",
        }[verdict],
        {
            "share": share,
            "ipex-bf16 / stock-fp32": whole,
            "stock-bf16 / stock-fp32": alone,
            "stock-bf16 / ipex-bf16": relative,
        },
    )


def _faster(study, slow, fast):
    return stats.ratio(study.seconds_per_epoch(slow), study.seconds_per_epoch(fast))
