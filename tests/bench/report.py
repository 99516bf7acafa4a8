# SPDX-License-Identifier: BSD-2-Clause
"""The bench's tables on the screen."""

from tables import DISK_ROWS, OTHERS, ROWS

WHAT_ICOUNT_TELLS = """
What -icount can tell: how many instructions an exit, the start or a request takes, to the last one; the same at
each run. What it can't: time. QEMU has no caches, TLBs, pipelines or barriers, an instruction is 1 ns whatever it
is, and an access to the GIC, dear on hardware, is one like any other (so they are counted beside). Several cores
run in turn, so nothing is said of their contention, and a disk ends its requests when the host does. Figures by the
clock are this host's, with whatever else it did: compare native with bivy, in one run, and no more."""


def verdict(value, bar):
    if bar is None or value is None:
        return ""
    return "" if value <= bar else "MISSED"


def shown(value):
    if value is None:
        return "-"
    return f"{value:.6f}" if isinstance(value, float) else f"{value:,}"


def triple(values):
    """Least, median and most, short where they are one."""
    if values is None:
        return "-"
    return f"{values[0]:,}" if len(set(values)) == 1 else "/".join(f"{value:,}" for value in values)


def print_line(*columns):
    print("{:<44} {:>7} {:>7} {:>9} {:>9} {:>13} {:>9} {}".format(*columns).rstrip())


def print_exits(table):
    """The bar is for the median of all shots; the worst one is most often the first of its kind, which has to
    look for a list register."""
    print_line("instructions, min/median/max", "native", "Xen", "Xvisor", "bar", "bivy costs", "GIC acc.", "")
    for name, (what, xen, xvisor, bar) in ROWS.items():
        row = table[name]
        costs = row["cost"] is not None and [row["min"], row["cost"], row["worst"]]
        gic = row["gic"] and [row["gic"][kind] for kind in ("min", "median", "max")]
        print_line(what, shown(row["native"] and row["native"][1]), xen, xvisor, "" if bar is None else shown(bar),
                   triple(costs or None), triple(gic), verdict(row["cost"], bar))


def print_others(figures):
    print()
    print_line("whole system", "", "Xen", "Xvisor", "bar", "bivy", "", "")
    for name, (what, xen, xvisor, bar) in OTHERS.items():
        print_line(what, "", xen, xvisor, "" if bar is None else shown(bar), shown(figures[name]), "",
                   verdict(figures[name], bar))


def print_disk(figures):
    print()
    print_line("disk, each read", "", "", "Xvisor", "bar", "bivy", "", "")
    for name, (what, xvisor, bar) in DISK_ROWS.items():
        print_line(what, "", "", xvisor, "" if bar is None else f"{bar:,}", f"{figures[name]:,.2f}", "",
                   verdict(figures[name], bar))


def print_growth(growth):
    """Only what differs from the first machine of each series."""
    for kind, series in growth.items():
        first, *_ = series
        sizes = ", ".join(map(str, series))
        print(f"\ngrowth with {kind} ({sizes}): instructions more than with {first}")
        rows = [name for name in series[first] if len({series[size].get(name) for size in series}) > 1]
        for name in rows:
            print(f"  {ROWS[name][0]:<44}" + "".join(
                f"{series[size][name] - series[first][name]:>+7}" for size in series))
        print(f"  {'the other ' if rows else 'all '}{len(series[first]) - len(rows)} rows: none")


def print_latency(latency):
    print("\nlatency in us by the host's clock, of an interrupt of the payload's core 0: median (max)")
    print(f"{'':<50}{'native':>24}{'bivy':>24}")
    for name, sides in latency["payload"].items():
        io = ", core 1 reads the disk" if name.endswith("_io") else ""
        print(f"{ROWS[name.removesuffix('_io')][0] + io:<56}" + "".join(
            f"{sides[side][1] / 1000:>14,.1f} ({sides[side][2] / 1000:,.1f})" for side in ("native", "bivy")))
    print("\ncyclictest and hackbench in Debian's kernel; min/median/99 of 100/max of cyclictest")
    print(f"{'':<50}{'native':>24}{'bivy':>24}")
    print_guest("1 core, by instructions", "ns", latency["exact"])
    for cores, sides in latency["real"].items():
        print_guest(f"{cores} cores, by the host's clock", "us", sides)


def print_guest(title, unit, sides):
    for name, what in (("idle", "cyclictest, idle"), ("io", "cyclictest, the last core reads the disk"),
                       ("hackbench", "hackbench")):
        if name in sides["native"]:
            text = {side: "/".join(map(str, found[name])) + " " + unit if name != "hackbench" else f"{found[name]} s"
                    for side, found in sides.items()}
            print(f"{title + ': ' + what:<72}{text['native']:>26}{text['bivy']:>26}")


def print_classes(title, exits):
    print(f"\n{title}: exits by class; accesses to the GIC and the UART are per exit")
    print(f"{'':<28}{'exits':>8}{'insns':>12}{'mean':>8}{'min':>7}{'max':>8}"
          f"{'GICD':>7}{'GICC':>7}{'GICH':>7}{'UART':>7}")
    for name, (count, total, least, most, *devices) in sorted(exits.items(), key=lambda e: -e[1][1]):
        print(f"{name:<28}{count:>8,}{total:>12,}{total / count:>8.1f}{least:>7,}{most:>8,}"
              + "".join(f"{device / count:>7.2f}" for device in devices))


def print_counts(title, counts, limit):
    print(f"\n{title}")
    for name, count in sorted(counts.items(), key=lambda item: -item[1])[:limit]:
        if count:
            print(f"  {name:<30}{count:>14,}")


def print_boot(boot):
    print(f"\nDebian to init: {boot['native']:,} ns natively, {boot['bivy']:,} ns with bivy, of which "
          f"{boot['entered']:,} before the guest's entry")
    print_counts("reset to guest entry, instructions", boot["groups"], 99)
    print_counts("the same by function", boot["start"], 16)
    print_classes("Debian to init", boot["exits"])
    print_counts("Debian to init, HYP instructions by function", boot["running"], 24)
