"""What README.md, RESULTS.md and the site's front page say of records and lessons, written between markers."""

import re

import nbformat
import numpy as np

from codealong import ROOT, files
from codealong.analysis import campaigns, larger, machines, publication, stats, study, verdicts
from codealong.analysis.benchmark import best, each_seed, load
from codealong.analysis.verdicts.verdict import points
from codealong.publish import course, site
from codealong.training import RECIPE

README, RESULTS = ROOT / "README.md", ROOT / "RESULTS.md"
PAGES = (README, RESULTS, site.PAGES / "index.md")

BETWEEN = re.compile(r"(<!-- (\w+): [^>]*-->\n).*?(<!-- end of \2 -->)", re.DOTALL)
NO_AMX = " This processor has no AMX: the rates say nothing about one that has."

REPORTS = {
    verdicts.SUPPORTED: "With IPEX the reports are equivalent",
    verdicts.REFUTED: "With IPEX the reports differ",
    verdicts.UNDECIDED: "Whether the reports are equivalent with IPEX is open",
}
BOOST = {
    verdicts.SUPPORTED: "Training with IPEX is substantially faster",
    verdicts.REFUTED: "Training with IPEX is not substantially faster",
    verdicts.UNDECIDED: "Whether training with IPEX is substantially faster is open",
}
ALONE = {
    verdicts.SUPPORTED: "Stock PyTorch gives most of the speed-up by itself",
    verdicts.REFUTED: "Stock PyTorch gives less than half of the speed-up by itself",
    verdicts.UNDECIDED: "Whether stock PyTorch gives most of the speed-up by itself is open",
}


def finding(recorded):
    """Return what a study found in three lines, each a verdict and a number.

    Parameters
    ----------
    recorded : study.Study
    """
    reports, boost, alone = (judge(recorded) for judge in (verdicts.identical, verdicts.boost, verdicts.stock_today))
    origin, seeds = recorded.provenance, len(recorded.seeds)
    amx = "" if "AMX" in origin["instruction_sets"] else ", no AMX"
    accuracy, rate = reports.numbers["float32"]["accuracy"], boost.numbers["float32"]
    bf16, both = (alone.numbers[f"{arm} / stock-fp32"] for arm in ("stock-bf16", "ipex-bf16"))
    return (
        f"- **{REPORTS[reports.verdict]}**: accuracy changes by {points(accuracy)} points in float32 "
        f"(allowed: ±{100 * stats.MARGIN:g}).\n"
        f"- **{BOOST[boost.verdict]}**: {rate:.2f} times as fast in float32 (asked for: {verdicts.SUBSTANTIAL:g}). "
        f"Its kernels give {boost.numbers['kernels']:.2f} of that; the rest is memory layout and a fused Adam, which "
        "stock PyTorch has.\n"
        f"- **{ALONE[alone.verdict]}**: {bf16:.2f} times as fast in bfloat16; with IPEX, {both.estimate:.2f}.\n\n"
        f"{seeds} random seeds per arm, {recorded.campaigns.said()}, 95 % intervals, on one machine "
        f"({origin['processor']}, {origin['threads']} threads{amx}). All verdicts are in [the results](RESULTS.md)."
    )


def arms(recorded):
    """Return a study's accuracies and rates as a table, and where and when it was made."""
    lines = ["| arm | test accuracy | training rate, relative to stock-fp32 |", "|---|---|---|"]
    for arm in recorded.runs:
        accuracy = stats.mean(recorded.accuracy(arm))
        rate = "1" if arm == "stock-fp32" else f"{recorded.campaigns.ratio('stock-fp32', arm):.2f}"
        lines.append(f"| `{arm}` | {accuracy:.4f} | {rate} |")
    origin = recorded.provenance
    return "\n".join(lines) + (
        f"\n\nAccuracy: mean of {len(recorded.seeds)} seeds, rate: mean of {recorded.campaigns.said()}, "
        f"with 95 % intervals. Recorded until {origin['date'][:10]} on {_machine(origin)}, torch "
        f"{origin['versions']['torch']}, IPEX {origin['versions']['intel-extension-for-pytorch']}."
        + ("" if "AMX" in origin["instruction_sets"] else NO_AMX)
    )


