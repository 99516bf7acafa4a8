# SPDX-License-Identifier: BSD-2-Clause
"""Bare-metal payloads (tests/payload), under bivy and, to check what they expect, on QEMU alone.

What the earlier port of bhyve to ARMv7 did wrong, and the test that would have found it here:

    register table without R4                decode: "bug: register table without R4 (...)"
    (1 << size * 8) - 1 at 4 bytes           decode: "bug: mask of 4 bytes"
    sign extension decoded, not used         decode: "bug: sign extension unused"
    VMCR left zero                           vgic: "bug: VMCR left zero"
    SGIs made pending on the sender          vgic: "bug: SGI pending on the sender"
    EISR's wrong base, MISR read late        vgic: "bug: EISR and MISR (...)"
    SPI bitmap ANDed with a byte array       vgic: "bug: SPI bitmap (...)"
    TYPER's shifts                           vgic: "bug: TYPER shift precedence"
    ICFGR's index                            vgic: "bug: ICFGR index by 1 for 16"
    IPRIORITYR missing                       vgic: "bug: IPRIORITYR missing"
    distributor's bound off by one           vgic: "bug: distributor bound off by one"
    wake test inverted                       psci: "bug: wake test inverted (...)"
    no HVC, SMC, PSCI, CP14, CP15            traps and psci, all of them
    d16 to d31 unsaved                       traps: "bug: d16 to d31 unsaved"
    no barriers in the virtqueue's used ring virtio: "bug: used ring (...)"; QEMU has no reordering
                                             to show, tests/unit/test_virtqueue.c has threads
"""

import pytest

import machine

# name, numbers of cores under bivy, numbers of cores natively
PAYLOADS = [
    ("traps", (1, 4), (1,)),
    ("decode", (1,), (1,)),
    ("aborts", (2,), (2,)),
    ("vgic", (1, 2), (1, 2)),
    ("vgic_smp", (2, 4), (2, 4)),
    ("psci", (1,), (1,)),
    ("timer", (1,), (2,)),
]


def cases(column):
    return [pytest.param(row[0], cpus, id=f"{row[0]}-{cpus}")
            for row in PAYLOADS for cpus in row[column]]


@pytest.mark.parametrize("name,cpus", cases(1))
def test_under_bivy(name, cpus):
    with machine.payload(name, cpus) as m:
        machine.verdict(m, 240)


@pytest.mark.parametrize("name,cpus", cases(2))
def test_natively(name, cpus):
    with machine.payload(name, cpus, native=True) as m:
        machine.verdict(m, 240)
