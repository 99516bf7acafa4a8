# SPDX-License-Identifier: BSD-2-Clause
"""What fsync promised a Linux is on its ext4 after QEMU's death at any moment, and I/O errors stay where they are.

The disk is a new qcow2 over a formatted one: QEMU keeps where its clusters are in its own memory until a
flush, so that what was never flushed is lost with it. The guest boots once; each round starts from a copy of
QEMU's state, in which nothing of the disk has been read yet.
"""

import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest

from machine import BOOT, Machine, Monitor, built
from test_devices import MIB, MODERN, block, bundle

pytestmark = pytest.mark.xdist_group("journal")  # one boot for all

KILLS = int(os.environ.get("KILLS", "50"))
AGAIN = 10  # each so many kills the guest, too, looks at what is left
SIZE = "64M"
FILES = 60  # more than a round makes
FIO_SIZE = 64 << 10
FIO_BLOCK = 4 << 10
FULL = built("guests", "debian-full")
PROMPT = "/ # \x1b\\[6n"

# The first disk has fio, the second one is to be written on. fio runs once, so that it is in memory.
BOOTED = ["/bin/busybox --install -s /bin; dmesg -n 1; stty columns 300",
          "mkdir -p /proc /sys /root; mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev",
          "modprobe -a virtio_mmio virtio_blk ext4 crc32c_generic",
          "mount -t ext4 -o ro,noload /dev/vda /root; mount -t tmpfs tmp /root/tmp; mount -t devtmpfs dev /root/dev",
          "fio() { chroot /root sh -c \"cd tmp; fio --eta=never --output=out $*\" || head -n 9 /root/tmp/out; }",
          "text() { yes $1 | dd bs=1k count=$(($1 % 40 + 1)) iflag=fullblock 2>/dev/null; }",
          "texts() { n=1; while text $n | dd of=/root/mnt/dd$n bs=9k conv=fsync 2>/dev/null; do echo dd $n is there; "
          "n=$((n + 1)); done; }",
          "fio --name=it --size=64k --rw=randwrite --verify=pattern --verify_pattern=%o"]
# fio makes a file after the other, and tells of each after its last fsync.
FIO = f"""[global]
directory=/mnt
rw=randwrite
size={FIO_SIZE}
bs={FIO_BLOCK}
verify=pattern
verify_state_save=0
thread
stonewall
"""
WRITING = """do_verify=0
fsync=4
end_fsync=1
"""
FILE = """[fio{0}]
filename=fio{0}
verify_pattern=%o"{0}"
"""
TELLING = "exec_postrun=echo fio {0} is there | tee /dev/console\n"  # fio redirects the output to a file


def tool(*command, accepted=(0,)):
    done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode in accepted, f"{command}: {done.stdout}"
    return done.stdout


