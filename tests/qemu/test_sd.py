# SPDX-License-Identifier: BSD-2-Clause
"""The board's SD card as the guest's disk, on vexpress-a15: data, removal, write protection."""

import subprocess

from machine import ANSWER, BOOT, PROMPT, Machine, Monitor, tree_of
from test_devices import MIB, block, bundle, digest, image, off, sectors, sum_of

BOARD = "vexpress-a15,secure=off,virtualization=on"
READ = "dd if=/dev/vda bs=1M iflag=direct"
GONE = r"bivy: the board's device with interrupt 41 failed and is off"


class Card(Monitor):
    """What is in the board's slot: a raw image."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.options += ["-drive", f"if=sd,format=raw,file={path}"]

    def monitor(self, line):
        """A line of the monitor for people, which says nothing if it could do it."""
        assert self.execute("human-monitor-command", **{"command-line": line}) == ""

    def pull(self):
        self.monitor("eject -f sd0")

    def insert(self, path=None):
        self.monitor(f"change sd0 {path or self.path} raw")


def start(folder, options, *devices, cpus=1):
    return Machine("-dtb", tree_of("vexpress-a15", folder, cpus, "512M"), *options, machine=BOARD, cpus=cpus, mem="512M",
                   bundle=bundle(folder, *devices))


def boot(folder, card, *devices, **more):
    guest = start(folder, card.options, *devices, **more)
    guest.expect(PROMPT, BOOT)
    guest.command("stty columns 300")
    return guest


def test_card(tmp_path):
    """Standard capacity: what is there is read, what is written arrives; pulled amid a read, put back, replaced."""
    path = image(tmp_path, "card.img", 8)
    before = digest(path)
    with Card(path) as card, boot(tmp_path, card, block("sd0")) as guest:
        assert sectors(guest, "vda") == 8 * MIB // 512
        assert sum_of(guest, f"{READ} 2>/dev/null") == before
        guest.command("dd if=/dev/urandom of=/tmp/new bs=1M count=2 2>/dev/null")
        new = sum_of(guest, "cat /tmp/new")
        guest.command("dd if=/tmp/new of=/dev/vda bs=100k seek=10 oflag=direct 2>/dev/null")
        guest.command("dd if=/tmp/new of=/dev/vda bs=512 seek=8001 conv=fsync 2>/dev/null")
        guest.command("echo 3 >/proc/sys/vm/drop_caches")
        assert sum_of(guest, "dd if=/dev/vda bs=512 skip=8001 count=4096 2>/dev/null") == new

        guest.send(f"while {READ} of=/dev/null 2>&1; do echo o''nce; done\r")
        guest.expect("once", ANSWER)
        card.pull()
        guest.expect("Input/output error.*" + PROMPT, ANSWER)
        assert "Input/output error" in guest.command(f"{READ} of=/dev/null")
        assert "rror" in guest.command("dd if=/tmp/new of=/dev/vda bs=4k count=1 oflag=direct")
        card.insert()
        assert sum_of(guest, f"{READ} 2>/dev/null") == digest(path)
        guest.command("dd if=/tmp/new of=/dev/vda bs=1M seek=6 oflag=direct 2>/dev/null")

        card.insert(image(tmp_path, "another.img", 16))
        guest.send(f"{READ} of=/dev/null\r")
        guest.expect(GONE, ANSWER)
        guest.expect("Input/output error.*" + PROMPT, ANSWER)
        assert "rror" in guest.command("dd if=/tmp/new of=/dev/vda bs=4k count=1 oflag=direct")
        off(guest)
    assert [digest(path, at, 2 * MIB) for at in (1000 * 1024, 8001 * 512, 6 * MIB)] == 3 * [new]
    assert digest(path, 0, 1000 * 1024) == digest(image(tmp_path, "again.img", 16), 0, 1000 * 1024)
    assert digest(str(tmp_path / "another.img")) == digest(str(tmp_path / "again.img"))


def test_large_card(tmp_path):
    """High capacity: a partition up to the last sector, beside another one, on all cores."""
    path = str(tmp_path / "card.img")
    with open(path, "wb") as file:
        file.truncate(2048 * MIB)
    table = "label: dos\nstart=2048, size=2048\nstart=4177920\n"
    made = subprocess.run(["/sbin/sfdisk", "-q", path], input=table, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert made.returncode == 0, made.stdout
    with Card(path) as card, boot(tmp_path, card, block("sd0:part2"), block("sd0:0x0+0x100000"), cpus=2) as guest:
        assert (sectors(guest, "vda"), sectors(guest, "vdb")) == (16384, 2048)
        guest.command("dd if=/dev/urandom of=/tmp/new bs=1M count=8 2>/dev/null")
        new = sum_of(guest, "cat /tmp/new")
        # Both disks at once, of which one is told to wait.
        guest.command("dd if=/tmp/new of=/dev/vda bs=64k oflag=direct 2>/dev/null & "
                      "for i in 1 2 3; do dd if=/dev/vdb of=/tmp/$i bs=4k iflag=direct 2>/dev/null; done; wait")
        start = digest(path, 0, MIB)
        assert [sum_of(guest, f"cat /tmp/{i}") for i in (1, 2, 3)] == 3 * [start]
        assert sum_of(guest, f"{READ} 2>/dev/null") == new
        off(guest)
    assert digest(path, 2040 * MIB) == new


def test_no_card(tmp_path):
    """A board without one says so, soon."""
    with start(tmp_path, [], block("sd0")) as guest:
        guest.expect("virtio_mmio@a000200: bivy,backend: this board has no such disk", BOOT)
