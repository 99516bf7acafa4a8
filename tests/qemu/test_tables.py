# SPDX-License-Identifier: BSD-2-Clause
"""bivy's translation tables, read out of a running machine: what HYP mode and the guest can reach, and how.

The format: ARM DDI 0406C B3.6.
"""

import os
import re
import struct
import subprocess

import pytest

import fdt
import machine
from machine import Machine, Monitor, built

HYP_VA, WINDOW_VA = 0x00200000, 0x40000000
RAM, RAM_SIZE, KEEP_SIZE = 0x40000000, 128 << 20, 1 << 20
BIVY_PA = RAM + RAM_SIZE - KEEP_SIZE
PAGE = 0x1000


class Tables:
    """The memory that bivy keeps, and its symbols."""

    def __init__(self, memory):
        self.memory = memory
        names = subprocess.run(["arm-none-eabi-nm", built("bivy.elf")], check=True, text=True, stdout=subprocess.PIPE)
        self.rows = [(int(at, 16), kind, name) for at, kind, name in map(str.split, names.stdout.splitlines())]
        self.symbols = {name: at for at, _, name in self.rows}

    def physical(self, name):
        return self.symbols[name] - HYP_VA + BIVY_PA

    def leaves(self, table, entries, level=1, base=0):
        """(input address, size, entry) of each block and page, in order. table: PA"""
        size = 1 << (39 - 9 * level)
        for i in range(entries):
            entry = struct.unpack_from("<Q", self.memory, table - BIVY_PA + 8 * i)[0]
            if entry & 3 == 3 and level < 3:
                yield from self.leaves(entry & 0xFFFFFFF000, 512, level + 1, base + i * size)
            elif entry & 3 == (3 if level == 3 else 1):
                yield base + i * size, size, entry
            else:
                assert entry & 1 == 0, f"{entry:#x} at level {level} is reserved"


def output(entry, size):
    return entry & 0xFFFFFFF000 & ~(size - 1)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    memory = folder / "memory"
    with Monitor() as monitor, Machine(*monitor.options, bundle=built("payload", "uart.itb"), cpus=4) as m:
        m.expect("send 4096 bytes")
        monitor.execute("pmemsave", val=BIVY_PA, size=KEEP_SIZE, filename=str(memory))
    return Tables(memory.read_bytes())


def test_nothing_is_writable_and_executable(tables):
    found = list(tables.leaves(tables.physical("hyp_l1"), 4))
    for va, _, entry in found:
        read_only, never_executed = entry >> 7 & 1, entry >> 54 & 1
        assert read_only or never_executed, f"{va:#x} is writable and executable"
        assert entry >> 10 & 1, f"{va:#x}: no access flag"
    code = [(va, size) for va, size, entry in found if not entry >> 54 & 1]
    start, end = HYP_VA, tables.symbols["_text_end"]
    assert code == [(va, PAGE) for va in range(start, end, PAGE)], "more than bivy's code is executable"


def test_stacks_have_guard_pages(tables):
    mapped = {va for va, size, _ in tables.leaves(tables.physical("hyp_l1"), 4) if size == PAGE}
    stacks, end = tables.symbols["_stacks"], tables.symbols["_image_end"]
    slot = (end - stacks) // 8
    for stack in range(stacks, end, slot):
        assert stack not in mapped, f"no guard page at {stack:#x}"
        assert all(va in mapped for va in range(stack + PAGE, stack + slot, PAGE))


def test_stacks_are_used_as_computed(tables):
    """RAM starts as zeroes here: what a stack has seen is within tests/static/stack's bound, and not far from nothing."""
    made = machine.run("tests/static/stack", os.path.relpath(machine.BUILD, machine.TOP))
    bound = max(int(most) for most in re.findall(r"^(?!hyp_fault)\w+: (\d+) of", made.stdout, re.MULTILINE))
    stacks, end = tables.symbols["_stacks"], tables.symbols["_image_end"]
    slot = (end - stacks) // 8
    used = []
    for stack in range(stacks, end, slot):
        seen = tables.memory[stack - HYP_VA:stack - HYP_VA + slot].lstrip(b"\0")
        used.append(len(seen))
    assert bound // 4 < max(used) <= bound, (used, bound)


def test_what_the_guest_reaches(tables):
    """Its RAM by the largest blocks, GICC on GICV, and the page that shows its transports; nothing else of bivy's."""
    found = list(tables.leaves(tables.physical("root"), 1024))
    ram = [row for row in found if row[0] >= RAM]
    assert sum(size for _, size, _ in ram) == RAM_SIZE - KEEP_SIZE
    at = RAM
    for ipa, size, entry in ram:
        assert (ipa, output(entry, size)) == (at, ipa), "RAM is one range with a constant offset"
        assert size == (2 << 20 if at + (2 << 20) <= BIVY_PA else PAGE), f"{ipa:#x} could be a larger block"
        assert entry >> 6 & 3 == 3 and entry >> 2 & 15 == 15 and entry >> 54 & 1 == 0
        at += size
    assert at == BIVY_PA
    rest = [(ipa, output(entry, size), size, entry >> 54 & 1) for ipa, size, entry in found if ipa < RAM]
    shown = (0x0A000000, BIVY_PA + KEEP_SIZE - PAGE, PAGE, 1)
    assert rest == [(0x08010000 + offset, 0x08040000 + offset, PAGE, 1) for offset in (0, PAGE)] + [shown]
    assert [entry >> 6 & 3 for ipa, _, entry in found if ipa == shown[0]] == [1], "the guest may write what is shown"


def test_bundle_to_restart_from(tables):
    """With bivy,reset = "restart" the bundle stays, and the guest's RAM ends before it."""
    with machine.payload("reset", 1, suffix="-restart") as m:
        m.expect(r"kept 1024 KiB at (\w+) for itself, and (\d+) KiB of bundle")
        size = int(m.match(2))
        m.expect(r"the guest gets 1 core, RAM (\d+) MiB at")
        assert int(m.match(1)) << 20 <= RAM_SIZE - KEEP_SIZE - (size << 10)


def test_ram_that_ends_at_an_odd_page(tmp_path):
    """Stage 2's root wants 8 KiB: bivy leaves the page below, too."""
    path = tmp_path / "tree"
    with open(machine.board_tree(tmp_path, cpus=1), "rb") as file:
        tree = fdt.parse(file.read())
    tree.add(fdt.Node("reserved-memory", {"#address-cells": fdt.cells(2), "#size-cells": fdt.cells(2), "ranges": b""},
                      [fdt.Node("page", {"reg": fdt.cells(0, RAM + RAM_SIZE - PAGE, 0, PAGE)})]))
    path.write_bytes(tree.blob())
    with Machine("-dtb", str(path), bundle=built("payload", "timer.itb")) as m:
        m.expect(f"kept 1024 KiB at {BIVY_PA - 2 * PAGE:x} for itself")
        machine.verdict(m)
