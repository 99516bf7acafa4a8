#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Draws the figures of `make bench` as SVG: tests/bench/plots.py build/bench/bench.json FOLDER

The same figures give the same files, which the README shows: `make bench-plots` draws those.
"""

import json
import os
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # pylint: disable=wrong-import-position,wrong-import-order

from tables import ROWS  # pylint: disable=wrong-import-position

COLORS = {"bivy": "#1f77b4", "Xen": "#ff7f0e", "Xvisor": "#2ca02c", "native": "#7f7f7f", "bar": "#d62728"}
EXITS = ("hvc_version", "gicd_read_typer", "gicd_read_isenabler", "gicd_write_ipriorityr", "gicd_write_isenabler",
         "uart_read_fr", "sgi", "spi_edge", "vtimer_busy", "vtimer_wfi", "cp15_actlr")
GROWING = ("hvc_version", "gicd_write_ipriorityr", "uart_read_fr", "sgi", "spi_edge", "vtimer_wfi", "ping_pong")


def number(text):
    """Of a table's cell, None for words."""
    text = text.replace(",", "")
    return int(text) if text.isdigit() else None


def draw_exits(result):
    figure, axes = plt.subplots(figsize=(8, 5))
    for at, name in enumerate(EXITS):
        what, xen, xvisor, bar = ROWS[name]
        values = {"bivy": result["exits"][name]["cost"], "Xen": number(xen), "Xvisor": number(xvisor)}
        for place, (side, value) in enumerate(values.items()):
            if value is not None:
                axes.barh(at + (place - 1) * 0.27, value, 0.25, color=COLORS[side], label=side if at == 0 else None)
                axes.text((max(value, bar) if side == "bivy" else value) * 1.05, at + (place - 1) * 0.27, f"{value:,}", va="center", fontsize=6)
        axes.plot([bar, bar], [at - 0.42, at - 0.12], color=COLORS["bar"], label="bar" if at == 0 else None)
    axes.set_yticks(range(len(EXITS)), [ROWS[name][0] for name in EXITS], fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("instructions that an exit costs")
    axes.set_xlim(10, 30000)
    axes.legend(fontsize=8, loc="upper right")
    return figure


def draw_growth(result):
    figure, sides = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
    for axes, (kind, series) in zip(sides, result["growth"].items()):
        for name in GROWING:
            values = [(size, rows[name]) for size, rows in series.items() if name in rows]
            axes.plot(*zip(*values), marker=".", label=ROWS[name][0])
        axes.set_xlabel({"cores": "cores (512 MiB)", "ram": "RAM (2 cores)"}[kind])
        axes.set_ylim(bottom=0)
        axes.tick_params(labelsize=7)
    sides[0].set_ylabel("instructions")
    figure.legend(*sides[1].get_legend_handles_labels(), fontsize=7, loc="upper center", ncol=3)
    figure.subplots_adjust(top=0.75, bottom=0.17)
    return figure


def draw_latency(result):
    """Bars from the median up to 99 of 100, a tick at the most."""
    figure, (guest, ratio) = plt.subplots(1, 2, figsize=(8, 3.4))
    series = result["latency"]["real"]
    for place, side in enumerate(("native", "bivy")):
        for shift, kind, hatch in ((0, "idle", None), (0.4, "io", "///")):
            at = [i + shift + place * 0.19 - 0.3 for i in range(len(series))]
            found = [sides[side][kind] for sides in series.values()]
            guest.bar(at, [late for _, _, late, _ in found], 0.17, color=COLORS[side], hatch=hatch, alpha=0.5,
                      label=f"{side}, {'idle' if kind == 'idle' else 'disk read'}")
            guest.plot(at, [median for _, median, _, _ in found], "k_", markersize=7)
    guest.set_xticks(range(len(series)), series.keys())
    guest.set_yscale("log")
    guest.set_xlabel("cores")
    guest.set_ylabel("cyclictest, us: median and 99 of 100")
    figure.legend(*guest.get_legend_handles_labels(), fontsize=7, loc="upper center", ncol=4)
    ratio.plot(series.keys(), [sides["bivy"]["hackbench"] / sides["native"]["hackbench"] for sides in series.values()],
               marker="o", color=COLORS["bivy"])
    ratio.axhline(1, color=COLORS["native"], linewidth=0.8)
    ratio.set_ylim(bottom=0)
    ratio.set_xlabel("cores")
    ratio.set_ylabel("hackbench, bivy by native")
    figure.tight_layout(rect=(0, 0, 1, 0.93))
    return figure


def main():
    path, folder = sys.argv[1:]
    with open(path, encoding="ascii") as file:
        result = json.load(file)
    os.makedirs(folder, exist_ok=True)
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bivy", "font.size": 9})
    for name, part, draw in (("exits", "exits", draw_exits), ("growth", "growth", draw_growth),
                             ("latency", "latency", draw_latency)):
        if part in result:
            figure = draw(result)
            target = os.path.join(folder, name + ".svg")
            figure.savefig(target, metadata={"Date": None, "Creator": None}, bbox_inches="tight")
            with open(target, encoding="utf-8") as file:
                lines = [line.rstrip() + "\n" for line in file]
            with open(target, "w", encoding="utf-8") as file:
                file.writelines(lines)


if __name__ == "__main__":
    main()
