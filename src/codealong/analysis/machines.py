"""What was measured on more than one machine, side by side."""

from pathlib import Path

from codealong import records
from codealong.analysis import ablation as ablations
from codealong.analysis import benchmark as benchmarks
from codealong.analysis import campaigns, stats
from codealong.analysis.verdicts.verdict import PAIRS
from codealong.measure import ablation, benchmark, campaign, instruction_sets

RATIOS = {
    "IPEX, float32": PAIRS["float32"],
    "its kernels": ("stock-fp32-matched", "ipex-fp32"),
    "bfloat16, stock": ("stock-fp32", "stock-bf16"),
    "IPEX, bfloat16": PAIRS["bfloat16"],
    "both": ("stock-fp32", "ipex-bf16"),
}
"""What makes training faster, and the arms that tell: the slower and the faster one."""


def speed_ups(folder=records.RECORDED):
    """Return how many times as fast training becomes on each machine, by its campaigns.

    Returns
    -------
    pandas.DataFrame
        A row for each machine: how many `campaigns` it has, and `RATIOS`, with their intervals where it has enough;
        ``–`` where an arm cannot run on it.
    """
    import pandas as pd

    rows = {}
    for machine in _with(folder, campaign.SERIES.folder):
        its = campaigns.load(machine)
        ratios = {name: its.ratio(*arms) for name, arms in RATIOS.items() if its.rates.keys() >= {*arms}}
        said = {name: f"{ratio:.2f}" if its.enough else f"{ratio.estimate:.2f}" for name, ratio in ratios.items()}
        rows[machine.name] = {"campaigns": len(its)} | said
    return pd.DataFrame(rows, index=["campaigns", *RATIOS]).T.fillna("–").rename_axis("machine")


def contestants(folder=records.RECORDED):
    """Return how many times as fast as the published recipe each contestant trains on each machine with a benchmark.

    Returns
    -------
    pandas.DataFrame
        A row for each contestant, a column for each machine: the ratio at the batch size that was chosen there, with
        its interval; ``–`` where it was not measured.
    """
    import pandas as pd

    columns = {}
    for machine in _with(folder, benchmark.NAME):
        best = benchmarks.best(benchmarks.load(machine))
        columns[machine.name] = {row["contestant"]: f"{row['ratio_to_published']:.1f}" for row in best}
    return pd.DataFrame(columns).fillna("–").rename_axis("contestant")


def predictions(folder=records.RECORDED):
    """Return how fast each contestant predicts on each machine with a benchmark.

    Returns
    -------
    pandas.DataFrame
        A row for each contestant; for each machine, the ratio to the published recipe's rate of prediction at the batch
        size that was chosen for it, and the milliseconds that one image takes where these were measured, each with
        its interval; ``–`` for a contestant that was not.
    """
    import pandas as pd

    columns = {}
    for machine in _with(folder, benchmark.NAME):
        rows = benchmarks.inference(benchmarks.load(machine)).set_index("contestant")
        columns[machine.name] = rows["/ published"].to_dict()
        if {*rows["ms for one image"]} != {"–"}:
            columns[f"{machine.name}, ms for one image"] = rows["ms for one image"].to_dict()
    return pd.DataFrame(columns).fillna("–").rename_axis("contestant")


def variations(folder=records.RECORDED):
    """Return what each variation makes of the tuned recipe's rate on each machine with an ablation.

    Returns
    -------
    pandas.DataFrame
        A row for each variation, parts changed first, a column for each machine: the ratio to the recipe with PyTorch's
        operators in the same round, with its interval; ``–`` where it was not measured.
    """
    import pandas as pd

    columns = {
        machine.name: ablations.table(ablation.read(machine)).iloc[:, 0] for machine in _with(folder, ablation.NAME)
    }
    order = [(what, name) for what, names in ablations.KINDS.items() for name in names]
    table = pd.DataFrame(columns).reindex(pd.MultiIndex.from_tuples(order)).dropna(how="all").fillna("–")
    return table.rename_axis(["part", "variation"])


def levels(folder=records.RECORDED):
    """Return what each instruction set makes of the rate of float32 with AVX2, round by round, on each machine.

    Returns
    -------
    pandas.DataFrame
        A row for each precision and instruction set, a column for each machine: the median of the rounds, and its
        interval where there are rounds enough; ``–`` where the machine does not have it.
    """
    import pandas as pd

    columns = {}
    for machine in _with(folder, instruction_sets.NAME):
        rates = {(each["contestant"], each["level"]): each["images_per_second"]
                 for each in instruction_sets.read(machine)["levels"]}  # fmt: skip
        base = rates["stock-fp32 tuned", "AVX2"]
        ratios = {key: stats.ratio(its, base) for key, its in rates.items()}
        columns[machine.name] = {
            key: "1" if key == ("stock-fp32 tuned", "AVX2") else _said(ratio) for key, ratio in ratios.items()
        }
    order = [(name, level) for name in instruction_sets.CONTESTANTS for level in instruction_sets.LEVELS]
    table = pd.DataFrame(columns).reindex(pd.MultiIndex.from_tuples(order)).dropna(how="all").fillna("–")
    return table.rename_axis(["trained", "newest instructions"])


def _with(folder, name):
    return sorted(path for path in Path(folder).iterdir() if (path / name).exists())


def _said(ratio):
    return f"{ratio.estimate:.2f}" if ratio.low != ratio.low else f"{ratio:.2f}"
