# SPDX-License-Identifier: BSD-2-Clause
"""The real guests of guest-config, as a user has them: log in, look around, restart, power off."""

import re

import pytest

import machine
from machine import ANSWER, BOOT, BUILD, PROMPT, Machine, built

DEBIAN = built("guests", "debian", "guest.itb")
# pl011, timer and virtio as /proc/interrupts has them: name and then one count for each CPU.
COUNTS = re.compile(r"^\s*\d+:((?:\s+\d+)+)\s+\S+\s+(\d+)\s+(?:Level|Edge)\s+(\S+)", re.MULTILINE)


def boot(**options):
    guest = Machine(bundle=DEBIAN, **options)
    guest.expect(PROMPT, BOOT)
    return guest


def interrupts(guest):
    """{device: [count on each CPU]}"""
    text = guest.command("cat /proc/interrupts")
    return {row[3]: [int(n) for n in row[1].split()] for row in COUNTS.finditer(text)}


def memory_kib(guest):
    return int(re.search(r"MemTotal:\s+(\d+) kB", guest.command("cat /proc/meminfo"))[1])


@pytest.mark.parametrize("cpus,mem", [(8, "512M"), (1, "256M"), (4, "3G"), (4, "256M")])
def test_debian(cpus, mem):
    with boot(cpus=cpus, mem=mem) as guest:
        assert "under bivy" in guest.log
        assert f"the guest gets {cpus} core" in guest.log
        assert guest.command("nproc").strip() == str(cpus)
        wanted = {"256M": 256, "512M": 512, "3G": 3072}[mem] * 1024
        assert wanted * 0.8 < memory_kib(guest) < wanted
        everywhere = all_timers_tick(guest, cpus)
        assert everywhere, "the timer does not tick on every core"
        assert "WARNING" not in guest.command("dmesg | grep -i -e warning -e oops -e BUG:; true")
        assert "-- 0" in guest.command("dd if=/dev/zero bs=1M count=32 2>/dev/null | md5sum; echo -- $?")
        guest.send("poweroff\r")
        assert guest.ends(ANSWER) == 0


def all_timers_tick(guest, cpus):
    before = interrupts(guest)["arch_timer"]
    # Work on each core, so that each of them needs its tick; then they sleep and are woken.
    guest.command(f"for i in $(seq {cpus}); do taskset -p 1 $$ >/dev/null 2>&1; "
                  "(i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done) & done; wait; usleep 200000")
    after = interrupts(guest)["arch_timer"]
    return len(after) == cpus and all(b > a for a, b in zip(before, after))


def test_debian_hvc0():
    """Ctrl-] 2 and Enter: a shell on the virtio console, whose interrupts count; Ctrl-] 1: back."""
    with boot(cpus=2, mem="256M") as guest:
        before = interrupts(guest)
        guest.send("\x1d2")
        guest.expect("input goes to the virtio console")
        guest.send("\r")
        guest.expect(PROMPT)
        assert guest.command("tty").strip() == "/dev/hvc0"
        # The terminal is asked for its size when the console is chosen; now it answers, and has grown.
        for rows in (50, 60):
            guest.send("\x1d2")
            guest.expect(r"\x1b\[999;999H\x1b\[6n\x1b8")
            guest.send(f"\x1b[{rows};132R")
            guest.command(f"until stty size | grep -q '{rows} 132'; do usleep 10000; done")
        # More output than a ring has room for, and every line of it.
        text = guest.command("seq 1 5000")
        assert text.split() == [str(n) for n in range(1, 5001)]
        virtio = [name for name in interrupts(guest) if "virtio" in name]
        assert virtio and sum(interrupts(guest)[virtio[0]]) > sum(before[virtio[0]])
        guest.send("\x1d1")
        guest.expect("input goes to the PL011")
        guest.send("\r")
        guest.expect(PROMPT)
        assert guest.command("tty").strip() == "/dev/ttyAMA0"
        guest.send("\x1d\x1d")
        guest.send("\x1dx")
        guest.expect("after Ctrl-\\] comes the number of a console")
        guest.send("\x03")
        guest.expect(PROMPT)
        guest.send("poweroff\r")
        assert guest.ends(ANSWER) == 0


@pytest.mark.parametrize("cpus", [1, 2])
def test_debian_sleeps_and_wakes(cpus):
    """Many short sleeps: a timer's interrupt that comes again before the guest ended the last one isn't lost."""
    with boot(cpus=cpus, mem="256M") as guest:
        for _ in range(3):
            guest.command("i=0; while [ $i -lt 300 ]; do usleep 1000; i=$((i+1)); done")
        guest.send("poweroff\r")
        assert guest.ends(ANSWER) == 0


def test_debian_input_arrives_whole():
    """4 KiB of lines, typed at full speed."""
    lines = [f"line {n:04} of a text that is typed as fast as it goes" for n in range(75)]
    with boot(mem="256M") as guest:
        guest.send("stty -echo; echo sta''rt; cat >/tmp/typed; stty echo\r")
        guest.expect("start\r")
        guest.send("\r".join(lines) + "\r\x04")
        guest.expect(PROMPT)
        assert guest.command("cat /tmp/typed").split("\n")[:-1] == lines
        guest.send("poweroff\r")
        assert guest.ends(ANSWER) == 0


def test_debian_restarts_twice():
    """SYSTEM_RESET by bivy,reset = "restart": twice from the bundle, and then it powers off."""
    with boot(cpus=4, mem="256M") as guest:
        assert guest.command("echo marker >/tmp/marker; ls /tmp").strip() == "marker"
        for _ in range(2):
            guest.send("reboot\r")
            guest.expect("bivy: the guest starts again", ANSWER)
            guest.expect(PROMPT, BOOT)
            assert guest.command("nproc").strip() == "4"
            assert guest.command("ls /tmp").strip() == ""
        guest.send("poweroff\r")
        assert guest.ends(ANSWER) == 0


def test_debian_cores_off_and_on():
    """CPU hotplug: CPU_OFF, AFFINITY_INFO and CPU_ON as Linux uses them."""
    with boot(cpus=4, mem="256M") as guest:
        for _ in range(3):
            guest.command("for c in 1 2 3; do echo 0 >/sys/devices/system/cpu/cpu$c/online; done")
            assert guest.command("nproc").strip() == "1"
            guest.command("for c in 1 2 3; do echo 1 >/sys/devices/system/cpu/cpu$c/online; done")
            assert guest.command("nproc").strip() == "4"
        guest.send("poweroff\r")
        assert guest.ends(ANSWER) == 0


def test_make_run_with_a_bundle():
    """What a user types: make run BUNDLE=... QEMUFLAGS=..."""
    answer = machine.run("make", "run", f"BUILD={BUILD}", "CPUS=2", "MEM=128M", "QEMUFLAGS=-no-reboot",
                         f"BUNDLE={built('payload', 'traps.itb')}", timeout=BOOT,
                         stdin=machine.subprocess.DEVNULL)
    assert "done " in answer.stdout and ", 0 failed" in answer.stdout, answer.stdout
    assert answer.returncode == 0, answer.stdout[-2000:]
