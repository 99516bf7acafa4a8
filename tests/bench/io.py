#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures a Linux guest's disk and network natively and under bivy, in turn, and prints the ratios.

Both run on the same QEMU without -icount, in real time, so a busy host spoils single figures: each side
runs several times, in turn, and medians are compared, of what was done in a second of QEMU's CPU time. The
figures by the clock are beside them: they are the truth on a host that does nothing else. The disk answers
at once (null-co), the network is QEMU's user network, whose other end is an iperf3 server on the host.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import threading

BUILD = os.environ.get("BUILD", "build")
BENCH = os.path.join(BUILD, "bench")
BOARD = ["qemu-system-arm", "-cpu", "cortex-a15", "-nodefaults", "-display", "none", "-serial", "stdio",
         "-no-reboot", "-global", "virtio-mmio.force-legacy=false"]
BOOTARGS = "quiet console=ttyAMA0 earlycon net.ifnames=0 loglevel=1"
HOST = "10.0.2.2"  # of QEMU's user network

# (what, unit, bar: bivy by native), and the figure grows or, below, shrinks as it gets better. What has no bar is
# a control: the timer's are its only exits, and what it loses is QEMU's, which translates by two stages of tables
# under a hypervisor.
ROWS = {
    "read_1": ("4 KiB random read, depth 1", "1/s", 0.90),
    "read_32": ("4 KiB random read, depth 32", "1/s", 0.90),
    "write_1": ("4 KiB random write, depth 1", "1/s", 0.90),
    "write_32": ("4 KiB random write, depth 32", "1/s", 0.90),
    "read_128k": ("128 KiB sequential read", "1/s", 0.90),
    "write_128k": ("128 KiB sequential write", "1/s", 0.90),
    "ram_4k": ("the same without a device: 4 KiB of a file in RAM", "1/s", None),
    "ram_128k": ("128 KiB of a file in RAM", "1/s", None),
    "send": ("TCP from the guest", "kbit/s", 0.85),
    "receive": ("TCP to the guest", "kbit/s", 0.85),
    "ping": ("ping", "ms", 1.25),
}
SHRINKS = ("ping",)
DISK = ("read_1", "read_32", "write_1", "write_32", "read_128k", "write_128k", "ram_4k", "ram_128k")
TIMEOUT = 300  # seconds, of one boot with all its measurements


def die(message):
    sys.exit(f"make bench-io: {message}")


def devices(disk):
    """The buses are named: the order of what is named by nobody surprises."""
    return ["-drive", f"file={disk},format=raw,if=none,id=root,read-only=on",
            "-device", "virtio-blk-device,drive=root,bus=virtio-mmio-bus.0",
            "-blockdev", "null-co,node-name=null,size=1073741824,read-zeroes=on",
            "-device", "virtio-blk-device,drive=null,bus=virtio-mmio-bus.1",
            "-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net,bus=virtio-mmio-bus.2"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_time(pid):
    """Seconds that the process has used, all of its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(name, options):
    """
    Boots the guest until it powers off; returns {figure: (rate, CPU seconds for one)}: the rate by the
    guest's clock. The guest prints a line before and after each measurement, which is when QEMU's CPU time
    is read; the start of fio is one of them, and taken off the others'.
    """
    figures, began, log = {}, 0, os.path.join(BENCH, f"io-{name}.log")
    with open(log, "wb") as file, subprocess.Popen(BOARD + options, stdin=subprocess.DEVNULL,
                                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        alarm = threading.Timer(TIMEOUT, qemu.kill)
        alarm.start()
        for line in qemu.stdout:
            file.write(line)
            words = line.decode(errors="replace").split()
            if words[:2] == ["io", "begin"]:
                began = cpu_time(qemu.pid)
            elif words[:2] == ["io", "end"] and len(words) == 5 and words[3] != "0":
                used = cpu_time(qemu.pid) - began - (figures["fio"][1] if words[2] in DISK else 0)
                figures[words[2]] = (float(words[4]), used / max(float(words[3]), 1))
        alarm.cancel()
        qemu.kill()
    if not set(ROWS) <= set(figures):
        die(f"the guest ({name}) did not measure all; its output is in {log}")
    return figures


def parse():
    parser = argparse.ArgumentParser(prog="make bench-io", description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True, help="whose /init is tests/bench/io/init")
    parser.add_argument("--disk", required=True, help="an ext4 image with fio, iperf3 and ping")
    parser.add_argument("--rounds", type=int, default=3, help="of each side")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    return parser.parse_args()


def sides(arguments, port):
    """{name: QEMU's options}; the native side has as much RAM as bivy's tree gives."""
    both = ["-smp", str(arguments.cpus), *devices(arguments.disk)]
    bootargs = f"{BOOTARGS} host={HOST} port={port} seconds={arguments.seconds}"
    bundle = os.path.join(BENCH, "io.itb")
    subprocess.run(["tools/mkbundle", "--kernel", arguments.kernel, "--initrd", arguments.initrd, "--dts",
                    "tests/bench/io/io.dts", "--bootargs", bootargs, "-o", bundle], check=True)
    return {
        "native": ["-M", "virt", "-m", "256M", "-kernel", arguments.kernel, "-initrd", arguments.initrd,
                   "-append", bootargs, *both],
        "bivy": ["-M", "virt,virtualization=on", "-m", "512M", "-kernel", os.path.join(BUILD, "bivy.bin"),
                 "-initrd", bundle, *both],
    }


def measure(arguments):
    port = free_port()
    figures = {}
    with subprocess.Popen(["iperf3", "-s", "-p", str(port)], stdout=subprocess.DEVNULL) as server:
        try:
            options = sides(arguments, port)
            for turn in range(arguments.rounds):
                for name, board in options.items():
                    print(f"round {turn + 1} of {arguments.rounds}, {name} ...", file=sys.stderr, flush=True)
                    for what, value in run(name, board).items():
                        figures.setdefault(what, {}).setdefault(name, []).append(value)
        finally:
            server.terminate()
    return figures


def ratios(figures, name):
    """Of medians, bivy by native: (by CPU time, by the clock), each so that the bar is for it."""
    median = {side: [statistics.median(column) for column in zip(*shots)]
              for side, shots in figures[name].items()}
    rate, cost = (median["bivy"][i] / median["native"][i] for i in (0, 1))
    return cost if name in SHRINKS else 1 / cost, rate, median


def report(figures):
    table = {}
    print(f"{'':<50}{'native':>12}{'bivy':>12} {'unit':<8}{'ratio':>6}{'by CPU time':>13}{'bar':>6}")
    for name, (what, unit, bar) in ROWS.items():
        cpu, clock, median = ratios(figures, name)
        met = None if bar is None else cpu <= bar if name in SHRINKS else cpu >= bar
        print(f"{what:<50}{median['native'][0]:>12,.7g}{median['bivy'][0]:>12,.7g} {unit:<8}{clock:>6.2f}"
              f"{cpu:>13.2f}{'-' if bar is None else f'{bar:.2f}':>6}{'  MISSED' if met is False else ''}")
        table[name] = figures[name] | {"cpu": cpu, "clock": clock, "bar": bar, "met": met}
    return table


def main():
    arguments = parse()
    table = report(measure(arguments))
    with open(os.path.join(BENCH, "io.json"), "w", encoding="ascii") as file:
        json.dump(table, file, indent="\t")


if __name__ == "__main__":
    main()
