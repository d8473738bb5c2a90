"""What a benchmark says: each contestant at its best batch size, as tables."""

import numpy as np


def best(rows):
    """Return each row of the benchmark at its best batch size, with all threads, fastest first."""
    whole = max(row["threads"] for row in rows)
    fastest = {}
    for row in sorted(rows, key=lambda row: -row["images_per_second"]["median"]):
        if row["threads"] == whole:
            fastest.setdefault(row["row"], row)
    return list(fastest.values())


def table(rows):
    """Return what `best` found as a table for a reader."""
    import pandas as pd

    return pd.DataFrame(
        {
            "row": row["row"],
            "batch": row["batch"],
            "images/s": interval_text(row),
            "/ published": _text(row["ratio_to_published"], "{:.1f}"),
            "/ stock-fp32": _text(row["ratio_to_stock_fp32"], "{:.2f}"),
            "inference images/s": f"{row['inference_images_per_second']['median']:,.0f}",
            "s to 0.91": _seeds(row["seconds_to_91"], "{:.0f}"),
            "epochs": _seeds(row["epochs_to_91"], "{:.0f}"),
            "test accuracy": f"{np.mean(row['test_accuracy']):.4f}" if row["test_accuracy"] else "–",
            "peak MiB": f"{row['peak_mib']:,.0f}",
            "start s": f"{row['start_seconds']:.1f}",
            "first step s": f"{row['first_step_seconds']:.1f}",
            "% of attainable": f"{100 * row['share_of_attainable']['median']:.0f}" if "cost" in row else "–",
        }
        for row in best(rows)
    )


def report(rows):
    """Return what a person wants to read of a benchmark."""
    peaks = rows[0]["peaks"]
    costs = {row["row"]: row["cost"] for row in rows if row["row"] in ("stock-fp32", "stock-bf16")}
    per_image = "; ".join(
        f"{arm} {cost['flops'] / 1e6:.2f} MFLOP and {cost['bytes'] / 1e3:,.0f} kB" for arm, cost in costs.items()
    )
    return (
        "Each row at its best batch size, all threads: median (lowest to highest) of the rounds\n\n"
        f"{table(rows).to_string(index=False)}\n\n"
        "Times the published recipe's rate, by threads and batch size\n\n"
        f"{by_batch(rows).to_string(float_format='{:.2f}'.format)}\n\n"
        f"Limits of this machine: matrix product {peaks['fp32']:,.0f} GFLOP/s in fp32, {peaks['bf16']:,.0f} in bf16; "
        f"memory {peaks['bandwidth']:.0f} GB/s.\nA step asks per image: {per_image}. "
        "Data that stays in a cache can beat what memory allows."
    )


def by_batch(rows):
    """Return the median ratio to the published recipe by row, batch size and threads."""
    import pandas as pd

    flat = pd.DataFrame(
        {key: row[key] for key in ("row", "batch", "threads")} | {"ratio": row["ratio_to_published"]["median"]}
        for row in rows
    )
    return flat.pivot(index="row", columns=["threads", "batch"], values="ratio").loc[list(dict.fromkeys(flat["row"]))]


def interval_text(row):
    """Return the training rate of a row for a reader."""
    return _text(row["images_per_second"], "{:,.0f}")


def _text(interval, form):
    return " ".join((form.format(interval["median"]), f"({form} to {form})".format(interval["low"], interval["high"])))


def _seeds(values, form):
    return " ".join("never" if value is None else form.format(value) for value in values) or "–"
