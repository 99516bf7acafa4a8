# SPDX-License-Identifier: BSD-2-Clause
"""Bundles and guest trees that bivy refuses, and the sentence that each of them gets.

ROWS: (what is wrong, a function that makes the bundle of a Good, a pattern of the sentence).
"""

import copy
import hashlib
import struct
import zlib

from fdt import BEGIN, END, LAST, NOP, PROPERTY, Node, cells, string, wrap

MEMORY, GIC, PL011, SLOT = "/memory@40000000", "/intc@8000000", "/pl011@9000000", "/virtio_mmio@a000000"
CONF = "/configurations/conf-1"


def sha256(data):
    return Node("hash-1", {"algo": string("sha256"), "value": hashlib.sha256(data).digest()})


def crc32(data):
    return Node("hash-1", {"algo": string("crc32"), "value": cells(zlib.crc32(data))})


class Good:
    """A bundle that is in order, and ways to spoil it."""

    def __init__(self, kernel, tree):
        self.kernel = kernel
        self.guest = tree

    def fit(self, kernel=None, tree=None, image_hash=sha256, **more):
        """The tree of a bundle. tree: the guest's, a Node or bytes; more: initrd=bytes."""
        kernel = self.kernel if kernel is None else kernel
        tree = self.guest if tree is None else tree
        images = {"kernel": kernel, "fdt": tree.blob() if isinstance(tree, Node) else tree, **more}
        names = {"initrd": "ramdisk"}
        return Node("", {"#address-cells": cells(1)}, [
            Node("images", {}, [Node(name, {"data": data}, [image_hash(data)])
                                for name, data in images.items()]),
            Node("configurations", {"default": string("conf-1")}, [
                Node("conf-1", {names.get(name, name): string(name) for name in images})]),
        ])

    def bundle(self, *arguments, **options):
        return self.fit(*arguments, **options).blob()

    def changed(self, path, change):
        """A bundle whose own tree is changed at a node."""
        fit = self.fit()
        change(fit.at(path) if path != "/" else fit)
        return fit.blob()

    def guest_changed(self, *changes):
        """A bundle whose guest tree is changed: (path, function of the node)..."""
        tree = copy.deepcopy(self.guest)
        for path, change in changes:
            change(tree.at(path) if path != "/" else tree)
        return self.bundle(tree=tree)


def with_bytes(data, at, new):
    return data[:at] + new + data[at + len(new):]


def outside(position, size):
    """Makes an image's bytes lie outside of the tree."""
    return lambda node: node.drop("data").set("data-position", cells(position)).set("data-size", cells(size))


def device(name, base, spi, size=0x200, kind="virtio,mmio"):
    return Node(name, {"compatible": string(kind), "reg": cells(0, base, 0, size),
                       "interrupts": cells(0, spi, 1)})


def devices(count):
    return [device(f"virtio_mmio@{0xb000000 + 0x200 * i:x}", 0xb000000 + 0x200 * i, 32 + i % 200)
            for i in range(count)]


def zimage(size):
    return bytes(0x24) + struct.pack("<3I", 0x016F2818, 0, size) + bytes(0x100)


def uimage(data, size=None, compression=0, arch=2, crc=None):
    size = len(data) if size is None else size
    fields = [0x27051956, 0, 0, size, 0x40010000, 0x40010000, zlib.crc32(data) if crc is None else crc,
              5 << 24 | arch << 16 | 2 << 8 | compression]
    header = cells(*fields) + bytes(32)
    return with_bytes(header, 4, cells(zlib.crc32(header))) + data


def elf(segments, machine=40, data=bytes(0x100)):
    """segments: (address, size in the file, size in memory)"""
    headers = b"".join(struct.pack("<8I", 1, 0, at, at, size, memory, 7, 4) for at, size, memory in segments)
    header = b"\x7fELF\1\1\1".ljust(16, b"\0") + struct.pack("<HHIIIII", 2, machine, 1, 0x40010000, 52, 0, 0)
    return header + struct.pack("<6H", 52, 32, len(segments), 0, 0, 0) + headers + data


def deep(levels):
    node = Node("n")
    for _ in range(levels):
        node = Node("n", {}, [node])
    return node


def row(path, change):
    return lambda good: good.changed(path, change)


