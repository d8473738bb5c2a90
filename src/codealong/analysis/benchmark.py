"""What a benchmark says: each contestant at its best batch size, as tables."""

from collections import Counter

import numpy as np

from codealong import records
from codealong.analysis import stats
from codealong.measure import benchmark, roofline
from codealong.measure.benchmark import BATCHES, RATES, choose
from codealong.measure.worker import PEERS, PUBLISHED

KERAS = "keras"
"""The peer that the others are compared with."""


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
        them, those that chose. A round that counts has for each contestant the batch size that was best in the rounds
        before; the one chosen most often stands for all. `images_per_second`, `ratio_to_published`,
        `ratio_to_stock_fp32` and `share_of_attainable` of training (not of a peer that only predicts),
        `inference_images_per_second` and
        `inference_ratio_to_published`, each with its interval as `stats.median` returns it (the ratios are taken round
        by round to those contestants at batch 64 with all threads); `ratio_to_keras` and `inference_ratio_to_keras`,
        each at its best batch size, and `latency_milliseconds` of one image, the same way, where they were measured;
        `seconds_to_91`, `epochs_to_91` and `test_accuracy` of its
        own recipe, one value per seed; `peak_mib` of the round that took least; `start_seconds` and its very first
        `first_step_seconds`; `peaks`, the medians of the limits of the machine, and `attainable_images_per_second` by
        them, with a thread's share of them; `goal_on`, the images of which 0.91 are to be right; `provenance`.
    """
    import pandas as pd

    table = pd.DataFrame(record["measurements"])
    whole = table["threads"].max()
    picks = {rate: _picked(record, whole, rate) for rate in RATES}

    def rates(name, batch, threads, rate):
        """Return what counts, by round: where this batch size was picked, the rate at that of each round."""
        its = table[(table["contestant"] == name) & (table["threads"] == threads)]
        picked = picks[rate].get(name, {})
        if threads == whole and batch == _most_frequent(picked):
            at_best = its[its["batch"] == its["round"].map(picked)]
            if len(at_best):
                return at_best.set_index("round")[rate]
        its = its[its["batch"] == batch].set_index("round")[rate]
        counted = its[its.index >= record["choosing"]]
        return its if counted.empty else counted

    base = table[(table["batch"] == BATCHES[0]) & (table["threads"] == whole)].set_index("round")
    published, stock = (base[base["contestant"] == name] for name in (PUBLISHED, "stock-fp32"))
    keras = {rate: rates(KERAS, _most_frequent(picks[rate].get(KERAS, {})), whole, rate) for rate in RATES}
    latencies = {}
    for each in record.get("latencies", ()):
        latencies.setdefault(each["contestant"], []).append(each["milliseconds"])
    peaks = pd.DataFrame(record["limits"]).median().to_dict()
    rows = []
    for (name, batch, threads), group in table.groupby(["contestant", "batch", "threads"], sort=False):
        trains, inferred = name in picks[RATES[0]], rates(name, batch, threads, RATES[1])
        trained_rates = rates(name, batch, threads, RATES[0])
        at_best = [threads == whole and batch == _most_frequent(picks[rate].get(name, {})) for rate in RATES]
        trained = [each for each in record["trained"] if each["contestant"] == name]
        row = {
            "contestant": name,
            "batch": int(batch),
            "threads": int(threads),
            "chosen": bool(at_best[0]),
            "chosen_for_inference": bool(at_best[1]),
            "rounds": len(trained_rates if trains else inferred),
            "inference_images_per_second": stats.median(inferred),
            "inference_ratio_to_published": stats.ratio(inferred, published[RATES[1]][inferred.index]),
            "seconds_to_91": [each["seconds"] for each in trained],
            "epochs_to_91": [each["epochs"] for each in trained],
            "test_accuracy": [each["test_accuracy"] for each in trained if each["test_accuracy"] is not None],
            "peak_mib": float(group["peak_mib"].min()),
            "peaks": peaks,
            "goal_on": record["goal_on"],
            **record["contestants"][name],
        }
        for key, its, rate, best_of_it in (
            ("ratio_to_keras", trained_rates, RATES[0], at_best[0]),
            ("inference_ratio_to_keras", inferred, RATES[1], at_best[1]),
        ):
            if best_of_it and {*its.index} <= {*keras[rate].index}:
                row[key] = stats.ratio(its, keras[rate][its.index])
        if name in latencies:
            row["latency_milliseconds"] = stats.median(latencies[name])
        if trains:
            row |= {
                "images_per_second": stats.median(trained_rates),
                "ratio_to_published": stats.ratio(trained_rates, published[RATES[0]][trained_rates.index]),
                "ratio_to_stock_fp32": stats.ratio(trained_rates, stock[RATES[0]][trained_rates.index]),
            }
        if name not in PEERS:
            cost = record["costs"]["stock-fp32" if name == PUBLISHED else name.replace("ipex", "stock")]
            most = roofline.attainable(peaks, cost, "bf16" if "bf16" in name else "fp32") * (threads / whole)
            row |= {
                "cost": cost,
                "attainable_images_per_second": most,
                "share_of_attainable": stats.median(trained_rates / most),
            }
        rows.append(row)
    return rows


def _picked(record, whole, rate):
    """Return, by contestant and round that counts, the batch size that was fastest in the rounds before it.

    That is the one which the round measured. A record without rounds that choose has measured every batch size in each.
    """
    measurements = record["measurements"]
    rounds = sorted({each["round"] for each in measurements})
    picked = {}
    for number in rounds:
        before = [each for each in measurements if each["round"] < number] if record["choosing"] else measurements
        if number >= record["choosing"]:
            for name, batch in choose(before, whole, rate).items():
                picked.setdefault(name, {})[number] = batch
    return picked


def _most_frequent(picked):
    return Counter(picked.values()).most_common(1)[0][0] if picked else None


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
            "/ keras": f"{row['ratio_to_keras']:.2f}" if "ratio_to_keras" in row else "–",
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
            "/ keras": f"{row['inference_ratio_to_keras']:.2f}" if "inference_ratio_to_keras" in row else "–",
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
