#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures bivy on QEMU and prints it beside its bars, beside no hypervisor, and beside Xen and Xvisor.

QEMU counts time by instructions (-icount shift=0,sleep=off): one is a nanosecond, and every run of the
same files gives the same figures. tests/bench/payload.c measures exits, hypcount.c (a plugin of QEMU)
counts bivy's own instructions, init.c tells when Linux starts its first program.

The figures of Xen 4.17 and Xvisor 0.3 are constants: measured the same way, on the same QEMU 7.2, when
bivy's bars were set.
"""

import argparse
import bisect
import json
import os
import re
import subprocess
import sys
import time

BUILD = os.environ.get("BUILD", "build")
BENCH = os.path.join(BUILD, "bench")
MIB = 1 << 20
RAM_BASE = 0x40000000
RAM = 512 * MIB  # of the board; the guest's tree says 256 MiB, which is what the native run gets
HYP_VA = 0x200000  # hyp/layout.h
KEEP_SIZE = 0x100000
TICK = 16  # ns of CNTVCT
QEMU = ["qemu-system-arm", "-cpu", "cortex-a15", "-icount", "shift=0,sleep=off",
        "-rtc", "base=2024-01-01T00:00:00,clock=vm", "-nic", "none", "-display", "none",
        "-monitor", "none", "-serial", "stdio"]
NATIVE = ["-M", "virt,dtb-randomness=off", "-m", "256M"]
BIVY = ["-M", "virt,virtualization=on,dtb-randomness=off", "-m", f"{RAM // MIB}M",
        "-kernel", os.path.join(BUILD, "bivy.bin")]
# A disk that reads zeroes at once: what it takes is bivy's. Time means nothing, the host completes requests.
DISK = ["-global", "virtio-mmio.force-legacy=false", "-blockdev", "null-co,node-name=d0,size=67108864,read-zeroes=on",
        "-device", "virtio-blk-device,drive=d0"]
DATA = 0x48000000  # where tests/bench/disk.c reads to; bivy sees RAM where the board has it

# The payload's rows: what they are, Xen, Xvisor, and the bar: instructions besides the native ones.
ROWS = {
    "hvc_version": ("HVC PSCI_VERSION", "558", "469", 60),
    "hvc_unknown": ("HVC, unknown function", "1,916", "stops", 60),
    "gicd_read_typer": ("GICD read, TYPER", "767", "769", 100),
    "gicd_read_isenabler": ("GICD read, ISENABLER", "780", "1,531", 100),
    "gicd_write_ipriorityr": ("GICD write, IPRIORITYR", "772", "1,118", 130),
    "gicd_write_isenabler": ("GICD write, ISENABLER", "837", "2,599", 130),
    "uart_read_fr": ("UART read, FR", "747", "729", 90),
    "sgi": ("SGI to itself, to the handler", "1,288", "lost", 200),
    "spi_edge": ("SPI by ISPENDR, to the handler", "1,416", "2,904", 250),
    "spi_level": ("the same, level-sensitive", "", "", 250),
    "vtimer_busy": ("virtual timer to the handler, busy", "1,215", "2,496", 150),
    "vtimer_wfi": ("virtual timer to the handler, WFI", "9,552", "3,449", 160),
    "ptimer_busy": ("physical timer to the handler, busy", "", "", 150),
    "ptimer_wfi": ("physical timer to the handler, WFI", "", "", 160),
    "gicc_eoi_sgi": ("GICC_EOIR of an SGI", "3-8", "3-7", 0),
    "gicc_eoi_spi_edge": ("GICC_EOIR of an SPI, edge", "3-8", "3-7", 0),
    "gicc_eoi_spi_level": ("GICC_EOIR of an SPI, level", "3-8", "3-7", 0),
    "gicc_iar": ("GICC_IAR", "3-8", "3-7", 0),
    "gicc_read_pmr": ("GICC_PMR read", "3-8", "3-7", 0),
    "gicc_write_pmr": ("GICC_PMR write", "3-8", "3-7", 0),
    "gicc_wfi": ("WFI with an interrupt pending", "3-8", "3-7", 0),
    "cp15_actlr": ("CP15 ACTLR", "509", "461", 80),
    "cp15_pmcr": ("CP15 PMCR", "545", "483", 80),
    "cp14_dbgdidr": ("CP14 DBGDIDR", "", "", None),
    "gicd_read_ldrd": ("GICD read by LDRD (decoded)", "", "", None),
    "gicd_write_ipriorityr_byte": ("GICD write, IPRIORITYR, one byte", "", "", None),
    "gicd_mask_unmask": ("GICD ICENABLER, then ISENABLER", "", "", None),
    "uart_read_postindex": ("UART read, post-index (decoded)", "", "", None),
    "uart_write_imsc": ("UART write, IMSC", "", "", None),
    "uart_write_dr": ("UART write, DR (one character)", "", "", None),
    "sgi_round": ("SGI to itself, there and back", "", "", None),
    "spi_edge_round": ("SPI, there and back, edge", "", "", None),
    "spi_level_round": ("SPI, there and back, level", "", "", None),
    "virtio_console_64": ("virtio console, notify of 64 bytes", "", "", None),
    "ping_pong": ("SGI to another core and back, 2 cores", "", "", None),
}

# Of each read of the payload's disk, the board's and one in RAM, which copies: (what, Xvisor, bar)
DISK_ROWS = {
    "to_interrupt_1": ("virtio-blk, 4 KiB read, notify to interrupt", "", 1500),
    "insns_1": ("the same with its acknowledgement", "", None),
    "insns_32": ("the same, 32 at once", "", 1500),
    "exits_1": ("its exits, one at a time; one is the board's own", "", None),
    "exits_32": ("its exits, 32 at once", "", 0.5),
    "bytes_1": ("its bytes that bivy touched", "", 0),
    "ram_to_interrupt_1": ("the same with a RAM disk, notify to interrupt", "24,300", 1500),
    "ram_insns_1": ("the same with its acknowledgement", "", None),
    "ram_exits_1": ("its exits, one at a time", "", 2.0),
    "ram_exits_32": ("its exits, 32 at once", "", 0.5),
}

# Classes of exits by the function that is entered; the last one that an exit enters is its class.
CLASSES = {
    "trap_unknown": "other trap", "trap_wait": "other trap", "trap_prefetch_abort": "other trap",
    "trap_irq": "IRQ, other",
    "trap_hvc": "HVC", "trap_cp15": "CP15, CP14", "trap_cp15_64": "CP15, CP14",
    "trap_cp14": "CP15, CP14", "trap_cp14_64": "CP15, CP14", "trap_data_abort": "other device",
    "emulate_transfer": "decoded transfer", "gicd_read": "GICD read", "gicd_write": "GICD write",
    "pl011_read": "PL011", "pl011_write": "PL011", "transport_read": "virtio", "transport_write": "virtio",
    "virtio_queue_notify": "virtio, notify", "virtio_interrupt_ack": "virtio, acknowledge",
    "hw_virtio_irq": "IRQ, virtio",
    "dir_write": "GICC_DIR", "vgic_send_sgi": "GICD, SGI", "vgic_forward": "IRQ, timer",
    "console_irq": "IRQ, UART", "inject_undefined": "fault injected", "inject_data_abort": "fault injected",
    "inject_prefetch_abort": "fault injected",
}

PHASE = "trap_smc"  # by which the payload marks phases

# What bivy's start is made of, by function.
GROUPS = (
    ("copying", r"mem(cpy|move|set)|__aeabi_mem.*|copy.*"),
    ("hashing", r"(SHA|sha).*|crc32.*|be32dec|be64enc"),
    ("cache maintenance", r"cache_.*|flush_.*"),
    ("page tables", r"pt_.*|map.*|stage[12]_.*|make_tables|table_.*"),
    ("trees and bundle", r"dt_.*|fdt_.*|fit_.*|config_.*|guestdt_.*|board_read|read_.*|find_.*|reserve"),
    ("console", r"console_.*|print_.*|say.*|pump|put|enqueue|drain|pl011_.*|format.*|emit.*"),
)

# Other figures: (what, Xen, Xvisor, bar)
OTHERS = {
    "boot_insns": ("Debian to init, HYP instructions", "2.97 M", "2.32 M", 300_000),
    "boot_ratio": ("Debian to init, from guest entry, by native", "", "", 1.001),
    "start_rest": ("reset to guest entry, besides copying, hashing", "95 M", "114 M", 2_000_000),
    "start_insns": ("the same with SHA-256 of the bundle", "", "", None),
    "image": ("image, bytes", "864 KiB", "1,500 KiB", 96 << 10),
    "memory": ("memory kept, bytes", "81 MiB", "31 MiB", 1 << 20),
}


def die(message):
    sys.exit(f"make bench: {message}")


def run(name, options, end, timeout):
    """Runs QEMU until it ends by itself; returns what it wrote, which has to hold the line `end`."""
    log = os.path.join(BENCH, name + ".log")
    began = time.monotonic()
    print(f"running {name} ...", end=" ", file=sys.stderr, flush=True)
    try:
        result = subprocess.run(QEMU + options, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=timeout, check=False)
        output, status = result.stdout, result.returncode
    except subprocess.TimeoutExpired as error:
        output, status = error.stdout or b"", "none: it did not end"
    except FileNotFoundError:
        die("qemu-system-arm is missing; tools/install-deps run installs it")
    with open(log, "wb") as file:
        file.write(output)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    text = output.decode(errors="replace")
    if status != 0 or not re.search(end, text):
        die(f"the run of {name} failed (status {status}); its output is in {log}")
    return text


def tool(name):
    command = [os.environ.get("CROSS", "arm-none-eabi-") + name[0], *name[1:],
               os.path.join(BUILD, "bivy.elf")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols():
    """The functions of bivy: sorted [(offset in the image, name)]."""
    found = []
    for line in tool(["nm", "-n"]).splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tT":
            found.append((int(fields[0], 16) - HYP_VA, fields[2]))
    return found


def write_marks(functions, path):
    """Tells the plugin where exits begin and end and what class they are; returns the classes' names."""
    names = ["other"]
    vectors = next(offset for offset, name in functions if name == "hyp_vectors")
    with open(path, "w", encoding="ascii") as file:
        for vector in range(4, 8):
            file.write(f"{vectors + 4 * vector:x} v\n")
        for address in re.findall(r"^ *([0-9a-f]+):.*\teret", tool(["objdump", "-d"]), re.MULTILINE):
            file.write(f"{int(address, 16) - HYP_VA:x} r\n")
        for offset, name in functions:
            if name == PHASE:
                file.write(f"{offset:x} p\n")
            elif name in CLASSES:
                if CLASSES[name] not in names:
                    names.append(CLASSES[name])
                file.write(f"{offset:x} {names.index(CLASSES[name])}\n")
    return names