def conclusions(recorded):
    """Return a study's verdicts as a table: each claim with one number."""
    lines = ["| published claim, or question of ours | verdict | the number that decides most |", "|---|---|---|"]
    for each in verdicts.judge(recorded):
        said = f"“{each.statement}”" if each.published else f"our question: {each.statement}"
        lines.append(f"| *{each.claim}*: {said} | **{each.verdict}** | {each.number} |")
    return "\n".join(lines) + (
        f"\n\nIn float32, 95 % intervals; of the first two and of the fifth over {len(recorded.seeds)} seeds, of the "
        f"fourth over {recorded.larger.said()}, of the others over {recorded.campaigns.said()}."
    )


def larger_models(recorded, memory):
    """Return the speed-ups with larger networks, images and data sets as a table, and the memory that training took.

    Parameters
    ----------
    recorded : study.Study
    memory : dict
        As `larger.memory` returns it.
    """
    ratios = {
        "IPEX, float32": verdicts.PAIRS["float32"],
        "its kernels": ("stock-fp32-matched", "ipex-fp32"),
        "IPEX, bfloat16": verdicts.PAIRS["bfloat16"],
    }
    pairs = [arm for pair in verdicts.PAIRS.values() for arm in pair]
    heads = ["trained", *ratios, *(f"`{arm}`" for arm in pairs)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for cell in larger.CELLS:
        speed_ups = [larger.speed_up(recorded.larger, pair, cell) for pair in ratios.values()]
        said = [f"{each:.2f}" if recorded.larger.enough else f"{each.estimate:.2f}" for each in speed_ups]
        held = [f"{memory[arm, cell]:,.0f}" for arm in pairs]
        lines.append(f"| {' | '.join([larger.name(cell), *said, *held])} |")
    intervals = "with 95 % intervals" if recorded.larger.enough else "too few for an interval"
    return "\n".join(lines) + (
        "\n\nHow many times as fast training is with IPEX in the same precision, and what its kernels give of it in "
        f"float32, without memory layout and optimizer; then what training took of memory, in MiB. Batches of "
        f"{RECIPE.batch_size}; "
        f"means of {recorded.larger.said()}, {intervals}."
    )


def as_published(recorded, long_runs, deep_runs):
    """Return what 100 epochs bring, and the reports of the network of the published text beside those of its table.

    Parameters
    ----------
    recorded : study.Study
    long_runs, deep_runs : dict
        As `analysis.publication.load` returns them.
    """
    table = publication.epochs_table(long_runs)
    later, too_many = publication.cost(long_runs)
    lines = [f"| run | {' | '.join(table)} |", "|---" * (1 + len(table.columns)) + "|"]
    for name, row in table.iterrows():
        best, *accuracies = row
        lines.append(f"| {name} | {best:.0f} | {' | '.join(map('{:.4f}'.format, accuracies))} |")
    lines.append(
        f"\nThe best epoch is that with the most validation images right. Over these runs, test accuracy changes by "
        f"{later:+.2f} points from the fifth epoch to the last, and by {too_many:+.2f} from the best to the last "
        "(95 % t intervals, runs taken as independent).\n"
    )
    pair = verdicts.PAIRS["float32"]
    nets = {"FashionCNN": recorded.runs, "DeepFashionCNN": deep_runs}
    reports = {
        f"{name}, `{arm}`": publication.mean_report(its[arm], recorded.labels)
        for name, its in nets.items()
        for arm in pair
    }
    lines += [f"| F1 | {' | '.join(reports)} |", "|---" * (1 + len(reports)) + "|"]
    for row in next(iter(reports.values())).index:
        lines.append(f"| {row} | {' | '.join(f'{report[row]:.3f}' for report in reports.values())} |")
    deep = ", ".join(
        f"`{arm}` {stats.mean(publication.accuracies(its, recorded.labels)):.4f}" for arm, its in deep_runs.items()
    )
    seeds = len(next(iter(deep_runs.values())))
    return "\n".join(lines) + (
        f"\n\nMeans of {len(recorded.seeds)} and {seeds} seeds, by the course's recipe. Test accuracy of "
        f"DeepFashionCNN (95 % intervals): {deep}."
    )


def contestants(rows):
    """Return a benchmark as a table, and how it was made.

    Parameters
    ----------
    rows : list of dict
        As `analysis.benchmark.load` returns them.
    """
    lines = [
        "| contestant | batch | training rate / published recipe | seconds to 0.91 | test accuracy |",
        "|---|---|---|---|---|",
    ]
    for row in best(rows):
        accuracy = f"{np.mean(row['test_accuracy']):.4f}" if row["test_accuracy"] else "–"
        lines.append(
            f"| {row['contestant']} | {row['batch']:,} | {row['ratio_to_published']:.1f} "
            f"| {each_seed(row['seconds_to_91'])} | {accuracy} |"
        )
    origin = rows[0]["provenance"]
    tried = len({row["batch"] for row in rows})
    seeds = " or ".join(map(str, sorted({len(row["test_accuracy"]) for row in best(rows) if row["test_accuracy"]})))
    return "\n".join(lines) + (
        f"\n\nEach contestant at its best of {tried} batch sizes: median of {best(rows)[0]['rounds']} "
        f"rounds (its 95 % interval). Seconds of training until 0.91 of the {rows[0]['goal_on']} are right, and the "
        f"mean test accuracy at the end, for {seeds} seeds and each one's own recipe (the published one "
        f"stops at 0.91). Recorded {origin['date'][:10]} on {_machine(origin)}."
    )


def by_machine():
    """Return verdicts, speed-ups, contestants' rates, variations and instruction sets, by machine, as six tables."""
    tables = (
        verdicts.by_machine().rename_axis("claim"), machines.speed_ups(), machines.contestants(),
        machines.predictions(), machines.variations(), machines.levels(),
    )  # fmt: skip
    return "\n\n".join(_markdown(table) for table in tables) + (
        f"\n\nVerdicts need a study of {study.FEWEST} seeds. Speed-ups: how many times as fast, by the means of all "
        f"campaigns of the machine, with a 95 % interval from {campaigns.FEWEST} campaigns on. Contestants: how many "
        "times the published recipe's rate, round by round, first of training, then of prediction, with the time that "
        "one image takes. Variations: what each makes of the rate of "
        "`stock-bf16 tuned` with PyTorch's operators. Instructions: that rate, and float32's, relative to float32 with "
        "AVX2 in the same round. All four: median of the rounds, with its 95 % interval where there are six."
    )


def lessons(paths):
    """Return the table of lessons: the title, the question and the time that each notebook's first cell states.

    Parameters
    ----------
    paths : list of Path
    """
    lines = ["| lesson | the question it answers | time |", "|---|---|---|"]
    for path in paths:
        first = nbformat.read(path, as_version=4).cells[0].source
        title, question, time = (
            " ".join(re.search(pattern, first, re.M | re.S)[1].split())
            for pattern in (r"^# (.+?)$", r"^\*\*(.+?)\*\*$", r"\*Time\* (.+?)(?: \([^)]*\))?$")
        )
        lines.append(f"| [{title}](notebooks/{path.name}) | {question} | {time} |")
    return "\n".join(lines)


def update(text):
    """Return the text of a page with what is between its markers written anew."""
    written = {
        "finding": lambda: finding(study.load()),
        "arms": lambda: arms(study.load()),
        "verdicts": lambda: conclusions(study.load()),
        "larger": lambda: larger_models(study.load(), larger.memory()),
        "published": lambda: as_published(study.load(), *publication.load()),
        "benchmark": lambda: contestants(load()),
        "machines": by_machine,
        "lessons": lambda: lessons(course.notebooks()),
    }
    return BETWEEN.sub(lambda match: f"{match[1]}\n{written[match[2]]()}\n\n{match[3]}", text)


def write():
    """Write all pages anew."""
    for page in PAGES:
        files.write(page, update(page.read_text(encoding="utf-8")).encode())


def _markdown(table):
    """Return a data frame as a table in Markdown."""
    flat = table.reset_index()
    lines = [f"| {' | '.join(map(str, row))} |" for row in (flat.columns, *flat.itertuples(index=False))]
    return "\n".join([lines[0], "|---" * len(flat.columns) + "|", *lines[1:]])


def _machine(origin):
    return f"{origin['processor']} ({', '.join(origin['instruction_sets'])}), {origin['threads']} threads"
