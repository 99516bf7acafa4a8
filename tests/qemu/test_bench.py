# SPDX-License-Identifier: BSD-2-Clause
"""What exits cost, beside the committed figures and the bars; how long functions are."""

from machine import run


def test_exits():
    """In instructions, which are the same on each host; tests/bench/exits.json is by make bench-baseline."""
    measured = run("tests/bench/bench.py", "--check", "tests/bench/exits.json")
    assert measured.returncode == 0, measured.stdout


def test_lines():
    measured = run("tests/bench/lines.py")
    assert measured.returncode == 0, measured.stdout
