# SPDX-License-Identifier: BSD-2-Clause
"""Boards that U-Boot starts from the image of a card, as `make sdcard` makes it."""

import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import machine
from machine import ANSWER, BIVY, BOOT, PROMPT, Machine, built
from repository import fetch, output
from test_loaders import FIT, TRAPS, UBOOT, all_is_told, mkimage

BOARDS = sorted(os.listdir(os.path.join(machine.TOP, "tools", "boards")))
# Sectors, as the boot ROMs have them, with the U-Boot that goes there.
FIRMWARE = {
    "arndale": [(17, "exynos", "arndale/arndale-spl.bin"), (49, "exynos", "arndale/u-boot.bin")],
    "beagle-x15": [(256, "omap", "am57xx_evm/MLO"), (768, "omap", "am57xx_evm/u-boot.img")],
    "odroid-xu3": [(63, "exynos", "odroid-xu3/u-boot.bin")],
    "odroid-xu4": [(63, "exynos", "odroid-xu3/u-boot.bin")],
    "orangepi-pc": [(16, "sunxi", "orangepi_plus/u-boot-sunxi-with-spl.bin")],
}
# What the script does before it starts bivy, beside loading.
SPECIAL = {
    "arndale": "mw.l 0x101c0240 0x100",
    "beagle-x15": "fdt set /timer status okay",
    "jetson-tk1": "setenv bootm_boot_mode nonsec",
    "odroid-xu3": "mw.l 0x101c0240 0x100",
    "odroid-xu4": "mw.l 0x101c0240 0x100",
}
PASSED = "guest-config/passed-BOARD.dtsi"
PASSING = [board for board in BOARDS if os.path.exists(os.path.join(machine.TOP, PASSED.replace("BOARD", board)))]
# Where what Debian hasn't goes: sectors, exclusively.
FOREIGN = {"arndale": [(1, 17)], "odroid-xu3": [(1, 63), (2111, 2560)], "odroid-xu4": [(1, 63), (2111, 2560)]}
EXTLINUX = """default bivy
label bivy
    kernel /bivy.bin
    initrd /guest.img
"""


def facts(board):
    """The file of a board, as a shell reads it."""
    text = machine.run("sh", "-c", f". tools/boards/{board}; for f in name run dtb uboot modules; do "
                       'eval echo \\"$f=\\$$f\\"; done').stdout
    return dict(line.split("=", 1) for line in text.splitlines())


def mksdcard(board, folder, what="--bundle", path=TRAPS):
    image = folder / "card.img"
    answer = machine.run("tools/mksdcard", "--board", board, what, str(path), "-o", str(image))
    assert answer.returncode == 0, answer.stdout
    assert f"sudo dd if={image} of=/dev/sdX" in answer.stdout
    return image


@pytest.fixture(scope="module", name="card")
def fixture_card(tmp_path_factory):
    """A function: board to image, which is made once. The tests change copies of it."""
    return functools.lru_cache(None)(lambda board: mksdcard(board, tmp_path_factory.mktemp(board)))


def partitions(image):
    """Lines of sfdisk: start and size in sectors, type."""
    table = machine.run("/sbin/sfdisk", "--dump", str(image)).stdout
    return [(int(start), int(size), kind)
            for start, size, kind in re.findall(r"start= *(\d+), size= *(\d+), type=(\w+)", table)]


