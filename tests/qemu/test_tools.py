# SPDX-License-Identifier: BSD-2-Clause
"""What a user types, and what comes back: make, tools/run, tools/mkbundle, tools/checkguest, gdb."""

import json
import os
import re
import shutil
import subprocess

import pexpect
import pytest

import machine
from machine import ANSWER, BOOT, BUILD, TOP, Machine, built

TRAPS = built("payload", "traps.bin")
BUNDLE = built("payload", "traps.itb")
VIRT = "guest-config/virt.dtsi"


one_worker = pytest.mark.xdist_group("tree")


def make(*arguments, folder=TOP, **options):
    # Not a part of the make that runs the tests: its options and its job server are its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=folder, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={**environment, **options})


# What a guest.dts has in it from line 4 on, what is on the screen: line of the .dts, and the rest
MISTAKES = {
    "over RAM": ("""/ { virtio_mmio@40001000 {
		compatible = "virtio,mmio"; interrupts = <SPI 3 EDGE>;
		reg = <0 0x40001000 0 0x200>; }; };""", 4, "/virtio_mmio@40001000 at .* overlaps the memory at"),
    "over a window": ("""/ { virtio_mmio@9000200 {
		compatible = "virtio,mmio"; interrupts = <SPI 3 EDGE>;
		reg = <0 0x09000200 0 0x200>; }; };""", 4, "/virtio_mmio@9000200 at .* overlaps /pl011@9000000 at"),
    "over GICC": ("""/ { virtio_mmio@8010200 {
		compatible = "virtio,mmio"; interrupts = <SPI 3 EDGE>;
		reg = <0 0x08010200 0 0x200>; }; };""", 4, "/virtio_mmio@8010200 at .* overlaps the interrupt controller"),
    "INTID twice": ("""/ { virtio_mmio@a000200 {
		compatible = "virtio,mmio"; interrupts = <SPI 16 EDGE>;
		reg = <0 0x0a000200 0 0x200>; }; };""", 4, "/virtio_mmio@a000000 and /virtio_mmio@a000200 share SPI 16"),
    "unknown backend": ("""/ { virtio_mmio@a000000 {
		bivy,backend = "cloud"; }; };""", 5, "/virtio_mmio@a000000: bivy,backend: there is no such backend"),
    "unknown device": ("""/ { virtio_mmio@a000000 {

		bivy,virtio = "teapot"; }; };""", 6, "/virtio_mmio@a000000: bivy,virtio: there is no such"),
    "misspelt": ("""/ { virtio_mmio@a000000 {
		bivy,vritio = "console"; }; };""", 5, "/virtio_mmio@a000000: bivy,vritio: bivy has no such property"),
    "unaligned device": ("""/ { virtio_mmio@a000100 {
		compatible = "virtio,mmio"; interrupts = <SPI 3 EDGE>;
		reg = <0 0x0a000100 0 0x200>; }; };""", 6, "/virtio_mmio@a000100: reg: .* at a multiple"),
    "unaligned memory": ("""/ { memory@40000000 {
		reg = <0 0x40001000 0 0>; }; };""", 5, "/memory@40000000: reg: .*not a multiple of 2 MiB"),
    "no GIC": ('&gic { status = "disabled"; };', None, "/: .*has no interrupt controller"),
    "too much memory": ("""/ { memory@40000000 {
		reg = <0 0x40000000 0 0x80000000>; }; };""", 4, "/memory@40000000: .*wants 0x80000000 bytes of memory"),
    "a CPU too many": ("""/ { cpus {
		cpu@7 { device_type = "cpu"; reg = <7>; }; }; };""", 4, "/cpus: .*names CPU 0x7"),
    "syntax": ('/ { chosen { bootargs = "x" }; };', 4, "syntax error"),
    "unknown label": ('&nothing { status = "disabled"; };', 4, "nothing not found"),
    "wrong cells": ("""/ { toy@1000 { compatible = "a,toy";
		reg = <0 0x1000 0>; }; };""", 5, "/toy@1000:reg: property has invalid length"),
}


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return machine.board_tree(tmp_path_factory.mktemp("board"))


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_in_the_tree(name, board, tmp_path):
    """The message names file, line and node."""
    text, line, sentence = MISTAKES[name]
    dts = tmp_path / "guest.dts"
    dts.write_text('/dts-v1/;\n#include "virt.dtsi"\n\n' + text + "\n")
    answer = machine.run("tools/checkguest", str(dts), "--board", board)
    place = f"{dts}:{line}" if line else VIRT + r":\d+"
    assert answer.returncode == 1
    assert re.search(rf"{place}\b.*{sentence}", answer.stdout), answer.stdout
    # And without a board where it does not matter: by mkbundle.
    output = tmp_path / "guest.itb"
    answer = machine.run("tools/mkbundle", "--kernel", TRAPS, "--dts", str(dts), "--board", board, "-o", str(output))
    assert answer.returncode == 1 and re.search(sentence, answer.stdout), answer.stdout
    assert not output.exists() and not os.path.exists(f"{output}.new")


