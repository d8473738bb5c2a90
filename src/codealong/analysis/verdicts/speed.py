"""What a study says of time: the claims on speed and on larger models, and two questions that were not asked.

Times are those of the campaigns. Each interval is for the mean of the campaigns, of logarithms; with fewer than
`campaigns.FEWEST` of them, nothing is decided.
"""

import functools
import itertools

import numpy as np

from codealong.analysis import larger, stats
from codealong.analysis.campaigns import FEWEST, exponential, over_campaigns
from codealong.analysis.verdicts.verdict import PAIRS, REFUTED, SUPPORTED, UNDECIDED, Verdict, decide

SUBSTANTIAL = 1.2
"""A boost is substantial when training with IPEX is at least this many times as fast."""

MOST = 0.5
"""Most of a speed-up is more than this share of its logarithm."""

BENEFITS = LARGER, SMALLER, OPEN = "larger", "smaller", "open"
"""How the speed-up by IPEX may compare with that of the course's own network and images."""

MATCHED = "stock-fp32-matched"
"""The control: stock PyTorch in float32 with the memory layout and the fused Adam that IPEX brings along."""


def boost(study):
    """Judge "a substantial boost", by `SUBSTANTIAL`, in the rate of training.

    Supported when the whole interval of the ratio of rates lies at or above it, refuted when below.
    """
    times = study.campaigns
    ratios = {precision: times.ratio(*pair) for precision, pair in PAIRS.items()}
    judged = {
        precision: _decide(times, ratio.low >= SUBSTANTIAL, ratio.high < SUBSTANTIAL)
        for precision, ratio in ratios.items()
    }
    stock, ipex = PAIRS["float32"]
    parts = {"layout and optimizer": times.ratio(stock, MATCHED), "kernels": times.ratio(MATCHED, ipex)}
    said = {
        SUPPORTED: f"training with IPEX is at least {SUBSTANTIAL:g} times as fast",
        REFUTED: f"training with IPEX is less than {SUBSTANTIAL:g} times as fast",
        UNDECIDED: f"these campaigns do not tell whether training with IPEX is {SUBSTANTIAL:g} times as fast",
    }
    return Verdict(
        "a substantial boost",
        True,
        "the Intel optimization provided a substantial boost in performance",
        _measured(
            times,
            f"training with IPEX is {ratios['float32']:.2f} times as fast in float32 and "
            f"{ratios['bfloat16']:.2f} times in bfloat16. In float32, channels last and a fused Adam, which stock "
            f"PyTorch has too, give {parts['layout and optimizer']:.2f}, and IPEX's kernels {parts['kernels']:.2f}.",
        )
        + " The published pair has no time in it, and no IPEX.",
        judged["float32"],
        _enough(times, f"In float32 {said[judged['float32']]}. In bfloat16 {said[judged['bfloat16']]}."),
        _number(times, f"rate, with / without: {ratios['float32']:.2f}"),
        ratios | parts | {"campaigns": len(times), "verdicts": judged},
    )


