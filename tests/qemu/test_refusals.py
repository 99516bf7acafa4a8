# SPDX-License-Identifier: BSD-2-Clause
"""Boards that bivy can't start on: each gets its own sentence on the UART, then `bivy: stopped`, no hang.

Bundles are test_malformed.py's.
"""

import copy
import os

import pytest

import fdt
import machine
from fdt import cells, string
from machine import BIVY, Machine, built

TRAPS = built("payload", "traps.itb")
GIC = "/intc@8000000"

# what QEMU is given besides bivy and a bundle, and the sentence
MACHINES = {
    "no bundle": ({"bundle": None}, "no guest: load a bundle as bivy's initrd"),
    "no Virtualization Extensions": ({"machine": "virt"}, "this processor has no Virtualization Extensions"),
    "started in Secure state, by a reset": (
        {"machine": "virt,virtualization=on,secure=on", "kernel": None, "bundle": None,
         "options": ["-device", f"loader,file={BIVY},addr=0x40200000,cpu-num=0,force-raw=on"]},
        "not started in HYP mode"),
    "GICv3": ({"machine": "virt,virtualization=on,gic-version=3"}, "has no GICv2"),
    "3 MiB of RAM": ({"mem": "3M"}, "less than 4 MiB of RAM"),
    "RAM whose end bundle and tree take": ({"mem": "16M", "bundle": "large"}, "is not in RAM below 40"),
    "RAM too small for the initrd": ({"mem": "20M", "bundle": "large"}, "RAM is too small: the guest's initrd"),
    "RAM too small for the guest's": ({"bundle": "wants-512M"}, "wants 0x20000000 bytes of memory"),
    "RAM that bivy and bundle leave too small": ({"bundle": "wants-128M"}, "RAM for .* KiB of guest, and the"),
    "a guest that leaves out the boot core": ({"bundle": "cpu1", "cpus": 2}, "does not name CPU 0, which"),
}


def gic_ranges(count):
    return lambda tree: tree.at(GIC).set("reg", tree.at(GIC).properties["reg"][:16 * count])


# a change of the board's own tree, and the sentence
TREES = {
    "no GICH": (gic_ranges(2), "GICD, GICC, GICH and GICV.*number 3 is missing"),
    "no GICV": (gic_ranges(3), "GICD, GICC, GICH and GICV.*number 4 is missing"),
    "no GIC": (lambda tree: tree.drop("intc@8000000"), "has no GICv2"),
    "no timer": (lambda tree: tree.drop("timer"), "the board's device tree has no timer"),
    "a timer by SPIs": (lambda tree: tree.at("/timer").set("interrupts", cells(*[0, 13, 4] * 4)), "must be PPIs"),
    "no CPU": (lambda tree: tree.drop("cpus"), "has no CPU that can be used"),
    "a maintenance interrupt that is an SPI": (
        lambda tree: tree.at(GIC).set("interrupts", cells(0, 9, 4)), "maintenance interrupt must be a PPI"),
    "wrong cells": (lambda tree: tree.at(GIC).set("reg", cells(0, 0x8000000, 0x10000)),
                    "GICD, GICC, GICH and GICV.*number 1 is"),
    "all of RAM reserved": (
        lambda tree: tree.add(fdt.Node("reserved-memory", {"#address-cells": cells(2), "#size-cells": cells(2),
                                                           "ranges": b""}, [
            fdt.Node("all@40000000", {"reg": cells(0, 0x40000000, 0, 0x10000000)})])),
        "all of the board's memory is reserved"),
    "10,000 nodes": (lambda tree: tree.add(*[fdt.Node(f"n{i}") for i in range(10000)]), "more than 4096 nodes"),
    "nodes 100 deep": (lambda tree: tree.add(nested(100)), "deep"),
}
# changes that don't matter
HARMLESS = {
    "stdout-path by aliases that name each other": lambda tree: (
        tree.at("/chosen").set("stdout-path", string("a")),
        tree.drop("aliases").add(fdt.Node("aliases", {"a": string("b"), "b": string("a")}))),
    "no stdout-path": lambda tree: tree.at("/chosen").drop("stdout-path"),
}
SOURCES = {
    "wants-512M": "/ { memory@40000000 { reg = <0 0x40000000 0 0x20000000>; }; };",
    "wants-128M": "/ { memory@40000000 { reg = <0 0x40000000 0 0x8000000>; }; };",
    "cpu1": '/ { cpus { cpu@1 { device_type = "cpu"; compatible = "arm,cortex-a15"; reg = <1>; }; }; };',
    "large": "",
}


def nested(levels):
    node = fdt.Node("n")
    for _ in range(levels):
        node = fdt.Node("n", {}, [node])
    return node


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Makes a bundle by its name, once."""
    folder = tmp_path_factory.mktemp("bundles")
    initrd = folder / "initrd"
    initrd.write_bytes(bytes(6 << 20))

    def make(name):
        path = folder / f"{name}.itb"
        if not path.exists():
            dts = folder / f"{name}.dts"
            dts.write_text(f'/dts-v1/;\n#include "virt.dtsi"\n{SOURCES[name]}\n')
            options = ["--initrd", str(initrd)] if name == "large" else []
            answer = machine.run("tools/mkbundle", "--kernel", built("payload", "traps.bin"), "--dts", str(dts),
                                 *options, "-o", str(path))
            assert answer.returncode == 0, answer.stdout
        return str(path)

    return make


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with open(machine.board_tree(tmp_path_factory.mktemp("board"), cpus=1), "rb") as file:
        return fdt.parse(file.read())


def refuses(sentence, **options):
    with Machine(*options.pop("options", []), timeout=30, **options) as m:
        m.expect("bivy: stopped")
        lines = [line for line in m.log.splitlines() if line.startswith("bivy: ")]
        assert machine.re.search(sentence, lines[-2]), m.log
        assert "bug in bivy" not in m.log


@pytest.mark.parametrize("name", MACHINES)
def test_machine(name, bundle):
    options, sentence = MACHINES[name]
    options = {"bundle": TRAPS, **options}
    if options["bundle"] and not os.path.isabs(options["bundle"]):
        options["bundle"] = bundle(options["bundle"])
    refuses(sentence, **options)


@pytest.mark.parametrize("name", TREES)
def test_board_tree(name, board, tmp_path):
    change, sentence = TREES[name]
    refuses(sentence, bundle=TRAPS, options=["-dtb", changed(board, change, tmp_path)])


@pytest.mark.parametrize("name", HARMLESS)
def test_board_tree_that_will_do(name, board, tmp_path):
    with Machine("-dtb", changed(board, HARMLESS[name], tmp_path), bundle=TRAPS) as m:
        machine.verdict(m)


def changed(board, change, folder):
    tree = copy.deepcopy(board)
    change(tree)
    path = folder / "board.dtb"
    path.write_bytes(tree.blob())
    return str(path)
