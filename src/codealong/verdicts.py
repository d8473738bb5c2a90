"""The published conclusions, one by one, and what a study says of each.

Claims 9 to 13 are judged in float32, which is what was published; bfloat16 stands beside it. Each
rule stands in its docstring, and errs in at most about one case of twenty by itself, not all seven together.

The rules were fixed before any study was read, when three seeds of an older recording were known. After
two studies, of ten and of twelve seeds, a referee's reading made the rules of 9 and 10 stricter in what they
count as shown, and gave "stock today" its present question; the recorded study was made after that. Its
times were new then; its predictions were not, since on one machine the same seeds give the same ones.
"""

import re
from dataclasses import dataclass

import numpy as np

from codealong import report, stats, sweep

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"

PAIRS = {"float32": ("stock-fp32", "ipex-fp32"), "bfloat16": ("stock-bf16", "ipex-bf16")}
"""Without IPEX and with it, at the same precision. IPEX brings its memory layout and its own Adam along."""

LEVELS = (0.88, 0.90, 0.91)
"""Validation accuracies that epochs are counted to."""

SUBSTANTIAL = 1.2
"""A boost is substantial when an epoch without takes at least this many times as long."""

MOST = 0.5
"""Most of a speed-up is more than this share of its logarithm."""


@dataclass(frozen=True)
class Verdict:
    """What a study says of a claim.

    Attributes
    ----------
    claim : int or str
        Row of the published claims, 9 to 13, or the name of a question that was not asked.
    statement : str
        The claim in its published words; or ours, for a question that was not asked.
    measured : str
        The evidence, in a sentence with numbers.
    verdict : str
        ``supported``, ``refuted`` or ``undecided``.
    conclusion : str
        What follows, in a sentence.
    numbers : dict
        The evidence; intervals are `stats.Interval`, at 95 % each where a rule does not say otherwise.
    """

    claim: int | str
    statement: str
    measured: str
    verdict: str
    conclusion: str
    numbers: dict


def identical(study):
    """Judge claim 9: the reports with and without are practically identical.

    Supported when accuracy, macro precision and macro F1 are equivalent within `stats.MARGIN`, and precision,
    recall and F1 of every class within `stats.CLASS_MARGIN`. Refuted when an average's interval, corrected over
    the three, lies beyond the margin; or when a class differs: its p-value is small after correction over
    classes and quantities, and its mean difference exceeds both the margin and the standard deviation over
    seeds. Each of the two ways to be refuted gets half of the 5 %.
    """
    numbers, judged = {}, {}
    level = (1 - stats.CONFIDENCE) / 2 / len(stats.QUANTITIES)
    averages = {
        "accuracy": study.accuracy,
        "macro precision": lambda arm: study.quantities(arm)[:, 0].mean(axis=1),
        "macro F1": lambda arm: study.quantities(arm)[:, 2].mean(axis=1),
    }
    for precision, arms in PAIRS.items():
        pairs = {name: [values(arm) for arm in arms] for name, values in averages.items()}
        before, after = map(study.quantities, arms)
        classes = stats.class_differences(before, after, confidence=1 - (1 - stats.CONFIDENCE) / before[0].size)
        large = classes["estimate"].abs() > np.maximum(classes["spread"], stats.CLASS_MARGIN)
        differs = classes[(classes["p Holm"] < level) & large]
        tests = [stats.equivalence(*pair) for pair in pairs.values()]
        numbers[precision] = {
            **{name: stats.paired_difference(*pair) for name, pair in pairs.items()},
            "p of equivalence, averages": max(test.p for test in tests),
            "p of equivalence, classes": float(classes["p equivalence"].max()),
            "standard deviation over seeds": stats.spread(pairs["accuracy"][0]),
            "classes that differ": [" of ".join(index) for index in differs.index],
            "furthest reach of the intervals of all classes": float(classes[["low", "high"]].abs().max(axis=None)),
        }
        intervals = [stats.paired_difference(*pair, 1 - level) for pair in pairs.values()]
        judged[precision] = _verdict(
            all(test.equivalent for test in tests) and (classes["p equivalence"] < 1 - stats.CONFIDENCE).all(),
            not differs.empty or any(found.low > stats.MARGIN or found.high < -stats.MARGIN for found in intervals),
        )
    published = stats.against_reseeding(
        report.published("without"), report.published("with"), study.quantities("stock-fp32")
    )
    apart = published[published["p Holm"] < (1 - stats.CONFIDENCE) / len(stats.QUANTITIES)]
    numbers["published beyond reseeding"] = [" of ".join(index) for index in apart.index]
    verdict, mine = judged["float32"], numbers["float32"]
    said = " and ".join(f"{_points(numbers[precision]['accuracy'])} in {precision}" for precision in PAIRS)
    reach = np.ceil(1000 * mine["furthest reach of the intervals of all classes"]) / 10
    margins = f"averages within ±{100 * stats.MARGIN:g} percentage points, numbers of a class within "
    margins += f"±{100 * stats.CLASS_MARGIN:g}"
    return Verdict(
        9,
        "the performance metrics for each class and the macro and weighted averages are practically identical",
        f"on these test images, accuracy with minus without is {said} percentage points. Between seeds, that of "
        f"stock-fp32 has a standard deviation of {100 * mine['standard deviation over seeds'].estimate:.2f}. In "
        f"float32, the intervals of precision, recall and F1 of all classes, taken together, stay within ±{reach:.1f} "
        f"points. Numbers that differ significantly, by more than the margin and the spread over seeds: "
        f"{_listed(mine['classes that differ'])}. The published pair, without IPEX in either, moved further than "
        f"reseeding our recipe explains in {len(apart)} of {len(published)} numbers.",
        verdict,
        {
            SUPPORTED: f"With IPEX the reports are equivalent: {margins}.",
            REFUTED: f"With IPEX the reports differ by more than the margins ({margins}).",
            UNDECIDED: f"These seeds settle neither equivalence ({margins}) nor a difference beyond it.",
        }[verdict],
        numbers | {"verdicts": judged},
    )


