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
    no barriers in the virtqueue's used ring tests/unit/test_virtqueue.c, with threads: QEMU reorders
                                             nothing, so that no payload could show it
"""

import pytest

import machine

# name, numbers of cores under bivy, numbers of cores natively
PAYLOADS = [
    ("traps", (1, 4), (1,)),
    ("decode", (1,), (1,)),
    ("aborts", (2,), (2,)),
    ("shown", (1,), ()),
    ("vgic", (1, 2), (1, 2)),
    ("vgic_smp", (2, 4), (2, 4)),
    ("psci", (1, 4), (1, 4)),
    ("timer", (1, 2), (2,)),
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


A7, A15_R0P4, A17 = "0x410fc075", "0x410fc0f4", "0x411fc0e1"


@pytest.mark.parametrize("name,cpus,midr", [("psci", 1, A7), ("decode", 1, A15_R0P4), ("shown", 1, A15_R0P4),
                                            ("traps", 1, A17), ("aborts", 2, A17), ("psci", 2, A17), ("vgic", 2, A17)])
def test_errata(name, cpus, midr):
    """QEMU's core under the names of others: exits forget branches (A17), Thumb's stores are decoded (A15 r0p4)."""
    with machine.payload(name, cpus, cpu=f"cortex-a15,midr={midr}") as m:
        machine.verdict(m, 240)


def test_uart_input():
    """4 KiB sent at full speed arrive complete and in order, by the PL011's receive interrupt."""
    with machine.payload("uart") as m:
        m.expect("send 4096 bytes")
        m.send("".join(chr(33 + n * 7 % 90) for n in range(4096)))
        machine.verdict(m, 120)


def test_uart_output_blocks_nobody():
    """Two cores print all the time; a third core's timer goes on, and so do they."""
    with machine.payload("uart_load", 4) as m:
        machine.verdict(m, 240)


def test_restart():
    """SYSTEM_RESET under bivy,reset = "restart": the guest starts again with its RAM loaded anew."""
    with machine.payload("reset", 2, suffix="-restart") as m:
        for _ in range(3):
            m.expect("bivy: the guest starts again")
        machine.verdict(m, 60)


def test_reset_of_the_board():
    """Without it: the board resets, and everything begins from bivy's first line."""
    with machine.payload("reset", 2) as m:
        m.expect("bivy: on .*resetting, boot 1")
        m.expect("bivy: on .*resetting, boot")
        assert "starts again" not in m.log
