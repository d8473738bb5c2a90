"""What a study says of predictions and of learning: the claims on reports, epochs and single pairs."""

import numpy as np

from codealong.analysis import reports, stats
from codealong.analysis.verdicts.verdict import PAIRS, REFUTED, SUPPORTED, UNDECIDED, Verdict, decide, points
from codealong.intervals import Interval

LEVELS = (0.88, 0.90, 0.91)
"""Validation accuracies that epochs are counted to."""

NEVER = Interval(np.inf, np.inf, np.inf)

SETTLES = 0.9
"""One pair is enough where at least this share of pairs puts the same arm ahead."""


def identical(study):
    """Judge "the reports are practically identical".

    Supported when accuracy, macro precision and macro F1 are equivalent within `stats.MARGIN`, and precision,
    recall and F1 of every class within `stats.CLASS_MARGIN`. Refuted when an average's interval, corrected over
    the three, lies beyond the margin; or when a class differs: its p-value is small after correction over
    classes and quantities, and its mean difference exceeds both the class margin and the standard deviation
    over seeds. Each of the two ways to be refuted gets half of the 5 %.
    """
    numbers, judged = {}, {}
    level = (1 - stats.CONFIDENCE) / 2 / len(stats.QUANTITIES)
    averages = {  # macro recall is the accuracy, since all classes have as many images
        "accuracy": study.accuracy,
        "macro precision": lambda arm: _macro(study, arm, "precision"),
        "macro F1": lambda arm: _macro(study, arm, "f1-score"),
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
        judged[precision] = decide(
            all(test.equivalent for test in tests) and (classes["p equivalence"] < 1 - stats.CONFIDENCE).all(),
            not differs.empty or any(each.low > stats.MARGIN or each.high < -stats.MARGIN for each in intervals),
        )
    published = stats.against_reseeding(
        reports.published("without"), reports.published("with"), study.quantities("stock-fp32")
    )
    apart = published[published["p Holm"] < (1 - stats.CONFIDENCE) / len(stats.QUANTITIES)]
    numbers["published beyond reseeding"] = [" of ".join(index) for index in apart.index]
    verdict, mine = judged["float32"], numbers["float32"]
    said = " and ".join(
        f"{points(numbers[precision]['accuracy'])} percentage points in {precision}" for precision in PAIRS
    )
    reach = np.ceil(1000 * mine["furthest reach of the intervals of all classes"]) / 10
    margins = f"averages within ±{100 * stats.MARGIN:g} percentage points, numbers of a class within "
    margins += f"±{100 * stats.CLASS_MARGIN:g}"
    return Verdict(
        "the reports are practically identical",
        True,
        "the performance metrics for each class and the macro and weighted averages are practically identical",
        f"on these test images, accuracy with minus without is {said}. From seed to seed, the accuracy of "
        f"stock-fp32 has a standard deviation of {100 * mine['standard deviation over seeds'].estimate:.2f} points. "
        f"In float32, the intervals of precision, recall and F1 of all classes, taken together, stay within "
        f"±{reach:.1f} points. Numbers that differ significantly, by more than the margin and the spread over seeds: "
        f"{_listed(mine['classes that differ'])}. The published pair, without IPEX in either, moved further than "
        f"reseeding our recipe explains in {len(apart)} of {len(published)} numbers."
        + _before(identical, study, lambda was: f"accuracy differed by {points(was['float32']['accuracy'])} points"),
        verdict,
        {
            SUPPORTED: f"With IPEX the reports are equivalent: {margins}.",
            REFUTED: f"With IPEX the reports differ by more than the margins ({margins}).",
            UNDECIDED: f"These seeds settle neither equivalence ({margins}) nor a difference beyond it.",
        }[verdict],
        f"accuracy, with minus without: {points(mine['accuracy'])} points",
        numbers | {"verdicts": judged},
    )


def fewer_epochs(study):
    """Judge "fewer epochs": accuracy has increased with fewer of them.

    It has two parts, each judged with half of the 5 %: supported when both are, refuted when one is. Accuracy has
    not increased when the difference is equivalent to none within the margin, or its interval lies below 0; else
    it has when the interval lies above 0. Epochs are saved when the interval of the median difference in epochs,
    corrected over the levels, lies below 0 at some level; they are not when it leaves out a whole epoch at every
    level. A level that a run never reaches takes it longer than any; where neither run of a pair reaches it, it
    is left out, and then nothing can show that no epoch is saved.
    """
    numbers, judged = {}, {}
    level = (1 - stats.CONFIDENCE) / 2
    for precision, (stock, ipex) in PAIRS.items():
        accuracies = study.accuracy(stock), study.accuracy(ipex)
        same = stats.equivalence(*accuracies, level=level).equivalent
        interval = stats.paired_difference(*accuracies, 1 - level)
        increased = decide(interval.low > 0 and not same, same or interval.high < 0)
        epochs, saved = {}, []
        for accuracy in LEVELS:
            needed = {arm: [stats.epochs_to(run.history, accuracy) for run in study.runs[arm]] for arm in (stock, ipex)}
            epochs[accuracy] = {"without": needed[stock], "with": needed[ipex]}
            without, with_ipex = (np.array([each or np.inf for each in needed[arm]]) for arm in (stock, ipex))
            if (np.minimum(without, with_ipex) < np.inf).all():
                saved.append(stats.median(with_ipex - without, 1 - level / len(LEVELS)))
                epochs[accuracy]["difference"] = saved[-1]
        fewer = decide(
            any(difference.high < 0 for difference in saved),
            len(saved) == len(LEVELS) and all(difference.low > -1 for difference in saved),
        )
        numbers[precision] = {
            "accuracy": stats.paired_difference(*accuracies), "accuracy increased": increased,
            "epochs": epochs, "epochs saved": fewer,
        }  # fmt: skip
        judged[precision] = decide(increased == fewer == SUPPORTED, REFUTED in (increased, fewer))
    mine = numbers["float32"]
    reached = "; ".join(
        f"{level:.2f} in epoch {_median(needed['without'])} without and {_median(needed['with'])} with"
        for level, needed in mine["epochs"].items()
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
        "fewer epochs",
        True,
        "The accuracy has increased with less epochs",
        f"in float32, accuracy with minus without is {points(mine['accuracy'])} percentage points. In the median, "
        f"runs reach a validation accuracy of {reached}."
        + _before(fewer_epochs, study, lambda was: f"accuracy differed by {points(was['float32']['accuracy'])} points"),
        judged["float32"],
        f"{increased}; {saved}.",
        f"epochs to {LEVELS[-1]:.2f}, with minus without: {mine['epochs'][LEVELS[-1]].get('difference', NEVER):.0f}",
        numbers | {"verdicts": judged},
    )


def more_evaluation(study):
    """Judge "one pair is not enough", the premise of the claim that further evaluation is necessary.

    Estimated is the probability that IPEX has the higher accuracy in a pair, as `stats.superiority` does it. Supported
    when its whole interval lies between 1 − `SETTLES` and `SETTLES`, refuted when all of it lies beyond one of them.
    """
    stock, ipex = (study.accuracy(arm) for arm in PAIRS["float32"])
    ahead, behind = int((ipex > stock).sum()), int((ipex < stock).sum())
    share = stats.superiority(stock, ipex)
    times = study.campaigns
    faster = times.superiority(*PAIRS["float32"])
    verdict = decide(
        share.low > 1 - SETTLES and share.high < SETTLES,
        share.low > SETTLES or share.high < 1 - SETTLES,
    )
    return Verdict(
        "one pair is not enough",
        True,
        "further investigations and extensive evaluations are necessary to validate its effectiveness across different "
        "scenarios",
        f"judged is the premise, for accuracy: that one pair of runs does not settle it. Of {len(stock)} pairs with "
        f"the same seed, in float32, {ahead} put IPEX ahead, {behind} behind, and {len(stock) - ahead - behind} "
        f"neither. The probability that IPEX is ahead in a pair is {share:.2f}."
        + (
            f" That it trains faster in a round is {faster:.2f}, by {times.said()}, rounds taken as independent."
            if times
            else ""
        )
        + _before(more_evaluation, study, lambda was: f"that probability was {was['probability ahead']:.2f}"),
        verdict,
        {
            SUPPORTED: "Which arm is ahead in accuracy depends on the seed: one pair does not settle that.",
            REFUTED: f"At least {SETTLES:.0%} of pairs put the same arm ahead in accuracy: one pair settles that.",
            UNDECIDED: f"These seeds do not tell whether {SETTLES:.0%} of pairs put the same arm ahead in accuracy.",
        }[verdict],
        f"probability that IPEX is ahead in a pair: {share:.2f}",
        {"ahead": ahead, "behind": behind, "probability ahead": share, "probability ahead, rate": faster},
    )


def _before(judge, study, said):
    """Say what the earlier seeds gave, which were known when the last rules were fixed."""
    if study.earlier is None:
        return ""
    was, seeds = judge(study.earlier), study.earlier.seeds
    return (
        f" With seeds {seeds[0]} to {seeds[-1]}, known when the last rules were fixed, {said(was.numbers)}: "
        f"{was.verdict}."
    )


def _macro(study, arm, quantity):
    """Return the mean of a quantity over the classes, of each run of an arm."""
    return study.quantities(arm)[:, stats.QUANTITIES.index(quantity)].mean(axis=1)


def _median(epochs):
    """Return the median of the epochs that were needed, and how many runs never got there."""
    never = epochs.count(None)
    median = np.median([np.inf if epoch is None else epoch for epoch in epochs])
    return f"{median:g}".replace("inf", "–") + (f" ({never} of {len(epochs)} never)" if never else "")


def _listed(names):
    return ", ".join(names) or "none"