def plugin(name, functions):
    """Options that load the plugin, and a function that reads what it counted."""
    marks, out = (os.path.join(BENCH, f"{name}.{kind}") for kind in ("marks", "counts"))
    names = write_marks(functions, marks)
    bases = (HYP_VA, RAM_BASE + 0x10000, RAM_BASE + RAM - KEEP_SIZE)
    arguments = [os.path.join(BENCH, "hypcount.so"), f"image={BUILD}/bivy.bin", f"marks={marks}",
                 f"out={out}", f"data={DATA:x}", *(f"base={base:x}" for base in bases)]

    def read():
        start, running, exits, phases = {}, {}, {}, []
        offsets = [offset for offset, _ in functions]
        with open(out, encoding="ascii") as file:
            for line in file:
                kind, *fields = line.split()
                if kind == "insn":
                    function = functions[bisect.bisect(offsets, int(fields[0], 16)) - 1][1]
                    start[function] = start.get(function, 0) + int(fields[1])
                    running[function] = running.get(function, 0) + int(fields[2])
                elif kind == "phase":
                    phases.append([int(field) for field in fields])
                elif int(fields[1]) != 0:
                    exits[names[int(fields[0])]] = [int(field) for field in fields[1:]]
        return start, running, exits, phases, names
    return ["-plugin", ",".join(arguments)], read


