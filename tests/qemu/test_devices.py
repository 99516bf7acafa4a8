# SPDX-License-Identifier: BSD-2-Clause
"""The guest's virtio devices on the board's: what Linux sees, and what arrives on the other side."""

import hashlib
import http.server
import os
import re
import subprocess
import threading
import time

import pytest

from machine import ANSWER, BOOT, PROMPT, Machine, built, run

KERNEL = built("guests", "debian", "kernel")
INITRD = built("guests", "debian", "initrd")
MODERN = ["-global", "virtio-mmio.force-legacy=false"]
MIB = 1 << 20

TREE = """/dts-v1/;
#include "virt.dtsi"
/ {
	bivy,reset = "restart";
	chosen { bootargs = "quiet console=ttyAMA0"; };
%s
};
"""

SLOT = """
	virtio_mmio@%(base)x {
		compatible = "virtio,mmio";
		reg = <0 %(base)#x 0 0x200>;
		interrupts = <SPI %(spi)d EDGE>;
		dma-coherent;
		%(properties)s
	};"""


def bundle(folder, *devices, disks=(), initrd=INITRD, options=()):
    """A Debian whose transports from the second on have these properties; options are tools/mkbundle's."""
    slots = "".join(SLOT % {"base": 0x0a000200 + 0x200 * i, "spi": 17 + i, "properties": device}
                    for i, device in enumerate(devices))
    dts, itb = os.path.join(str(folder), "guest.dts"), os.path.join(str(folder), "guest.itb")
    with open(dts, "w", encoding="ascii") as file:
        file.write(TREE % slots)
    more = [word for disk in disks for word in ("--disk", disk)]
    made = run("tools/mkbundle", "--kernel", KERNEL, "--initrd", initrd, "--dts", dts, *more, *options, "-o", itb)
    assert made.returncode == 0, made.stdout
    return itb


def block(backend, more=""):
    return f'bivy,virtio = "block"; bivy,backend = "{backend}"; {more}'


def disk(number, path, options="format=raw,file="):
    """The board's disk of this number."""
    return ["-drive", f"if=none,id=d{number},{options}{path}",
            "-device", f"virtio-blk-device,drive=d{number},bus=virtio-mmio-bus.{number}"]


