#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What exits cost under Debian's Xen, whose dom0 is the bench's payload, beside bivy on the same QEMU.

Xen gives its guest no cycle counter, so the payload's clock is CNTVCT, of 16 instructions, and its figures are
means of 501 shots. One core, -icount shift=0,sleep=off, no disk.
"""

import os
import re

from bench import exit_table
from emulator import BENCH, MACHINE, Counter, bivy, native, run, version
from exits import END, PAYLOAD, rows_of
from tables import ROWS

RUN = "payload-xen-bivy"
# dom0's RAM is where the payload is linked to (bench.mk); Xen tells all that it writes.
XEN = ["-M", MACHINE["bivy"], "-m", "512M", "-kernel", os.path.join(BENCH, "xen"),
       "-append", "dom0_mem=128M console=dtuart dtuart=/pl011@9000000 noreboot guest_loglvl=all",
       "-device", f"guest-loader,addr=0x4a000000,kernel={BENCH}/xen.bin,bootargs=bench"]


def bivys(counter):
    """{row: instructions}"""
    rows = rows_of(run(RUN, bivy("growth.itb", *counter.options(RUN)), END, 60))
    before = rows_of(run("payload-native", native(PAYLOAD), END, 60))
    return {name: row["cost"] for name, row in exit_table({"native": before, "bivy": rows, "gic": {}}).items()}


def main():
    mine = bivys(Counter())
    alone = rows_of(run("payload-xen-native", native(os.path.join(BENCH, "xen.elf"), mem="512M"), END, 60), exact=False)
    text = run("payload-xen", XEN, END, 60).replace("(XEN) DOM0: ", "")
    under = rows_of(text, exact=False)
    print(f"QEMU {version()}, {re.search(r'Xen version [0-9.]+', text)[0]}; instructions besides the native ones")
    print(f"{'':<44}{'Xen':>8}{'bivy':>8}{'times':>8}")
    for name, row in under.items():
        cost, own = row[1] - alone[name][1], mine[name]
        print(f"{ROWS[name][0]:<44}{cost:>8,}{own:>8,}" + (f"{cost / own:>8.1f}" if own else ""))


if __name__ == "__main__":
    main()