def in_card(image, *command):
    """An mtools command on the boot partition."""
    start = partitions(image)[0][0] * 512
    answer = subprocess.run([command[0], "-i", f"{image}@@{start}", *command[1:]], check=False, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert answer.returncode == 0, answer.stdout
    return answer.stdout


def is_clean(image, folder):
    start, size, _ = partitions(image)[0]
    part = folder / "part.vfat"
    with open(image, "rb") as card:
        card.seek(start * 512)
        part.write_bytes(card.read(size * 512))
    answer = machine.run("/sbin/fsck.vfat", "-n", str(part))
    return answer.returncode == 0 and "dirty" not in answer.stdout.lower()


@pytest.mark.parametrize("board", BOARDS)
def test_layout(board, card, tmp_path):
    """What the board's ROM and U-Boot look for is where they look, and nothing lies on anything else."""
    image = card(board)
    size = os.path.getsize(image)
    (start, length, kind), = partitions(image)
    assert kind == "c" and (start + length) * 512 <= size
    assert is_clean(image, tmp_path)
    files = ["bivy.bin", "boot.scr", "guest.img"] + (["board.dtb"] if facts(board)["dtb"] else [])
    names = re.findall(r"^::/(.*)$", in_card(image, "mdir", "-b"), re.MULTILINE)
    assert sorted(names) == sorted(files)
    in_card(image, "mcopy", "::", str(tmp_path))
    with open(BIVY, "rb") as bivy, open(TRAPS, "rb") as bundle:
        assert (tmp_path / "bivy.bin").read_bytes() == bivy.read()
        assert (tmp_path / "guest.img").read_bytes()[64:] == bundle.read()
    if "board.dtb" in files:
        assert (tmp_path / "board.dtb").read_bytes()[:4] == b"\xd0\x0d\xfe\xed"
    script = (tmp_path / "boot.scr").read_bytes()[72:].decode().splitlines()
    assert script[-1].startswith("bootz ") and SPECIAL.get(board, "setenv verify no") in script[:-1]
    firmware_is_there(image, board, start)
    if board in SPECIAL:  # bivy takes the tree as U-Boot will hand it over
        if "fdt set" in SPECIAL[board]:
            subprocess.run(["fdtput", "-t", "s", str(tmp_path / "board.dtb"), *SPECIAL[board].split()[2:]], check=True)
        answer = machine.run("tools/checkguest", "--board", str(tmp_path / "board.dtb"), "guest-config/debian/guest.dts")
        assert answer.returncode == 0, answer.stdout


def firmware_is_there(image, board, end):
    rows = FIRMWARE.get(board, [])
    assert len(facts(board)["uboot"].split()) == len(rows)
    for sector, package, name in rows:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", *fetch("u-boot-" + package)],
                              stdout=subprocess.PIPE) as archive:
            file = subprocess.run(["tar", "-xO", f"./usr/lib/u-boot/{name}"], stdin=archive.stdout,
                                  stdout=subprocess.PIPE, check=True).stdout
        with open(image, "rb") as card:
            card.seek(sector * 512)
            assert card.read(len(file)) == file
        last = sector + (len(file) + 511) // 512
        assert last <= end
        assert all(last <= first or sector >= past for first, past in FOREIGN.get(board, []))
    for _, past in FOREIGN.get(board, []):
        assert past <= end


def test_disk_of_the_guest(tmp_path):
    """It becomes the second partition, where its tree then looks for it; on a board without a driver it is refused."""
    folder = tmp_path / "debian-full"
    folder.mkdir()
    for file in ("kernel", "initrd"):
        shutil.copy(built("guests", "debian", file), folder)
    (folder / "disk.img").write_bytes(bytes(range(256)) * 8192)
    image = tmp_path / "card.img"
    answer = machine.run("tools/mksdcard", "--board", "virt", "--guest", str(folder), "-o", str(image))
    assert answer.returncode == 0, answer.stdout
    (_, _, boot), (start, size, kind) = partitions(image)
    assert (boot, kind, size) == ("c", "83", 4096)
    assert image.read_bytes()[start * 512:(start + size) * 512] == (folder / "disk.img").read_bytes()
    in_card(image, "mcopy", "::guest.img", str(tmp_path))
    assert b"virtio0:part2\0" in (tmp_path / "guest.img").read_bytes()
    facts_of = tmp_path / "tools" / "boards" / "virt"
    shutil.copytree(os.path.join(machine.TOP, "tools"), tmp_path / "tools")
    (tmp_path / "guest-config").symlink_to(os.path.join(machine.TOP, "guest-config"))
    facts_of.write_text(facts_of.read_text(encoding="ascii").replace("backend=virtio0", ""), encoding="ascii")
    answer = machine.run(str(tmp_path / "tools" / "mksdcard"), "--board", "virt", "--guest", str(folder), "-o", str(image))
    assert answer.returncode != 0 and "bivy has no driver for cards on virt" in answer.stdout


@pytest.mark.parametrize("board", PASSING)
def test_devices_of_the_board(board, card, tmp_path):
    """Debian's tree of the board has what its guest is to get, and all that this needs; without its clocks it isn't whole."""
    in_card(card(board), "mcopy", "::board.dtb", str(tmp_path))
    tree, dts = str(tmp_path / "board.dtb"), tmp_path / "guest.dts"
    if board == "orangepi-pc":  # U-Boot adds its RAM
        subprocess.run(["fdtput", "-p", "-t", "x", tree, "/memory", "reg", "40000000", "40000000"], check=True)
        subprocess.run(["fdtput", "-t", "s", tree, "/memory", "device_type", "memory"], check=True)
    if "fdt set" in SPECIAL.get(board, ""):
        subprocess.run(["fdtput", "-t", "s", tree, *SPECIAL[board].split()[2:]], check=True)
    passed = PASSED.replace("BOARD", board.replace("xu4", "xu3"))
    text = pathlib.Path(machine.TOP, passed).read_text(encoding="ascii")
    needed = re.search(r'"(/\S*(?:clock|crossbar)\S*)",', text)
    for includes, without, sentence in (("debian", "", ""), ("debian-full", needed[0], f"it needs {needed[1]}")):
        dropped = "/delete-node/ &disk; /delete-node/ &card; /delete-node/ &entropy;\n" if without else ""
        dts.write_text(f'#include "{includes}/guest.dts"\n{dropped}' + text.replace(without or "\0", ""))
        answer = machine.run("tools/checkguest", str(dts), "--board", tree)
        assert (answer.returncode == 0) == (not sentence) and sentence in answer.stdout, answer.stdout


