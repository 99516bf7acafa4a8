#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures bivy on QEMU and prints it beside its bars, beside no hypervisor, and beside Xen and Xvisor.

QEMU counts time by instructions (-icount shift=0,sleep=off): one is a nanosecond, and every run of the
same files gives the same figures. tests/bench/payload.c measures exits, hypcount.c (a plugin of QEMU)
counts bivy's own instructions and accesses to the GIC, init.c tells when Linux starts its first program.
Where several cores work, and for a disk's latency, time is the host's.
"""

import argparse
import json
import os
import sys

import boot
import exits
import latency
import report
from emulator import BENCH, Counter, version
from tables import DISK_ROWS, OTHERS, ROWS

# What --check compares: each is the same at each run. The others depend on when the host ends a request.
DISK_STEADY = ("to_interrupt_1", "insns_1", "ram_to_interrupt_1", "ram_insns_1", "ram_insns_32")
TOLERANCE = 0.02


def exit_table(found):
    """{row: costs besides the native one, accesses to the GIC, and whether the bar is met}"""
    table = {}
    for name, (*_, bar) in ROWS.items():
        before, after = found["native"].get(name), found["bivy"].get(name)
        alone = before[1] if before else 1
        least, cost, worst = [value - alone for value in after] if after else (None, None, None)
        table[name] = {"native": before, "bivy": after, "min": least, "cost": cost, "worst": worst, "bar": bar,
                       "gic": found["gic"].get(name) if cost else None,
                       "met": None if bar is None or cost is None else cost <= bar}
    return table


def with_bars(figures, rows):
    return {name: {"bivy": figures[name], "bar": bar,
                   "met": None if bar is None or figures[name] is None else figures[name] <= bar}
            for name, (*_, bar) in rows.items()}


def steady(result):
    """{figure: instructions} that --check compares"""
    costs = {name: row["cost"] for name, row in result["exits"].items() if row["cost"] and name != "ping_pong"}
    return costs | {"disk_" + name: result["disk"][name]["bivy"] for name in DISK_STEADY}


def check(result, path):
    """Compares with the committed figures; returns sentences of what got worse."""
    with open(path, encoding="ascii") as file:
        base = json.load(file)
    now = steady(result)
    worse = [f"{name} costs {now.get(name)} instructions, more than {TOLERANCE:.0%} above the {was} of {path}"
             for name, was in base.items() if now.get(name, 1 << 32) > was * (1 + TOLERANCE)]
    return worse + [f"{name} costs {row.get('cost', row['bivy'])}: its bar is {row['bar']}"
                    for part in ("exits", "disk") for name, row in result[part].items() if row["met"] is False]


def parse():
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", help="Debian's")
    parser.add_argument("--initrd", help="Debian's, and /bench")
    parser.add_argument("--bootargs", help="the native run's; the bundle has the same")
    parser.add_argument("--latency-bootargs", help="the same for cyclictest and hackbench")
    parser.add_argument("--no-boot", action="store_true", help="only the exits and how they grow")
    parser.add_argument("--check", metavar="FILE", help="only the exits; fail if one is worse than in FILE or its bar")
    parser.add_argument("--baseline", metavar="FILE", help="only the exits; write FILE")
    return parser.parse_args()


def main():
    arguments = parse()
    only_exits = arguments.check or arguments.baseline
    counter = Counter()
    found = exits.measure(counter)
    result = {"qemu": version(), "exits": exit_table(found), "disk": with_bars(found["disk"], DISK_ROWS),
              "payload_classes": found["classes"], "changed_with_2_cores": found["changed"]}
    print(f"QEMU {result['qemu']}")
    report.print_exits(result["exits"])
    report.print_disk(found["disk"])
    if not only_exits:
        result["growth"] = exits.growth()
        report.print_growth(result["growth"])
    if not (only_exits or arguments.no_boot):
        figures, details = boot.measure(counter, arguments.kernel, arguments.initrd, arguments.bootargs)
        result |= {"system": with_bars(figures, OTHERS), "boot": details}
        result["latency"] = {"payload": exits.beside_work(),
                             "exact": latency.exact(arguments.kernel, arguments.latency_bootargs),
                             "real": latency.real(arguments.kernel, arguments.latency_bootargs)}
        report.print_others(figures)
        report.print_boot(details)
        report.print_latency(result["latency"])
    report.print_classes("payload", found["classes"])
    with open(os.path.join(BENCH, "bench.json"), "w", encoding="ascii") as file:
        json.dump(result, file, indent="\t")
    print(report.WHAT_ICOUNT_TELLS)
    print(f"\nThe bar of a row is for its cost besides the native one. Figures: {BENCH}/bench.json")
    if arguments.baseline:
        with open(arguments.baseline, "w", encoding="ascii") as file:
            json.dump(steady(result), file, indent="\t")
            file.write("\n")
    if arguments.check:
        sys.exit("\n".join(check(result, arguments.check)) or None)


if __name__ == "__main__":
    main()
