# SPDX-License-Identifier: BSD-2-Clause
"""Versatile Express: cores and power without PSCI, the start from reset in Secure state, RAM across 4 GiB."""

import copy
import os
import shutil

import pytest

import fdt
import machine
from machine import ANSWER, BIVY, BOOT, PROMPT, Machine, built

DEBIAN = built("guests", "debian", "guest.itb")
BOARD = "vexpress-a15,secure=off,virtualization=on"
RESET = "vexpress-a15,secure=on"
SMP = built("payload", "vgic_smp.itb")
MEMORY = built("payload", "memory.itb")
UART = "/bus@8000000/motherboard-bus@8000000/iofpga-bus@300000000/serial@90000"
# Where tools/mkreset puts an image: 2 MiB behind the beginning of RAM.
PLACE = {"vexpress-a15": 0x80200000, "virt": 0x40200000}


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """The paths of boards' trees, of the second with four cores."""
    folder = tmp_path_factory.mktemp("trees")
    for board in PLACE:
        shutil.move(machine.tree_of(board, folder, 2, "1G"), folder / board)
    tree = fdt.parse((folder / "vexpress-a15").read_bytes())
    for number in (2, 3):
        cpu = copy.deepcopy(tree.at("/cpus/cpu@0"))
        cpu.name = f"cpu@{number}"
        cpu.set("reg", fdt.cells(number))
        cpu.drop("phandle")
        tree.at("/cpus").add(cpu)
    (folder / "4").write_bytes(tree.blob())
    return folder


def boots(m, cpus):
    """To the shell, which counts as many cores, and off."""
    m.expect(PROMPT, BOOT)
    assert m.command("nproc").strip() == str(cpus)
    m.send("poweroff\r")
    assert m.ends(ANSWER) == 0
    assert "bug in bivy" not in m.log


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_debian(cpus, trees):
    """Held cores start by SYS_FLAGS; the UART hears by way of the interrupt-map; SYS_CFGCTRL ends QEMU."""
    tree = trees / ("4" if cpus == 4 else "vexpress-a15")
    with Machine("-dtb", str(tree), machine=BOARD, cpus=cpus, mem="256M", bundle=DEBIAN) as m:
        m.expect("bivy: on V2P-CA15, .* RAM 256 MiB at 80000000")
        boots(m, cpus)
        assert ("core 1 did not come up" in m.log) == (cpus == 1)


def test_reset_of_the_board(trees):
    with Machine("-dtb", str(trees / "vexpress-a15"), machine=BOARD, cpus=2,
                 bundle=built("payload", "reset.itb")) as m:
        m.expect("bivy: on .*resetting, boot 1")
        m.expect("bivy: on .*resetting, boot")
        assert "starts again" not in m.log


def image(folder, trees, board, bundle, *options):
    """An image that starts from reset; the options of QEMU that start every core there."""
    path = folder / "image"
    answer = machine.run("tools/mkreset", *options, "--tree", str(trees / board), "--bundle", bundle,
                         "-o", str(path))
    assert answer.returncode == 0, answer.stdout
    if "--raw" in options:
        return ["-bios", str(path)]
    return ["-device", f"loader,file={path},cpu-num=0", "-device", f"loader,addr={PLACE[board]:#x},cpu-num=1"]


def from_reset(options, board=RESET):
    return Machine(*options, machine=board, cpus=2, mem="1G", kernel=None)


@pytest.mark.parametrize("change,sentence", [
    (["--clock", "fast"], "invalid int value: 'fast'"),
    (["--clock", "24000000"], "can't get clock-frequency = 24000000 in /timer"),
    (["--bundle", "absent.itb"], "can't read absent.itb"),
])
def test_mkreset_refuses(trees, tmp_path, change, sentence):
    tree = fdt.parse((trees / "vexpress-a15").read_bytes())
    tree.at("/timer").name = "clock"
    (tmp_path / "tree").write_bytes(tree.blob())
    answer = machine.run("tools/mkreset", "--tree", str(tmp_path / "tree"), "--bundle", SMP,
                         "-o", str(tmp_path / "image"), *change)
    assert answer.returncode != 0 and sentence in answer.stdout, answer.stdout
    assert not (tmp_path / "image").exists()


def test_tree_that_qemu_refuses(tmp_path):
    answer = machine.run("tools/board-tree", "virt", str(tmp_path / "tree"), "2", "lots")
    assert answer.returncode != 0 and "lots" in answer.stdout, answer.stdout


def test_from_reset(trees, tmp_path):
    """Nothing was before: Secure state, no tree in r2, no initrd."""
    with from_reset(image(tmp_path, trees, "vexpress-a15", DEBIAN, "--clock", "24000000")) as m:
        m.expect("bivy: on V2P-CA15, 2 cores")
        boots(m, 2)


def test_from_flash(trees, tmp_path):
    """The same, copied to RAM; cores poll SYS_FLAGS, as flash can't be written."""
    with from_reset(image(tmp_path, trees, "vexpress-a15", SMP, "--raw")) as m:
        m.expect("bivy: the guest gets 2 cores")
        machine.verdict(m, 120)