def payload_rows(text):
    rows = {}
    for name, *values in re.findall(r"^row (\w+) (\d+) (\d+) (\d+)\r?$", text, re.MULTILINE):
        rows[name] = [int(value) for value in values]
    if "phase 15 overhead 1" not in text:
        die("the payload's clock is not exact: it should say \"phase 15 overhead 1\"")
    return rows


def disk_figures(text, phases, names):
    """What one read costs, by the name of DISK_ROWS. The mark of a phase costs what the empty phase does."""
    found = re.search(r"^disk: reads (\d+)\r?$", text, re.MULTILINE)
    if not found or len(phases) != 4:
        die("the payload's disk did not read; its output is in build/bench")
    empty, one, many = ([after - before for before, after in zip(*pair)] for pair in zip(phases, phases[1:]))
    figures = {}
    for depth, phase in (("1", one), ("32", many)):
        for kind, value, mark in zip(("insns", "exits", "bytes"), phase, empty):
            figures[f"{kind}_{depth}"] = round((value - mark) / int(found[1]), 3)
    to_interrupt = sum(one[3 + names.index(name)] for name in ("virtio, notify", "IRQ, virtio"))
    return figures | {"to_interrupt_1": round(to_interrupt / int(found[1]), 3)}


def measure_ram_disk(functions):
    options, read = plugin("payload-ram", functions)
    text = run("payload-ram", [*BIVY, "-initrd", os.path.join(BENCH, "payload-ram.itb"), *options], "bench: end", 60)
    return {f"ram_{name}": value for name, value in disk_figures(text, *read()[3:]).items()}