def guest(*changes):
    return lambda good: good.guest_changed(*changes)


def kernel(data):
    return lambda good: good.bundle(kernel=data)


def structure(*words):
    """A guest tree of just these words."""
    return lambda good: good.bundle(tree=wrap(cells(*words), b"abc\0"))


BUNDLES = [
    ("cut off in its header", lambda good: good.bundle()[:30], "its header alone takes 40 bytes"),
    ("cut off in the middle", lambda good: good.bundle()[:4096], "guest bundle is cut off: it should have"),
    ("without its last byte", lambda good: good.bundle()[:-1], "cut off: it should have (0x[0-9a-f]+) bytes"),
    ("cut off behind its tree", lambda good: good.changed("/images/kernel", outside(0x100000, 0x1000)),
     "/images/kernel.*and the bundle already at .*cut off"),
    ("only zeros", lambda good: bytes(4096), "guest bundle does not begin as device trees do: 0x0 "),
    ("a text", lambda good: b"hello, world\n" * 100, "does not begin as device trees do: 0x68656c6c "),
    ("a tree of version 16", lambda good: with_bytes(good.bundle(), 20, cells(16)), "version 16"),
    ("an image of the wrong SHA-256",
     row("/images/kernel/hash-1", lambda n: n.set("value", bytes(32))), "sha256 of image kernel does not match"),
    ("an image of the wrong CRC-32", lambda good: good.bundle(image_hash=lambda data: crc32(data + b"x")),
     "crc32 of image kernel does not match"),
    ("a flipped bit in the tree", row("/images/fdt", lambda n: n.set("data", b"\xd1" + n.properties["data"][1:])),
     "sha256 of image fdt does not match"),
    ("a hash of half its length", row("/images/kernel/hash-1", lambda n: n.set("value", bytes(16))),
     "a sha256 has 32 bytes, and this one 16"),
    ("an unknown hash", row("/images/kernel/hash-1", lambda n: n.set("algo", string("md5"))), "md5 is not known"),
    ("an image without a hash", row("/images/kernel", lambda n: n.drop("hash-1")), "has no hash"),
    ("no kernel named", row(CONF, lambda n: n.drop("kernel")), "kernel: this must name one image"),
    ("a kernel that isn't there", row("/images", lambda n: n.drop("kernel")), "no image kernel under /images"),
    ("no tree named", row(CONF, lambda n: n.drop("fdt")), "fdt: this must name one image"),
    ("no images", row("/", lambda n: n.drop("images")), "no /images node"),
    ("no configurations", row("/", lambda n: n.drop("configurations")), "no /configurations node"),
    ("a default that isn't there", row("/configurations", lambda n: n.set("default", string("conf-9"))),
     "conf-9 does not exist"),
    ("a default that names its own list", row("/configurations", lambda n: n.set("default", string("configurations"))),
     "configuration configurations does not exist"),
    ("an empty kernel", row("/images/kernel", lambda n: n.set("data", b"")), "this image is empty"),
    ("a kernel without data", row("/images/kernel", lambda n: n.drop("data")), "this image has no data"),
    ("a compressed kernel", row("/images/kernel", lambda n: n.set("compression", string("gzip"))),
     "bivy unpacks nothing"),
    ("one image as kernel and tree", row(CONF, lambda n: n.set("fdt", string("kernel"))), "share bytes"),
    ("a kernel on top of the bundle's tree", row("/images/kernel", outside(0, 64)), "overlaps the bundle's own tree"),
    ("an address of three cells", row("/images/kernel", lambda n: n.set("load", cells(0, 0, 1))), "one or two cells"),
    ("10,000 nodes in the bundle", row("/images", lambda n: n.add(*[Node(f"n{i}") for i in range(10000)])),
     "guest bundle is broken.*more than 4096 nodes"),
    ("nodes 100 deep", row("/", lambda n: n.add(deep(100))), "guest bundle is broken.*deep"),
]

