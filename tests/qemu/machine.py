# SPDX-License-Identifier: BSD-2-Clause
"""Starting QEMU with bivy, or with a payload alone, and talking to its serial port."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile

import pexpect

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
BIVY = os.path.join(BUILD, "bivy.bin")
PROMPT = "root@debian:~# \x1b\\[6n"
# For one answer, and for a whole boot: generous, the machine may be busy.
ANSWER = 60
BOOT = 300


def built(*names):
    return os.path.join(BUILD, *names)


def run(*command, **options):
    """A tool of this tree, from its top, with everything that it says."""
    environment = {**os.environ, "BUILD": os.path.relpath(BUILD, TOP), **options.pop("env", {})}
    return subprocess.run(command, cwd=TOP, check=False, text=True, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


class Machine:
    """One QEMU. Leaving the `with` block ends it."""

    def __init__(self, *options, machine="virt,virtualization=on", cpu="cortex-a15", cpus=1,
                 mem="128M", kernel=BIVY, bundle=None, timeout=ANSWER):
        command = ["-M", machine, "-cpu", cpu, "-smp", str(cpus), "-m", mem, "-nic", "none",
                   "-display", "none", "-monitor", "none", "-chardev", "stdio,id=uart,signal=off", "-serial", "chardev:uart"]
        if kernel:
            command += ["-kernel", kernel]
        if bundle:
            command += ["-initrd", bundle]
        self.spawn("qemu-system-arm", [*command, *options], timeout, QEMU_AUDIO_DRV="none")

    def spawn(self, program, options, timeout, **environment):
        """What ends up as QEMU, with our end of its serial port."""
        self.child = pexpect.spawn(program, options, timeout=timeout, encoding="latin-1", echo=False, cwd=TOP,
                                   env={**os.environ, **environment})
        self.child.delaybeforesend = None
        self.log = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # On a busy host its end takes longer than close() waits.
        if self.child.isalive():
            self.child.kill(signal.SIGKILL)
            self.child.wait()
        self.child.close(force=True)

    def expect(self, pattern, timeout=-1):
        """Waits for the pattern; returns what came before it. Ends the test with the output."""
        try:
            self.child.expect(pattern, timeout=timeout)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            self.log += str(self.child.before)
            raise AssertionError(f"{pattern!r} did not come ({type(error).__name__}); the output:\n"
                                 f"{self.log[-2000:]}") from None
        self.log += self.child.before + self.child.after
        return self.child.before

    def match(self, group=1):
        return self.child.match.group(group)

    def send(self, text):
        self.child.send(text)

    def command(self, line, prompt=PROMPT, timeout=-1):
        """A shell command; returns what it printed."""
        self.send(line + "\r")
        answer = self.expect(prompt, timeout)
        assert "bug in bivy" not in answer, answer
        answer = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", answer.replace("\r", ""))
        # What Linux says on its console when the host is busy.
        answer = re.sub(r"\[ *[0-9.]+\] hrtimer: interrupt took \d+ ns\n", "", answer)
        return answer.split("\n", 1)[-1]

    def ends(self, timeout=-1):
        """Waits until QEMU has ended; returns its exit status."""
        try:
            self.child.expect(pexpect.EOF, timeout=timeout)
        except pexpect.TIMEOUT:
            self.log += str(self.child.before)
            raise AssertionError("QEMU did not end; the output:\n" + self.log[-2000:]) from None
        self.log += self.child.before
        self.child.close()
        return self.child.exitstatus


class Run(Machine):
    """The same by way of tools/run, as a user has it."""

    def __init__(self, *options, **environment):  # pylint: disable=super-init-not-called
        self.spawn(os.path.join(TOP, "tools", "run"), list(options), ANSWER,
                   BUILD=os.path.relpath(BUILD, TOP), **environment)


def tree_of(board, folder, cpus, mem):
    """The path of the device tree of a board of tools/boards."""
    path = os.path.join(str(folder), board + ".dtb")
    made = run("tools/board-tree", board, path, str(cpus), mem)
    assert made.returncode == 0, made.stdout
    return path


class Monitor:
    """
    QEMU's monitor, machine-readable. QEMU gets the options and connects to us, so that nobody has to try
    until the other is there.
    """

    def __init__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        path = os.path.join(self.folder.name, "monitor")  # a socket's path may not be long
        self.listener.bind(path)
        self.listener.listen()
        self.listener.settimeout(ANSWER)
        self.options = ["-chardev", f"socket,id=monitor,path={path}", "-mon", "chardev=monitor,mode=control"]
        self.stream = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.stream:
            self.stream.close()
        self.listener.close()
        self.folder.cleanup()

    def execute(self, command, **arguments):
        """Returns what QEMU answers."""
        if not self.stream:
            connection = self.listener.accept()[0]
            connection.settimeout(BOOT)
            self.stream = connection.makefile("rw")
            self.execute("qmp_capabilities")
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        return self.wait("return")["return"]

    def wait(self, key, value=None):
        """Until QEMU says something with the key, and with that value if one is given; returns it."""
        for line in self.stream:
            said = json.loads(line)
            assert "error" not in said, said
            if key in said and value in (None, said[key]):
                return said
        raise AssertionError(f"QEMU ended before it said {value or key}")


def board_tree(folder, machine="virt,virtualization=on", cpus=4, mem="128M"):
    """The path of the device tree that QEMU makes for a board, in the folder."""
    path = os.path.join(str(folder), "board.dtb")
    subprocess.run(["qemu-system-arm", "-M", f"{machine},dumpdtb={path}", "-cpu", "cortex-a15", "-smp", str(cpus),
                    "-m", mem, "-nic", "none", "-display", "none"], check=True, stderr=subprocess.DEVNULL)
    return path


def payload(name, cpus=1, native=False, suffix="", options=(), cpu="cortex-a15"):
    """A machine with a payload of tests/payload; options are QEMU's."""
    if native:
        return Machine(*options, machine="virt", cpus=cpus, kernel=built("payload", name + ".bin"))
    return Machine(*options, cpus=cpus, cpu=cpu, bundle=built("payload", f"{name}{suffix}.itb"))


def verdict(machine, timeout=-1):
    """Reads a payload's answers to its end; every one must be ok."""
    machine.expect(r"done (\d+) ok, (\d+) failed\r", timeout)
    passed, failed = int(machine.match(1)), int(machine.match(2))
    bad = re.findall(r"^FAIL .*?$", machine.log, re.MULTILINE)
    assert not bad and failed == 0, "\n".join(line.strip() for line in bad)
    assert passed > 0
    assert machine.ends() == 0
    assert "bug in bivy" not in machine.log, machine.log[-2000:]