def test_drivers_of_the_boards(tmp_path):
    """Debian's kernel package has the modules that the boards' cards want."""
    package = output("tools/fetch", "depends", "linux-image-armmp-lpae").split()[0]
    names = {name.replace("-", "_") for name in
             re.findall(r"/([^/\n]*)\.ko$", output("dpkg-deb", "--contents", *fetch(package)), re.MULTILINE)}
    for board in PASSING:
        wanted = facts(board)["modules"].replace("-", "_").split()
        assert wanted and set(wanted) <= names, board


def test_boards_are_listed():
    listed = machine.run("make", "-s", "boards").stdout
    for board in BOARDS:
        assert f"{board} " in listed and facts(board)["name"] in listed and facts(board)["run"] in listed


@pytest.mark.parametrize("what,sentence", [
    (["--board", "toaster", "--bundle", TRAPS, "-o", "x"], "there is no board toaster; the boards are:"),
    (["--board", "virt", "--bundle", "/nowhere", "-o", "x"], "can't read the bundle /nowhere"),
    (["--board", "virt", "--bundle", TRAPS], "--board and -o are needed"),
    (["--board", "virt", "--bundle", TRAPS, "--guest", "x", "-o", "x"], "--bundle and --guest are one too many"),
])
def test_mksdcard_refuses(what, sentence):
    answer = machine.run("tools/mksdcard", *what)
    assert answer.returncode != 0 and sentence in answer.stdout


def virt(image, mem="256M"):
    """U-Boot with the card as virtio disk; nothing is typed."""
    return Machine("-bios", UBOOT, "-drive", f"if=none,id=card,format=raw,file={image}",
                   "-device", "virtio-blk-device,drive=card",
                   machine="virt,virtualization=on,highmem=off", cpus=2, mem=mem, kernel=None)


def test_virt_by_script(card, tmp_path):
    image = shutil.copy(card("virt"), tmp_path)
    with virt(image) as m:
        m.expect("Found U-Boot script /boot.scr")
        all_is_told(m)
    assert is_clean(image, tmp_path)


def test_virt_by_extlinux(card, tmp_path):
    image = shutil.copy(card("virt"), tmp_path)
    (tmp_path / "extlinux.conf").write_text(EXTLINUX)
    in_card(image, "mdel", "::boot.scr")
    in_card(image, "mmd", "::extlinux")
    in_card(image, "mcopy", str(tmp_path / "extlinux.conf"), "::extlinux")
    with virt(image) as m:
        m.expect("Found /extlinux/extlinux.conf")
        all_is_told(m)


def test_virt_by_fit(card, tmp_path):
    """bivy and bundle in one FIT image, which the script names."""
    image = shutil.copy(card("virt"), tmp_path)
    (tmp_path / "boot.its").write_text(FIT % {"bivy": BIVY, "bundle": TRAPS})
    mkimage("-f", str(tmp_path / "boot.its"), str(tmp_path / "boot.itb"))
    (tmp_path / "boot.cmd").write_text(
        "load ${devtype} ${devnum}:${distro_bootpart} ${kernel_addr_r} boot.itb\n"
        "bootm ${kernel_addr_r}#bivy ${kernel_addr_r}#bivy ${fdtcontroladdr}\n")
    mkimage("-A", "arm", "-T", "script", "-C", "none", "-d", str(tmp_path / "boot.cmd"), str(tmp_path / "boot.scr"))
    in_card(image, "mdel", "::guest.img", "::bivy.bin")
    in_card(image, "mcopy", "-o", str(tmp_path / "boot.scr"), str(tmp_path / "boot.itb"), "::")
    with virt(image) as m:
        all_is_told(m)


