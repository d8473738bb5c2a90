"""What a benchmark says: each contestant at its best batch size, as tables."""

import numpy as np

from codealong import records
from codealong.analysis import stats
from codealong.measure import benchmark, roofline
from codealong.measure.benchmark import BATCHES, RATES, choose
from codealong.measure.worker import PEERS, PUBLISHED


def load(folder=records.REFERENCE):
    """Read the benchmark of a machine, and summarise it."""
    return summarise(benchmark.read(folder))


def summarise(record):
    """Turn the record of a benchmark into rows.

    Parameters
    ----------
    record : dict
        As `measure.benchmark.measure` returns it.

    Returns
    -------
    list of dict
        `contestant`, `batch`, `threads`, whether this batch size was `chosen` for it to train with, or
        `chosen_for_inference`, and number of `rounds`: those that count, or, where a batch size was not measured in
        them, those that chose. `images_per_second`, `ratio_to_published`, `ratio_to_stock_fp32` and
        `share_of_attainable` of training (not of a peer that only predicts), `inference_images_per_second` and
        `inference_ratio_to_published`, each with its interval as `stats.median` returns it (the ratios are taken round
        by round to those contestants at batch 64 with all threads); `latency_milliseconds` of one image, the same way,
        where it was measured; `seconds_to_91`, `epochs_to_91` and `test_accuracy` of its
        own recipe, one value per seed; `peak_mib` of the round that took least; `start_seconds` and its very first
        `first_step_seconds`; `peaks`, the medians of the limits of the machine, and `attainable_images_per_second` by
        them, with a thread's share of them; `goal_on`, the images of which 0.91 are to be right; `provenance`.
    """
    import pandas as pd

    table = pd.DataFrame(record["measurements"])
    whole, choosing = table["threads"].max(), record["choosing"]
    deciding = [each for each in record["measurements"] if each["round"] < choosing or not choosing]
    chosen, chosen_for_inference = (choose(deciding, whole, rate) for rate in RATES)
    base = table[(table["batch"] == BATCHES[0]) & (table["threads"] == whole)].set_index("round")
    published, stock = (base[base["contestant"] == name] for name in (PUBLISHED, "stock-fp32"))
    latencies = {}
    for each in record.get("latencies", ()):
        latencies.setdefault(each["contestant"], []).append(each["milliseconds"])
    peaks = pd.DataFrame(record["limits"]).median().to_dict()
    rows = []
    for (name, batch, threads), group in table.groupby(["contestant", "batch", "threads"], sort=False):
        group = group.set_index("round")
        counted = group[group.index >= choosing]
        group = group if counted.empty else counted
        rounds, (rates, inferred) = group.index, (group[rate] for rate in RATES)
        trained = [each for each in record["trained"] if each["contestant"] == name]
        row = {
            "contestant": name,
            "batch": int(batch),
            "threads": int(threads),
            "chosen": bool(threads == whole and batch == chosen.get(name)),
            "chosen_for_inference": bool(threads == whole and batch == chosen_for_inference[name]),
            "rounds": len(rounds),
            "inference_images_per_second": stats.median(inferred),
            "inference_ratio_to_published": stats.ratio(inferred, published[RATES[1]][rounds]),
            "seconds_to_91": [each["seconds"] for each in trained],
            "epochs_to_91": [each["epochs"] for each in trained],
            "test_accuracy": [each["test_accuracy"] for each in trained if each["test_accuracy"] is not None],
            "peak_mib": float(group["peak_mib"].min()),
            "peaks": peaks,
            "goal_on": record["goal_on"],
            **record["contestants"][name],
        }
        if name in latencies:
            row["latency_milliseconds"] = stats.median(latencies[name])
        if name in chosen:
            row |= {
                "images_per_second": stats.median(rates),
                "ratio_to_published": stats.ratio(rates, published[RATES[0]][rounds]),
                "ratio_to_stock_fp32": stats.ratio(rates, stock[RATES[0]][rounds]),
            }
        if name not in PEERS:
            cost = record["costs"]["stock-fp32" if name == PUBLISHED else name.replace("ipex", "stock")]
            most = roofline.attainable(peaks, cost, "bf16" if "bf16" in name else "fp32") * (threads / whole)
            row |= {
                "cost": cost,
                "attainable_images_per_second": most,
                "share_of_attainable": stats.median(rates / most),
            }
        rows.append(row)
    return rows


def best(rows):
    """Return each contestant at the batch size that was chosen for it, sorted by its ratio to the published recipe."""
    return sorted((row for row in rows if row["chosen"]), key=lambda row: -row["ratio_to_published"].estimate)


