# SPDX-License-Identifier: BSD-2-Clause
"""A complete Debian on a virtio disk, as a user has it: log in, network, ssh, apt, files, power off.

PLATFORM=native in the environment runs it on the same machine without bivy. And on the second partition of a board's
SD card, as `make run BOARD=vexpress-a15 GUEST=debian-full` has it.
"""

import os
import socket
import subprocess

import pytest

import machine
from machine import ANSWER, BOOT, Machine, Run, built
from test_boards import is_clean, partitions

GUEST = built("guests", "debian-full")
PROMPT = "root@debian:~# "
NATIVE = os.environ.get("PLATFORM") == "native"
WORK = 300  # seconds, for what makes Debian work


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A disk that nobody has started yet, and ssh's key for it."""
    folder = tmp_path_factory.mktemp("disk")
    answer = machine.run("guest-config/debian-full/disk", str(folder))
    assert answer.returncode == 0, answer.stdout
    return folder


@pytest.fixture
def disk(pristine, tmp_path):
    path = str(tmp_path / "disk.img")
    subprocess.run(["cp", "--sparse=always", str(pristine / "disk.img"), path], check=True)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(disk, port, cpus=2, mem="512M"):
    devices = ["-global", "virtio-mmio.force-legacy=false", "-drive", f"if=none,id=disk,format=raw,file={disk}",
               "-device", "virtio-blk-device,drive=disk", "-device", "virtio-rng-device",
               "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22",
               "-device", "virtio-net-device,netdev=net"]
    if NATIVE:
        return Machine("-append", "console=ttyAMA0 earlycon", *devices, machine="virt", cpus=cpus, mem=mem,
                       kernel=os.path.join(GUEST, "kernel"), bundle=os.path.join(GUEST, "initrd"))
    return Machine(*devices, cpus=cpus, mem=mem, bundle=os.path.join(GUEST, "guest.itb"))


def log_in(guest, timeout=BOOT):
    guest.expect("debian ttyAMA0.*login: ", timeout)  # the other console's may be amid
    guest.send("root\r")
    guest.expect(PROMPT)
    guest.command("export TERM=dumb; stty columns 500; bind 'set enable-bracketed-paste off'", PROMPT)


def succeed(guest, command, timeout=-1):
    """What a command in the guest printed; its status must be 0."""
    answer = guest.command(f"{command}; echo \"[$?]\"", PROMPT, timeout).strip()
    assert answer.endswith("[0]"), f"{command}: {answer}"
    return answer[:-len("[0]")].strip()


def verify(guest, size):
    answer = succeed(guest, f"fio --name=verify --filename=/var/tmp/fio --size={size} --rw=randwrite --bs=4k "
                            "--ioengine=libaio --iodepth=16 --direct=1 --verify=crc32c --do_verify=1", WORK)
    assert "err= 0" in answer, answer


def ssh(key, port, command):
    answer = subprocess.run(["ssh", "-i", str(key), "-p", str(port), "-o", "StrictHostKeyChecking=no",
                             "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
                             "root@127.0.0.1", command], check=False, text=True, timeout=WORK,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert answer.returncode == 0, answer.stdout
    return answer.stdout


def contents(disk, path):
    return subprocess.run(["debugfs", "-R", f"cat {path}", disk], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def assert_clean(disk):
    state = subprocess.run(["dumpe2fs", "-h", disk], check=True, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL).stdout
    assert "needs_recovery" not in state and "Filesystem state:         clean\n" in state, state
    check = subprocess.run(["e2fsck", "-fn", disk], check=False, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
    assert check.returncode == 0, check.stdout


def test_debian_full(disk, pristine):
    port = free_port()
    with start(disk, port) as guest:
        log_in(guest)
        assert ("the guest gets 2 cores" in guest.log) != NATIVE
        assert succeed(guest, "systemctl is-system-running --wait", WORK) == "running", \
            guest.command("systemctl --no-pager list-units --failed; journalctl --no-pager -p err", PROMPT)
        assert succeed(guest, "nproc") == "2"
        assert "10.0.2.15" in succeed(guest, "ip -4 -brief address show scope global")
        assert " 0% packet loss" in succeed(guest, "ping -c 3 -i 0.2 10.0.2.2")
        assert ssh(pristine / "ssh_key", port, "cat /etc/hostname; tty; true") == "debian\nnot a tty\n"

        # Debian's mirror may or may not be within reach.
        succeed(guest, "rm /etc/apt/sources.list")
        succeed(guest, "apt-get -q update", WORK)
        succeed(guest, "apt-get -q install --yes hello", WORK)
        assert succeed(guest, "hello") == "Hello, world!"

        verify(guest, "32M")
        succeed(guest, "echo written >/root/written")
        guest.send("poweroff\r")
        assert guest.ends(WORK) == 0
    assert_clean(disk)
    assert contents(disk, "/root/written") == "written\n"
    assert "Package: hello" in contents(disk, "/var/lib/dpkg/status")


@pytest.mark.skipif(NATIVE, reason="the card is bivy's")
def test_on_an_sd_card(pristine, tmp_path):
    folder = tmp_path / "debian-full"  # by whose name its tree is found
    folder.mkdir()
    for path in (built("guests", "debian-full", "kernel"), built("guests", "debian-full", "initrd"),
                 built("guests", "debian-full", "guest.itb"), pristine / "disk.img"):
        (folder / os.path.basename(path)).symlink_to(path)
    with Run("--board", "vexpress-a15", "--cpus", "2", "--disk", str(folder / "disk.img"), str(folder / "guest.itb"),
             SSH_PORT=str(free_port())) as guest:
        guest.expect("bivy: on V2P-CA15", BOOT)
        log_in(guest, 2 * BOOT)  # each 64 bytes are an interrupt
        assert succeed(guest, "findmnt -no SOURCE /") == "/dev/vda"
        succeed(guest, "until ip -4 -brief address show eth0 | grep -q 10.0.2.15; do sleep 0.2; done", WORK)
        assert " 0% packet loss" in succeed(guest, "ping -c 3 -i 0.2 10.0.2.2")
        verify(guest, "4M")
        succeed(guest, "echo written >/root/written")
        guest.send("poweroff\r")
        assert guest.ends(WORK) == 0
        assert "bug in bivy" not in guest.log
    card = built("sdcard", "run-vexpress-a15.img")
    root = f"{card}?offset={partitions(card)[1][0] * 512}"
    assert is_clean(card, tmp_path)
    assert_clean(root)
    assert contents(root, "/root/written") == "written\n"
