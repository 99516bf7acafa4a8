# SPDX-License-Identifier: BSD-2-Clause
"""What bivy can't start with: each gets its own sentence on the UART, then `bivy: stopped`, no hang."""

import os

import pytest

import machine
from machine import Machine, built

TRAPS = built("payload", "traps")
CASES = {
    "no bundle": ({}, "no guest: load a bundle as bivy's initrd"),
    "not in HYP mode": ({"machine": "virt", "bundle": "good"}, "no Virtualization Extensions"),
    "GICv3": ({"machine": "virt,virtualization=on,gic-version=3", "bundle": "good"}, "has no GICv2"),
    "too little RAM": ({"mem": "3M", "bundle": "good"}, "less than 4 MiB|no room in RAM|no room"),
    "RAM too small for the guest": ({"mem": "128M", "bundle": "wants-512M"}, "size 0 takes what there is"),
    "damaged bundle": ({"bundle": "damaged"}, "does not match its .* bytes: the bundle was damaged"),
    "bundle cut off": ({"bundle": "cut"}, "the guest bundle"),
    "not a bundle": ({"bundle": "zeros"}, "the guest bundle"),
    "no kernel": ({"bundle": "no-kernel"}, "kernel"),
    "overlapping devices": ({"bundle": "overlap"}, "the guest's device tree: .*overlap"),
    "unknown backend": ({"bundle": "backend"}, "bivy,backend: there is no such backend"),
    "unknown virtio device": ({"bundle": "virtio"}, "bivy,virtio: there is no such virtio device"),
    "no interrupt controller": ({"bundle": "no-gic"}, "no interrupt controller"),
    "unknown reset policy": ({"bundle": "reset"}, 'must be "board" or "restart"'),
    "kernel outside of RAM": ({"bundle": "load"}, "not in the guest's RAM"),
}
SOURCES = {  # what follows virt.dtsi, and options of mkbundle
    "good": ("", []),
    "wants-512M": ("/ { memory@40000000 { reg = <0 0x40000000 0 0x20000000>; }; };", []),
    "overlap": ("/ { virtio_mmio@a000000 { reg = <0 0x09000000 0 0x200>; }; };", []),
    "backend": ('/ { virtio_mmio@a000000 { bivy,backend = "cloud"; }; };', []),
    "virtio": ('/ { virtio_mmio@a000000 { bivy,virtio = "teapot"; }; };', []),
    "no-gic": ('&gic { status = "disabled"; };', []),
    "reset": ('/ { bivy,reset = "never"; };', []),
    "load": ("", ["--load", "0x10000000"]),
}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Makes a bundle by its name, and remembers it."""
    folder = tmp_path_factory.mktemp("bundles")

    def write(name, content):
        path = folder / f"{name}.itb"
        path.write_bytes(content)
        return str(path)

    def bundle(name):
        if os.path.exists(folder / f"{name}.itb"):
            return str(folder / f"{name}.itb")
        if name in SOURCES:
            source, options = SOURCES[name]
            dts = folder / f"{name}.dts"
            dts.write_text(f'/dts-v1/;\n#include "virt.dtsi"\n{source}\n')
            answer = machine.run("tools/mkbundle", "--kernel", TRAPS + ".bin", "--dts", str(dts), "--no-check",
                                 *options, "-o", str(folder / f"{name}.itb"))
            assert answer.returncode == 0, answer.stdout
            return str(folder / f"{name}.itb")
        with open(TRAPS + ".itb", "rb") as file:
            good = file.read()
        if name == "damaged":
            middle = good.index(b"payload on")
            return write(name, good[:middle] + b"P" + good[middle + 1:])
        if name == "cut":
            return write(name, good[:len(good) // 2])
        if name == "no-kernel":
            return write(name, good.replace(b"kernel\0", b"kernal\0"))
        return write(name, bytes(4096))

    return bundle


@pytest.mark.parametrize("name", CASES)
def test_refusal(name, bundles):
    options, sentence = CASES[name]
    options = {"mem": "128M", **options}
    if "bundle" in options:
        options["bundle"] = bundles(options["bundle"])
    with Machine(timeout=20, **options) as m:
        m.expect(f"bivy: .*({sentence})")
        m.expect("bivy: stopped")
        assert "bug in bivy" not in m.log
