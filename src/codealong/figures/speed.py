"""Where the time goes: the parts of a step, and the figures of speed."""

import numpy as np

from codealong.analysis.benchmark import best, medians
from codealong.figures.style import ARM_COLOURS, described, pyplot
from codealong.measure.instruction_sets import LEVELS
from codealong.measure.worker import TUNED

PARTS = {
    "fetch": "fetching images",
    "first_block": "first block in one",
    "optimizer": "optimizer",
    "conv": "convolution",
    "pool": "pooling",
    "fill_": "setting to 0",
    "threshold": "ReLU",
    "clamp_min": "ReLU",
    "relu": "ReLU",
    "linear": "dense layer",
    "addmm": "dense layer",
    "::mm": "dense layer",
    "softmax": "loss",
    "nll_loss": "loss",
    "copy": "changing type or layout",
}
"""Part of the lower-case name of an operator, and what it does for this network; the first that fits counts."""

FORWARD, BACKWARD = "#009E73", "#CC79A7"


def parts(profile):
    """Add up a profile by what the operators do.

    Parameters
    ----------
    profile : dict of str to float
        Own milliseconds per step by operator, as `codealong.measure.contestants` measures them.

    Returns
    -------
    pandas.DataFrame
        Index: the parts, the longest first; columns ``forward`` and ``backward``, in milliseconds.
        What is neither a layer nor the loss counts as ``forward``.
    """
    import pandas as pd

    rows = []
    for operator, milliseconds in profile.items():
        operator = operator.lower().removeprefix("generatedbackwardfor_")  # which runs forward, and prepares the other
        part = next((part for name, part in PARTS.items() if name in operator), "everything else")
        # Matrix products of a dense layer's backward pass have no name of their own.
        backward = "backward" in operator or operator == "aten::mm" or part == "setting to 0"
        rows.append((part, "backward" if backward else "forward", milliseconds))
    table = pd.DataFrame(rows, columns=["part", "pass", "ms"]).pivot_table(
        index="part", columns="pass", values="ms", aggfunc="sum", fill_value=0
    )
    table = table.reindex(columns=["forward", "backward"], fill_value=0.0)
    return table.loc[table.sum(axis=1).sort_values(ascending=False).index]


def profiles(tables):
    """Draw the parts of a step for several contestants, side by side.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        By contestant, as `parts` returns them.
    """
    names = list(dict.fromkeys(name for table in tables.values() for name in table.index))
    fig, axes = pyplot().subplots(1, len(tables), figsize=(6 * len(tables), 4.6), sharex=True, sharey=True)
    said = []
    for axis, (row, table) in zip(np.atleast_1d(axes), tables.items(), strict=True):
        table = table.reindex(names, fill_value=0.0)
        axis.barh(names, table["forward"], color=FORWARD, label="forward")
        axis.barh(names, table["backward"], left=table["forward"], color=BACKWARD, label="backward")
        total = table.to_numpy().sum()
        axis.set_title(f"{row}: {total:.0f} ms in operators")
        axis.set_xlabel("ms of a step")
        axis.grid(axis="x")
        said.append(f"{row} takes {total:.0f} ms, {table.loc[names[0]].sum():.0f} of them for {names[0]}")
    np.atleast_1d(axes)[0].invert_yaxis()
    np.atleast_1d(axes)[-1].legend(loc="lower right")
    fig.tight_layout()
    return described(fig, f"Milliseconds of a training step by part, forward and backward: {'; '.join(said)}.")