def test_from_reset_on_virt(trees, tmp_path):
    """The same head for another board; without firmware nothing switches it off."""
    options = image(tmp_path, trees, "virt", SMP)
    with from_reset(options, "virt,secure=on,virtualization=on") as m:
        m.expect("bivy: the guest gets 2 cores")
        m.expect(r"done \d+ ok, 0 failed\r")
        m.expect("bivy: the guest is off, and this board can't be powered off")


def test_core_that_the_guest_does_not_get(trees, tmp_path):
    """It may not stay where the guest's RAM is going to be: bivy takes it, and it is not the guest's."""
    dts = tmp_path / "guest.dts"
    dts.write_text('/dts-v1/;\n#include "virt.dtsi"\n/ { cpus { cpu@0 { device_type = "cpu"; '
                   'compatible = "arm,cortex-a15"; reg = <0>; }; }; };\n')
    bundle = tmp_path / "guest.itb"
    answer = machine.run("tools/mkbundle", "--kernel", built("payload", "timer.bin"), "--dts", str(dts),
                         "-o", str(bundle))
    assert answer.returncode == 0, answer.stdout
    options = image(tmp_path, trees, "vexpress-a15", str(bundle))
    with machine.Monitor() as monitor, from_reset([*options, *monitor.options]) as m:
        m.expect("bivy: the guest gets 1 core,")
        assert "did not come up" not in m.log
        registers = monitor.execute("human-monitor-command", **{"command-line": "info registers", "cpu-index": 1})
        assert "R15=002" in registers, registers
        machine.verdict(m, 120)


def machine_with(mem, trees, bundle):
    return Machine("-dtb", str(trees / "vexpress-a15"), machine=BOARD, cpus=2, mem=mem, bundle=bundle)


@pytest.mark.parametrize("mem", [4, 8])
def test_ram_across_4_gib(mem, trees):
    """bivy stays near the bottom; the guest's RAM is 3 GiB above it, and each place is its own."""
    with machine_with(f"{mem}G", trees, MEMORY) as m:
        m.expect(f"bivy: on V2P-CA15, 2 cores, RAM {mem * 1024} MiB at 80000000")
        m.expect("bivy: kept 1024 KiB at 80010000")
        m.expect("bivy: the guest gets 2 cores, RAM 3070 MiB")
        m.expect("\n3070 MiB of memory\r")
        machine.verdict(m, 120)


def test_restart_across_4_gib(trees):
    """From the bundle, which is above."""
    with machine_with("4G", trees, built("payload", "reset-restart.itb")) as m:
        m.expect("KiB of bundle to restart the guest from")
        for _ in range(3):
            m.expect("bivy: the guest starts again")
        machine.verdict(m)


def test_debian_across_4_gib(trees):
    with machine_with("4G", trees, DEBIAN) as m:
        m.expect(PROMPT, BOOT)
        assert int(m.command("free -m").split()[7]) > 2900
        m.send("poweroff\r")
        assert m.ends(ANSWER) == 0


def test_bundle_below_bivy(trees, tmp_path):
    """The window would have one of them only: bivy goes to the top of what is below 4 GiB, as elsewhere."""
    start = 0x80002000
    size = os.path.getsize(MEMORY)
    assert start + size < 0x80010000
    tree = fdt.parse((trees / "vexpress-a15").read_bytes())
    tree.at("/chosen").set("linux,initrd-start", fdt.cells(start)).set("linux,initrd-end", fdt.cells(start + size))
    path = tmp_path / "tree"
    path.write_bytes(tree.blob())
    with Machine("-dtb", str(path), "-device", f"loader,file={MEMORY},addr={start:#x},force-raw=on",
                 machine=BOARD, cpus=2, mem="4G") as m:
        m.expect("bivy: kept 1024 KiB at fff00000")
        m.expect("\n2047 MiB of memory\r")
        machine.verdict(m)


@pytest.mark.parametrize("board,cpu,sentence", [
    ("vexpress-a9", "cortex-a9", "this processor has no Virtualization Extensions"),
    ("vexpress-a15,secure=on", "cortex-a15", "not started in HYP mode"),
])
def test_refuses(board, cpu, sentence, trees, tmp_path):
    """The sentence comes out of the UART that the tree names."""
    tree = trees / "vexpress-a15"
    if cpu == "cortex-a9":
        changed = fdt.parse(tree.read_bytes())
        changed.at("/bus@8000000").set("ranges", fdt.cells(0x1c000000, 0, 0x10000000, 0x1000000))
        changed.at(UART).set("reg", fdt.cells(0x9000, 0x1000))
        tree = tmp_path / "a9"
        tree.write_bytes(changed.blob())
    with Machine("-dtb", str(tree), machine=board, cpu=cpu, mem="256M", kernel=BIVY, bundle=SMP, timeout=30) as m:
        m.expect(f"bivy: {sentence}")
        m.expect("bivy: stopped")
