# SPDX-License-Identifier: BSD-2-Clause
"""What exits and a disk's requests cost, by tests/bench/payload.c, and how that grows with cores and RAM."""

import os
import re
import statistics

from emulator import BENCH, bivy, die, native, run
from tables import ROWS

PAYLOAD = os.path.join(BENCH, "payload.bin")
END = "bench: end"
# A disk that reads zeroes at once: what it takes is bivy's. Time means nothing, the host completes requests.
# Its place is the one where the guest has it.
DISK = ["-global", "virtio-mmio.force-legacy=false", "-blockdev", "null-co,node-name=d0,size=67108864,read-zeroes=on",
        "-device", "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.1"]
CORES = (1, 2, 3, 4, 5, 6, 7, 8)  # more than 8 the GICv2 has not
RAMS = ("128M", "256M", "512M", "1G", "2G", "3G", "8G", "64G", "255G")  # QEMU's virt has 255 GiB at most
ROUNDS = 3


def rows_of(text, exact=True):
    """{name: [least, median, most]}, in instructions."""
    if exact and "phase 15 overhead 1" not in text:
        die("the payload's clock is not exact: it should say \"phase 15 overhead 1\"")
    return {name: [int(value) for value in values]
            for name, *values in re.findall(r"^row (\w+) (\d+) (\d+) (\d+)\r?$", text, re.MULTILINE)}


def disk_figures(text, phases, names):
    """What one read costs, by the name of DISK_ROWS. The mark of a phase costs what the empty phase does."""
    found = re.search(r"^disk: reads (\d+)\r?$", text, re.MULTILINE)
    if not found or len(phases) < 4:
        die("the payload's disk did not read; its output is in build/bench")
    empty, one, many = (after - before for before, after in zip(phases, phases[1:4]))
    reads = int(found[1])
    figures = {}
    for depth, phase in (("1", one), ("32", many)):
        for kind in ("insns", "exits", "bytes"):
            figures[f"{kind}_{depth}"] = round((getattr(phase, kind) - getattr(empty, kind)) / reads, 3)
    to_interrupt = sum(one.by_class[names.index(name)] for name in ("virtio, notify", "IRQ, virtio"))
    return figures | {"to_interrupt_1": round(to_interrupt / reads, 3)}


def gic_figures(rows, phases):
    """Each row's two marks come in the order of the rows; the disk's behind them."""
    pairs = zip(phases[0::2], phases[1::2])
    return {name: (after - before).gic() for name, (before, after) in zip(rows, pairs)}


def one_core(counter, name, bundle, *devices):
    text = run(name, bivy(bundle, *devices, *counter.options(name)), END, 60)
    *_, exits, phases = counter.read(name)
    rows = rows_of(text)
    at = 2 * len(rows)
    return rows, exits, gic_figures(rows, phases[:at]), disk_figures(text, phases[at:], counter.names)


def measure(counter):
    """Returns {"native", "bivy": rows, "gic": accesses by row, "classes", "disk", "changed": by a second core}."""
    before = rows_of(run("payload-native", native(PAYLOAD), END, 60))
    rows, classes, gic, disk = one_core(counter, "payload", "payload.itb", *DISK)
    ram = one_core(counter, "payload-ram", "payload-ram.itb")[-1]
    both = (rows_of(run("payload-native-2", native(PAYLOAD, "-smp", "2"), END, 60)),
            rows_of(run("payload-bivy-2", bivy("payload.itb", "-smp", "2", *DISK), END, 60)))
    changed = {name: both[1][name][1] - rows[name][1] for name in rows if both[1][name] != rows[name]}
    for side, more in zip((before, rows), both):
        side["ping_pong"] = more["ping_pong"]
    return {"native": before, "bivy": rows, "gic": gic, "classes": classes, "changed": changed,
            "disk": disk | {f"ram_{name}": value for name, value in ram.items()}}


def machine(cores, ram):
    """The host has to have no more RAM than bivy and the payload touch."""
    number = int(ram[:-1]) << (30 if ram[-1] == "G" else 20)
    options = ["-smp", str(cores), "-machine", "memory-backend=ram", "-object",
               f"memory-backend-ram,id=ram,reserve=off,size={number}"]
    name = f"growth-{cores}-{ram}"
    return rows_of(run(name, bivy("growth.itb", *options, mem=ram), END, 60))


def growth():
    """{"cores": {number: {row: median}}, "ram": the same by size}"""
    cores = {count: machine(count, "512M") for count in CORES}
    ram = {size: machine(2, size) for size in RAMS if size != "512M"} | {"512M": cores[2]}
    return {"cores": {count: medians(rows) for count, rows in cores.items()},
            "ram": {size: medians(ram[size]) for size in RAMS}}


def medians(rows):
    return {name: row[1] for name, row in rows.items() if name in ROWS}


def beside_work():
    """Nanoseconds of the host: {row: {side: [median of each round's least, median and most]}}"""
    kinds = ("spi_edge", "vtimer_busy", "vtimer_wfi")
    shots = {}
    for turn in range(ROUNDS):
        for side, options in (("native", native(PAYLOAD, "-smp", "2", *DISK)),
                              ("bivy", bivy("payload.itb", "-smp", "2", *DISK))):
            text = run(f"work-{side}-{turn}", options, END, 120, exact=False)
            if not re.search(r"disk: worked [1-9]", text):
                die("the payload's other core did not read the disk all the time")
            for name, row in rows_of(text, exact=False).items():
                shots.setdefault(name, {}).setdefault(side, []).append(row)
    return {name: {side: [statistics.median(column) for column in zip(*rows)] for side, rows in shots[name].items()}
            for kind in kinds for name in (kind, kind + "_io")}