def instruction_sets(measured, recorded):
    """Draw the training rate by the newest instruction set that was allowed.

    Parameters
    ----------
    measured, recorded : dict
        As `measure.instruction_sets.measure` returns them. Levels that only the second has are hollow.
    """
    fig, axis = pyplot().subplots(figsize=(9, 4))
    own = {(level["contestant"], level["level"]) for level in measured["levels"]}
    others = [level for level in recorded["levels"] if (level["contestant"], level["level"]) not in own]
    levels = [name for name in LEVELS if name in {level["level"] for level in measured["levels"] + others}]
    said = []
    for name in dict.fromkeys(level["contestant"] for level in recorded["levels"]):
        colour = ARM_COLOURS[name.removesuffix(TUNED)]
        elsewhere = f"{name}, recorded on {recorded['provenance']['processor']}"
        for those, style, face, label in ((measured["levels"], "o-", colour, name), (others, "o", "white", elsewhere)):
            mine = {level["level"]: level["images_per_second"] for level in those if level["contestant"] == name}
            if mine:
                places = [levels.index(level) for level in mine]
                for place, rates in zip(places, mine.values(), strict=True):
                    axis.plot([place] * len(rates), rates, "_", color=colour, markersize=12)
                medians = [float(np.median(rates)) for rates in mine.values()]
                axis.plot(places, medians, style, color=colour, markerfacecolor=face, markersize=9, label=label)
                said += [f"{name} {rate:,.0f} with {level}" for level, rate in zip(mine, medians, strict=True)]
    axis.set_xticks(range(len(levels)), levels)
    axis.set_ylim(bottom=0)
    axis.set_ylabel("images/s of training")
    axis.set_title("What each instruction set adds (dots: medians; strokes: rounds)")
    axis.grid(axis="y")
    axis.legend(loc="upper left")
    fig.tight_layout()
    return described(fig, f"Training rate by newest instruction set allowed: {'; '.join(said)} images per second.")


def effects(panels, colour=ARM_COLOURS["stock-bf16"]):
    """Draw what is measured by `measure.benchmark.compare`, one panel for each thing that was changed.

    Parameters
    ----------
    panels : dict of str to pandas.DataFrame
        Rates by what was changed; each is drawn as its median and the interval of that, as `medians` has it.
    """
    fig, axes = pyplot().subplots(1, len(panels), figsize=(3.6 * len(panels), 3.8), sharey=True)
    said = []
    for axis, (name, rates) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        table = medians(rates)
        places = range(len(table))
        axis.vlines(places, table["low"], table["high"], color=colour, linewidth=4)
        axis.plot(places, table["estimate"], "o", color=colour, markersize=10)
        axis.set_xticks(places, [str(label) for label in table.index])
        axis.set_xlim(-0.5, len(table) - 0.5)
        axis.set_title(name)
        axis.grid(axis="y")
        said.append(f"{name}: " + ", ".join(f"{label} {rate:,.0f}" for label, rate in table["estimate"].items()))
    np.atleast_1d(axes)[0].set_ylabel("images/s of training")
    np.atleast_1d(axes)[0].set_ylim(0, 1.05 * max(rates.max(axis=None) for rates in panels.values()))
    fig.tight_layout()
    return described(fig, f"Images per second of training. {'. '.join(said)}.")


def benchmark(rows):
    """Draw the rates of a benchmark, each contestant at its best batch size, as dots with their intervals.

    Parameters
    ----------
    rows : list of dict
        As `analysis.benchmark.summarise` returns them.
    """
    fastest = best(rows)
    fig, axis = pyplot().subplots(figsize=(10, 0.4 * len(fastest) + 1.4))
    for height, row in enumerate(fastest):
        rate = row["ratio_to_published"]
        colour = _colour(row)
        axis.plot([rate.low, rate.high], [height, height], color=colour, linewidth=3)
        axis.plot(
            rate.estimate, height, "o", color=colour, markerfacecolor=_face(row), markersize=10, markeredgewidth=2
        )
        axis.annotate(
            f"{rate.estimate:.1f}", (rate.high, height), xytext=(9, 0), textcoords="offset points", va="center"
        )
    axis.set_yticks(range(len(fastest)), [f"{row['contestant']}, batch {row['batch']:,}" for row in fastest])
    axis.invert_yaxis()
    axis.set_xlim(0, 1.1 * max(row["ratio_to_published"].high for row in fastest))
    axis.grid(axis="x")
    first = fastest[0]
    axis.set_title(
        f"{first['contestant']}: {first['ratio_to_published'].estimate:.1f} times the published recipe's rate"
    )
    axis.set_xlabel("training rate / published recipe: median of the rounds and its 95 % interval (filled: tuned)")
    fig.tight_layout()
    said = "; ".join(f"{row['contestant']} {row['ratio_to_published'].estimate:.1f}" for row in fastest)
    return described(fig, f"Training rate relative to the published recipe, each at its best batch size: {said}.")