def test_bundle_options(tmp_path):
    """mkbundle's own mistakes are told; what it makes twice is the same twice."""
    dts = "tests/payload/guest.dts"
    output = str(tmp_path / "a.itb")

    def mkbundle(*options):
        return machine.run("tools/mkbundle", "-o", output, *options)

    for options, sentence in {
        ("--dts", dts): "required: --kernel",
        ("--kernel", "/nowhere", "--dts", dts): "can't read /nowhere: No such file",
        ("--kernel", "/dev/null", "--dts", dts): "/dev/null is empty",
        ("--kernel", TRAPS, "--dts", "/nowhere"): "can't read /nowhere: No such file",
        ("--kernel", TRAPS, "--dts", dts, "--initrd", "/nowhere"): "can't read /nowhere",
        ("--kernel", TRAPS, "--dts", dts, "--load", "here"): "here is not an address",
        ("--kernel", TRAPS, "--dts", dts, "--load", "0x10000000"): "are not in the guest's RAM",
        ("--kernel", TRAPS, "--dts", dts, "--bootargs", "x" * 1024): "up to 1023 printable",
        ("--kernel", TRAPS, "--dts", dts, "--wrong"): "unrecognized arguments: --wrong",
    }.items():
        answer = mkbundle(*options)
        assert answer.returncode == 1 and sentence in answer.stdout and "Traceback" not in answer.stdout, answer.stdout
        assert not os.path.exists(output)
    made = []
    for _ in range(2):
        assert mkbundle("--kernel", TRAPS, "--dts", dts).returncode == 0
        with open(output, "rb") as file:
            made.append(file.read())
    assert made[0] == made[1]


RUNS = {
    "GUEST=nonsense": "There is no guest-config/nonsense/guest.dts; the guests are: .*debian",
    "CPUS=9": "CPUS=9 is not a number from 1 to 8",
    "CPUS=0": "CPUS=0 is not a number from 1 to 8",
    "CPUS=many": "CPUS=many is not a number from 1 to 8",
    "MEM=10M": "MEM=10M is out of range; bivy runs with 64M to 3G",
    "MEM=4G": "MEM=4G is out of range",
    "MEM=lots": "MEM=lots is not a size such as 512M",
    "BUNDLE=/nowhere.itb": "can't read the bundle /nowhere.itb",
    "BUNDLE=/tmp": "can't read the bundle /tmp",
    "BUNDLE=README.md": "README.md: the guest bundle does not begin as device trees do",
    "QEMUFLAGS=-machine virtualization=off": "the board's device tree: /intc.*GICH",
    "QEMUFLAGS=-machine gic-version=3": "the board's device tree: .*has no GICv2",
    "QEMUFLAGS=-nonsense": "-nonsense: invalid option",
}


@pytest.mark.parametrize("argument", RUNS)
def test_make_run_with_a_mistake(argument):
    bundle = [] if argument.startswith(("GUEST", "BUNDLE")) else [f"BUNDLE={BUNDLE}"]
    answer = make("run", f"BUILD={BUILD}", *bundle, argument)
    assert answer.returncode != 0
    assert re.search(RUNS[argument], answer.stdout), answer.stdout
    assert "Traceback" not in answer.stdout


def test_help():
    answer = make("help")
    for target in ("make ", "make run", "make debug", "make check", "make test", "make clean", "make bench"):
        assert re.search(rf"^{target}\s", answer.stdout, re.MULTILINE), target
    for variable in ("GUEST", "CPUS", "MEM", "BUNDLE", "QEMUFLAGS"):
        assert variable in answer.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the project, without what was built but with the libraries' sources, and its first make -j4."""
    folder = tmp_path_factory.mktemp("project") / "bivy"
    shutil.copytree(TOP, folder, symlinks=True,
                    ignore=lambda path, names: [".git", "build"] if path == TOP else ["__pycache__"])
    os.mkdir(folder / "build")
    for name in os.listdir(BUILD):
        if name.endswith("-src"):
            shutil.copytree(built(name), folder / "build" / name)
        elif name.startswith(".deps-"):
            shutil.copy2(built(name), folder / "build" / name)
    answer = make("-j4", folder=folder)
    assert answer.returncode == 0, answer.stdout
    return folder


def steps(folder):
    """What make does: the kind and the name's end of each step."""
    answer = make(folder=folder)
    assert answer.returncode == 0, answer.stdout
    return {tuple(line.split()) for line in answer.stdout.splitlines() if line.startswith("  ")}


