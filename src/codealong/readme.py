"""What README.md says in numbers, between markers, written from the recorded runs and benchmark."""

import re

from codealong import ROOT, bench, data, files, report, runs
from codealong.arms import ARMS

README = ROOT / "README.md"
BETWEEN = re.compile(r"(<!-- (results|benchmark): [^>]*-->\n).*?(<!-- end of \2 -->)", re.DOTALL)


def overview():
    """Return accuracies and relative rates of the recorded runs, as `report.relative_rates` does."""
    recorded = [run for arm in ARMS for run in runs.recorded(arm)]
    return report.relative_rates(report.overview(recorded, data.load().test.labels.numpy()))


def results():
    """Return the table of results and where it comes from, as Markdown."""
    table = overview()
    lines = ["| arm | test accuracy | training rate, relative to stock-fp32 |", "|---|---|---|"]
    for arm, rows in table.groupby("arm", sort=False):
        accuracy, rate = rows["test accuracy"], rows["rate / stock-fp32"]
        ratio = "1" if arm == "stock-fp32" else f"{rate.median():.2f} ({rate.min():.2f} to {rate.max():.2f})"
        lines.append(f"| `{arm}` | {accuracy.mean():.4f} ({accuracy.min():.4f} to {accuracy.max():.4f}) | {ratio} |")
    rates = table.pivot(index="seed", columns="arm", values="rate / stock-fp32")
    added = {kind: rates[f"ipex-{kind}"] / rates[f"stock-{kind}"] for kind in ("fp32", "bf16")}
    said = "; ".join(f"in {kind} {ratio.min():.2f} to {ratio.max():.2f}" for kind, ratio in added.items())
    made = runs.recorded("ipex-bf16")[-1].provenance
    spread = 100 * (table["test accuracy"].max() - table["test accuracy"].min())
    lines += [
        "",
        f"IPEX relative to stock PyTorch at the same precision, seed by seed: {said} times the rate.",
        "",
        f"All {len(table)} accuracies lie within {spread:.2f} percentage points. "
        f"Accuracy: mean (lowest to highest) of {table['seed'].nunique()} seeds; "
        "rate: median (lowest to highest) of the ratios seed by seed, first epochs left out. "
        f"Recorded {made['date'][:10]} on {made['processor']} ({', '.join(made['instruction_sets'])}), "
        f"{made['threads']} threads, torch {made['versions']['torch']}, "
        f"IPEX {made['versions']['intel-extension-for-pytorch']}.",
    ]
    return "\n".join(lines)


def benchmark():
    """Return the recorded benchmark and what follows from it, as Markdown."""
    rows = bench.load()
    best = {row["row"]: row for row in bench.best(rows)}
    lines = [
        "| row | batch | training rate / published recipe | seconds to 0.91 | test accuracy |",
        "|---|---|---|---|---|",
    ]
    for name, row in best.items():
        ratio = row["ratio_to_published"]
        seconds = " ".join("never" if value is None else f"{value:.0f}" for value in row["seconds_to_91"]) or "–"
        accuracy = f"{sum(row['test_accuracy']) / len(row['test_accuracy']):.4f}" if row["test_accuracy"] else "–"
        rate = f"{ratio['median']:.1f} ({ratio['low']:.1f} to {ratio['high']:.1f})"
        lines.append(f"| {name} | {row['batch']:,} | {rate} | {seconds} | {accuracy} |")
    made = rows[0]["provenance"]
    lines += [
        "",
        "Each row at its best of three batch sizes: median (lowest to highest) of "
        f"{len(rows[0]['raw'])} rounds. Seconds of training until 0.91 of the test images are right, and the mean test "
        f"accuracy at the end, for {len(bench.SEEDS)} seeds and each row's own recipe (the published one stops "
        "at 0.91). "
        f"Recorded {made['date'][:10]} on {made['processor']} ({', '.join(made['instruction_sets'])}), "
        f"{made['threads']} threads.",
    ]
    return "\n".join(lines)


def update(text):
    """Return the text of a README with what stands between its markers written anew."""
    written = {"results": results, "benchmark": benchmark}
    return BETWEEN.sub(lambda found: f"{found[1]}\n{written[found[2]]()}\n\n{found[3]}", text)


def write():
    """Write README.md anew."""
    files.write(README, update(README.read_text(encoding="utf-8")).encode())