def roofline(rows):
    """Draw the contestants of a benchmark under the roof of the machine that it was measured on.

    Parameters
    ----------
    rows : list of dict
        As `analysis.benchmark.summarise` returns them.

    References
    ----------
    S. Williams, A. Waterman, D. Patterson: Roofline, Communications of the ACM 52(4), 2009.
    """
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    fastest = [row for row in best(rows) if "cost" in row]
    peaks = rows[0]["peaks"]
    fig, axis = pyplot().subplots(figsize=(10, 5.4))
    intensity = np.geomspace(3, 60, 100)
    for dtype, style in (("fp32", "-"), ("bf16", "--")):
        roof = np.minimum(peaks[dtype], peaks["bandwidth"] * intensity)
        axis.plot(intensity, roof, style, color="black", linewidth=2)
        above = {"xytext": (0, 4), "textcoords": "offset points", "ha": "right", "va": "bottom"}
        axis.annotate(f"{dtype}: {peaks[dtype]:,.0f} GFLOP/s", (60, peaks[dtype]), **above)
    axis.annotate(f"memory: {peaks['bandwidth']:.0f} GB/s", (3, 5.5 * peaks["bandwidth"]), ha="left", va="bottom")
    labelled = {}
    for row in fastest:  # the fastest first, so that labels are pushed down only
        x = row["cost"]["flops"] / row["cost"]["bytes"]
        y = row["images_per_second"].estimate * row["cost"]["flops"] / 1e9
        axis.plot(x, y, "o", color=_colour(row), markerfacecolor=_face(row), markersize=10, markeredgewidth=2)
        labelled[x] = min(y, labelled.get(x, np.inf) / 1.16)
        place, side = (x * 1.05, "left") if "bf16" in row["contestant"] else (x / 1.05, "right")
        axis.annotate(row["contestant"], (place, labelled[x]), ha=side, va="center")
    axis.set(xscale="log", yscale="log", xlabel="FLOP per byte that operators move", ylabel="GFLOP/s")
    for scale, ticks in ((axis.xaxis, (3, 5, 10, 20, 40)), (axis.yaxis, (25, 50, 100, 200, 400, 800))):
        scale.set_minor_locator(NullLocator())
        scale.set_major_locator(FixedLocator([tick for tick in ticks if tick < 4 * max(peaks["fp32"], peaks["bf16"])]))
        scale.set_major_formatter(ScalarFormatter())
    axis.set_title(
        "No contestant reaches its roof"
        if all(_share(row) < 1 for row in fastest)
        else "Caches lift some contestants above the roof"
    )
    axis.grid(which="major")
    fig.tight_layout()
    said = "; ".join(f"{row['contestant']} {100 * _share(row):.0f} %" for row in fastest)
    return described(
        fig,
        f"Roofline of {rows[0]['provenance']['processor']}: {peaks['fp32']:,.0f} GFLOP/s in fp32, "
        f"{peaks['bf16']:,.0f} in bf16, {peaks['bandwidth']:.0f} GB/s. Share of what is attainable: {said}.",
    )


def _colour(row):
    return ARM_COLOURS.get(row["contestant"].removesuffix(TUNED), "black")


def _face(row):
    return _colour(row) if row["contestant"].endswith(TUNED) else "white"


def _share(row):
    return row["share_of_attainable"].estimate
