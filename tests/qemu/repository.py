# SPDX-License-Identifier: BSD-2-Clause
"""A small Debian mirror: the packages of one system, and a part for Debian's installer; served to guests by HTTP.

Debian's own parts of the installer (udebs) are in no repository that apt uses, so that it has tests/qemu/stand-in
instead.
"""

import contextlib
import functools
import glob
import gzip
import hashlib
import http.server
import os
import re
import shutil
import subprocess
import threading

import machine

STAND_IN = os.path.join(machine.TOP, "tests/qemu/stand-in")
SUITE = "bookworm"
# What a base system has, and what the installer adds.
SYSTEM = ["?essential", "apt", "ifupdown", "iproute2", "isc-dhcp-client", "kmod", "netbase", "systemd-sysv", "udev",
          "usr-is-merged", "linux-image-armmp", "openssh-server", "u-boot-menu"]
# What the stand-in runs, and is not in the installer's initrd.
TOOLS = ["debootstrap", "e2fsprogs", "fdisk", "libcom-err2", "libext2fs2", "libfdisk1", "libsmartcols1", "perl-base"]
TOOL_FILES = ["etc/mke2fs.conf", "sbin/mke2fs", "sbin/sfdisk", "usr/bin/perl", "usr/sbin/debootstrap",
              "usr/share/debootstrap", "lib/arm-linux-gnueabihf/*.so*", "usr/lib/arm-linux-gnueabihf/*.so*",
              *(f"lib/modules/*/kernel/**/{name}.ko"
                for name in ("virtio_blk", "ext4", "jbd2", "mbcache", "crc16", "crc32c_generic"))]


def output(*command):
    return subprocess.run(command, check=True, cwd=machine.TOP, stdout=subprocess.PIPE, text=True).stdout


def fetch(*packages):
    return output("tools/fetch", "armhf", *packages).split()


def make_stand_in(kernel, work, path):
    """Writes the udeb: its script, the programs that it runs, and the modules of the installer's kernel."""
    root, unpacked = (os.path.join(work, name) for name in ("root", "unpacked"))
    shutil.copytree(STAND_IN, os.path.join(root, "DEBIAN"))
    for deb in [kernel, *fetch(*TOOLS)]:
        subprocess.run(["dpkg-deb", "--extract", deb, unpacked], check=True)
    for pattern in TOOL_FILES:
        for source in glob.glob(os.path.join(unpacked, pattern), recursive=True):
            target = os.path.join(root, os.path.relpath(source, unpacked))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            subprocess.run(["cp", "-a", source, target], check=True)
    subprocess.run(["dpkg-deb", "-Zgzip", "--root-owner-group", "--build", root, path], check=True,
                   stdout=subprocess.DEVNULL)


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def entry(path, top):
    """What an index says of a package."""
    control = output("dpkg-deb", "--field", path).rstrip("\n")
    package = contents(path)
    return (f"{control}\nFilename: {os.path.relpath(path, top)}\nSize: {len(package)}\n"
            f"SHA256: {hashlib.sha256(package).hexdigest()}\n\n")


def write_indices(top, indices):
    """indices: {path below dists/SUITE: packages}. apt wants a date, and a sum of what is compressed, too."""
    dists = os.path.join(top, "dists", SUITE)
    files = {"main/binary-armhf/Release": b"Architecture: armhf\n"}
    for name, packages in indices.items():
        files[name] = "".join(entry(package, top) for package in packages).encode()
        files[name + ".gz"] = gzip.compress(files[name])
    sums = "".join(f" {hashlib.sha256(index).hexdigest()} {len(index)} {name}\n" for name, index in files.items())
    files["Release"] = (f"Origin: Debian\nSuite: oldstable\nCodename: {SUITE}\nArchitectures: armhf\n"
                        "Date: Sat, 10 Jun 2023 00:00:00 UTC\n"
                        f"Components: main\nSHA256:\n{sums}").encode()
    for name, index in files.items():
        path = os.path.join(dists, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(index)
    os.symlink(SUITE, os.path.join(top, "dists", "oldstable"))  # the name by which the installer asks


def make(top):
    """Makes the mirror in a folder."""
    pool = os.path.join(top, "pool")
    os.makedirs(pool)
    # An archive's names have no epoch, and apt's escaped colon is nothing for a URL.
    debs = [shutil.copy(deb, os.path.join(pool, re.sub(r"_\d+%3a", "_", os.path.basename(deb))))
            for deb in fetch(*output("tools/fetch", "closure", *SYSTEM).split())]
    part = os.path.join(pool, "stand-in.udeb")
    make_stand_in(next(deb for deb in debs if "/linux-image-6" in deb), os.path.join(top, "work"), part)
    shutil.rmtree(os.path.join(top, "work"))
    write_indices(top, {"main/binary-armhf/Packages": debs, "main/debian-installer/binary-armhf/Packages": [part]})


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        self.server.asked.add(self.path)


@contextlib.contextmanager
def served(top):
    """A server of the folder, on this machine alone: .server_port, and .asked, the paths."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=top)) as server:
        server.asked = set()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
