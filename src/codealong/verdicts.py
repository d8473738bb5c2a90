"""The published conclusions, one by one, and what a study says of each.

Claims 9 to 13 are judged in float32, which is what was published; bfloat16 stands beside it. Each
rule stands in its docstring, and was fixed before the recorded study was read, and before a first
one of ten seeds that it replaces; three seeds of an older recording were known.
"""

import re
from dataclasses import dataclass

import numpy as np

from codealong import report, stats

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"

PAIRS = {"float32": ("stock-fp32", "ipex-fp32"), "bfloat16": ("stock-bf16", "ipex-bf16")}
"""Without IPEX and with it, at the same precision. IPEX brings its memory layout and its own Adam along."""

LEVELS = (0.88, 0.90, 0.91)
"""Validation accuracies that epochs are counted to."""

SUBSTANTIAL = 1.2
"""A boost is substantial when an epoch without takes at least this many times as long."""

MOST = 0.8
"""Stock PyTorch gives most of the speed when it reaches this share of the best rate with IPEX."""


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
        The evidence; each interval is a `stats.Interval` that covers with at least 95 %.
    """

    claim: int | str
    statement: str
    measured: str
    verdict: str
    conclusion: str
    numbers: dict


def identical(study):
    """Judge claim 9: the reports with and without are practically identical.

    Supported when accuracy, macro precision and macro F1 are equivalent within the margin, and in no class a
    difference of precision, recall or F1 is found. Refuted when one is found, or an average lies beyond the
    margin with its whole interval. A difference is found when its p-value, corrected over classes and
    quantities, is below 0.05, and it exceeds both the margin and the standard deviation over seeds.
    """
    numbers, judged = {}, {}
    level = (1 - stats.CONFIDENCE) / len(stats.QUANTITIES)
    for precision, (stock, ipex) in PAIRS.items():
        averages = {
            name: _compare(stock, ipex, values)
            for name, values in (
                ("accuracy", study.accuracy),
                ("macro precision", lambda arm: _macro(study, arm, "precision")),
                ("macro F1", lambda arm: _macro(study, arm, "f1-score")),
            )
        }
        classes = stats.class_differences(
            study.labels, *([run.classes for run in study.runs[arm]] for arm in (stock, ipex))
        )
        large = classes["estimate"].abs() > np.maximum(classes["spread"], stats.MARGIN)
        differs = classes[(classes["p Holm"] < level) & large]
        numbers[precision] = {
            **{name: found for name, (found, _) in averages.items()},
            "p of the equivalence test": max(test.p for _, test in averages.values()),
            "standard deviation over seeds": stats.spread(study.accuracy(stock)),
            "classes that differ": [" of ".join(index) for index in differs.index],
            "widest interval of a class": float((classes["high"] - classes["low"]).max() / 2),
        }
        beyond = any(found.low > stats.MARGIN or found.high < -stats.MARGIN for found, _ in averages.values())
        equivalent = all(test.equivalent for _, test in averages.values())
        judged[precision] = _verdict(equivalent and differs.empty, beyond or not differs.empty)
    published = stats.against_reseeding(
        report.published("without"), report.published("with"), study.labels,
        [run.classes for run in study.runs["stock-fp32"]],
    )  # fmt: skip
    apart = published[published["p Holm"] < level]
    numbers["published beyond reseeding"] = [" of ".join(index) for index in apart.index]
    verdict, mine = judged["float32"], numbers["float32"]
    said = " and ".join(f"{_points(numbers[precision]['accuracy'])} in {precision}" for precision in PAIRS)
    margin = f"±{100 * stats.MARGIN:g} percentage points"
    return Verdict(
        9,
        "the performance metrics for each class and the macro and weighted averages are practically identical",
        f"accuracy with minus without is {said} percentage points. Between seeds, that of stock-fp32 has a standard "
        f"deviation of {100 * mine['standard deviation over seeds'].estimate:.2f}. Differences in classes that are "
        f"significant, and larger than the margin and the spread over seeds: {_listed(mine['classes that differ'])}; "
        f"the widest interval of a class reaches ±{100 * mine['widest interval of a class']:.1f} points. The published "
        f"pair, without IPEX in either, moved further than reseeding our recipe explains in {len(apart)} of "
        f"{len(published)} numbers.",
        verdict,
        {
            SUPPORTED: f"With IPEX the averages are equivalent within {margin}, and no class was found to differ.",
            REFUTED: f"With IPEX an average differs by more than {margin}, or a class was found to differ.",
            UNDECIDED: f"These seeds settle neither equivalence within {margin} nor a difference beyond it.",
        }[verdict],
        numbers | {"verdicts": judged},
    )


def fewer_epochs(study):
    """Judge claim 10: accuracy has increased with fewer epochs.

    It has two parts: supported when both are, refuted when one is. Accuracy has not increased when the
    difference is equivalent to none within the margin, or its interval lies below 0; else it has when the
    interval lies above 0. Epochs are saved when the interval of the difference in epochs, corrected over the
    levels, lies below 0 at some level; they are not when all runs reach all levels and at none of them the
    interval holds a whole epoch.
    """
    numbers, judged = {}, {}
    confidence = 1 - (1 - stats.CONFIDENCE) / len(LEVELS)
    for precision, (stock, ipex) in PAIRS.items():
        accuracy, test = _compare(stock, ipex, study.accuracy)
        increased = _verdict(accuracy.low > 0 and not test.equivalent, test.equivalent or accuracy.high < 0)
        epochs, saved = {}, []
        for level in LEVELS:
            needed = {arm: [stats.epochs_to(run.history, level) for run in study.runs[arm]] for arm in (stock, ipex)}
            epochs[level] = {"without": needed[stock], "with": needed[ipex]}
            if None not in needed[stock] + needed[ipex]:
                saved.append(stats.paired_difference(needed[stock], needed[ipex], confidence))
                epochs[level]["difference"] = saved[-1]
        fewer = _verdict(
            any(difference.high < 0 for difference in saved),
            len(saved) == len(LEVELS) and all(difference.low > -1 for difference in saved),
        )
        numbers[precision] = {
            "accuracy": accuracy, "accuracy increased": increased, "epochs": epochs, "epochs saved": fewer,
        }  # fmt: skip
        judged[precision] = _verdict(increased == fewer == SUPPORTED, REFUTED in (increased, fewer))
    mine = numbers["float32"]
    reached = "; ".join(
        f"{level:.2f} in epoch {_mean(found['without'])} without and {_mean(found['with'])} with"
        for level, found in mine["epochs"].items()
    )
    increased = {
        SUPPORTED: "With IPEX, accuracy increases",
        REFUTED: f"Any increase of accuracy is below {100 * stats.MARGIN:g} percentage points, which counts as none",
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
        f"in float32, accuracy with minus without is {_points(mine['accuracy'])} percentage points. On average, runs "
        f"reach a validation accuracy of {reached}.",
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
        SUPPORTED: f"training with IPEX is at least {SUBSTANTIAL:g} times as fast",
        REFUTED: f"training with IPEX is less than {SUBSTANTIAL:g} times as fast",
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
        ups = speed_ups(study.sweep, *pair).groupby(["round", "width"])["ratio"]
        by_width = ups.apply(lambda ratios: np.exp(np.log(ratios).mean())).unstack("width")
        narrow, wide = by_width.columns[0], by_width.columns[-1]
        found = {f"×{width}": stats.ratio(by_width[width], np.ones(len(by_width))) for width in by_width}
        growth = stats.ratio(by_width[wide], by_width[narrow])
        numbers[precision] = {**found, "growth": growth}
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
    """Judge claim 13: further evaluation is necessary.

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
        f"of {len(stock)} pairs of runs with the same seed, in float32, {ahead} put IPEX ahead in accuracy and "
        f"{behind} behind.",
        verdict,
        {
            SUPPORTED: "Which arm is ahead in a single pair depends on the seed: one pair does not settle it.",
            REFUTED: "All pairs agree on who is ahead: any one of them would have told.",
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
    ones = np.ones_like(stock32)
    whole = stats.ratio(stock32, ipex16)
    ipex = stats.ratio(np.sqrt(stock32 * stock16 / (ipex32 * ipex16)), ones)
    bf16 = stats.ratio(np.sqrt(stock32 * ipex32 / (stock16 * ipex16)), ones)
    quotient = stats.ratio(stock16, ipex32)
    verdict = _verdict(whole.low > 1 and quotient.low > 1, whole.low > 1 and quotient.high < 1)
    return Verdict(
        "ipex or bf16",
        "IPEX is the larger part of the speed-up from stock-fp32 to ipex-bf16",
        f"the speed-up is {_interval(whole)}. Averaged over the two orders in which the steps can be taken, that is a "
        f"factor of {_interval(ipex)} by IPEX and one of {_interval(bf16)} by bfloat16.",
        verdict,
        {
            SUPPORTED: "IPEX contributes more than bfloat16.",
            REFUTED: "bfloat16 contributes more than IPEX.",
            UNDECIDED: "These seeds do not tell which contributes more.",
        }[verdict],
        {"whole": whole, "ipex": ipex, "bf16": bf16, "ipex / bf16": quotient},
    )


def stock_today(study):
    """Answer how much of the speed-up stock PyTorch gives.

    The claim is supported when the rate of `stock-bf16` relative to `ipex-bf16` is at least `MOST` with its whole
    interval, refuted when below.
    """
    share = _faster(study, "ipex-bf16", "stock-bf16")
    alone = _faster(study, "stock-fp32", "stock-bf16")
    verdict = _verdict(share.low >= MOST, share.high < MOST)
    return Verdict(
        "stock today",
        f"without IPEX, stock PyTorch reaches {100 * MOST:.0f} % of the rate of ipex-bf16",
        f"the rate of stock-bf16 is {_interval(alone)} times that of stock-fp32, and {_interval(share)} times that of "
        "ipex-bf16.",
        verdict,
        {
            SUPPORTED: f"Stock PyTorch by itself reaches at least {100 * MOST:.0f} % of the best rate with IPEX.",
            REFUTED: f"Stock PyTorch by itself stays below {100 * MOST:.0f} % of the best rate with IPEX.",
            UNDECIDED: f"These seeds do not tell whether stock PyTorch reaches {100 * MOST:.0f} % of the best rate "
            "with IPEX.",
        }[verdict],
        {"stock-bf16 / ipex-bf16": share, "stock-bf16 / stock-fp32": alone},
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


def speed_ups(sweep, slow, fast):
    """Return how many times as fast `fast` is as `slow`, in each round of a sweep.

    Parameters
    ----------
    sweep : pandas.DataFrame
        As `sweep.load` returns it.
    slow, fast : str
        Arms.

    Returns
    -------
    pandas.DataFrame
        Columns ``round``, ``width``, ``batch``, ``ratio``.
    """
    rates = sweep.pivot(index=["round", "width", "batch"], columns="arm", values="images_per_second")
    return (rates[fast] / rates[slow]).rename("ratio").reset_index()


def _verdict(supported, refuted):
    return SUPPORTED if supported else REFUTED if refuted else UNDECIDED


def _compare(stock, ipex, values):
    """Return the interval of the difference of a quantity, and the test of equivalence."""
    before, after = values(stock), values(ipex)
    return stats.paired_difference(before, after), stats.equivalence(before, after)


def _macro(study, arm, quantity):
    """Return the mean of a quantity over the classes, of each run of an arm."""
    of_classes = stats.quantities(study.labels, [run.classes for run in study.runs[arm]])
    return of_classes[:, stats.QUANTITIES.index(quantity)].mean(axis=1)


def _faster(study, slow, fast):
    return stats.ratio(study.seconds_per_epoch(slow), study.seconds_per_epoch(fast))


def _mean(epochs):
    """Return the mean of the epochs that were needed, and how many runs never got there."""
    reached = [epoch for epoch in epochs if epoch is not None]
    never = len(epochs) - len(reached)
    mean = f"{np.mean(reached):.1f}" if reached else "–"
    return f"{mean} ({never} of {len(epochs)} never)" if never else mean


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
        return {key: float(part) for key, part in value._asdict().items()}
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return value
