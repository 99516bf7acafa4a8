# SPDX-License-Identifier: BSD-2-Clause
"""bivy,passthrough: Debian drives devices of the board itself, and what bivy refuses to pass."""

import hashlib
import os
import re

import pytest

from machine import ANSWER, BOOT, PROMPT, Machine, Monitor, board_tree, built, run

SIZE = 8 << 20
TREE = """/dts-v1/;
#include "virt.dtsi"
/ {
	bivy,passthrough = %(nodes)s;
	%(more)s
	chosen { bootargs = "console=ttyAMA0 earlycon"; };
	%(without)s
};
"""
DISK = "/virtio_mmio@a003e00"  # QEMU gives its first virtio device the last transport
CLOCK = "/pl031@9010000"  # takes the place of the emulated one
NODES = ["/gpio-keys", "/pl061@9030000", CLOCK, DISK]


def write_tree(folder, nodes, more=""):
    path = os.path.join(str(folder), "guest.dts")
    with open(path, "w", encoding="ascii") as file:
        without = f"/delete-node/ {CLOCK[1:]};" if CLOCK in nodes else ""
        file.write(TREE % {"nodes": ", ".join(f'"{node}"' for node in nodes), "more": more, "without": without})
    return path


def boot(folder, nodes, *options, cpus=2):
    tree, bundle = write_tree(folder, nodes), os.path.join(str(folder), "guest.itb")
    answer = run("tools/mkbundle", "--kernel", built("guests", "debian", "kernel"), "--initrd",
                 built("guests", "debian", "initrd"), "--dts", tree, "-o", bundle)
    assert answer.returncode == 0, answer.stdout
    guest = Machine(*options, bundle=bundle, cpus=cpus, mem="512M")
    guest.expect(PROMPT, BOOT)
    return guest