def measure_exits(functions):
    binary = os.path.join(BENCH, "payload.bin")
    bundle = ["-initrd", os.path.join(BENCH, "payload.itb"), *DISK]
    options, read = plugin("payload", functions)
    native = payload_rows(run("payload-native", [*NATIVE, "-kernel", binary], "bench: end", 60))
    text = run("payload-bivy", [*BIVY, *bundle, *options], "bench: end", 60)
    bivy = payload_rows(text)
    two = ["-smp", "2"]
    both = (payload_rows(run("payload-native-2", [*NATIVE, *two, "-kernel", binary], "bench: end", 60)),
            payload_rows(run("payload-bivy-2", [*BIVY, *two, *bundle], "bench: end", 60)))
    for rows, more in zip((native, bivy), both):
        if "ping_pong" in more:
            rows["ping_pong"] = more["ping_pong"]
    changed = {name: both[1][name][1] - bivy[name][1] for name in bivy
               if name != "ping_pong" and both[1][name][1] != bivy[name][1]}
    exits, *phases = read()[2:]
    disk = disk_figures(text, *phases) | measure_ram_disk(functions)
    return native, bivy, changed, exits, disk


def init_time(text):
    return int(re.search(r"bench: init at (\d+) ticks", text)[1]) * TICK


def measure_boot(functions, arguments):
    end = r"bench: init at \d+ ticks"
    linux = ["-kernel", arguments.kernel, "-initrd", arguments.initrd, "-append", arguments.bootargs,
             "-dtb", os.path.join(BENCH, "native.dtb")]
    options, read = plugin("debian", functions)
    native = init_time(run("debian-native", [*NATIVE, *linux], end, 600))
    text = run("debian-bivy", [*BIVY, "-initrd", os.path.join(BENCH, "debian.itb"), *options], end, 900)
    start, running, exits = read()[:3]
    kept = re.search(r"kept (\d+) KiB", text)
    return {
        "native": native, "bivy": init_time(text), "start": start, "running": running, "exits": exits,
        "memory": int(kept[1]) << 10 if kept else None,
    }


def grouped(start):
    groups = {name: 0 for name, _ in GROUPS} | {"the rest": 0}
    for function, count in start.items():
        name = next((name for name, pattern in GROUPS
                     if re.fullmatch(pattern, function.split(".")[0])), "the rest")
        groups[name] += count
    return groups


def verdict(value, bar):
    if bar is None or value is None:
        return ""
    return "" if value <= bar else "MISSED"


def shown(value):
    if value is None:
        return "-"
    return f"{value:.6f}" if isinstance(value, float) else f"{value:,}"


