# SPDX-License-Identifier: BSD-2-Clause
"""What the guest was told is on the disk survives QEMU's death at any moment.

The disk is a qcow2 image: QEMU keeps where new clusters are in its own memory until a flush, so
that what was never flushed is lost with it.
"""

import os
import random
import re
import signal
import struct
import subprocess

import machine

APART = 128 * 512  # bytes from a record to the next; tests/payload/flush.c
SIZE = 1 << 30
KILLS = int(os.environ.get("KILLS", "50"))


def tool(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def killed(image, lines, cpus):
    """Kills QEMU after that many flushes; returns how many records were promised."""
    options = ["-global", "virtio-mmio.force-legacy=false", "-device", "virtio-blk-device,drive=d",
               "-drive", f"if=none,id=d,format=qcow2,cache=writeback,file={image}"]
    with machine.payload("flush", cpus, suffix="-disk", options=options) as m:
        for _ in range(lines):
            m.expect(r"flushed \d+\r", 240)
        os.kill(m.child.pid, signal.SIGKILL)
        m.ends()
        text = m.log
        assert "FAIL" not in text and "bug in bivy" not in text, text
        assert "virtio_mmio@a000200 needs a reset by its driver: the descriptor table" in text, text
    return max(int(number) for number in re.findall(r"flushed (\d+)\r", text))


def records(image, raw, count):
    """Which of the first records are there, and whole."""
    tool("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, raw)
    with open(raw, "rb") as file:
        for number in range(count):
            file.seek(number * APART)
            yield file.read(512) == struct.pack("<I", number + 1) * 128


def test_flushed_is_there(tmp_path):
    choice = random.Random(1)
    image, raw = str(tmp_path / "disk.qcow2"), str(tmp_path / "disk.raw")
    promised = 0
    for _ in range(KILLS):
        tool("qemu-img", "create", "-q", "-f", "qcow2", image, str(SIZE))
        count = killed(image, choice.randrange(1, 60), choice.choice((1, 2)))
        lost = [number for number, there in enumerate(records(image, raw, count)) if not there]
        assert not lost, f"of {count} records {len(lost)} are lost, the first is {lost[0]}"
        promised += count
    assert promised > KILLS
