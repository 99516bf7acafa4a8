# SPDX-License-Identifier: BSD-2-Clause
"""What can be said of bivy without running it: its stack, its pages, and what analysers find."""

import os
import re
import subprocess

import machine
from machine import built


def test_stack():
    """The deepest way that calls can take fits into a core's stack, and nothing recurses."""
    made = machine.run("tests/static/stack", os.path.relpath(machine.BUILD, machine.TOP))
    print(made.stdout)
    assert made.returncode == 0, made.stdout


def test_lint():
    """gcc -fanalyzer, clang-tidy, cppcheck and clang-format find nothing that tests/static/suppressions does not explain."""
    made = machine.run("make", "-s", "lint", "BUILD=" + os.path.relpath(machine.BUILD, machine.TOP))
    assert made.returncode == 0, made.stdout


def test_no_section_is_writable_and_executable():
    """Nor do two share a page of which one is written and the other executed."""
    made = subprocess.run(["arm-none-eabi-readelf", "-SW", built("bivy.elf")], check=True, text=True, stdout=subprocess.PIPE)
    pages = {}
    for name, address, size, flags in re.findall(
            r"\] (\.\S+) +\w+ +([0-9a-f]{8}) \w+ ([0-9a-f]+) \d\d +(\w*A\w*) ", made.stdout):
        start, end = int(address, 16), int(address, 16) + int(size, 16)
        for page in range(start & ~0xFFF, end, 0x1000):
            pages.setdefault(page, set()).update((flag, name) for flag in flags if flag in "WX")
    assert {flag for found in pages.values() for flag, _ in found} == {"W", "X"}, made.stdout
    for page, found in pages.items():
        assert len({flag for flag, _ in found}) <= 1, f"{page:#x}: {found}"
