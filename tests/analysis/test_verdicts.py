"""Every verdict follows from the records, and turns when they say the opposite."""

import json
from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
import pytest

from codealong.analysis import larger, study, verdicts
from codealong.analysis.campaigns import FEWEST, Campaigns
from codealong.analysis.verdicts import REFUTED, SUPPORTED, UNDECIDED
from codealong.measure.study import StudyError

pytestmark = pytest.mark.usefixtures("no_collection")

RECORDED = {
    "the reports are practically identical": SUPPORTED,
    "fewer epochs": REFUTED,
    "a substantial boost": SUPPORTED,
    "larger models": UNDECIDED,
    "one pair is not enough": SUPPORTED,
    "IPEX or bfloat16": REFUTED,
    "stock PyTorch alone": SUPPORTED,
}
"""What the recorded study says of each claim; a study that is recorded again may say something else."""

FAST = {"stock-fp32": 10, "stock-fp32-matched": 12, "stock-bf16": 20, "ipex-fp32": 13, "ipex-bf16": 23}

NONE = "Accuracy does not increase by as much as 0.5 percentage points"


@pytest.fixture(scope="module")
def loaded(recorded_study):
    return recorded_study


@pytest.fixture(scope="module")
def recorded(loaded):
    """The recorded study with five campaigns that hardly differ."""
    generator = np.random.default_rng(0)
    rates = {arm: 1000 * FAST[arm] * np.exp(generator.normal(0, 0.001, (5, 10))) for arm in FAST}
    dates = [datetime(2026, 1, day, tzinfo=timezone.utc) for day in range(1, 6)]
    return replace(loaded, campaigns=Campaigns(rates, dates))


def with_arm(recorded, arm, change):
    """Return a study in which each run of an arm went through `change`, which gets the run's number too."""
    changed = [change(number, run) for number, run in enumerate(recorded.runs[arm])]
    return replace(recorded, runs=recorded.runs | {arm: changed})


def like(recorded, arm, other):
    """Return a study in which an arm predicted and learned just what another did."""
    return with_arm(
        recorded, arm,
        lambda number, run: replace(
            run, classes=recorded.runs[other][number].classes, history=recorded.runs[other][number].history
        ),
    )  # fmt: skip


