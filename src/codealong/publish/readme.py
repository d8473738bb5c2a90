"""What README.md says in numbers, between markers, written from the recorded study and benchmark."""

import re

import numpy as np

from codealong import ROOT, files
from codealong.analysis import stats, study, verdicts
from codealong.analysis.benchmark import best, each_seed, load
from codealong.measure import benchmark

README = ROOT / "README.md"
NO_AMX = " This processor has no AMX: the rates say nothing about one that has."
BETWEEN = re.compile(r"(<!-- (results|benchmark): [^>]*-->\n).*?(<!-- end of \2 -->)", re.DOTALL)


def results(recorded):
    """Return what a study found as Markdown: its arms, its verdicts, and where it was made.

    Parameters
    ----------
    recorded : study.Study
    """
    lines = ["| arm | test accuracy | training rate, relative to stock-fp32 |", "|---|---|---|"]
    stock = recorded.seconds_per_epoch("stock-fp32")
    for arm in recorded.runs:
        values = recorded.accuracy(arm)
        accuracy = stats.paired_difference(np.zeros_like(values), values)
        rate = stats.ratio(stock, recorded.seconds_per_epoch(arm))
        ratio = "1" if arm == "stock-fp32" else f"{rate:.2f}"
        lines.append(f"| `{arm}` | {accuracy:.4f} | {ratio} |")
    made = recorded.provenance
    lines += [
        "",
        f"Mean accuracy and median ratio of times per epoch, with 95 % intervals, of {len(recorded.seeds)} seeds, "
        f"interleaved. Recorded {made['date'][:10]} on {made['processor']} ({', '.join(made['instruction_sets'])}), "
        f"{made['threads']} threads, torch {made['versions']['torch']}, "
        f"IPEX {made['versions']['intel-extension-for-pytorch']}; the training alone took {_minutes(recorded):.0f} "
        "minutes." + ("" if "AMX" in made["instruction_sets"] else NO_AMX),
        "",
        "| published claim, or question of ours | what we measured | verdict |",
        "|---|---|---|",
    ]
    lines += [
        f"| {_statement(found)} | {found.measured} | **{found.verdict}**: {found.conclusion} |"
        for found in verdicts.judge(recorded)
    ]
    return "\n".join(lines)


def _minutes(recorded):
    return sum(epoch["seconds"] for made in recorded.runs.values() for run in made for epoch in run.history) / 60


def _statement(found):
    said = f"“{found.statement}”" if found.published else f"our question: {found.statement}"
    return f"*{found.claim}*: {said}"


def benchmark_results():
    """Return the recorded benchmark and what follows from it, as Markdown."""
    rows = best(load())
    lines = [
        "| contestant | batch | training rate / published recipe | seconds to 0.91 | test accuracy |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        accuracy = f"{np.mean(row['test_accuracy']):.4f}" if row["test_accuracy"] else "–"
        lines.append(
            f"| {row['contestant']} | {row['batch']:,} | {row['ratio_to_published']:.1f} "
            f"| {each_seed(row['seconds_to_91'])} | {accuracy} |"
        )
    made = rows[0]["provenance"]
    lines += [
        "",
        f"Each at its best of {len(benchmark.BATCHES)} batch sizes: median (lowest to highest) of "
        f"{rows[0]['rounds']} rounds. Seconds of training until 0.91 of the test images are right, and the mean test "
        f"accuracy at the end, for {len(benchmark.SEEDS)} seeds and each one's own recipe (the published one stops "
        "at 0.91). "
        f"Recorded {made['date'][:10]} on {made['processor']} ({', '.join(made['instruction_sets'])}), "
        f"{made['threads']} threads.",
    ]
    return "\n".join(lines)


def update(text):
    """Return the text of a README with what stands between its markers written anew."""
    written = {"results": lambda: results(study.load()), "benchmark": benchmark_results}
    return BETWEEN.sub(lambda found: f"{found[1]}\n{written[found[2]]()}\n\n{found[3]}", text)


def write():
    """Write README.md anew."""
    files.write(README, update(README.read_text(encoding="utf-8")).encode())