def table(rows):
    """Return what `best` found as a table for a reader."""
    import pandas as pd

    return pd.DataFrame(
        {
            "contestant": row["contestant"],
            "batch": row["batch"],
            "images/s": f"{row['images_per_second']:,.0f}",
            "/ published": f"{row['ratio_to_published']:.1f}",
            "/ stock-fp32": f"{row['ratio_to_stock_fp32']:.2f}",
            "s to 0.91": each_seed(row["seconds_to_91"]),
            "epochs": each_seed(row["epochs_to_91"]),
            "test accuracy": f"{np.mean(row['test_accuracy']):.4f}" if row["test_accuracy"] else "–",
            "peak MiB": f"{row['peak_mib']:,.0f}",
            "start s": f"{row['start_seconds']:.1f}",
            "first step s": f"{row['first_step_seconds']:.1f}",
            "% of attainable": f"{100 * row['share_of_attainable'].estimate:.0f}" if "cost" in row else "–",
        }
        for row in best(rows)
    )


def inference(rows):
    """Return how fast each contestant predicts at the batch size that was chosen for that, as a table for a reader."""
    import pandas as pd

    chosen = [row for row in rows if row["chosen_for_inference"]]
    return pd.DataFrame(
        {
            "contestant": row["contestant"],
            "batch": row["batch"],
            "images/s": f"{row['inference_images_per_second']:,.0f}",
            "/ published": f"{row['inference_ratio_to_published']:.1f}",
            "ms for one image": f"{row['latency_milliseconds']:.2f}" if "latency_milliseconds" in row else "–",
        }
        for row in sorted(chosen, key=lambda row: -row["inference_ratio_to_published"].estimate)
    )


def report(rows):
    """Return what a person wants to read of a benchmark."""
    peaks = rows[0]["peaks"]
    costs = {row["contestant"]: row["cost"] for row in rows if row["contestant"] in ("stock-fp32", "stock-bf16")}
    per_image = "; ".join(
        f"{arm} {cost['flops'] / 1e6:.2f} MFLOP and {cost['bytes'] / 1e3:,.0f} kB" for arm, cost in costs.items()
    )
    return (
        "Each contestant at its own batch size, all threads: median of the rounds (its 95 % interval)\n\n"
        f"{table(rows).to_string(index=False)}\n\n"
        "Prediction, from stored images to logits\n\n"
        f"{inference(rows).to_string(index=False)}\n\n"
        "Times the published recipe's rate, by threads and batch size\n\n"
        f"{by_batch(rows).to_string(float_format='{:.2f}'.format, na_rep='–')}\n\n"
        f"Limits of this machine: matrix product {peaks['fp32']:,.0f} GFLOP/s in fp32, {peaks['bf16']:,.0f} in bf16; "
        f"memory {peaks['bandwidth']:.0f} GB/s.\n0.91 is of the {rows[0]['goal_on']}. A step asks per image: "
        f"{per_image}. Data that stays in a cache can beat what memory allows."
    )


def medians(rates):
    """Return the median of each column and its interval, as `stats.median` returns them.

    Parameters
    ----------
    rates : pandas.DataFrame
        A column for each thing that was measured, a row for each round, as `measure.benchmark.compare` returns them.

    Returns
    -------
    pandas.DataFrame
        Columns ``estimate``, ``low`` and ``high``; a row for each column of `rates`.
    """
    import pandas as pd

    return pd.DataFrame({name: stats.median(rates[name])._asdict() for name in rates}).T


def by_batch(rows):
    """Return the median ratio to the published recipe by contestant, batch size and threads."""
    import pandas as pd

    flat = pd.DataFrame(
        {key: row[key] for key in ("contestant", "batch", "threads")} | {"ratio": row["ratio_to_published"].estimate}
        for row in rows
        if "ratio_to_published" in row
    )
    order = list(dict.fromkeys(flat["contestant"]))
    return flat.pivot(index="contestant", columns=["threads", "batch"], values="ratio").loc[order]


def each_seed(values):
    """Return a whole number for each of three seeds, for a reader, or of more the median, lowest and highest.

    ``never`` where there is None.
    """

    def said(value):
        return "never" if value in (None, np.inf) else f"{value:.0f}"

    if len(values) <= 3:
        return " ".join(map(said, values)) or "–"
    ordered = sorted(np.inf if value is None else value for value in values)
    return f"{said(np.median(ordered))} ({said(ordered[0])} to {said(ordered[-1])})"