KERNELS = [
    ("a zImage cut off", kernel(zimage(0x10000)), "zImage of 65536 bytes, of which only"),
    ("a gzip file", kernel(b"\x1f\x8b\x08" + bytes(100)), "compressed by gzip"),
    ("a uImage cut off", kernel(uimage(bytes(64), size=65)), "uImage of 65 bytes, of which only 64 are there"),
    ("a uImage with a damaged header", kernel(with_bytes(uimage(bytes(64)), 32, b"x")), "header does not match"),
    ("a uImage with damaged bytes", kernel(uimage(bytes(64), crc=1)), "uImage whose data does not match"),
    ("a compressed uImage", kernel(uimage(bytes(64), compression=1)), "compressed uImage"),
    ("a uImage for MIPS", kernel(uimage(bytes(64), arch=5)), "uImage of architecture 5"),
    ("an ELF file for x86", kernel(elf([(0x40010000, 64, 64)], machine=3)), "not a 32-bit little-endian executable"),
    ("an ELF file cut off", kernel(elf([(0x40010000, 0x10000, 0x10000)])), "lies outside of it: it is cut off"),
    ("an ELF file with nothing to load", kernel(elf([])), "nothing to load"),
    ("an ELF file whose segments overlap", kernel(elf([(0x40010000, 64, 64), (0x40010020, 64, 64)])),
     "segments at .* overlap"),
    ("an ELF file of nine segments", kernel(elf([(0x40010000 + 256 * i, 64, 64) for i in range(9)])),
     "more than 8 segments"),
    ("a kernel outside of RAM", row("/images/kernel", lambda n: n.set("load", cells(0x10000000))),
     "are not in the guest's RAM"),
    ("an entry outside of RAM", row("/images/kernel", lambda n: n.set("entry", cells(0x10000000))),
     "entry 0x10000000 is not an instruction's address"),
]

