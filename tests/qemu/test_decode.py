# SPDX-License-Identifier: BSD-2-Clause
"""hyp/decode.c against the assembler's view of random words, and against QEMU's processor.

Found by the first, when planted: a row's mask that leaves out a should-be bit.
"""
import os
import subprocess
import sys

import pytest

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit")


@pytest.mark.parametrize("script, words", [("decode_oracle.py", 6000), ("decode_exec.py", 4000)])
def test_random_words(script, words):
    run = subprocess.run([sys.executable, os.path.join(UNIT, script), str(words), "1"], check=False,
                         capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 disagreements" in run.stdout or script == "decode_exec.py", run.stdout