def larger_models(study):
    """Judge "larger models": the benefit is more evident with larger and more complex data sets or models.

    Each network, size of images and data set is judged by itself, never averaged. There the benefit is larger when the
    whole interval of the speed-up lies above 1, and so does that of this speed-up divided by the one of `larger.BASE`;
    smaller when the whole interval of that quotient lies below 1; and open otherwise. The claim is supported when the
    benefit is larger everywhere, refuted when it is larger nowhere, and somewhere smaller after correction for so many
    cases (Bonferroni).
    """
    times, numbers, judged = study.larger, {}, {}
    for precision, pair in PAIRS.items():
        numbers[precision] = {} if not len(times) else {
            larger.name(cell): _in_cell(times, pair, cell) for cell in larger.CELLS if cell != larger.BASE
        }  # fmt: skip
        answers = [its["benefit"] for its in numbers[precision].values()]
        smaller = any(its["growth, corrected"].high < 1 for its in numbers[precision].values())
        judged[precision] = _decide(times, {*answers} == {LARGER}, LARGER not in answers and smaller)
    counted = {
        precision: {
            benefit: [name for name, its in by_name.items() if its["benefit"] == benefit] for benefit in BENEFITS
        }
        for precision, by_name in numbers.items()
    }
    cells = len(larger.CELLS) - 1
    said = {
        precision: f"larger in {len(its[LARGER])} of {cells} cases, smaller in {len(its[SMALLER])}, else open"
        for precision, its in counted.items()
    }
    return Verdict(
        "larger models",
        True,
        "the benefits of Intel optimization might become more evident with larger and more complex datasets or models",
        _measured(
            times,
            f"networks up to ResNet-18 and a small transformer, images of 28, 56 and 112 pixels, and 240,000 of them "
            f"were tried. Compared with {larger.name(larger.BASE)}, the speed-up by IPEX is {said['float32']}; "
            f"in bfloat16, {said['bfloat16']}.",
        ),
        judged["float32"],
        _enough(
            times,
            {
                SUPPORTED: "In float32, IPEX helps more with everything larger that was tried.",
                REFUTED: "In float32, IPEX helps more with nothing larger that was tried, and less with some of it.",
                UNDECIDED: "In float32, IPEX helps more with some of it, and less with some."
                if counted["float32"][LARGER] and counted["float32"][SMALLER]
                else "In float32, these campaigns do not tell.",
            }[judged["float32"]],
            "larger",
        ),
        _number(
            times,
            f"cases with a larger speed-up: {len(counted['float32'][LARGER])} of {cells}, "
            f"with a smaller one: {len(counted['float32'][SMALLER])}",
        ),
        numbers | {"verdicts": judged, "campaigns": len(times)},
    )


def _in_cell(times, pair, cell):
    speed_up, growth = larger.speed_up(times, pair, cell), larger.growth(times, pair, cell)
    benefit = LARGER if speed_up.low > 1 and growth.low > 1 else SMALLER if growth.high < 1 else OPEN
    corrected = larger.growth(times, pair, cell, 1 - (1 - stats.CONFIDENCE) / (len(larger.CELLS) - 1))
    benefit = benefit if times.enough else OPEN
    return {"speed-up": speed_up, "growth": growth, "growth, corrected": corrected, "benefit": benefit}


def by_case(study):
    """Return the speed-up by IPEX in each case, and how it compares with that of the course's own network and images.

    Returns
    -------
    pandas.DataFrame
        Such as ``1.52 larger``: a row for each network and one for more images; for each precision, a column for each
        size of images.
    """
    import pandas as pd

    judged = larger_models(study).numbers

    def said(precision, cell):
        estimate = f"{larger.speed_up(study.larger, PAIRS[precision], cell).estimate:.2f}"
        return estimate if cell == larger.BASE else f"{estimate} {judged[precision][larger.name(cell)]['benefit']}"

    tables = {precision: larger.table(functools.partial(said, precision)) for precision in PAIRS}
    return pd.concat(tables, axis=1)


