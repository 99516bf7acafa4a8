# SPDX-License-Identifier: BSD-2-Clause
"""cyclictest and hackbench in Debian's kernel, natively and under bivy in turn, by instructions and by the clock."""

import os
import re

from emulator import BENCH, bivy, die, native, run
from exits import DISK

INITRD = os.path.join(BENCH, "latency.initrd")
CORES = (1, 2, 4, 8)
END = r"hackbench [0-9.]+"
TIMEOUT = 1200  # of a busy host


def figures(text):
    """{"idle", "io": [least, median, 99 of 100, most], "hackbench": seconds}"""
    found = {name: [int(value) for value in values.split()]
             for name, values in re.findall(r"^latency (\w+)((?: \d+){4})\r?$", text, re.MULTILINE)}
    if "idle" not in found:
        die("cyclictest did not tell latencies; its output is in build/bench")
    return found | {"hackbench": float(re.search(r"hackbench ([0-9.]+)", text)[1])}


def exact(kernel, bootargs):
    """One core, by instructions, without the disk: that would be the host's time."""
    linux = ["-initrd", INITRD, "-append", bootargs + " unit=ns", "-dtb", os.path.join(BENCH, "native.dtb")]
    return {"native": figures(run("latency-native", native(kernel, *linux), END, TIMEOUT)),
            "bivy": figures(run("latency-bivy", bivy("latency-exact.itb"), END, TIMEOUT))}


def real(kernel, bootargs):
    """By the host's clock, by number of cores, with a disk."""
    linux = ["-initrd", INITRD, "-append", bootargs]
    found = {}
    for cores in CORES:
        more = ["-smp", str(cores), *DISK]
        found[cores] = {
            side: figures(run(f"latency-{side}-{cores}", options, END, TIMEOUT, exact=False))
            for side, options in (("native", native(kernel, *linux, *more)),
                                  ("bivy", bivy("latency-real.itb", *more)))}
    return found
