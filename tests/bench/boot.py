# SPDX-License-Identifier: BSD-2-Clause
"""Debian's boot to its first program (init.c), natively and under bivy, and what bivy's start is made of."""

import os
import re

from emulator import BENCH, BUILD, bivy, native, run
from tables import GROUPS

TICK = 16  # ns of CNTVCT
END = r"bench: init at (\d+) ticks"


def grouped(start):
    """Instructions of the start by what they are for."""
    groups = {name: 0 for name, _ in GROUPS} | {"the rest": 0}
    for function, count in start.items():
        name = next((name for name, pattern in GROUPS
                     if re.fullmatch(pattern, function.split(".")[0])), "the rest")
        groups[name] += count
    return groups


def measure(counter, kernel, initrd, bootargs):
    """Returns the figures by name of OTHERS, and the details."""
    linux = ["-initrd", initrd, "-append", bootargs, "-dtb", os.path.join(BENCH, "native.dtb")]
    alone = int(re.search(END, run("debian-native", native(kernel, *linux), END, 600))[1]) * TICK
    text = run("debian", bivy("debian.itb", *counter.options("debian")), END, 900)
    under = int(re.search(END, text)[1]) * TICK
    start, running, exits, _ = counter.read("debian")
    groups, entered = grouped(start), sum(start.values())
    kept = re.search(r"kept (\d+) KiB", text)
    return {
        "boot_insns": sum(running.values()),
        "boot_ratio": (under - entered) / alone,
        "start_insns": entered - groups["copying"],
        "start_rest": entered - groups["copying"] - groups["hashing"],
        "image": os.path.getsize(os.path.join(BUILD, "bivy.bin")),
        "memory": int(kept[1]) << 10 if kept else None,
    }, {"native": alone, "bivy": under, "entered": entered, "start": start, "running": running, "exits": exits,
        "groups": groups}