def ipex_or_bf16(study):
    """Answer how much of the speed-up is IPEX and how much is bfloat16.

    The speed-up from `stock-fp32` to `ipex-bf16` is a product of two factors, each the geometric mean over the
    two orders in which the steps can be taken (Shapley's value, of logarithms). Their quotient is the rate of
    `ipex-fp32` relative to `stock-bf16`. The claim is supported when the quotient's whole interval lies above 1, and
    refuted when below; both need a speed-up to be divided.
    """
    times = study.campaigns
    logs = {arm: np.log(rates) for arm, rates in times.rates.items()}
    whole = times.ratio("stock-fp32", "ipex-bf16")
    steps = {
        "IPEX first": ("stock-fp32", "ipex-fp32", "ipex-bf16"),
        "bfloat16 first": ("stock-fp32", "stock-bf16", "ipex-bf16"),
    }
    orders = {name: [times.ratio(*pair) for pair in itertools.pairwise(arms)] for name, arms in steps.items()}
    by_ipex = logs["ipex-fp32"] - logs["stock-fp32"] + logs["ipex-bf16"] - logs["stock-bf16"]
    by_bf16 = logs["stock-bf16"] - logs["stock-fp32"] + logs["ipex-bf16"] - logs["ipex-fp32"]
    ipex, bf16 = (exponential(over_campaigns(both / 2)) for both in (by_ipex, by_bf16))
    quotient = times.ratio("stock-bf16", "ipex-fp32")
    verdict = _decide(times, whole.low > 1 and quotient.low > 1, whole.low > 1 and quotient.high < 1)
    ipex_first, bf16_first = orders.values()
    return Verdict(
        "IPEX or bfloat16",
        False,
        "IPEX is the larger part of the speed-up from stock-fp32 to ipex-bf16",
        _measured(
            times,
            f"the speed-up is {whole:.2f}. IPEX first, it is {ipex_first[0].estimate:.2f} by IPEX times "
            f"{ipex_first[1].estimate:.2f} by bfloat16; bfloat16 first, {bf16_first[0].estimate:.2f} by bfloat16 times "
            f"{bf16_first[1].estimate:.2f} by IPEX. Averaged over both orders, IPEX gives a factor of {ipex:.2f} and "
            f"bfloat16 one of {bf16:.2f}.",
        ),
        verdict,
        _enough(
            times,
            {
                SUPPORTED: "IPEX contributes more than bfloat16 as stock-bf16 uses it, with its memory layout.",
                REFUTED: "bfloat16 as stock-bf16 uses it, with its memory layout, contributes more than IPEX.",
                UNDECIDED: "These campaigns do not tell which contributes more.",
            }[verdict],
        ),
        _number(times, f"IPEX's factor / bfloat16's: {quotient:.2f}"),
        {"whole": whole, "ipex": ipex, "bf16": bf16, "ipex / bf16": quotient, "campaigns": len(times)}
        | {name: dict(zip(("first", "second"), each, strict=True)) for name, each in orders.items()},
    )


def stock_today(study):
    """Answer how much of the speed-up stock PyTorch gives.

    Speed-ups multiply, so the share is one of their logarithms: the speed-up from `stock-fp32` to `stock-bf16` is the
    one to `ipex-bf16`, to the power of the share. The claim is supported when the whole interval of the share
    lies above `MOST`, refuted when below; both need a speed-up to be shared.
    """
    times = study.campaigns
    whole, alone = (times.ratio("stock-fp32", arm) for arm in ("ipex-bf16", "stock-bf16"))
    relative = times.ratio("ipex-bf16", "stock-bf16")
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.log(times.by_campaign("stock-fp32", "stock-bf16")) / np.log(
            times.by_campaign("stock-fp32", "ipex-bf16")
        )
    share = over_campaigns(shares[:, None])
    verdict = _decide(times, whole.low > 1 and share.low > MOST, whole.low > 1 and share.high < MOST)
    return Verdict(
        "stock PyTorch alone",
        False,
        "stock PyTorch gives most of the speed-up from stock-fp32 to ipex-bf16 by itself",
        _measured(
            times,
            f"the rate of stock-bf16 is {alone:.2f} times that of stock-fp32, and that of ipex-bf16 is "
            f"{whole:.2f} times. Of the logarithm of that speed-up, stock PyTorch's share is {share:.2f}. "
            f"Its rate is {relative:.2f} times that of ipex-bf16.",
        ),
        verdict,
        _enough(
            times,
            {
                SUPPORTED: "Stock PyTorch gives most of the speed-up by itself.",
                REFUTED: "IPEX gives most of the speed-up.",
                UNDECIDED: "These campaigns do not tell whether stock PyTorch gives most of the speed-up.",
            }[verdict],
        ),
        _number(times, f"its share of the speed-up: {share:.2f}"),
        {
            "share": share,
            "ipex-bf16 / stock-fp32": whole,
            "stock-bf16 / stock-fp32": alone,
            "stock-bf16 / ipex-bf16": relative,
            "campaigns": len(times),
        },
    )


def _decide(times, supported, refuted):
    return decide(times.enough and supported, times.enough and refuted)


def _measured(times, text):
    """Say what so many campaigns measured, or that they are too few."""
    return (
        f"in {times.said()}, {text}"
        if times.enough
        else f"a verdict on time needs {FEWEST} campaigns, over hours. So far: {times.said()}."
    )


def _number(times, text):
    return text if times.enough else "–"


def _enough(times, conclusion, command="campaign"):
    """Return the conclusion, or what to do for one."""
    if times.enough:
        return conclusion
    return f"Too few campaigns to decide anything: `python -m codealong {command}` measures another one."