@pytest.fixture(name="disk")
def new_disk(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(os.urandom(SIZE))
    return path


def drive(disk):
    return ["-drive", f"if=none,id=disk,format=raw,file={disk}"]


def counts(guest, name):
    """An interrupt's counts on each CPU, and its number."""
    text = guest.command("cat /proc/interrupts")
    row = re.search(rf"^\s*(\d+):((?:\s+\d+(?=\s))+).*{name}", text, re.MULTILINE)
    assert row, text
    return [int(n) for n in row[2].split()], row[1]


def reads_and_writes(guest, disk):
    """All of the disk is read, and what is written is there."""
    wanted = hashlib.md5(disk.read_bytes()).hexdigest()
    assert wanted in guest.command("dd if=/dev/vda bs=64k 2>/dev/null | md5sum")
    guest.command("seq 1 100000 | dd of=/dev/vda bs=4k count=64 conv=fsync iflag=fullblock 2>/dev/null")
    text = "".join(f"{n}\n" for n in range(1, 100001)).encode()[:64 * 4096]
    assert disk.read_bytes()[:len(text)] == text


def moves(guest, name):
    """The interrupt goes back and forth between two cores while the disk works, and none is lost."""
    number = counts(guest, name)[1]
    before = counts(guest, name)[0]
    guest.command("(for i in 1 2 3 4 5 6; do dd if=/dev/vda of=/dev/null bs=4k count=512 iflag=direct 2>/dev/null; "
                  f"done) & while kill -0 $! 2>/dev/null; do for c in 1 2; do echo $c >/proc/irq/{number}/smp_affinity; "
                  "done; done; wait", timeout=BOOT)
    after = counts(guest, name)[0]
    assert all(b > a for a, b in zip(before, after)), (before, after)


def test_disk_clock_and_keys(tmp_path, disk):
    with Monitor() as monitor, boot(tmp_path, NODES, *drive(disk), "-device", "virtio-blk-device,drive=disk",
                                    *monitor.options, "-rtc", "base=2001-02-03T04:05:06") as guest:
        reads_and_writes(guest, disk)
        moves(guest, "virtio1")
        assert "2001-02-03" in guest.command("cat /sys/class/rtc/rtc0/date; cat /sys/class/rtc/rtc0/name")
        assert counts(guest, "GPIO Key Poweroff")[0] == [0, 0]
        monitor.execute("system_powerdown")  # the board's power key, which QEMU has behind a PL061
        guest.command("sleep 1")
        assert sum(counts(guest, "GPIO Key Poweroff")[0]) > 0
        # A time to come, and the clock's level interrupt with it.
        guest.command("echo +2 >/sys/class/rtc/rtc0/wakealarm; sleep 4")
        assert sum(counts(guest, "rtc-pl031")[0]) == 1
        guest.send("poweroff\r")
        assert guest.ends(ANSWER) == 0


def test_pci_disk(tmp_path, disk):
    """Memory windows and ECAM beyond 4 GiB; INTx, which is level-triggered."""
    with boot(tmp_path, ["/pcie@10000000"], *drive(disk), "-device", "virtio-blk-pci,drive=disk") as guest:
        assert "0000:00:01.0" in guest.command("ls /sys/bus/pci/devices")
        reads_and_writes(guest, disk)
        moves(guest, "virtio1")
        guest.send("poweroff\r")
        assert guest.ends(ANSWER) == 0


def test_keys_after_a_restart(tmp_path):
    """No node masters the bus: the guest may start again, and has its devices again."""
    tree = write_tree(tmp_path, NODES[:3], 'bivy,reset = "restart";')
    bundle = str(tmp_path / "guest.itb")
    run("tools/mkbundle", "--kernel", built("guests", "debian", "kernel"), "--initrd",
        built("guests", "debian", "initrd"), "--dts", tree, "-o", bundle)
    with Monitor() as monitor, Machine(*monitor.options, bundle=bundle, cpus=2, mem="256M") as guest:
        for start in range(2):
            guest.expect(PROMPT, BOOT)
            before = counts(guest, "GPIO Key Poweroff")[0]
            monitor.execute("system_powerdown")
            guest.command("sleep 1")
            assert sum(counts(guest, "GPIO Key Poweroff")[0]) > sum(before)
            guest.send("poweroff\r" if start else "reboot\r")
            if start == 0:
                guest.expect("bivy: the guest starts again", ANSWER)
        assert guest.ends(ANSWER) == 0


@pytest.mark.parametrize("nodes,more,sentence", [
    (["/nothing"], "", "no node or alias /nothing"),
    (["/gpio-keys"], "", "it needs /pl061@9030000"),
    (["/pl011@9000000"], "", "share a page with bivy's UART"),
    (["/virtio_mmio@a000200"], "", "share a page with /virtio_mmio@a000000"),
    (["/intc@8000000"], "", "share a page with GICD"),
    (["/timer"], "", "no SPI of this board"),
    ([DISK], 'bivy,reset = "restart";', "master the bus"),
    ([DISK, DISK], "", "has it twice"),
    (["/memory@40000000"], "", "share a page with the board's RAM"),
])
def test_refused(tmp_path, nodes, more, sentence):
    answer = run("tools/checkguest", write_tree(tmp_path, nodes, more), "--board", board_tree(tmp_path))
    assert answer.returncode != 0 and sentence in answer.stdout, answer.stdout


def test_ram_must_be_where_the_board_has_it(tmp_path):
    """A bus master, and a guest whose RAM is at 2 GiB."""
    tree = write_tree(tmp_path, [DISK], "memory@40000000 { reg = <0 0x80000000 0 0x8000000>; };")
    bundle = str(tmp_path / "guest.itb")
    run("tools/mkbundle", "--kernel", built("payload", "traps.bin"), "--dts", tree, "-o", bundle)
    with Machine(bundle=bundle, mem="512M") as guest:
        guest.expect("masters the bus, so the guest's RAM must be where the board has RAM")