def image(folder, name, mib):
    """A file of bytes that tell where they are."""
    path = os.path.join(str(folder), name)
    with open(path, "wb") as file:
        for number in range(mib * MIB // 64):
            file.write(b"%-63d\n" % number)
    return path


def digest(path, start=0, length=None):
    with open(path, "rb") as file:
        file.seek(start)
        return hashlib.sha256(file.read(length)).hexdigest()


def boot(itb, *options, **more):
    guest = Machine(*options, bundle=itb, cpus=2, mem="256M", **more)
    guest.expect(PROMPT, BOOT)
    guest.command("stty columns 300")  # no command's echo is broken into lines
    return guest


def off(guest):
    guest.send("poweroff\r")
    assert guest.ends(ANSWER) == 0


def sum_of(guest, command):
    return guest.command(f"{command} | sha256sum").split()[0]


def sectors(guest, name):
    return int(guest.command(f"cat /sys/block/{name}/size"))


@pytest.mark.parametrize("board,guests", [("modern", ""), ("legacy", "bivy,legacy;"), ("modern", "bivy,legacy;")])
def test_disk(tmp_path, board, guests):
    """What is there is read, what is written arrives, over both versions on both sides."""
    path = image(tmp_path, "disk.img", 32)
    before = digest(path)
    itb = bundle(tmp_path, block("virtio0", guests), block("virtio1", "bivy,read-only; " + guests))
    second = image(tmp_path, "second.img", 1)
    with boot(itb, *(MODERN if board == "modern" else []), *disk(0, path), *disk(1, second)) as guest:
        assert (sectors(guest, "vda"), sectors(guest, "vdb")) == (65536, 2048)
        assert sum_of(guest, "cat /dev/vda") == before
        assert guest.command("cat /sys/block/vda/device/features")[32] == ("0" if guests else "1")
        assert guest.command("cat /sys/block/vdb/ro").strip() == "1"
        # In pieces that lie anywhere in memory, and through the cache.
        guest.command("dd if=/dev/urandom of=/tmp/new bs=1M count=8 2>/dev/null")
        guest.command("dd if=/tmp/new of=/dev/vda bs=1M seek=8 oflag=direct 2>/dev/null; sync")
        guest.command("dd if=/tmp/new of=/dev/vda bs=4k seek=5000 conv=fsync 2>/dev/null")
        new = sum_of(guest, "cat /tmp/new")
        guest.command("echo 3 >/proc/sys/vm/drop_caches")
        assert sum_of(guest, "dd if=/dev/vda bs=1M skip=8 count=8 iflag=direct 2>/dev/null") == new
        assert "not permitted" in guest.command("dd if=/tmp/new of=/dev/vdb bs=512 count=1")
        off(guest)
    assert digest(path, 8 * MIB, 8 * MIB) == new
    assert digest(path, 5000 * 4096, 8 * MIB) == new
    assert digest(path, 0, 8 * MIB) == digest(image(tmp_path, "again.img", 32), 0, 8 * MIB)


def partitioned(folder, label):
    """A disk of 16 MiB, partition 2 of 4 MiB from 8 MiB on; its content says where it is."""
    path = image(folder, f"{label}.img", 16)
    table = f"label: {label}\nstart=2048, size=2048\nstart=16384, size=8192\n"
    made = subprocess.run(["/sbin/sfdisk", "-q", path], input=table, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert made.returncode == 0, made.stdout
    return path


def test_parts_of_disks(tmp_path):
    """Partitions by GPT and MBR and a range: each a disk of its own, and nothing else is touched."""
    gpt, mbr = partitioned(tmp_path, "gpt"), partitioned(tmp_path, "dos")
    before = digest(gpt, 0, 8 * MIB)
    itb = bundle(tmp_path, block("virtio0:part2"), block("virtio1:part2"), block("virtio1:0x100000+0x80000"))
    with boot(itb, *MODERN, *disk(0, gpt), *disk(1, mbr)) as guest:
        assert [sectors(guest, name) for name in ("vda", "vdb", "vdc")] == [8192, 8192, 1024]
        assert sum_of(guest, "cat /dev/vda") == digest(gpt, 8 * MIB, 4 * MIB)
        assert sum_of(guest, "cat /dev/vdb") == digest(mbr, 8 * MIB, 4 * MIB)
        assert sum_of(guest, "cat /dev/vdc") == digest(mbr, MIB, MIB // 2)
        guest.command("dd if=/dev/zero of=/dev/vda bs=1M oflag=direct 2>/dev/null; sync")
        off(guest)
    assert digest(gpt, 8 * MIB, 4 * MIB) == hashlib.sha256(bytes(4 * MIB)).hexdigest()
    assert digest(gpt, 0, 8 * MIB) == before
    image(tmp_path, "plain.img", 16)
    assert digest(gpt, 12 * MIB, 3 * MIB) == digest(os.path.join(str(tmp_path), "plain.img"), 12 * MIB, 3 * MIB)


def test_a_partition_that_is_not_there(tmp_path):
    path = partitioned(tmp_path, "gpt")
    itb = bundle(tmp_path, block("virtio0:part7"))
    with Machine(*MODERN, *disk(0, path), bundle=itb, mem="256M") as guest:
        guest.expect(r"virtio_mmio@a000200: bivy,backend: [^\r]*partition", BOOT)


def test_a_disk_that_is_not_there(tmp_path):
    with Machine(bundle=bundle(tmp_path, block("virtio0")), mem="256M") as guest:
        guest.expect("virtio_mmio@a000200: bivy,backend: this board has no such disk", BOOT)


def test_ram_disk_and_overlay(tmp_path):
    """An overlay is fresh when the guest starts again, a RAM disk is not; neither reaches the board's disk."""
    path, ram = image(tmp_path, "disk.img", 16), image(tmp_path, "ram.img", 2)
    before = digest(path)
    itb = bundle(tmp_path, block("virtio0", "bivy,overlay = <8>;"), block("ram0"), disks=[ram])
    with boot(itb, *MODERN, *disk(0, path)) as guest:
        assert sum_of(guest, "cat /dev/vda") == before
        assert sum_of(guest, "cat /dev/vdb") == digest(ram)
        guest.command("dd if=/dev/urandom of=/tmp/new bs=1000 count=1000 2>/dev/null")
        guest.command("for d in a b; do dd if=/tmp/new of=/dev/vd$d bs=1000 seek=77 conv=fsync 2>/dev/null; done")
        new = sum_of(guest, "cat /tmp/new")
        part = "dd if=/dev/%s bs=1000 skip=77 count=1000 2>/dev/null"
        guest.command("echo 3 >/proc/sys/vm/drop_caches")
        assert sum_of(guest, part % "vda") == new
        # More than the overlay has room for is an error, and what is there stays.
        assert "error" in guest.command("dd if=/dev/zero of=/dev/vda bs=1M seek=4 oflag=direct").lower()
        assert sum_of(guest, part % "vda") == new
        guest.send("reboot\r")
        guest.expect("the guest starts again", ANSWER)
        guest.expect(PROMPT, BOOT)
        assert sum_of(guest, "cat /dev/vda") == before
        assert sum_of(guest, part % "vdb") == new
        off(guest)
    assert digest(path) == before


def test_restart_with_requests_in_flight(tmp_path):
    """A guest that resets while its disk is busy starts again, and the disk works as before."""
    path = image(tmp_path, "disk.img", 64)
    with boot(bundle(tmp_path, block("virtio0")), *MODERN, *disk(0, path)) as guest:
        for _ in range(3):
            guest.send("for i in 1 2 3 4; do dd if=/dev/vda of=/dev/null bs=1M iflag=direct & done; reboot -f\r")
            guest.expect("the guest starts again", ANSWER)
            guest.expect(PROMPT, BOOT)
        assert sum_of(guest, "cat /dev/vda") == digest(path)
        off(guest)


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@pytest.mark.parametrize("board,guests", [("modern", ""), ("legacy", "bivy,legacy;")])
def test_net(tmp_path, board, guests):
    """An address by DHCP, and a file that comes whole from a server on the host."""
    path = image(tmp_path, "file", 4)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *more: Files(*more, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    itb = bundle(tmp_path, f'bivy,virtio = "net"; bivy,backend = "virtio0"; {guests}')
    card = ["-netdev", "user,id=n0", "-device", "virtio-net-device,netdev=n0,mac=52:54:00:ab:cd:ef"]
    with boot(itb, *(MODERN if board == "modern" else []), *card) as guest:
        assert guest.command("cat /sys/class/net/eth0/address").strip() == "52:54:00:ab:cd:ef"
        guest.command("ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0")
        assert "lease of 10.0.2.15" in guest.command("udhcpc -i eth0 -n -q -t 5")
        assert "0% packet loss" in guest.command("ping -c 3 10.0.2.2")
        url = f"http://10.0.2.2:{server.server_address[1]}/file"
        assert sum_of(guest, f"wget -q -O - {url}") == digest(path)
        # The link goes and comes back with the interface; the card is the same afterwards.
        guest.command("ip link set eth0 down; ip link set eth0 up")
        assert sum_of(guest, f"wget -q -O - {url}") == digest(path)
        off(guest)
    server.shutdown()


def test_rng_and_clock(tmp_path):
    """Entropy from the board's source, and its time; alarms come."""
    itb = bundle(tmp_path, 'bivy,virtio = "rng";')
    with boot(itb, *MODERN, "-device", "virtio-rng-device") as guest:
        assert "virtio_rng" in guest.command("cat /sys/class/misc/hw_random/rng_current")
        one, other = (guest.command("head -c 64 /dev/hwrng | sha256sum") for _ in range(2))
        assert one != other
        assert abs(int(guest.command("date +%s")) - time.time()) < 60
        guest.command("echo +2 >/sys/class/rtc/rtc0/wakealarm")
        guest.command("until grep -q 'alarm_IRQ.*no' /proc/driver/rtc; do usleep 100000; done")
        count = re.search(r":((?:\s+\d+)+) .*rtc-pl031", guest.command("cat /proc/interrupts"))
        assert count and sum(map(int, count[1].split())) >= 1
        off(guest)


def test_without_a_source_there_is_no_rng(tmp_path):
    with boot(bundle(tmp_path, 'bivy,virtio = "rng";')) as guest:
        assert guest.command("ls /sys/bus/virtio/drivers/virtio_rng").split() == ["bind", "module", "uevent", "unbind"]
        off(guest)