def more_right(recorded, arm, images):
    """Return a study in which an arm is right on so many more images; fewer where the number is negative."""

    def change(number, run):
        more = images(number)
        classes = run.classes.copy()
        right = classes == recorded.labels
        if more > 0:
            chosen = np.flatnonzero(~right)[:: max(1, (~right).sum() // more)][:more]
            classes[chosen] = recorded.labels[chosen]
        else:
            chosen = np.flatnonzero(right)[:: right.sum() // max(1, -more)][:-more]
            classes[chosen] = (recorded.labels[chosen] + 1) % 10
        return replace(run, classes=classes)

    return with_arm(recorded, arm, change)


def seconds(recorded, arm, other, factor):
    """Return a study in which an arm takes so many times as long as another, campaign by campaign."""
    times = recorded.campaigns
    factors = np.array([[factor(number)] for number in range(len(times))])
    return replace(recorded, campaigns=replace(times, rates=times.rates | {arm: times.rates[other] / factors}))


def epochs_later(recorded, arm, later):
    """Return a study in which an arm's validation accuracies come so many epochs later (earlier where negative)."""

    def change(number, run):
        values = [0.5] * 5 + [epoch["valid_accuracy"] for epoch in run.history] + [0.99] * 5
        start = 5 - later(number)
        history = [
            {**epoch, "valid_accuracy": value}
            for epoch, value in zip(run.history, values[start : start + len(run.history)], strict=True)
        ]
        return replace(run, history=history)

    return with_arm(recorded, arm, change)


def reached_at(recorded, arm, epoch):
    """Return a study in which each run of an arm has 0.95 of the validation images right from an epoch on."""

    def change(number, run):
        history = [{**each, "valid_accuracy": 0.95 if each["epoch"] >= epoch(number) else 0.5} for each in run.history]
        return replace(run, history=history)

    return with_arm(recorded, arm, change)


def alternately(one, other):
    return lambda number: one if number % 2 else other


def larger_by(recorded, arm, other, ratio):
    """Return a study with four campaigns of what is larger, an arm so many times as fast as another.

    `ratio` gets the number of the campaign and how many times larger the case is, 1 for the course's own.
    """
    ones = np.ones((4, 1))
    rates = {(name, cell): 100 * ones for name in recorded.runs for cell in larger.CELLS}
    for place, cell in enumerate(larger.CELLS):
        by_campaign = [ratio(number, 1 + place) * (1 + 0.001 * number) for number in range(4)]
        rates[arm, cell] = rates[other, cell] * np.array(by_campaign)[:, None]
    dates = [datetime(2026, 1, 1, hour) for hour in range(4)]
    return replace(recorded, larger=Campaigns(rates, dates))


CHANGES = {
    ("identical", SUPPORTED): lambda s: like(s, "ipex-fp32", "stock-fp32"),
    ("identical", REFUTED): lambda s: more_right(like(s, "ipex-fp32", "stock-fp32"), "ipex-fp32", lambda _: -150),
    ("identical", UNDECIDED): lambda s: more_right(
        like(s, "ipex-fp32", "stock-fp32"), "ipex-fp32", alternately(250, -250)
    ),
    ("fewer_epochs", SUPPORTED): lambda s: epochs_later(
        more_right(like(s, "ipex-fp32", "stock-fp32"), "ipex-fp32", lambda _: 100), "ipex-fp32", lambda _: -1
    ),
    ("fewer_epochs", REFUTED): lambda s: like(s, "ipex-fp32", "stock-fp32"),
    ("fewer_epochs", UNDECIDED): lambda s: reached_at(
        reached_at(
            more_right(like(s, "ipex-fp32", "stock-fp32"), "ipex-fp32", alternately(250, -250)),
            "stock-fp32", lambda _: 3,
        ),
        "ipex-fp32", alternately(1, 5),
    ),
    ("boost", SUPPORTED): lambda s: seconds(s, "ipex-fp32", "stock-fp32", lambda _: 1 / 1.5),
    ("boost", REFUTED): lambda s: seconds(s, "ipex-fp32", "stock-fp32", lambda _: 1.0),
    ("boost", UNDECIDED): lambda s: seconds(s, "ipex-fp32", "stock-fp32", alternately(1.0, 1 / 1.5)),
    ("larger_models", SUPPORTED): lambda s: larger_by(s, "ipex-fp32", "stock-fp32", lambda _, size: 1.1 * size),
    ("larger_models", REFUTED): lambda s: larger_by(s, "ipex-fp32", "stock-fp32", lambda _, size: 1.1 / size),
    ("larger_models", UNDECIDED): lambda s: larger_by(
        s, "ipex-fp32", "stock-fp32", lambda _, size: 1.1 * size if size < 9 else 1.1 / size
    ),
    ("more_evaluation", SUPPORTED): lambda s: more_right(
        like(s, "ipex-fp32", "stock-fp32"), "ipex-fp32", alternately(5, -5)
    ),
    ("more_evaluation", REFUTED): lambda s: more_right(like(s, "ipex-fp32", "stock-fp32"), "ipex-fp32", lambda _: 5),
    ("more_evaluation", UNDECIDED): lambda s: more_right(
        like(s, "ipex-fp32", "stock-fp32"), "ipex-fp32", lambda number: 5 if number % 4 else -2
    ),
    ("ipex_or_bf16", SUPPORTED): lambda s: seconds(s, "ipex-fp32", "stock-bf16", lambda _: 0.8),
    ("ipex_or_bf16", REFUTED): lambda s: seconds(s, "ipex-fp32", "stock-bf16", lambda _: 1.2),
    ("ipex_or_bf16", UNDECIDED): lambda s: seconds(s, "ipex-fp32", "stock-bf16", alternately(0.8, 1.2)),
    ("stock_today", SUPPORTED): lambda s: seconds(s, "stock-bf16", "ipex-bf16", lambda _: 1.0),
    ("stock_today", REFUTED): lambda s: seconds(s, "stock-bf16", "ipex-bf16", lambda _: 2.0),
    ("stock_today", UNDECIDED): lambda s: seconds(s, "stock-bf16", "ipex-bf16", alternately(1.0, 2.0)),
}  # fmt: skip


CONCLUDES = {
    ("identical", SUPPORTED): "With IPEX the reports are equivalent: averages within ±0.5 percentage points",
    ("identical", REFUTED): "With IPEX the reports differ by more than the margins",
    ("identical", UNDECIDED): "These seeds settle neither equivalence",
    ("fewer_epochs", SUPPORTED): "With IPEX, accuracy increases; epochs are saved.",
    ("fewer_epochs", REFUTED): f"{NONE}; no whole epoch is saved.",
    ("fewer_epochs", UNDECIDED): "Whether accuracy increases stays open; whether epochs are saved stays open.",
    ("boost", SUPPORTED): "In float32 training with IPEX is at least 1.2 times as fast.",
    ("boost", REFUTED): "In float32 training with IPEX is less than 1.2 times as fast.",
    ("boost", UNDECIDED): "In float32 these campaigns do not tell whether training with IPEX is 1.2 times as fast.",
    ("larger_models", SUPPORTED): "In float32, IPEX helps more with everything larger that was tried.",
    (
        "larger_models",
        REFUTED,
    ): "In float32, IPEX helps more with nothing larger that was tried, and less with some of it.",
    ("larger_models", UNDECIDED): "In float32, IPEX helps more with some of it, and less with some.",
    ("more_evaluation", SUPPORTED): "Which arm is ahead in accuracy depends on the seed",
    ("more_evaluation", REFUTED): "At least 90% of pairs put the same arm ahead in accuracy",
    ("more_evaluation", UNDECIDED): "These seeds do not tell whether 90% of pairs",
    ("ipex_or_bf16", SUPPORTED): "IPEX contributes more than bfloat16 as stock-bf16 uses it",
    ("ipex_or_bf16", REFUTED): "bfloat16 as stock-bf16 uses it, with its memory layout, contributes more than IPEX.",
    ("ipex_or_bf16", UNDECIDED): "These campaigns do not tell which contributes more.",
    ("stock_today", SUPPORTED): "Stock PyTorch gives most of the speed-up by itself.",
    ("stock_today", REFUTED): "IPEX gives most of the speed-up.",
    ("stock_today", UNDECIDED): "These campaigns do not tell whether stock PyTorch gives most of the speed-up.",
}


@pytest.mark.parametrize(("judge", "expected"), CHANGES, ids=lambda value: value)
def test_a_verdict_and_its_sentence_turn_when_the_records_say_the_opposite(recorded, judge, expected):
    found = getattr(verdicts, judge)(CHANGES[judge, expected](recorded))
    assert found.verdict == expected, found
    assert found.conclusion.startswith(CONCLUDES[judge, expected])


@pytest.mark.parametrize("judge", sorted({judge for judge, _ in CHANGES}))
def test_what_was_measured_moves_with_the_records(recorded, judge):
    found = [getattr(verdicts, judge)(CHANGES[judge, verdict](recorded)) for verdict in (SUPPORTED, REFUTED, UNDECIDED)]
    assert len({each.measured for each in found}) == 3


def test_a_single_class_that_differs_refutes_identity(recorded):
    def change(_, run):
        classes = run.classes.copy()
        shirts = np.flatnonzero((recorded.labels == 6) & (classes == 6))[:150]
        classes[shirts] = 0
        coats = np.flatnonzero((recorded.labels == 4) & (classes != 4))[:150]
        classes[coats] = 4
        return replace(run, classes=classes)

    found = verdicts.identical(with_arm(like(recorded, "ipex-fp32", "stock-fp32"), "ipex-fp32", change))
    assert found.verdict == REFUTED
    assert "recall of Shirt" in found.numbers["float32"]["classes that differ"]


def test_averages_that_agree_do_not_make_classes_equivalent(recorded):
    def change(number, run):
        classes = run.classes.copy()
        lost, gained = (4, 6) if number % 2 else (6, 4)
        classes[np.flatnonzero((recorded.labels == lost) & (classes == lost))[:30]] = gained
        classes[np.flatnonzero((recorded.labels == gained) & (classes != gained))[:30]] = gained
        return replace(run, classes=classes)

    found = verdicts.identical(with_arm(like(recorded, "ipex-fp32", "stock-fp32"), "ipex-fp32", change))
    assert found.verdict == UNDECIDED
    assert found.numbers["float32"]["accuracy"].estimate == pytest.approx(0)
    assert found.numbers["float32"]["p of equivalence, classes"] > 0.05


@pytest.mark.parametrize(
    ("right", "epoch", "said"),
    [
        (lambda _: 0, lambda _: 3, f"{NONE}; no whole epoch is saved."),
        (lambda _: -100, lambda _: 2, f"{NONE}; epochs are saved."),
        (lambda _: 100, lambda _: 3, "With IPEX, accuracy increases; no whole epoch is saved."),
        (lambda _: 100, lambda _: 2, "With IPEX, accuracy increases; epochs are saved."),
        (alternately(250, -250), lambda _: 3, "Whether accuracy increases stays open; no whole epoch is saved."),
        (lambda _: 0, alternately(1, 5), f"{NONE}; whether epochs"),
    ],
)
def test_the_two_parts_of_fewer_epochs_are_told_apart(recorded, right, epoch, said):
    same = reached_at(like(recorded, "ipex-fp32", "stock-fp32"), "stock-fp32", lambda _: 3)
    altered = reached_at(more_right(same, "ipex-fp32", right), "ipex-fp32", epoch)
    assert verdicts.fewer_epochs(altered).conclusion.startswith(said)


def test_growth_without_a_benefit_is_not_a_benefit(recorded):
    changed = larger_by(recorded, "ipex-fp32", "stock-fp32", lambda _, size: size / 1000)
    assert verdicts.larger_models(changed).verdict == UNDECIDED


def test_one_small_case_among_many_refutes_nothing_by_luck(recorded):
    """Below 1 with 95 % by itself, but not among 21 cases."""
    factors = (0.9, 0.95, 0.8, 0.85)
    changed = larger_by(
        recorded, "ipex-fp32", "stock-fp32", lambda number, size: factors[number] if size == 5 else 1.0
    )  # fmt: skip
    judged = verdicts.larger_models(changed)
    benefits = [its["benefit"] for its in judged.numbers["float32"].values()]
    assert benefits.count("smaller") == 1 and judged.verdict == UNDECIDED
    assert judged.conclusion == "In float32, these campaigns do not tell."


def test_each_network_size_and_data_set_is_judged_by_itself(recorded):
    changed = larger_by(
        recorded, "ipex-fp32", "stock-fp32", lambda number, size: {1: 1.2, 2: 2.0, 3: 0.6}.get(size, 1.2 + number / 10)
    )
    judged = verdicts.larger_models(changed)
    by_name = judged.numbers["float32"]
    assert by_name["FashionCNN with 240,000 images"]["benefit"] == "larger"
    assert by_name["FashionCNN with 240,000 images"]["growth"].estimate == pytest.approx(2.0 / 1.2)
    assert by_name["FashionCNN at 56 pixels"]["benefit"] == "smaller"
    assert [its["benefit"] for its in by_name.values()].count("open") == 19
    table = verdicts.by_case(changed)["float32"]
    assert table.loc["240,000 images", "28 pixels"] == "2.00 larger" and table.loc["240,000 images", "56 pixels"] == ""
    assert table.loc["FashionCNN"].tolist()[:2] == ["1.20", "0.60 smaller"]


def test_with_two_campaigns_of_what_is_larger_nothing_is_decided(recorded):
    times = larger_by(recorded, "ipex-fp32", "stock-fp32", lambda _, size: 1.1 * size).larger
    two = Campaigns({key: rates[:2] for key, rates in times.rates.items()}, times.dates[:2])
    judged = verdicts.larger_models(replace(recorded, larger=two))
    assert judged.verdict == UNDECIDED and "python -m codealong larger" in judged.conclusion
    assert {its["benefit"] for its in judged.numbers["float32"].values()} == {"open"}


def test_without_a_speed_up_there_is_nothing_to_divide(recorded):
    changed = seconds(recorded, "ipex-bf16", "stock-fp32", lambda _: 1.0)
    assert verdicts.ipex_or_bf16(changed).verdict == UNDECIDED


def never(_, run):
    return replace(run, history=[{**epoch, "valid_accuracy": 0.85} for epoch in run.history])


def test_a_level_that_a_run_never_reached_takes_it_longer_than_any(recorded):
    found = verdicts.fewer_epochs(with_arm(recorded, "ipex-fp32", never))
    assert f"– ({len(recorded.seeds)} of {len(recorded.seeds)} never)" in found.measured
    assert [level["difference"].low for level in found.numbers["float32"]["epochs"].values()] == [np.inf] * 3
    assert found.numbers["float32"]["epochs saved"] == REFUTED
    json.dumps(verdicts.plain([found]), allow_nan=False)


def test_a_level_that_neither_run_of_a_pair_reached_decides_nothing(recorded):
    found = verdicts.fewer_epochs(with_arm(with_arm(recorded, "ipex-fp32", never), "stock-fp32", never))
    assert all("difference" not in level for level in found.numbers["float32"]["epochs"].values())
    assert found.numbers["float32"]["epochs saved"] == UNDECIDED


def test_single_runs_that_never_reach_a_level_do_not_lift_the_rest(recorded):
    changed = with_arm(recorded, "ipex-fp32", lambda number, run: never(number, run) if number < 2 else run)
    epochs = verdicts.fewer_epochs(changed).numbers["float32"]["epochs"]
    assert all(level["with"].count(None) == 2 and level["difference"].high == np.inf for level in epochs.values())


def test_stock_s_share_is_that_of_the_logarithms(recorded):
    changed = seconds(recorded, "stock-bf16", "stock-fp32", lambda _: 1 / 2)
    changed = seconds(changed, "ipex-bf16", "stock-fp32", lambda _: 1 / 4)
    assert verdicts.stock_today(changed).numbers["share"] == pytest.approx((0.5, 0.5, 0.5))


def test_without_a_speed_up_stock_has_no_share_of_it(recorded):
    changed = seconds(recorded, "ipex-bf16", "stock-fp32", lambda _: 1.0)
    assert verdicts.stock_today(changed).verdict == UNDECIDED


@pytest.mark.parametrize(("factor", "said"), [(0.5, "is at least 1.2"), (1.0, "is less than"), (None, "do not tell")])
def test_bfloat16_s_boost_turns_too(recorded, factor, said):
    changed = seconds(
        recorded, "ipex-bf16", "stock-bf16", alternately(0.5, 1.0) if factor is None else lambda _: factor
    )
    assert said in verdicts.boost(changed).conclusion.rpartition("In bfloat16")[2]


@pytest.mark.parametrize(("power", "said"), [(1, "larger in 21 of"), (-1, "smaller in 21"), (0, "larger in 0 of")])
def test_bfloat16_s_growth_turns_too(recorded, power, said):
    changed = larger_by(recorded, "ipex-bf16", "stock-bf16", lambda _, size: 1.1 * float(size) ** power)
    assert said in verdicts.larger_models(changed).measured.partition("in bfloat16, ")[2]


def test_the_published_pair_is_held_against_reseeding(recorded):
    def noisier(number, run):
        generator = np.random.default_rng(number)
        share = 0.4 * generator.random(10)
        moved = generator.random(10_000) < share[recorded.labels]
        return replace(run, classes=np.where(moved, generator.integers(0, 10, 10_000), run.classes).astype(np.uint8))

    beyond = len(verdicts.identical(recorded).numbers["published beyond reseeding"])
    assert f"in {beyond} of 30 numbers" in verdicts.identical(recorded).measured
    assert verdicts.identical(with_arm(recorded, "stock-fp32", noisier)).numbers["published beyond reseeding"] == []


def test_the_factors_of_ipex_and_bf16_multiply_to_the_whole(recorded):
    changed = seconds(recorded, "stock-bf16", "stock-fp32", lambda _: 1 / 2)
    changed = seconds(changed, "ipex-fp32", "stock-fp32", lambda _: 1 / 1.5)
    numbers = verdicts.ipex_or_bf16(seconds(changed, "ipex-bf16", "stock-fp32", lambda _: 1 / 3)).numbers
    found = {name: numbers[name].estimate for name in ("whole", "ipex", "bf16")}
    assert found == pytest.approx({"whole": 3.0, "ipex": 1.5, "bf16": 2.0})


def test_verdicts_are_plain_enough_for_json(recorded):
    found = verdicts.judge(recorded)
    again = json.loads(json.dumps(verdicts.plain(found), allow_nan=False))
    assert [each["claim"] for each in again] == list(RECORDED)
    assert {each["verdict"] for each in again} <= {SUPPORTED, REFUTED, UNDECIDED}
    ratio = recorded.campaigns.ratio("stock-fp32", "ipex-fp32")
    assert again[2]["numbers"]["float32"] == {"estimate": ratio.estimate, "low": ratio.low, "high": ratio.high}


def test_a_reader_gets_claim_evidence_and_verdict(recorded):
    found = verdicts.judge(recorded)
    page = verdicts.text(found)
    for each, shown in zip(found, page.split("\n\n"), strict=True):
        assert shown.lower().startswith(f"{each.claim}\n".lower())
        for part in (each.statement, each.measured, each.conclusion, each.verdict.upper()):
            assert part in " ".join(shown.split())
        assert ("published: “" in shown) is each.published is not ("our question" in shown)


@pytest.mark.parametrize("judge", ["boost", "ipex_or_bf16", "stock_today"])
def test_too_few_campaigns_decide_nothing_and_the_reader_learns_why(recorded, judge):
    changed = CHANGES[judge, SUPPORTED](recorded)
    for count, verdict in ((FEWEST, SUPPORTED), (FEWEST - 1, UNDECIDED), (0, UNDECIDED)):
        times = changed.campaigns
        fewer = Campaigns({arm: rates[:count] for arm, rates in times.rates.items()}, times.dates[:count])
        found = getattr(verdicts, judge)(replace(changed, campaigns=fewer))
        assert found.verdict == verdict
        assert ("So far" in found.measured) is ("Too few campaigns" in found.conclusion) is (count < FEWEST)
        json.dumps(verdicts.plain([found]), allow_nan=False)


def test_what_ipex_adds_in_float32_is_divided_into_kernels_and_what_comes_along(recorded):
    changed = seconds(recorded, "stock-fp32-matched", "stock-fp32", lambda _: 1 / 2)
    found = verdicts.boost(seconds(changed, "ipex-fp32", "stock-fp32", lambda _: 1 / 3))
    assert found.numbers["layout and optimizer"] == pytest.approx((2.0, 2.0, 2.0))
    assert found.numbers["kernels"] == pytest.approx((1.5, 1.5, 1.5))
    assert "which stock PyTorch has too, give 2.00 (2.00 to 2.00), and IPEX's kernels 1.50 (1.50" in found.measured


def test_both_orders_of_ipex_and_bfloat16_are_told(recorded):
    changed = seconds(recorded, "stock-bf16", "stock-fp32", lambda _: 1 / 2)
    changed = seconds(changed, "ipex-fp32", "stock-fp32", lambda _: 1 / 1.5)
    found = verdicts.ipex_or_bf16(seconds(changed, "ipex-bf16", "stock-fp32", lambda _: 1 / 4))
    assert (
        "IPEX first, it is 1.50 by IPEX times 2.67 by bfloat16; bfloat16 first, 2.00 by bfloat16 times 2.00 by IPEX"
        in (found.measured)
    )


def test_earlier_seeds_stand_beside_and_do_not_decide(recorded):
    changed = more_right(like(recorded, "ipex-fp32", "stock-fp32"), "ipex-fp32", lambda _: 5)
    found = verdicts.more_evaluation(changed)
    assert found.verdict == REFUTED and "With seeds 0 to 11, known when the last rules were fixed" in found.measured
    assert found.measured.endswith(": supported.")
    alone = verdicts.more_evaluation(replace(changed, earlier=None))
    assert alone.verdict == REFUTED and "known when the last rules were fixed" not in alone.measured


def test_the_recorded_study_says_what_the_course_says_it_does(loaded):
    assert {each.claim: each.verdict for each in verdicts.judge(loaded)} == RECORDED
    assert [each.published for each in verdicts.judge(loaded)] == [True] * 5 + [False] * 2


def test_verdicts_are_listed_by_machine(loaded, monkeypatch, tmp_path):
    for name in ("one", "other", "begun"):
        (tmp_path / name / "runs").mkdir(parents=True)
    (tmp_path / "nothing").mkdir()

    def load(folder):
        if folder.name == "begun":
            raise StudyError("holds no whole study")
        return loaded if folder.name == "one" else more_right(loaded, "ipex-fp32", lambda _: -150)

    monkeypatch.setattr(study, "load", load)
    table = verdicts.by_machine(tmp_path)
    assert list(table) == ["one", "other"] and list(table.index) == list(RECORDED)
    assert table["one"].to_dict() == RECORDED
    assert table.loc["the reports are practically identical", "other"] == REFUTED