def fewer_epochs(study):
    """Judge claim 10: accuracy has increased with fewer epochs.

    It has two parts, each judged with half of the 5 %: supported when both are, refuted when one is. Accuracy has
    not increased when the difference is equivalent to none within the margin, or its interval lies below 0; else
    it has when the interval lies above 0. Epochs are saved when the interval of the median difference in epochs,
    corrected over the levels, lies below 0 at some level; they are not when it leaves out a whole epoch at every
    level. A level that a run never reaches takes it longer than any; where neither run of a pair reaches it, it
    decides nothing.
    """
    numbers, judged = {}, {}
    level = (1 - stats.CONFIDENCE) / 2
    for precision, (stock, ipex) in PAIRS.items():
        accuracies = study.accuracy(stock), study.accuracy(ipex)
        same = stats.equivalence(*accuracies, level=level).equivalent
        interval = stats.paired_difference(*accuracies, 1 - level)
        increased = _verdict(interval.low > 0 and not same, same or interval.high < 0)
        epochs, saved = {}, []
        for accuracy in LEVELS:
            needed = {arm: [stats.epochs_to(run.history, accuracy) for run in study.runs[arm]] for arm in (stock, ipex)}
            epochs[accuracy] = {"without": needed[stock], "with": needed[ipex]}
            without, with_ipex = (np.array([each or np.inf for each in needed[arm]]) for arm in (stock, ipex))
            if (np.minimum(without, with_ipex) < np.inf).all():
                saved.append(stats.median(with_ipex - without, 1 - level / len(LEVELS)))
                epochs[accuracy]["difference"] = saved[-1]
        fewer = _verdict(
            any(difference.high < 0 for difference in saved),
            len(saved) == len(LEVELS) and all(difference.low > -1 for difference in saved),
        )
        numbers[precision] = {
            "accuracy": stats.paired_difference(*accuracies), "accuracy increased": increased,
            "epochs": epochs, "epochs saved": fewer,
        }  # fmt: skip
        judged[precision] = _verdict(increased == fewer == SUPPORTED, REFUTED in (increased, fewer))
    mine = numbers["float32"]
    reached = "; ".join(
        f"{level:.2f} in epoch {_median(found['without'])} without and {_median(found['with'])} with"
        for level, found in mine["epochs"].items()
    )
    increased = {
        SUPPORTED: "With IPEX, accuracy increases",
        REFUTED: f"Accuracy does not increase by as much as {100 * stats.MARGIN:g} percentage points",
        UNDECIDED: "Whether accuracy increases stays open",
    }[mine["accuracy increased"]]
    saved = {
        SUPPORTED: "epochs are saved",
        REFUTED: "no whole epoch is saved",
        UNDECIDED: "whether epochs are saved stays open",
    }[mine["epochs saved"]]
    return Verdict(
        10,
        "The accuracy has increased with less epochs",
        f"in float32, accuracy with minus without is {_points(mine['accuracy'])} percentage points. In the median, "
        f"runs reach a validation accuracy of {reached}.",
        judged["float32"],
        f"{increased}; {saved}.",
        numbers | {"verdicts": judged},
    )


