# SPDX-License-Identifier: BSD-2-Clause
"""QEMU as the bench's instrument: runs that end by themselves, and what the plugin hypcount.c counted in them."""

import bisect
import os
import re
import subprocess
import sys
import threading
import time

from tables import CLASSES, PHASE

BUILD = os.environ.get("BUILD", "build")
BENCH = os.path.join(BUILD, "bench")
MIB = 1 << 20
RAM_BASE = 0x40000000
RAM = 512 * MIB  # of the board; the guest's tree says 256 MiB, which is what the native run gets
HYP_VA = 0x200000  # hyp/layout.h
KEEP_SIZE = 0x100000
DATA = 0x48000000  # where tests/bench/disk.c reads to; bivy sees RAM where the board has it
BOARD = ["qemu-system-arm", "-cpu", "cortex-a15", "-nic", "none", "-display", "none", "-monitor", "none",
         "-serial", "stdio"]
EXACT = ["-icount", "shift=0,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm"]
GIVEN_UP = r"bivy: .*stopped$"
MACHINE = {"native": "virt,dtb-randomness=off", "bivy": "virt,virtualization=on,dtb-randomness=off"}


def die(message):
    sys.exit(f"make bench: {message}")


def version():
    """QEMU's, as it calls it."""
    said = subprocess.run([BOARD[0], "--version"], check=True, capture_output=True, text=True).stdout
    return said.splitlines()[0].removeprefix("QEMU emulator version ")


def native(kernel, *options, mem="256M"):
    return ["-M", MACHINE["native"], "-m", mem, "-kernel", kernel, *options]


def bivy(bundle, *options, mem=f"{RAM // MIB}M"):
    return ["-M", MACHINE["bivy"], "-m", mem, "-kernel", os.path.join(BUILD, "bivy.bin"),
            "-initrd", os.path.join(BENCH, bundle), *options]


def run(name, options, end, timeout, exact=True):
    """
    Runs QEMU until it ends by itself; returns what it wrote, which has to hold the line `end`. Time is
    instructions, or, unless exact, the host's.
    """
    log = os.path.join(BENCH, name + ".log")
    began = time.monotonic()
    print(f"running {name} ...", end=" ", file=sys.stderr, flush=True)
    lines = []
    with subprocess.Popen([*BOARD, *(EXACT if exact else []), *options], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        alarm = threading.Timer(timeout, qemu.kill)
        alarm.start()
        for line in qemu.stdout:
            lines.append(line.decode(errors="replace"))
            if re.match(GIVEN_UP, lines[-1].rstrip()):
                qemu.kill()
        alarm.cancel()
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    text = "".join(lines)
    with open(log, "w", encoding="utf-8") as file:
        file.write(text)
    if qemu.returncode != 0 or not re.search(end, text):
        die(f"the run of {name} failed (status {qemu.returncode}); its output is in {log}")
    return text


def tool(name, *options):
    command = [os.environ.get("CROSS", "arm-none-eabi-") + name, *options, os.path.join(BUILD, "bivy.elf")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Counter:
    """The plugin, and what it counts of one image of bivy."""

    def __init__(self):
        self.names = ["other"]
        found = [line.split() for line in tool("nm", "-n").splitlines()]
        # Sorted: (offset in the image, name)
        self.functions = [(int(fields[0], 16) - HYP_VA, fields[2]) for fields in found
                          if len(fields) == 3 and fields[1] in "tT"]

    def write_marks(self, path):
        """Tells the plugin where exits begin and end and what class they are."""
        vectors = next(offset for offset, name in self.functions if name == "hyp_vectors")
        with open(path, "w", encoding="ascii") as file:
            for vector in range(4, 8):
                file.write(f"{vectors + 4 * vector:x} v\n")
            for address in re.findall(r"^ *([0-9a-f]+):.*\teret", tool("objdump", "-d"), re.MULTILINE):
                file.write(f"{int(address, 16) - HYP_VA:x} r\n")
            for offset, name in self.functions:
                if name == PHASE:
                    file.write(f"{offset:x} p\n")
                elif name in CLASSES:
                    if CLASSES[name] not in self.names:
                        self.names.append(CLASSES[name])
                    file.write(f"{offset:x} {self.names.index(CLASSES[name])}\n")

    def options(self, name):
        """QEMU's, for a run of that name."""
        marks, out = (os.path.join(BENCH, f"{name}.{kind}") for kind in ("marks", "counts"))
        self.write_marks(marks)
        bases = (HYP_VA, RAM_BASE + 0x10000, RAM_BASE + RAM - KEEP_SIZE)
        arguments = [os.path.join(BENCH, "hypcount.so"), f"image={BUILD}/bivy.bin", f"marks={marks}",
                     f"out={out}", f"data={DATA:x}", *(f"base={base:x}" for base in bases)]
        return ["-plugin", ",".join(arguments)]

    def read(self, name):
        """(instructions to the guest's entry and after it by function, exits by class, the marks of phases)"""
        start, running, exits, phases = {}, {}, {}, []
        offsets = [offset for offset, _ in self.functions]
        with open(os.path.join(BENCH, name + ".counts"), encoding="ascii") as file:
            for line in file:
                kind, *fields = line.split()
                if kind == "insn":
                    function = self.functions[bisect.bisect(offsets, int(fields[0], 16)) - 1][1]
                    start[function] = start.get(function, 0) + int(fields[1])
                    running[function] = running.get(function, 0) + int(fields[2])
                elif kind == "phase":
                    phases.append(Counts([int(field) for field in fields]))
                elif int(fields[1]) != 0:
                    exits[self.names[int(fields[0])]] = [int(field) for field in fields[1:]]
        return start, running, exits, phases


class Counts:
    """What bivy did up to the mark of a phase, or between two."""

    def __init__(self, values):
        self.values = values
        self.insns, self.exits, self.bytes = values[:3]
        self.devices, self.by_gic, self.by_class = values[3:7], values[7:39], values[39:]

    def __sub__(self, other):
        return Counts([after - before for after, before in zip(self.values, other.values)])

    def gic(self):
        """Accesses to the GIC of an exit: {"min", "median", "max", and the mean of each of its parts}."""
        counts = [self.by_gic[0] - 1, *self.by_gic[1:]]  # without the mark's own exit
        each = [accesses for accesses, exits in enumerate(counts) for _ in range(exits)]
        if not each:
            return None
        means = {name: value / len(each) for name, value in zip(("gicd", "gicc", "gich"), self.devices)}
        return {"min": each[0], "median": each[len(each) // 2], "max": each[-1]} | means
