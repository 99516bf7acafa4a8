# SPDX-License-Identifier: BSD-2-Clause
"""Boards whose device tree is damaged: bivy says what is wrong, or starts the guest; it never hangs or stops by a bug.

QEMU would not take such trees itself, so a few instructions hand them over as firmware does. TREES=number tries more
of them than 60, SEED=number others.
"""

import copy
import os
import random
import struct

import pytest

import fdt
import machine
from fdt import BEGIN, END, PROPERTY, cells, pad
from machine import BIVY, Machine, built

COUNT = int(os.environ.get("TREES", "60"))
SEED = int(os.environ.get("SEED", "1"))
PARTS = 2  # for as many workers
STUB, IMAGE, BUNDLE, TREE = 0x47000000, 0x40200000, 0x44000000, 0x46000000
# mov r0, #0; mvn r1, #0; ldr r2, the tree; ldr pc, bivy
HANDS_OVER = struct.pack("<6I", 0xE3A00000, 0xE3E01000, 0xE59F2000, 0xE59FF000, TREE, IMAGE)
UART = "/pl011@9000000"


def properties(blob):
    """(offset of its token, bytes with it) of each property in a blob that is in order."""
    at = struct.unpack_from(">2I", blob, 8)[0]
    while True:
        token = struct.unpack_from(">I", blob, at)[0]
        if token == BEGIN:
            at += 4 + len(pad(blob[at + 4:blob.index(b"\0", at + 4) + 1]))
        elif token == PROPERTY:
            length = 12 + len(pad(bytes(struct.unpack_from(">I", blob, at + 4)[0])))
            yield at, length
            at += length
        elif token == END:
            at += 4
        else:
            return


def inserted(blob, at, more):
    """@more stands at an offset of the structure block, and the header knows."""
    header = list(struct.unpack_from(">10I", blob))
    header[1] += len(more)
    header[3] += len(more)
    header[9] += len(more)
    return cells(*header) + blob[40:at] + more + blob[at:]


def flip(rng, blob):
    changed = bytearray(blob)
    for _ in range(rng.choice((1, 1, 1, 2, 8, 64))):
        changed[rng.randrange(len(blob))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(rng, blob):
    return blob[:rng.randrange(len(blob))]


def property_again(rng, blob):
    """A copy of one property in the midst of others, perhaps another node's."""
    found = list(properties(blob))
    at, length = rng.choice(found)
    return inserted(blob, rng.choice((at, rng.choice(found)[0])), blob[at:at + length])


def other_value(rng, blob):
    changed = bytearray(blob)
    at, length = rng.choice([row for row in properties(blob) if row[1] > 12])
    at += 12 + rng.randrange((length - 12) // 4) * 4
    changed[at:at + 4] = cells(rng.choice((0, 1, 4, 0x1000, 0x7FFFFFFF, 0xFFFFFFFF, 0x40000000, rng.getrandbits(32))))
    return bytes(changed)


def node_again(rng, blob):
    tree = fdt.parse(blob)
    child = rng.choice(tree.children)
    if rng.randrange(2):
        tree.children.insert(rng.randrange(len(tree.children) + 1), copy.deepcopy(child))
    else:
        tree.children.remove(child)
    return tree.blob()


DAMAGES = [flip, flip, flip, cut, property_again, other_value, other_value, node_again]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The board's tree as its firmware would have it, with the bundle's place."""
    with open(machine.board_tree(tmp_path_factory.mktemp("board"), cpus=2), "rb") as file:
        tree = fdt.parse(file.read())
    size = os.path.getsize(built("payload", "memory.itb"))
    tree.at("/chosen").set("linux,initrd-start", cells(BUNDLE)).set("linux,initrd-end", cells(BUNDLE + size))
    return tree.blob()


def is_silenced(blob, good):
    """Whether the tree reads well, but leads to another UART, or to none. What can't be read is told on a default one."""
    try:
        tree = fdt.parse(blob)
        was = fdt.parse(good)
        return (tree.at(UART).properties, tree.at("/chosen").properties) != (
            was.at(UART).properties, was.at("/chosen").properties)
    except StopIteration:
        return True
    except (struct.error, ValueError, IndexError):
        return False


def judged(path, can_be_heard):
    """What came of the tree: None, or what is wrong with it."""
    loads = [(STUB, f"{path}.stub"), (IMAGE, BIVY), (BUNDLE, built("payload", "memory.itb")), (TREE, path)]
    options = [word for at, file in loads for word in ("-device", f"loader,file={file},addr={at:#x},force-raw=on")]
    options += ["-device", f"loader,addr={STUB:#x},cpu-num=0"]
    with Machine(*options, kernel=None, cpus=2) as m:
        try:
            m.expect("bivy: stopped|payload on|bug in bivy", 10 if can_be_heard else 1)
        except AssertionError:
            return None if not can_be_heard else f"silence: {m.log[-500:]!r}"
        if "bug in bivy" in m.log:
            return m.log[-1000:]
        said = [line for line in m.log.splitlines() if line.startswith("bivy: ")]
        return None if "payload on" in m.log or len(said) > 1 else f"no sentence: {m.log[-500:]!r}"


@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_trees(part, good, tmp_path):
    bad = []
    for number in range(part, COUNT, PARTS):
        rng = random.Random(1000 * SEED + number)
        damage = rng.choice(DAMAGES)
        tree = damage(rng, good)
        path = tmp_path / f"{number}.dtb"
        path.write_bytes(tree)
        (tmp_path / f"{number}.dtb.stub").write_bytes(HANDS_OVER)
        wrong = judged(str(path), not is_silenced(tree, good))
        if wrong:
            bad.append(f"tree {number}, {damage.__name__}, {path}: {wrong}")
    assert not bad, "\n".join(bad)