def to_raw(disk, raw):
    tool("qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(disk), str(raw))
    return str(raw)


def drive(path):
    return f"format=qcow2,cache=writeback,file={path}"


class Booted:
    """A guest that has booted, and its formatted disk, in a folder."""

    def __init__(self, folder):
        self.formatted, self.state = folder / "formatted.img", folder / "state"
        self.itb = bundle(folder, block("virtio0"), block("virtio1"), initrd=os.path.join(FULL, "initrd"),
                          options=("--bootargs", "console=ttyAMA0 quiet rdinit=/bin/sh"))
        content = folder / "content"
        content.mkdir()
        (content / "write").write_text(FIO + WRITING + "".join(map((FILE + TELLING).format, range(1, FILES))))
        (content / "check").write_text(FIO + "verify_only\n" + "".join(map(FILE.format, range(1, FILES))))
        # A journal so short that it goes round often.
        tool("mke2fs", "-q", "-t", "ext4", "-J", "size=1", "-d", str(content), str(self.formatted), SIZE)
        with Monitor() as monitor, self.machine(monitor, self.new_drive(folder / "boot.qcow2")) as guest:
            guest.expect(PROMPT, BOOT)
            for command in BOOTED:
                guest.command(command, PROMPT, BOOT)
            monitor.execute("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
            monitor.execute("migrate", uri=f"exec:cat >{self.state}")
            while monitor.wait("event", "MIGRATION")["data"]["status"] != "completed":
                pass

    def new_drive(self, path):
        # The smaller the clusters are, the more of them wait for a flush.
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=512", "-F", "raw",
             "-b", str(self.formatted), str(path))
        return drive(path)

    def machine(self, monitor, options, *more):
        fio = f"format=raw,read-only=on,file.locking=off,file={os.path.join(FULL, 'disk.img')}"
        return Machine(*MODERN, "-drive", f"if=none,id=d0,{fio}", "-drive", f"if=none,id=d1,{options}",
                       "-device", "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.0",
                       "-device", "virtio-blk-device,drive=d1,bus=virtio-mmio-bus.1",
                       *monitor.options, *more, bundle=self.itb, cpus=2, mem="256M")

    def start(self, options):
        """Goes on from the saved state, with another disk behind /dev/vdb."""
        with Monitor() as monitor:
            guest = self.machine(monitor, options, "-incoming", "defer")
            monitor.execute("migrate-incoming", uri=f"exec:cat {self.state}")
            monitor.wait("event", "RESUME")
        return guest


@pytest.fixture(name="booted", scope="module")
def boot(tmp_path_factory):
    return Booted(tmp_path_factory.mktemp("booted"))


def killed(booted, disk, lines, delay):
    """Kills QEMU that many seconds after so many files; returns the numbers of those that were promised, by maker."""
    with booted.start(booted.new_drive(disk)) as guest:
        guest.send("mount -t ext4 /dev/vdb /root/mnt; texts & fio /mnt/write\r")
        for _ in range(lines):
            guest.expect(r"\w+ \d+ is there\r", BOOT)
        time.sleep(delay)
        os.kill(guest.child.pid, signal.SIGKILL)
        guest.ends()
        assert "bug in bivy" not in guest.log, guest.log
        found = re.findall(r"(dd|fio) (\d+) is there\r", guest.log)
    return {maker: [int(number) for who, number in found if who == maker] for maker in ("dd", "fio")}


def wanted(maker, number):
    """The content of a file."""
    if maker == "dd":
        return (b"%d\n" % number * 41 * 1024)[:(number % 40 + 1) * 1024]
    blocks = (struct.pack("<Q", offset) + b"%d" % number for offset in range(0, FIO_SIZE, FIO_BLOCK))
    return b"".join((pattern * FIO_BLOCK)[:FIO_BLOCK] for pattern in blocks)


def assert_there(folder, disk, promised):
    """The journal replays, the file system is in order, and the files are whole."""
    raw, files = to_raw(disk, folder / "disk.img"), folder / "files"
    assert "recovering journal" in tool("e2fsck", "-fp", raw, accepted=(0, 1))
    tool("e2fsck", "-fn", raw)
    files.mkdir()
    tool("debugfs", "-R", f"rdump / {files}", raw)
    lost = []
    for maker, numbers in promised.items():
        for number in numbers:
            path = files / f"{maker}{number}"
            if not path.exists() or path.read_bytes() != wanted(maker, number):
                lost.append(path.name)
    assert not lost, f"of {promised} these are lost: {lost}"


def assert_guest_finds(booted, disk, promised):
    """The same by the guest's own ext4, dd and fio; leaves the file system in order."""
    with booted.start(drive(disk)) as guest:
        answer = guest.command("mount -t ext4 /dev/vdb /root/mnt; dmesg | tail -n 9", PROMPT, BOOT)
        assert "(vdb): recovery complete" in answer, answer
        sections = "".join(f" --section=fio{number}" for number in promised["fio"])
        for command in (f"for n in {' '.join(map(str, promised['dd']))}; do text $n | cmp - /root/mnt/dd$n; done",
                        f"fio{sections} /mnt/check" if sections else ":", "umount /root/mnt"):
            answer = guest.command(command, PROMPT, BOOT)
            assert not answer.strip(), answer
        guest.send("poweroff -f\r")
        assert guest.ends() == 0


def test_fsynced_is_there(booted, tmp_path):
    choice, total = random.Random(1), 0
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        folder.mkdir()
        disk = folder / "disk.qcow2"
        promised = killed(booted, disk, choice.randrange(1, 33), choice.uniform(0, 0.2))
        assert_there(folder, disk, promised)
        if kill % AGAIN == 0:
            assert_guest_finds(booted, disk, promised)
            tool("e2fsck", "-fn", to_raw(disk, folder / "disk.img"))
        shutil.rmtree(folder)
        total += sum(map(len, promised.values()))
    print(f"{KILLS} kills, {total} files promised and there")


# One sector each that can't be read or written, and the first flush fails.
FAULTS = "".join(f'[inject-error]\nevent = "none"\nerrno = "5"\niotype = "{kind}"\n{more}\n' for kind, more in (
    ("read", f'sector = "{MIB // 512}"'), ("write", f'sector = "{2 * MIB // 512}"'), ("flush", 'once = "on"')))


def test_io_errors_are_of_one_request(booted, tmp_path):
    """16 in flight all the time: one fails, and each other one is done."""
    disk, rules = tmp_path / "disk.img", tmp_path / "rules"
    tool("truncate", "-s", SIZE, str(disk))
    rules.write_text(FAULTS)
    faulty = f"format=raw,file.driver=blkdebug,file.config={rules},file.image.filename={disk}"
    fio = ("fio --name=it --filename=/dev/vdb --direct=1 --ioengine=libaio --iodepth=16 --continue_on_error=all "
           "--size=4M --bs=4k --verify=pattern --verify_pattern=%o --do_verify=0 --verify_state_save=0")
    with booted.start(faulty) as guest:
        guest.command("echo 2 >/sys/block/vdb/queue/nomerges; sync_it() { dd if=/dev/vda of=/dev/vdb bs=4k count=1 "
                      "conv=fsync 2>&1 | grep -c error; }", PROMPT)
        # io: all but one block; reading also finds what could not be written.
        for direction, errors, bad in (("randwrite", 1, []), ("randread", 2, [str(2 * MIB)])):
            said = guest.command(f"{fio} --rw={direction}; cat /root/tmp/out", PROMPT, BOOT)
            assert f"total={errors}, first_error=" in said and " io=4092KiB " in said, said
            assert re.findall(r"verify failed at file /dev/vdb offset (\d+)", said) == bad, said
        assert guest.command("sync_it; sync_it", PROMPT).split() == ["1", "0"]
    written = disk.read_bytes()[:4 * MIB]
    wrong = [at for at in range(FIO_BLOCK, len(written), FIO_BLOCK)
             if written[at:at + FIO_BLOCK] != struct.pack("<Q", at) * (FIO_BLOCK // 8)]
    assert wrong == [2 * MIB]
    assert written[2 * MIB:2 * MIB + FIO_BLOCK] == bytes(FIO_BLOCK)
