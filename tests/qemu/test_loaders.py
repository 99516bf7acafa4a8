# SPDX-License-Identifier: BSD-2-Clause
"""The ways into bivy (U-Boot's bootz and bootm, at any address) and into the guest (each kind of kernel)."""

import lzma
import subprocess

import pytest

import machine
from machine import ANSWER, BIVY, BOOT, PROMPT, Machine, built

UBOOT = "/usr/lib/u-boot/qemu_arm/u-boot.bin"
TRAPS = built("payload", "traps.itb")
BUNDLE_AT = 0x48000000
FIT = """/dts-v1/;
/ {
	description = "bivy and a guest";
	#address-cells = <1>;
	images {
		bivy {
			data = /incbin/("%(bivy)s");
			type = "kernel"; arch = "arm"; os = "linux"; compression = "none";
			load = <0x46000000>; entry = <0x46000000>;
			hash-1 { algo = "sha256"; };
		};
		guest {
			data = /incbin/("%(bundle)s");
			type = "ramdisk"; arch = "arm"; os = "linux"; compression = "none";
			hash-1 { algo = "sha256"; };
		};
	};
	configurations { default = "bivy"; bivy { kernel = "bivy"; ramdisk = "guest"; }; };
};
"""


def mkimage(*arguments):
    subprocess.run(["mkimage", *arguments], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The bundle as U-Boot's RAM disk, which it hands over as it is, and a FIT of both."""
    folder = tmp_path_factory.mktemp("uboot")
    mkimage("-A", "arm", "-O", "linux", "-T", "ramdisk", "-C", "none", "-d", TRAPS, str(folder / "guest.uimg"))
    (folder / "boot.its").write_text(FIT % {"bivy": BIVY, "bundle": TRAPS})
    mkimage("-f", str(folder / "boot.its"), str(folder / "boot.itb"))
    return folder


def uboot(parts, *commands):
    """U-Boot at its prompt with files in memory, and what is typed there. parts: {address: file}"""
    options = ["-bios", UBOOT]
    for address, path in parts.items():
        options += ["-device", f"loader,file={path},addr={address:#x},force-raw=on"]
    m = Machine(*options, machine="virt,virtualization=on,highmem=off", cpus=2, mem="256M", kernel=None)
    m.expect("stop autoboot")
    m.send(" ")
    for command in commands:
        m.expect("=> ")
        m.send(command + "\r")
    return m


def all_is_told(m):
    """One line each: what board, what was kept, what the guest gets."""
    machine.verdict(m)
    lines = [line.strip() for line in m.log.splitlines() if line.startswith("bivy: ")]
    assert len(lines) == 3, lines
    assert lines[0] == "bivy: on linux,dummy-virt, 2 cores, RAM 256 MiB at 40000000"
    assert lines[1].startswith("bivy: kept 1024 KiB at 4ff00000 for itself")
    assert lines[2].startswith("bivy: the guest gets 2 cores, RAM 255 MiB at 40000000, 3 devices")


# Aligned to a page, to a word only, and behind the bundle.
@pytest.mark.parametrize("address", [0x44000000, 0x41234004, 0x4c000800])
def test_bootz(address, files):
    """Position independence: bivy runs wherever it was put."""
    command = f"bootz {address:#x} {BUNDLE_AT:#x} $fdtcontroladdr"
    with uboot({address: BIVY, BUNDLE_AT: files / "guest.uimg"}, command) as m:
        all_is_told(m)


def test_bootm(files):
    with uboot({0x44000000: files / "boot.itb"}, "bootm 0x44000000#bivy 0x44000000#bivy $fdtcontroladdr") as m:
        all_is_told(m)


@pytest.mark.parametrize("distance,overlaps", [(0x20000, True), (0x40000, True), (0x100000, False)])
def test_bundle_beside_bivy(distance, overlaps, files):
    """Where the bundle would be overwritten before it is read, that is said; right behind, it is fine."""
    parts = {0x44000000: BIVY, 0x44000000 + distance: files / "guest.uimg"}
    command = f"bootz 0x44000000 {0x44000000 + distance:#x} $fdtcontroladdr"
    with uboot(parts, "setenv initrd_high 0xffffffff", command) as m:
        if overlaps:
            m.expect("bivy: the guest bundle overlaps bivy")
            m.expect("bivy: stopped")
        else:
            all_is_told(m)


def mkbundle(output, *options):
    answer = machine.run("tools/mkbundle", *options, "-o", str(output))
    assert answer.returncode == 0, answer.stdout
    return str(output)


def raw_image(folder):
    """What is inside of Debian's zImage."""
    with open(built("guests", "debian", "kernel"), "rb") as file:
        kernel = file.read()
    start = kernel.find(b"\xfd7zXZ\0")
    while True:  # the decompressor has the magic, too
        try:
            image = lzma.LZMADecompressor().decompress(kernel[start:])
            break
        except lzma.LZMAError:
            start = kernel.find(b"\xfd7zXZ\0", start + 1)
    path = folder / "Image"
    path.write_bytes(image)
    return str(path)


# Two of four cores, which have to be the first and the last.
CORES = """/dts-v1/;
#include "virt.dtsi"
/ {
	chosen { bootargs = "console=ttyAMA0 earlycon"; };
	cpus {
		cpu@0 { device_type = "cpu"; compatible = "arm,cortex-a15"; reg = <0>; };
		cpu@3 { device_type = "cpu"; compatible = "arm,cortex-a15"; reg = <3>; };
	};
};
"""


@pytest.mark.parametrize("kind", ["raw", "uimage"])
def test_debian_as(kind, tmp_path):
    """Debian's kernel unpacked, at the place where it runs, and as a uImage that says so itself."""
    kernel, place = raw_image(tmp_path), ["--load", "0x40208000"]
    if kind == "uimage":
        mkimage("-A", "arm", "-O", "linux", "-T", "kernel", "-C", "none", "-a", "0x40208000", "-e", "0x40208000",
                "-d", kernel, str(tmp_path / "uImage"))
        kernel, place = str(tmp_path / "uImage"), []
    dts = tmp_path / "guest.dts"
    dts.write_text(CORES)
    bundle = mkbundle(tmp_path / "guest.itb", "--kernel", kernel, "--initrd", built("guests", "debian", "initrd"),
                      "--dts", str(dts), "--bootargs", "console=ttyAMA0 earlycon bivy.test=\"a b\"", *place)
    with Machine(bundle=bundle, cpus=4, mem="256M") as guest:
        guest.expect(PROMPT, BOOT)
        assert "the guest gets 2 cores" in guest.log
        assert 'bivy.test="a b"' in guest.command("cat /proc/cmdline")
        assert sorted(guest.command("ls -d /proc/device-tree/cpus/cpu@*").split())[-1].endswith("cpu@3")
        assert "mpidr 80000003" in guest.command("dmesg | grep mpidr")
        guest.send("poweroff\r")
        assert guest.ends(ANSWER) == 0


@pytest.mark.parametrize("kind", ["elf", "uimage", "zimage"])
def test_payload_as(kind, tmp_path):
    """A payload that says by itself where it goes, and one by its header, where QEMU would put it."""
    kernel = built("payload", "traps.elf" if kind == "elf" else "traps.bin")
    if kind == "uimage":
        mkimage("-A", "arm", "-O", "linux", "-T", "kernel", "-C", "none", "-a", "0x40010000", "-e", "0x40010000",
                "-d", kernel, str(tmp_path / "uImage"))
        kernel = str(tmp_path / "uImage")
    bundle = mkbundle(tmp_path / "guest.itb", "--kernel", kernel, "--dts", "tests/payload/guest.dts")
    with Machine(bundle=bundle) as m:
        machine.verdict(m)