def boost(study):
    """Judge claim 11: a substantial boost, by `SUBSTANTIAL`, in training time.

    Supported when the whole interval of the ratio of times per epoch lies at or above it, refuted when below.
    """
    ratios = {precision: _faster(study, *pair) for precision, pair in PAIRS.items()}
    judged = {
        precision: _verdict(found.low >= SUBSTANTIAL, found.high < SUBSTANTIAL) for precision, found in ratios.items()
    }
    said = {
        SUPPORTED: f"training with IPEX is at least {SUBSTANTIAL:g} times as fast, in the median",
        REFUTED: f"training with IPEX is less than {SUBSTANTIAL:g} times as fast, in the median",
        UNDECIDED: f"these seeds do not tell whether training with IPEX is {SUBSTANTIAL:g} times as fast",
    }
    return Verdict(
        11,
        "the Intel optimization provided a substantial boost in performance",
        f"the time of an epoch without, divided by the time with, is {_interval(ratios['float32'])} in float32 and "
        f"{_interval(ratios['bfloat16'])} in bfloat16. The published pair has no time in it, and no IPEX.",
        judged["float32"],
        f"In float32 {said[judged['float32']]}. In bfloat16 {said[judged['bfloat16']]}.",
        ratios | {"verdicts": judged},
    )


def larger_models(study):
    """Judge claim 12: the benefit is more evident with larger models.

    Supported when the widest network's speed-up is above 1 with its whole interval, and so is that speed-up
    divided by the narrowest network's; refuted when the quotient is below 1. A speed-up is the geometric mean
    over the batch sizes of a round.
    """
    numbers, judged = {}, {}
    for precision, pair in PAIRS.items():
        ups = sweep.speed_ups(study.sweep, *pair).groupby(["round", "width"])["ratio"]
        by_width = ups.apply(lambda ratios: np.exp(np.log(ratios).mean())).unstack("width")
        narrow, wide = by_width.columns[0], by_width.columns[-1]
        found = {f"×{width}": stats.median(by_width[width]) for width in by_width}
        growth = stats.ratio(by_width[wide], by_width[narrow])
        pays = sweep.begins_to_pay(study.sweep, *pair)
        numbers[precision] = {**found, "growth": growth, "begins to pay, by batch": pays}
        judged[precision] = _verdict(growth.low > 1 and found[f"×{wide}"].low > 1, growth.high < 1)
    said = "; ".join(
        f"in {precision} {_interval(found[f'×{narrow}'])} at ×{narrow} and {_interval(found[f'×{wide}'])} at ×{wide}"
        for precision, found in numbers.items()
    )
    concluded = {
        SUPPORTED: f"the speed-up by IPEX is larger at ×{wide} than at ×{narrow}",
        REFUTED: f"the speed-up by IPEX is smaller at ×{wide} than at ×{narrow}",
        UNDECIDED: f"these rounds show neither that IPEX helps more at ×{wide} than at ×{narrow}, nor less",
    }
    return Verdict(
        12,
        "the benefits of Intel optimization might become more evident with larger and more complex datasets or models",
        f"times as fast with IPEX, by width of the network, in bursts, averaged over the batch sizes: {said}. "
        "Larger data sets were not tried.",
        judged["float32"],
        f"In float32 {concluded[judged['float32']]}. In bfloat16 {concluded[judged['bfloat16']]}.",
        numbers | {"verdicts": judged},
    )


def more_evaluation(study):
    """Judge claim 13: further evaluation is necessary. Its premise is judged, that one pair does not settle it.

    Supported when single pairs of runs contradict each other in which arm has the higher accuracy. Refuted when
    all pairs that are not tied agree, and are enough that the interval of their share leaves out one half.
    """
    from scipy.stats import binomtest

    stock, ipex = (study.accuracy(arm) for arm in PAIRS["float32"])
    ahead, behind = int((ipex > stock).sum()), int((ipex < stock).sum())
    apart = ahead + behind
    low, high = binomtest(ahead, apart).proportion_ci(stats.CONFIDENCE) if apart else (0.0, 1.0)
    share = stats.Interval(ahead / max(apart, 1), float(low), float(high))
    verdict = _verdict(ahead and behind, apart and not low <= 0.5 <= high)
    return Verdict(
        13,
        "further investigations and extensive evaluations are necessary to validate its effectiveness across different "
        "scenarios",
        f"judged is the premise, that one pair of runs does not settle it. Of {len(stock)} pairs with the same seed, "
        f"in float32, {ahead} put IPEX ahead in accuracy and {behind} behind.",
        verdict,
        {
            SUPPORTED: "Which arm is ahead in a single pair depends on the seed: one pair does not settle it.",
            REFUTED: "All pairs that differ agree on who is ahead.",
            UNDECIDED: "No pair contradicts another, but too few differ to say that one pair is enough.",
        }[verdict],
        {"ahead": ahead, "behind": behind, "share ahead": share},
    )


