# SPDX-License-Identifier: BSD-2-Clause
"""Hostile guests on 4 cores (tests/payload/hostile_*.c): bivy stays alive, keeps its memory, answers its console.

What must not change is read from outside, before and after: bivy's code, constants, tables of both stages, and all of
what it keeps but what a running bivy is made to change (CHANGING); the board's RAM behind the guest's, with the
bundle. SEED=number gives other numbers than 1.
"""

import bisect
import hashlib
import os

import pytest

import machine
from machine import ANSWER, Machine, Monitor, built
from test_devices import MODERN, disk, image
from test_tables import BIVY_PA, HYP_VA, KEEP_SIZE, PAGE, RAM, RAM_SIZE, Tables

SEED = os.environ.get("SEED", "1")
GUEST_END = 0x47800000  # tests/payload/hostile.dts
STACK_SLOT = 0x3000  # hyp/layout.h
GICC_DIR = 0x08011000  # is unmapped once the guest sets EOImode
# Instructions in HYP mode at a stretch, of the guest's making.
LONGEST = 60000
# Objects that change while a guest runs, each with a lock or an owner of its own; none holds an address that another
# core jumps or writes to, but virtio's rings, which are looked at below.
CHANGING = {
    "console", "consoles", "pl011s", "slots", "clocks", "rngs", "cards", "disks", "disk_queues", "loopback",
    "empty_lock", "vgic", "tick", "tick_count", "timer_watch", "states", "cpus", "dir_page", "lock.0", "_stacks",
}
# And what is made anew when it starts again.
RESTARTED = {"fit", "error", "entropy", "seed.0", "layout.1", "vm"}


class Memory(Tables):
    """What there is behind the guest's RAM, of a machine that stands still meanwhile."""

    def __init__(self, monitor, path):
        monitor.execute("stop")
        monitor.execute("pmemsave", val=GUEST_END, size=RAM + RAM_SIZE - GUEST_END, filename=path)
        monitor.execute("cont")
        with open(path, "rb") as file:
            self.guard = hashlib.sha256(file.read(BIVY_PA - GUEST_END)).hexdigest()
            super().__init__(file.read())

    def stage2(self):
        return {row[0]: row for row in self.leaves(self.physical("root"), 1024)}

    def stage1(self):
        return list(self.leaves(self.physical("hyp_l1"), 4))

    def differs(self, other):
        """The names of the objects that changed; with an address what is none."""
        rows = sorted(row for row in self.rows if row[1] in "bBtT" and row[0] >= HYP_VA)
        starts = [row[0] for row in rows]
        names = set()
        for offset in range(0, KEEP_SIZE - PAGE, 4):  # the last page shows the guest its transports
            if self.memory[offset:offset + 4] != other.memory[offset:offset + 4]:
                at = HYP_VA + offset
                name = rows[bisect.bisect(starts, at) - 1][2]
                guard = (at - self.symbols["_stacks"]) % STACK_SLOT < PAGE
                names.add(f"{at:#x}" if name == "_image_end" or (name == "_stacks" and guard) else name)
        return names


def asks(m, times):
    """bivy's own answers, amid whatever the guest does."""
    for _ in range(times):
        m.send("\x1d?")
        m.expect("bivy: after Ctrl-", ANSWER)


def longest(path):
    with open(path, encoding="ascii") as file:
        return max((int(words[1]), int(words[0]), words[2]) for words in map(str.split, file))


@pytest.mark.parametrize("name", ["registers", "memory", "devices", "power", "words"])
def test_hostile(tmp_path, name):
    options = [*MODERN, *disk(0, image(tmp_path, "a.img", 4)), *disk(1, image(tmp_path, "b.img", 4)),
               "-device", "virtio-rng-device,bus=virtio-mmio-bus.2", "-netdev", "hubport,id=n0,hubid=0",
               "-device", "virtio-net-device,netdev=n0,bus=virtio-mmio-bus.3"]
    out, bivy = tmp_path / "longest", Tables(b"").symbols
    options += ["-plugin", f"{built('payload', 'longest.so')},entry=40010000,end={bivy['_text_end']:x},"
                           f"vectors={bivy['hyp_vectors']:x},claim={bivy['vgic_claim']:x},out={out}"]
    with Monitor() as monitor, Machine(*monitor.options, *options, cpus=4,
                                       bundle=built("payload", f"hostile_{name}.itb")) as m:
        m.expect("send a seed")
        before = Memory(monitor, str(tmp_path / "before"))
        m.send(SEED + "\r")
        m.expect(f"seed {SEED}\r")
        asks(m, 1 if name == "power" else 10)
        m.expect("look at the memory", 240)
        asks(m, 1)
        after = Memory(monitor, str(tmp_path / "after"))
        m.send("\r")
        machine.verdict(m)
    changed = before.differs(after) - CHANGING - (RESTARTED if name == "power" else set())
    tables = after.stage2()
    if tables != before.stage2():
        tables[GICC_DIR] = before.stage2()[GICC_DIR]
        changed.remove("table_pool")
    assert not changed, f"changed: {sorted(changed)}"
    assert after.guard == before.guard, "RAM that is not the guest's changed"
    assert (after.stage1(), tables) == (before.stage1(), before.stage2())
    stretch = longest(out)
    print(f"the longest stretch: {stretch[0]} instructions")
    assert 0 < stretch[0] and (name == "power" or stretch[0] <= LONGEST), stretch  # a bundle's hash takes its time