LINK = {("LD", "build/bivy.elf"), ("OBJCOPY", "build/bivy.bin")}


@one_worker
def test_incremental_build(tree):
    """Each change makes what depends on it, and nothing else."""
    assert steps(tree) == set()
    (tree / "hyp/crc32.c").touch()
    assert steps(tree) == {("CC", "hyp/crc32.c")} | LINK
    (tree / "hyp/fit.h").touch()
    users = {("CC", f"hyp/{name}.c") for name in ("backends", "fit", "kernel", "vm")}
    assert steps(tree) == users | LINK
    (tree / "linker/bivy.ld.S").touch()
    assert steps(tree) == LINK
    (tree / "README.md").touch()
    assert steps(tree) == set()
    (tree / "hyp/new.c").write_text("extern int new;\n")
    assert steps(tree) == {("CC", "hyp/new.c")} | LINK
    assert "hyp/new.c" in (tree / "compile_commands.json").read_text()
    (tree / "hyp/new.c").unlink()
    assert steps(tree) == LINK
    assert "hyp/new.c" not in (tree / "compile_commands.json").read_text()
    assert steps(tree) == set()
    with open(tree / "build/bivy.bin", "rb") as one, open(built("bivy.bin"), "rb") as other:
        assert one.read() == other.read(), "the same sources make another image"


@one_worker
def test_compile_commands(tree):
    """Valid JSON, and each command compiles its file."""
    entries = json.loads((tree / "compile_commands.json").read_text())
    assert {entry["file"] for entry in entries} > {"boot/early.c", "hyp/main.c", "drivers/emul/pl011.c"}
    for entry in entries:
        assert entry["directory"] == str(tree)
        subprocess.run(entry["command"] + " -fsyntax-only", shell=True, check=True, cwd=entry["directory"])
    if shutil.which("clang"):
        for entry in entries:
            if entry["file"].endswith(".c"):
                command = entry["command"].replace("arm-none-eabi-gcc", "clang --target=arm-none-eabi", 1)
                subprocess.run(command + " -fsyntax-only -w", shell=True, check=True, cwd=tree)


@one_worker
def test_another_guest(tree):
    """A guest is made by adding a folder, nothing else."""
    folder = tree / "guest-config/toy"
    folder.mkdir()
    shutil.copy(TRAPS, folder / "kernel")
    (folder / "guest.dts").write_text('/dts-v1/;\n#include "virt.dtsi"\n')
    answer = make("guest", "GUEST=toy", folder=folder.parent.parent)
    assert answer.returncode == 0, answer.stdout
    with Machine(bundle=str(tree / "build/guests/toy/guest.itb")) as m:
        machine.verdict(m)
    assert "made" not in make("guest", "GUEST=toy", folder=tree).stdout
    # A mistake in it has its line.
    (folder / "guest.dts").write_text('/dts-v1/;\n#include "virt.dtsi"\n/ {\n\tbivy,rest = "restart";\n};\n')
    answer = make("run", "GUEST=toy", folder=tree)
    assert answer.returncode != 0
    assert "guest-config/toy/guest.dts:4: /: bivy,rest: bivy has no such property" in answer.stdout, answer.stdout


@one_worker
def test_clean(tree):
    assert make("clean", folder=tree).returncode == 0
    assert not (tree / "build").exists() and not (tree / "compile_commands.json").exists()


def test_debug():
    """make debug: gdb with bivy's symbols and the kernel's, on bivy and on the guest."""
    port = 20000 + os.getpid() % 20000
    gdb = pexpect.spawn("make", ["debug", f"BUILD={os.path.relpath(BUILD, TOP)}", f"GDB_PORT={port}", "CPUS=1"],
                        cwd=TOP, timeout=ANSWER, encoding="latin-1", echo=False,
                        env={**{name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
                             "TERM": "dumb"})

    def command(line, answer):
        gdb.expect(r"\(gdb\) ")
        gdb.send(line + "\r")
        gdb.expect(answer, timeout=BOOT)

    try:
        command("hbreak hyp_main", r"hyp/main\.c, line \d+")
        command("continue", r"hyp_main \(\)[^\n]* at hyp/main\.c:\d+")
        command("hbreak start_kernel", "Hardware assisted breakpoint")
        command("continue", r"in start_kernel \(\)")
        command("hbreak trap_hvc", r"hyp/psci\.c, line \d+")
        command("continue", r"trap_hvc \(regs=[^)]*\)[^\n]*\n?[^\n]*hyp/psci\.c:\d+")
        command("backtrace", r"trap_vector \(\) at hyp/vectors\.S")
        command("print vm.config.reset", "RESET_RESTART")
        gdb.expect(r"\(gdb\) ")
        gdb.send("quit\r")
        gdb.expect(pexpect.EOF)
    finally:
        gdb.close(force=True)