def test_virt_with_corrupt_bundle(card, tmp_path):
    """A bit fell in the bundle's kernel: U-Boot hands over, and bivy finds it."""
    image = shutil.copy(card("virt"), tmp_path)
    in_card(image, "mcopy", "::guest.img", str(tmp_path))
    bundle = bytearray((tmp_path / "guest.img").read_bytes())
    bundle[len(bundle) // 2] ^= 1
    (tmp_path / "guest.img").write_bytes(bundle)
    in_card(image, "mcopy", "-o", str(tmp_path / "guest.img"), "::")
    with virt(image) as m:
        m.expect("the sha256 of image kernel does not match")
        m.expect("bivy: stopped")


@pytest.mark.parametrize("dts,cores", [("tests/payload/guest.dts", 2), (None, 3)])
def test_two_kinds_of_cores(dts, cores, tmp_path):
    """A guest stays on the boot core's kind, unless its tree says otherwise."""
    tree = machine.board_tree(tmp_path)
    for core in (1, 2):
        subprocess.run(["fdtput", "-t", "s", tree, f"/cpus/cpu@{core}", "compatible", "arm,cortex-a7"], check=True)
    if dts is None:
        dts = tmp_path / "guest.dts"
        nodes = "".join(f'cpu@{core} {{ device_type = "cpu"; compatible = "arm,armv7"; reg = <{core}>; }};\n'
                        for core in (0, 2, 3))
        dts.write_text('/dts-v1/;\n#include "virt.dtsi"\n/ { cpus { ' + nodes + "}; };\n")
    bundle = tmp_path / "guest.itb"
    answer = machine.run("tools/mkbundle", "--kernel", built("payload", "traps.bin"), "--dts", str(dts), "-o", str(bundle))
    assert answer.returncode == 0, answer.stdout
    with Machine("-dtb", tree, cpus=4, bundle=str(bundle)) as m:
        m.expect(f"bivy: the guest gets {cores} cores")
        machine.verdict(m)


def orangepi(image):
    os.truncate(image, 64 << 20)  # QEMU wants a power of two
    return Machine("-nic", "user", "-drive", f"if=sd,format=raw,file={image}", machine="orangepi-pc", cpu="cortex-a7",
                   cpus=4, mem="1G", kernel=None)


def test_orangepi_pc(tmp_path):
    """
    From the boot ROM's first sector to a Debian shell on 4 cores with the board's own card and Ethernet, and to
    the end of what its firmware can do.
    """
    image = mksdcard("orangepi-pc", tmp_path, "--guest", built("guests", "debian"))
    with orangepi(image) as m:
        m.expect("bivy: on Xunlong Orange Pi PC, 4 cores, RAM 1024 MiB at 40000000", BOOT)
        m.expect("bivy: the guest gets 4 cores", BOOT)
        m.expect(PROMPT, BOOT)
        assert m.command("nproc").strip() == "4"
        assert "0xc07" in m.command("grep -m 1 part /proc/cpuinfo")
        wanted = hashlib.md5(image.read_bytes()[:8 << 20]).hexdigest()
        assert wanted in m.command("until [ -e /dev/mmcblk0p1 ]; do sleep 1; done; dd if=/dev/mmcblk0 bs=1M count=8 | md5sum")
        assert "1 packets received" in m.command("ifconfig eth0 10.0.2.15; until ping -c 1 -W 1 10.0.2.2; do :; done")
        m.send("poweroff\r")
        m.expect("bivy: the guest is off, and this board can't be powered off")
    assert is_clean(image, tmp_path)


@pytest.mark.parametrize("board,start", [("virt", virt), ("orangepi-pc", orangepi)])
def test_without_bundle(board, start, card, tmp_path):
    image = shutil.copy(card(board), tmp_path)
    in_card(image, "mdel", "::guest.img")
    with start(image) as m:
        m.expect("bivy: no guest: load a bundle", BOOT)
        m.expect("bivy: stopped")


def test_orangepi_pc_in_secure_state(card, tmp_path):
    """Before any driver of the UART runs."""
    image = shutil.copy(card("orangepi-pc"), tmp_path)
    in_card(image, "mcopy", "::boot.scr", str(tmp_path))
    script = (tmp_path / "boot.scr").read_bytes()[72:].decode()
    (tmp_path / "boot.cmd").write_text("setenv bootm_boot_mode sec\n" + script)
    mkimage("-A", "arm", "-T", "script", "-C", "none", "-d", str(tmp_path / "boot.cmd"), str(tmp_path / "boot.scr"))
    in_card(image, "mcopy", "-o", str(tmp_path / "boot.scr"), "::")
    with orangepi(image) as m:
        m.expect("bivy: not started in HYP mode", BOOT)
        m.expect("bivy: stopped")