def print_line(*columns):
    print("{:<44} {:>7} {:>9} {:>9} {:>10} {:>12} {:>9} {}".format(*columns).rstrip())


def print_exits(native, bivy):
    """The table of exits; returns it for the JSON file. The bar is for the median of all shots; the worst one
    is most often the first of its kind, which has to look for a list register."""
    table = {}
    print_line("instructions", "native", "Xen", "Xvisor", "bar", "bivy costs", "at worst", "")
    for name, (what, xen, xvisor, bar) in ROWS.items():
        before, after = native.get(name), bivy.get(name)
        alone = before[1] if before else 1
        cost, worst = (after[1] - alone, after[2] - alone) if after else (None, None)
        print_line(what, shown(before[1] if before else None), xen, xvisor,
                   "" if bar is None else shown(bar), shown(cost), shown(worst), verdict(cost, bar))
        table[name] = {"native": before, "bivy": after, "cost": cost, "worst": worst, "bar": bar,
                       "met": None if bar is None or cost is None else cost <= bar}
    return table


def print_others(figures):
    table = {}
    print()
    print_line("whole system", "", "Xen", "Xvisor", "bar", "bivy", "", "")
    for name, (what, xen, xvisor, bar) in OTHERS.items():
        value = figures[name]
        print_line(what, "", xen, xvisor, "" if bar is None else shown(bar), shown(value), "",
                   verdict(value, bar))
        table[name] = {"bivy": value, "bar": bar,
                       "met": None if value is None or bar is None else value <= bar}
    return table


def print_disk(figures):
    table = {}
    print()
    print_line("disk, each read", "", "", "Xvisor", "bar", "bivy", "", "")
    for name, (what, xvisor, bar) in DISK_ROWS.items():
        value = figures[name]
        print_line(what, "", "", xvisor, "" if bar is None else f"{bar:,}", f"{value:,.2f}", "",
                   verdict(value, bar))
        table[name] = {"bivy": value, "bar": bar, "met": None if bar is None else value <= bar}
    return table


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


def parse():
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", required=True, help="Debian's")
    parser.add_argument("--initrd", required=True, help="Debian's, and /bench")
    parser.add_argument("--bootargs", required=True, help="the native run's; the bundle has the same")
    parser.add_argument("--no-boot", action="store_true", help="only the exits")
    return parser.parse_args()


def main():
    arguments = parse()
    functions = symbols()
    native, bivy, changed, payload_exits, disk = measure_exits(functions)
    boot = None if arguments.no_boot else measure_boot(functions, arguments)
    result = {"exits": print_exits(native, bivy), "payload_classes": payload_exits,
              "changed_with_2_cores": changed}
    for name, more in changed.items():
        print(f"  with 2 cores {ROWS[name][0]} costs {more:+}")
    result["disk"] = print_disk(disk)
    if boot:
        groups = grouped(boot["start"])
        entered = sum(boot["start"].values())
        result["system"] = print_others({
            "boot_insns": sum(boot["running"].values()),
            "boot_ratio": (boot["bivy"] - entered) / boot["native"],
            "start_insns": entered - groups["copying"],
            "start_rest": entered - groups["copying"] - groups["hashing"],
            "image": os.path.getsize(os.path.join(BUILD, "bivy.bin")),
            "memory": boot["memory"],
        })
        result["boot"] = boot | {"groups": groups}
        print(f"\nDebian to init: {boot['native']:,} ns natively, {boot['bivy']:,} ns with bivy, of which "
              f"{entered:,} before the guest's entry")
        print_counts("reset to guest entry, instructions", groups, 99)
        print_counts("the same by function", boot["start"], 16)
        print_classes("Debian to init", boot["exits"])
        print_counts("Debian to init, HYP instructions by function", boot["running"], 24)
    print_classes("payload", payload_exits)
    with open(os.path.join(BENCH, "bench.json"), "w", encoding="ascii") as file:
        json.dump(result, file, indent="\t")
    print(f"\nThe bar of a row is for its cost besides the native one. Figures: {BENCH}/bench.json")


if __name__ == "__main__":
    main()