def ipex_or_bf16(study):
    """Answer how much of the speed-up is IPEX and how much is bfloat16.

    The speed-up from `stock-fp32` to `ipex-bf16` is a product of two factors, each the geometric mean over the
    two orders in which the steps can be taken (Shapley's value, of logarithms). Their quotient is the rate of
    `ipex-fp32` relative to `stock-bf16`. The claim is supported when its whole interval lies above 1, and
    refuted when below; both need a speed-up to be divided.
    """
    stock32, stock16, ipex32, ipex16 = (
        study.seconds_per_epoch(arm) for arm in ("stock-fp32", "stock-bf16", "ipex-fp32", "ipex-bf16")
    )
    whole = stats.ratio(stock32, ipex16)
    ipex = stats.median(np.sqrt(stock32 * stock16 / (ipex32 * ipex16)))
    bf16 = stats.median(np.sqrt(stock32 * ipex32 / (stock16 * ipex16)))
    quotient = stats.ratio(stock16, ipex32)
    verdict = _verdict(whole.low > 1 and quotient.low > 1, whole.low > 1 and quotient.high < 1)
    return Verdict(
        "ipex or bf16",
        "IPEX is the larger part of the speed-up from stock-fp32 to ipex-bf16",
        f"the speed-up is {_interval(whole)}. Averaged over the two orders in which the steps can be taken, that is a "
        f"factor of {_interval(ipex)} by IPEX and one of {_interval(bf16)} by bfloat16.",
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
    verdict = _verdict(whole.low > 1 and share.low > MOST, whole.low > 1 and share.high < MOST)
    return Verdict(
        "stock today",
        "stock PyTorch gives most of the speed-up from stock-fp32 to ipex-bf16 by itself",
        f"the rate of stock-bf16 is {_interval(alone)} times that of stock-fp32, and that of ipex-bf16 is "
        f"{_interval(whole)} times. Of the logarithm of that speed-up, stock PyTorch's share is {_interval(share)}. "
        f"Its rate is {_interval(relative)} times that of ipex-bf16.",
        verdict,
        {
            SUPPORTED: "Stock PyTorch gives most of the speed-up by itself.",
            REFUTED: "IPEX gives most of the speed-up.",
            UNDECIDED: "These seeds do not tell whether stock PyTorch gives most of the speed-up.",
        }[verdict],
        {"share": share, "stock-bf16 / stock-fp32": alone, "stock-bf16 / ipex-bf16": relative},
    )


JUDGES = (identical, fewer_epochs, boost, larger_models, more_evaluation, ipex_or_bf16, stock_today)


def judge(study):
    """Return the verdicts on all claims and questions.

    Parameters
    ----------
    study : study.Study

    Returns
    -------
    list of Verdict
    """
    return [each(study) for each in JUDGES]


def text(verdicts):
    """Return verdicts for a reader: what was published, what was measured, and the verdict."""
    return "\n\n".join(
        f"{_title(found)}\n  measured: {_lines(found.measured)}\n  {found.verdict.upper()}: {_lines(found.conclusion)}"
        for found in verdicts
    )


def plain(verdicts):
    """Return verdicts as lists and dictionaries, for JSON."""
    return [{**vars(found), "numbers": _plain(found.numbers)} for found in verdicts]


def _verdict(supported, refuted):
    return SUPPORTED if supported else REFUTED if refuted else UNDECIDED


def _faster(study, slow, fast):
    return stats.ratio(study.seconds_per_epoch(slow), study.seconds_per_epoch(fast))


def _median(epochs):
    """Return the median of the epochs that were needed, and how many runs never got there."""
    never = epochs.count(None)
    median = np.median([np.inf if epoch is None else epoch for epoch in epochs])
    return f"{median:g}".replace("inf", "–") + (f" ({never} of {len(epochs)} never)" if never else "")


def _points(interval):
    return f"{100 * interval.estimate:+.2f} ({100 * interval.low:+.2f} to {100 * interval.high:+.2f})"


def _interval(ratio):
    return f"{ratio.estimate:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def _listed(names):
    return ", ".join(names) or "none"


def _title(found):
    if isinstance(found.claim, int):
        return f"Published, claim {found.claim}: “{found.statement}”"
    return f"Asked here: {found.statement}?"


def _lines(sentences):
    return re.sub(r"\. (?=[A-Z])", ".\n    ", sentences)


def _plain(value):
    if isinstance(value, stats.Interval):
        return {key: float(part) if np.isfinite(part) else None for key, part in value._asdict().items()}
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return value
