# SPDX-License-Identifier: BSD-2-Clause
"""Debian's installer: its first screen; unattended onto a blank disk, from a small mirror on this machine; and that
disk boots.

WHOLE in the environment lets the installation go to its end (make test-install); without, it is over when the installer
has found its mirror.
"""

import json
import os
import re
import subprocess

import pytest

import machine
import repository
from machine import ANSWER, BOOT, Machine, built

GUEST = built("guests", "debian-auto")
PROMPT = "debian@debian:~\\$ "
WHOLE = "WHOLE" in os.environ
STEP = 3600  # seconds
SECTOR = 512  # bytes
# The mirror's index is not signed, and it has no modules of the installer's kernel.
ARGUMENTS = "mirror/http/hostname=10.0.2.2:{} debian-installer/allow_unauthenticated=true anna/no_kernel_modules=true"


def bundle(port, path):
    """The guest, told of the mirror."""
    with open(os.path.join(machine.TOP, "guest-config/debian-auto/guest.dts"), encoding="utf-8") as file:
        bootargs = re.search('bootargs = "(.*)"', file.read())[1]
    answer = machine.run("tools/mkbundle", "--kernel", os.path.join(GUEST, "kernel"), "--initrd",
                         os.path.join(GUEST, "initrd"), "--dts", "guest-config/debian-auto/guest.dts",
                         "--bootargs", f"{bootargs} {ARGUMENTS.format(port)}", "-o", path)
    assert answer.returncode == 0, answer.stdout
    return path


def start(image, disk):
    """One core: the installer is one process after another."""
    return Machine("-global", "virtio-mmio.force-legacy=false", "-device", "virtio-rng-device",
                   "-drive", f"if=none,id=disk,format=raw,cache=unsafe,file={disk}",
                   "-device", "virtio-blk-device,drive=disk", "-netdev", "user,id=net",
                   "-device", "virtio-net-device,netdev=net", cpus=1, mem="512M", bundle=image, timeout=STEP)


def output(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


@pytest.fixture(name="disk")
def fixture_disk(tmp_path):
    answer = machine.run("guest-config/debian-auto/disk", str(tmp_path))
    assert answer.returncode == 0, answer.stdout
    return str(tmp_path / "disk.img")


def look_at(disk):
    """A partition that firmware looks into, with a file system that is whole."""
    partition = json.loads(output("sfdisk", "--json", disk))["partitiontable"]["partitions"][0]
    assert partition["bootable"] and partition["type"] == "83", partition
    output("e2fsck", "-fn", f"{disk}?offset={partition['start'] * SECTOR}")


def boots(disk):
    """U-Boot starts what is on the disk, and its user logs in."""
    with start(built("guests", "u-boot", "guest.itb"), disk) as guest:
        guest.expect("Retrieving file: /boot/initrd.img", BOOT)
        guest.expect("debian login: ", STEP)
        guest.send("debian\r")
        guest.expect("Password: ")
        guest.send("bivy\r")
        guest.expect(PROMPT)
        guest.command("export TERM=dumb; bind 'set enable-bracketed-paste off'", PROMPT)
        assert "systemd" in guest.command("cat /proc/1/comm", PROMPT)
        assert "10.0.2.15" in guest.command("/sbin/ip -4 -brief address show scope global", PROMPT)
        assert "SSH-2.0" in guest.command("head -n 1 </dev/tcp/127.0.0.1/22", PROMPT)
        guest.send("su -c /sbin/poweroff\r")
        guest.expect("Password: ")
        guest.send("bivy\r")
        assert guest.ends(ANSWER * 5) == 0
        assert "bug in bivy" not in guest.log


def test_first_screen(disk):
    """What a user sees who wants to be asked."""
    with start(built("guests", "debian-installer", "guest.itb"), disk) as guest:
        guest.expect("Select a language|Choose the language")
        assert "bug in bivy" not in guest.log


def test_install(disk, tmp_path):
    top = str(tmp_path / "mirror" / "debian")
    if WHOLE:
        repository.make(top)
    else:
        repository.write_indices(top, {})
    with repository.served(str(tmp_path / "mirror")) as mirror, \
            start(bundle(mirror.server_port, str(tmp_path / "itb")), disk) as guest:
        guest.expect("Checking the Debian archive mirror.*100%")
        assert "/debian/dists/oldstable/Release" in mirror.asked
        if WHOLE:
            guest.expect("stand-in: installing the base system\r")
            guest.expect("stand-in: installing the kernel and openssh-server u-boot-menu\r")
            guest.expect("stand-in: (done|failed)\r")
            assert guest.match() == "done", guest.log[-2000:]
            assert guest.ends() == 0
        assert "bug in bivy" not in guest.log
    if WHOLE:
        look_at(disk)
        boots(disk)
        look_at(disk)
