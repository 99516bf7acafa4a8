#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""debian-full on 4 cores with disks, network and cores busy for a long time, and what is left of it afterwards.

    soak.py SECONDS

`load` is what the guest does, `state.py` what bivy is asked then: that all requests have ended, that everything
they used is free again, that nothing has grown.
"""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "qemu"))

# pylint: disable=wrong-import-position
import machine
from machine import Machine, Monitor, built
from test_debian_full import PROMPT, assert_clean, free_port, log_in, succeed
from test_tables import HYP_VA, KEEP_SIZE

CORES = 4
FOLDER = built("soak")
DISK, SCRATCH = os.path.join(FOLDER, "disk.img"), os.path.join(FOLDER, "scratch.img")
LOG = os.path.join(FOLDER, "guest.log")
SCRATCH_SIZE = 256 << 20
WORKS = ("file", "disk", "net", "stress", "wander")
ANSWER = 300  # seconds, for a command
LAST_PASS = 900  # seconds, for what is begun in time to end
SETTLED = 10  # looks at bivy, some seconds apart, until requests in flight have ended
NEEDS_RESET = 0x40  # virtio 1.2, 2.1
# What is 0 in an idle model.
IDLE = ("in_flight", "fault", "held", "stalled", "sending", "late", "dropped", "busy")
# Of Linux: that the host is busy.
HARMLESS = r"interrupt took (too long|\d+ ns)"
ALARMING = r"WARNING:|BUG:|Oops|Call trace|[Ss]tall|lockup|blocked for more|I/O error"


def say(line):
    print(line, flush=True)


def prepare():
    os.makedirs(FOLDER, exist_ok=True)
    made = machine.run("guest-config/debian-full/disk", FOLDER)
    if made.returncode != 0:
        sys.exit(made.stdout)
    subprocess.run(["debugfs", "-w", "-R", f"write {os.path.join(HERE, 'load')} /root/load", DISK], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(SCRATCH, "wb") as file:
        file.truncate(SCRATCH_SIZE)


def start(monitor):
    return Machine("-global", "virtio-mmio.force-legacy=false",
                   "-drive", f"if=none,id=root,format=raw,file={DISK}",
                   "-device", "virtio-blk-device,drive=root,bus=virtio-mmio-bus.0",
                   "-drive", f"if=none,id=scratch,format=raw,file={SCRATCH}",
                   "-device", "virtio-blk-device,drive=scratch,serial=soak,bus=virtio-mmio-bus.1",
                   "-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net,bus=virtio-mmio-bus.2",
                   "-device", "virtio-rng-device,bus=virtio-mmio-bus.3",
                   *monitor.options, bundle=os.path.join(FOLDER, "guest.itb"), cpus=CORES, mem="1G")


class Bivy:
    """The memory that bivy keeps, from outside."""

    def __init__(self, monitor, kept):
        self.monitor, self.kept = monitor, kept  # PA
        self.core = os.path.join(FOLDER, "bivy.core")

    def copy(self):
        """Its memory at one moment, as a core file (ELF, ET_CORE) of one segment."""
        memory = self.core + ".memory"
        self.monitor.execute("stop")
        self.monitor.execute("pmemsave", val=self.kept, size=KEEP_SIZE, filename=memory)
        self.monitor.execute("cont")
        header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 4, 40, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
        segment = struct.pack("<8I", 1, len(header) + 32, HYP_VA, 0, KEEP_SIZE, KEEP_SIZE, 7, 1)
        with open(self.core, "wb") as core, open(memory, "rb") as contents:
            core.write(header + segment)
            shutil.copyfileobj(contents, core)
        os.remove(memory)

    def state(self):
        self.copy()
        answer = subprocess.run(["gdb-multiarch", "-nx", "-batch", "-x", os.path.join(HERE, "state.py"),
                                 built("bivy.elf"), self.core], check=True, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL).stdout
        return json.loads(answer[answer.index("{"):])

    def idle_state(self):
        """When no request is in flight, or after a while."""
        for _ in range(SETTLED):
            state = self.state()
            if not complaints(state):
                break
            time.sleep(3)
        return state


def differences(who, values, wanted):
    return [f"{who}: {what} is {values[what]}, not {right}" for what, right in wanted.items() if values[what] != right]


def board_complaints(name, device):
    who = f"the board's {name}"
    found = differences(who, device, {"state": "HW_RUNNING", "lies": 0, "users": 0})
    found += differences(who, device["counters"], {"errors": 0, "timeouts": 0})
    for i, queue in enumerate(device["queues"]):
        # Buffers for frames wait in the device all the time.
        chains, used = (queue["chains"], queue["used"]) if name.startswith("card") and i == 0 else (0, 0)
        found += differences(f"{who}, queue {i}", queue, {
            "chains": chains, "used": used, "in_flight": chains, "free_count": queue["size"] - used,
            "free_list": queue["free_count"]})
    return found


def guest_complaints(name, model, board):
    who = f"the guest's {name}"
    found = differences(who, model, {what: 0 for what in IDLE if what in model})
    if model["status"] & NEEDS_RESET:
        found.append(f"{who} needs a reset")
    if "requests" in model:
        found += differences(who, model, {"free": model["requests"]})
    if "slots" in model:
        found += differences(who, model, {
            "free": model["slots"] - model["outstanding"],
            "outstanding": sum(queue["in_flight"] for queue in board[name]["queues"])})
    return found


def complaints(state):
    """What is wrong in an idle bivy."""
    return [complaint for name, device in state["board"].items() for complaint in board_complaints(name, device)] + \
        [complaint for name, model in state["guest"].items()
         for complaint in guest_complaints(name, model, state["board"])]


def growth(before, after):
    found = []
    if before["tables"] != after["tables"]:
        found.append(f"page tables: {before['tables']}, then {after['tables']}")
    for name, device in after["board"].items():
        then = before["board"][name]["listeners"]
        if device["listeners"] != then:
            found.append(f"the board's {name}: {then} listeners, then {device['listeners']}")
    return found


def interrupts(guest):
    """{name: its count on each core}"""
    table = succeed(guest, "cat /proc/interrupts", ANSWER)
    rows = re.findall(r"^ *(\w+):((?: +\d+)+) +(.*)$", table, re.MULTILINE)
    return {rest.split()[-1] if number.isdigit() else number: [int(count) for count in counts.split()]
            for number, counts, rest in rows}


def grown(before, after):
    return {name: [now - then for now, then in zip(counts, before.get(name, [0] * CORES))]
            for name, counts in after.items()}


def warnings(guest):
    lines = succeed(guest, "dmesg --level=emerg,alert,crit,err,warn", ANSWER).splitlines()
    return [line for line in lines if not re.search(HARMLESS, line)]


def progress(guest):
    """({work: how often}, what failed, whether all has ended)"""
    lines = succeed(guest, "(cd /run/soak && head -n 1 -q " + " ".join(WORKS) + " && ls)", ANSWER).split()
    return dict(zip(WORKS, map(int, lines))), [name for name in lines if name.endswith(".failed")], "end" in lines


def last_words(guest, name):
    log = f"/run/soak/{name.split('.')[0]}.log"
    return succeed(guest, f"grep -m 5 -iE 'verify:|err|fail' {log} || tail -n 5 {log}", ANSWER)


def work(guest, seconds, port):
    """Has the guest work; returns how often each kind was done, and what failed."""
    succeed(guest, f"(sh /root/load {seconds} {port} </dev/null >/dev/null 2>&1 &)", ANSWER)
    began = time.monotonic()
    ended, failed = False, []
    while not ended:
        time.sleep(min(60, max(5, seconds / 10)))
        counts, failed, ended = progress(guest)
        took = time.monotonic() - began
        say(f"{took:6.0f} s  " + "  ".join(f"{name} {count}" for name, count in counts.items()))
        if took > seconds + LAST_PASS:
            failed += [f"{name}.late" for name in WORKS]
            break
    return counts, [f"the guest failed: {name}: {last_words(guest, name)}" for name in failed]


def linux_complaints(guest, counts, delta, warned):
    found = [f"the guest never did once: {name}" for name, count in counts.items() if count == 0]
    found += [f"the guest's core {core} had no more interrupts" for core in range(CORES)
              if not any(counts[core] for counts in delta.values())]
    found += [f"{name}: no more interrupts" for name, counts in delta.items()
              if name.startswith("virtio") and name != "virtio0" and sum(counts) == 0]
    now = warnings(guest)
    found += [f"the kernel says: {line}" for line in now if line not in warned or re.search(ALARMING, line)]
    for what in ("rx_errors", "tx_errors"):
        if succeed(guest, f"cat /sys/class/net/e*/statistics/{what}", ANSWER) != "0":
            found.append(f"the guest's card: {what}")
    return found


def print_table(state, counts, delta):
    say(f"\n{'work in the guest':<24}{'times':>12}")
    for name, count in counts.items():
        say(f"{name:<24}{count:>12,}")
    say(f"\n{'device of the board':<24}{'requests':>12}{'interrupts':>12}{'errors':>8}{'time-outs':>10}"
        f"{'in flight':>11}{'free':>14}")
    for name, device in state["board"].items():
        counters, queues = device["counters"], device["queues"]
        say(f"{name:<24}{counters['requests']:>12,}{counters['interrupts']:>12,}{counters['errors']:>8}"
            f"{counters['timeouts']:>10}{'+'.join(str(queue['in_flight']) for queue in queues):>11}"
            f"{'+'.join(str(queue['free_count']) for queue in queues):>14}")
    say(f"\n{'interrupts in the guest':<24}" + "".join(f"{f'core {core}':>12}" for core in range(CORES)))
    for name, by_core in delta.items():
        if any(by_core):
            say(f"{name:<24}" + "".join(f"{count:>12,}" for count in by_core))
    say(f"\npage tables used: {state['tables']}")


def soak(guest, monitor, seconds, port):
    """Returns what is wrong."""
    log_in(guest)
    succeed(guest, "dmesg --console-level emerg; systemctl is-system-running --wait", ANSWER)
    bivy = Bivy(monitor, int(re.search(r"kept \d+ KiB at (\w+)", guest.log)[1], 16))
    before, warned, began = bivy.idle_state(), warnings(guest), interrupts(guest)
    said = len(guest.log)
    counts, found = work(guest, seconds, port)
    delta = grown(began, interrupts(guest))
    found += linux_complaints(guest, counts, delta, warned)
    state = bivy.idle_state()
    found += complaints(state) + growth(before, state) + re.findall(r"bivy: [^\r\n]*", guest.log[said:])
    print_table(state, counts, delta)
    succeed(guest, "rm /var/tmp/soak", ANSWER)
    guest.send("poweroff\r")
    if guest.ends(ANSWER) != 0:
        found.append("QEMU ended with an error")
    assert_clean(DISK)
    return found


def main():
    seconds, port = int(sys.argv[1]), free_port()
    prepare()
    say(f"the guest works for {seconds} s; what it says is in {os.path.relpath(LOG)}")
    with Monitor() as monitor, subprocess.Popen(
            ["iperf3", "-s", "-B", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL) as server:
        try:
            with start(monitor) as guest, open(LOG, "w", encoding="utf-8") as log:
                guest.child.logfile_read = log
                found = soak(guest, monitor, seconds, port)
        finally:
            server.terminate()
    for complaint in found:
        say(f"make soak: {complaint}")
    say(f"{len(found)} complaints" if found else "no complaints")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