TREES = [
    ("a tree cut off", lambda good: good.bundle(tree=good.guest.blob()[:400]), "the guest's device tree is cut off"),
    ("no tree", lambda good: good.bundle(tree=bytes(64)), "the guest's device tree does not begin"),
    ("a node that never ends", structure(BEGIN, 0, LAST), "within a node"),
    ("an end too many", structure(BEGIN, 0, END, END, LAST), "never began"),
    ("two roots", structure(BEGIN, 0, END, BEGIN, 0, END, LAST), "second root"),
    ("no end", structure(BEGIN, 0, END), "no end"),
    ("an unknown token", structure(BEGIN, 0, 7, END, LAST), "unknown token"),
    # With libfdt 1.6.1 this one goes round in a circle: the property ends where it began.
    ("a property that ends where it begins", structure(BEGIN, 0, PROPERTY, 0xFFFFFFF4, 0, END, LAST), "goes beyond"),
    ("a property without a name", structure(BEGIN, 0, PROPERTY, 0, 0x1000, END, LAST), "name of a property"),
    ("only NOPs", structure(*[NOP] * 1000), "0xfa0 bytes into its structure.*no end"),
    ("10,000 nodes that never end", structure(*[BEGIN, 0] * 10000), "guest's device tree is broken.*deep"),
    ("10,000 nodes", guest(("/", lambda n: n.add(*devices(10000)))),
     "guest's device tree is broken.*more than 4096 nodes"),
    ("100 devices", guest(("/", lambda n: n.add(*devices(100)))), "at most 64 emulated devices"),
    ("no interrupt controller", guest(("/", lambda n: n.drop("intc@8000000"))), "no interrupt controller"),
    ("two interrupt controllers", guest(("/", lambda n: n.add(copy.deepcopy(n.at(GIC)).set("phandle", cells(99))))),
     "one interrupt controller, and this is the second"),
    ("an interrupt controller of two cells", guest((GIC, lambda n: n.set("#interrupt-cells", cells(2)))),
     "#interrupt-cells = <3>"),
    ("an interrupt controller without GICC", guest((GIC, lambda n: n.set("reg", cells(0, 0x8000000, 0, 0x1000)))),
     "needs two ranges, GICD and GICC"),
    ("no memory", guest(("/", lambda n: n.drop("memory@40000000"))), "has no memory"),
    ("memory twice", guest(("/", lambda n: n.add(Node("memory@80000000", {
        "device_type": string("memory"), "reg": cells(0, 0x80000000, 0, 0x1000)})))), "this is the second"),
    ("unaligned memory", guest((MEMORY, lambda n: n.set("reg", cells(0, 0x40001000, 0, 0)))),
     "not a multiple of 2 MiB"),
    ("memory of three pages and a half", guest((MEMORY, lambda n: n.set("reg", cells(0, 0x40000000, 0, 0x3800)))),
     "multiple of 4 KiB"),
    ("more memory than the board has", guest((MEMORY, lambda n: n.set("reg", cells(0, 0x40000000, 0, 0x80000000)))),
     "wants 0x80000000 bytes of memory"),
    ("an address of three cells in the root", guest(("/", lambda n: n.set("#address-cells", cells(3)))),
     "/intc@8000000.*needs two ranges"),
    ("a reg of three cells", guest((MEMORY, lambda n: n.set("reg", cells(0, 0x40000000, 0)))),
     "memory@.*: reg: these addresses can't be read"),
    ("no timer", guest(("/", lambda n: n.drop("timer"))), "has no timer"),
    ("another timer interrupt", guest(("/timer", lambda n: n.set("interrupts", cells(*[1, 12, 4] * 4)))),
     "must be the GIC's PPIs <1 13 4>, <1 14 4>"),
    ("a device over RAM", guest(("/", lambda n: n.add(device("virtio_mmio@40000000", 0x40000000, 40)))),
     "virtio_mmio@40000000 at 0x40000000 overlaps the memory"),
    ("a device over the distributor", guest(("/", lambda n: n.add(device("virtio_mmio@8000200", 0x8000200, 40)))),
     "overlaps the interrupt distributor"),
    ("two devices at one place", guest(("/", lambda n: n.add(device("virtio_mmio@9000e00", 0x9000E00, 40)))),
     "virtio_mmio@9000e00 at .* overlaps /pl011@9000000"),
    ("two devices with one SPI", guest(("/", lambda n: n.add(device("virtio_mmio@a000200", 0xA000200, 16)))),
     "share SPI 16"),
    ("an SPI beyond the last", guest((SLOT, lambda n: n.set("interrupts", cells(0, 990, 1)))),
     "/virtio_mmio@a000000.*this device needs an SPI"),
    ("an interrupt of two cells", guest((PL011, lambda n: n.set("interrupts", cells(0, 1)))),
     "/pl011@9000000.*needs an SPI"),
    ("a device that is its own interrupt controller",
     guest((SLOT, lambda n: n.set("phandle", cells(77)).set("interrupt-parent", cells(77)))),
     "/virtio_mmio@a000000.*needs an SPI"),
    ("an unaligned device", guest((SLOT, lambda n: n.set("reg", cells(0, 0xA000100, 0, 0x200)))),
     "registers of 0x200 bytes or more, at a multiple"),
    ("an unaligned PL011", guest((PL011, lambda n: n.set("reg", cells(0, 0x9000100, 0, 0x1000)))),
     "registers of 0x1000 bytes or more"),
    ("an unknown backend", guest((SLOT, lambda n: n.set("bivy,backend", string("cloud")))), "no such backend"),
    ("an unknown virtio device", guest((SLOT, lambda n: n.set("bivy,virtio", string("teapot")))),
     "no such virtio device"),
    ("a property misspelt", guest((SLOT, lambda n: n.set("bivy,vritio", string("console")))), "no such property here"),
    ("an unknown policy", guest(("/", lambda n: n.set("bivy,reset", string("never")))), 'must be "board" or "restart"'),
    ("a CPU twice", guest(("/cpus", lambda n: n.add(*[
        Node(f"cpu@{i}", {"device_type": string("cpu"), "reg": cells(0)}) for i in range(2)]))),
     "two CPUs have the number"),
    ("a CPU that the board doesn't have", guest(("/cpus", lambda n: n.add(
        Node("cpu@7", {"device_type": string("cpu"), "reg": cells(7)})))), "names CPU 0x7"),
    ("nine CPUs", guest(("/cpus", lambda n: n.add(*[
        Node(f"cpu@{i}", {"device_type": string("cpu"), "reg": cells(i)}) for i in range(9)]))), "at most 8 CPUs"),
    ("CPUs of two cells", guest(("/cpus", lambda n: n.set("#address-cells", cells(2)).add(
        Node("cpu@0", {"device_type": string("cpu"), "reg": cells(0, 0)})))), "/cpus must have #address-cells = <1>"),
]

ROWS = BUNDLES + KERNELS + TREES
