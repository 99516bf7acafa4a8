# SPDX-License-Identifier: BSD-2-Clause
"""Firmware as the guest: U-Boot and UEFI, in flash, with what they boot from a disk and what they keep there."""

import re
import shutil

import pytest

import machine
from machine import ANSWER, BOOT, PROMPT, Machine, built

UBOOT = "=> "
GRUB = "grub> "
SHELL = "Shell> "
VARIABLE = "setvar marker -guid 12345678-1234-1234-1234-123456789abc"
# Tests of U-Boot's that count what happens in some milliseconds, which a busy host has not.
TIMING = {"task priority levels", "event services", "watchdog timer", "watchdog reboot"}


def make_disk(tmp_path_factory, guest):
    folder = tmp_path_factory.mktemp(guest)
    answer = machine.run(f"guest-config/{guest}/disk", str(folder))
    assert answer.returncode == 0, answer.stdout
    return folder / "disk.img"


@pytest.fixture(scope="module", name="u_boot_disk")
def fixture_u_boot_disk(tmp_path_factory):
    return make_disk(tmp_path_factory, "u-boot")


@pytest.fixture(scope="module", name="uefi_disk")
def fixture_uefi_disk(tmp_path_factory):
    return make_disk(tmp_path_factory, "uefi")


def start(guest, disk):
    return Machine("-global", "virtio-mmio.force-legacy=false", "-drive", f"if=none,id=disk,format=raw,file={disk}",
                   "-device", "virtio-blk-device,drive=disk", "-netdev", "user,id=net",
                   "-device", "virtio-net-device,netdev=net", "-device", "virtio-rng-device",
                   cpus=2, mem="256M", bundle=built("guests", guest, "guest.itb"))


def stop_autoboot(guest):
    guest.expect("Hit any key to stop autoboot")
    guest.send(" ")
    guest.expect(UBOOT)


def linux_runs(guest):
    guest.expect(PROMPT, BOOT)
    assert "bug in bivy" not in guest.log
    assert guest.command("nproc").strip() == "2"
    guest.send("poweroff\r")
    assert guest.ends(ANSWER) == 0


def test_u_boot_boots_linux(u_boot_disk, tmp_path):
    """With nobody at the keyboard: extlinux.conf on the disk."""
    with start("u-boot", shutil.copy(u_boot_disk, tmp_path)) as guest:
        guest.expect("Retrieving file: /kernel", BOOT)
        linux_runs(guest)


def test_u_boot_devices(u_boot_disk, tmp_path):
    """Its view of disk and flash; saveenv lasts over a reset, and a power-off in the middle of nothing."""
    disk = shutil.copy(u_boot_disk, tmp_path)
    with start("u-boot", disk) as guest:
        stop_autoboot(guest)
        assert "bad CRC" in guest.log
        guest.command("virtio scan", UBOOT)
        assert "bivy VirtIO Block Device" in guest.command("virtio info", UBOOT)
        flash = guest.command("flinfo", UBOOT)
        assert flash.count("CFI conformant flash") == 2
        assert "Manufacturer ID: 0x89, Device ID: 0x0018" in flash
        assert "OK" in guest.command("setenv marker kept; saveenv", UBOOT)
        guest.send("reset\r")
        guest.expect("bivy: the guest starts again")
        stop_autoboot(guest)
        assert guest.command("echo $marker", UBOOT).strip() == "kept"
        # By hand, since U-Boot programs only what is erased: bits fall, and never rise.
        guest.command("erase 0x040c0000 0x040dffff", UBOOT)
        for value in ("0xff0fff0f", "0x0fff0fff"):
            guest.command(f"mw.l 0x040c0000 0x00400040; mw.l 0x040c0000 {value}; "
                          "while itest.l *0x040c0000 != 0x00800080; do true; done; mw.l 0x040c0000 0x00ff00ff", UBOOT)
        assert "040c0000: 0f0f0f0f" in guest.command("md.l 0x040c0000 1", UBOOT)
    with start("u-boot", disk) as guest:
        stop_autoboot(guest)
        assert guest.command("echo $marker", UBOOT).strip() == "kept"
        assert "040c0000: 0f0f0f0f" in guest.command("md.l 0x040c0000 1", UBOOT)


def selftest(guest):
    """Names of the tests of U-Boot's own that failed."""
    guest.send("bootefi selftest\r")
    text = guest.expect(r"Summary: (\d+) failures", BOOT)
    count = int(guest.match())
    failed = set(re.findall(r"(?:Executing|Setting up|Tearing down) '([^']*)' failed", text))
    assert len(failed) == count, text
    guest.expect("Press any key")
    guest.send(" ")
    return failed


def test_u_boot_selftest(u_boot_disk, tmp_path):
    with start("u-boot", shutil.copy(u_boot_disk, tmp_path)) as guest:
        for _ in range(3):
            stop_autoboot(guest)
            failed = selftest(guest)
            assert failed <= TIMING
            if not failed:
                return
        pytest.fail(f"failed each time: {failed}")


def test_uefi_boots_grub_and_linux(uefi_disk, tmp_path):
    with start("uefi", shutil.copy(uefi_disk, tmp_path)) as guest:
        guest.expect("GNU GRUB", BOOT)
        guest.expect("EFI stub: Booting Linux Kernel", BOOT)
        linux_runs(guest)
        assert "efi: EFI v2.70 by EDK II" in guest.log
        assert "rtc-efi rtc-efi.0: setting system clock" in guest.log


def enter_shell(guest):
    guest.expect("Press enter to boot", BOOT)
    guest.send("c")
    guest.expect(GRUB)
    guest.send("exit\r")
    guest.expect("Move Highlight")
    for _ in ("Device Manager", "Boot Manager"):
        guest.send("\x1b[B")
        guest.expect("This selection")
    guest.send("\r")
    guest.expect("Boot Manager Menu")
    guest.expect("Device Path")
    guest.send("\x1b[A")  # the last entry
    guest.expect(r"Fv\(")
    guest.send("\r")
    guest.expect("Press ESC|seconds to skip", BOOT)
    guest.send("\x1b")
    guest.expect(SHELL)


def test_uefi_variable_survives_power_off(uefi_disk, tmp_path):
    """Set in the EFI shell, read again by a machine that was started anew."""
    disk = shutil.copy(uefi_disk, tmp_path)
    for value in (None, "kept"):
        with start("uefi", disk) as guest:
            enter_shell(guest)
            answer = guest.command(VARIABLE, SHELL)
            assert ("6B 00 65 00 70 00" in answer) == (value is not None), answer
            assert re.search(r"\b20\d\d", guest.command("date", SHELL))
            guest.command(f'{VARIABLE} -nv -bs =L"kept"', SHELL)
            guest.send("reset -s\r")
            assert guest.ends() == 0
