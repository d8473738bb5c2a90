"""The results in README.md, between two markers, written from the recorded runs."""

import re

from codealong import ROOT, data, files, report, runs
from codealong.arms import ARMS

README = ROOT / "README.md"
BETWEEN = re.compile(r"(<!-- results: [^>]*-->\n).*?(<!-- end of results -->)", re.DOTALL)


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


def update(text):
    """Return the text of a README with the results between its markers written anew."""
    return BETWEEN.sub(lambda found: f"{found[1]}\n{results()}\n\n{found[2]}", text)


def write():
    """Write README.md anew."""
    files.write(README, update(README.read_text(encoding="utf-8")).encode())
