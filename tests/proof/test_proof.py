# SPDX-License-Identifier: BSD-2-Clause
"""Every proof of `make proof`, without an alarm that is not argued."""
import os
import pathlib
import subprocess

PROVE = pathlib.Path(__file__).with_name("prove")


def test_proofs():
    done = subprocess.run([PROVE], cwd=PROVE.parents[2], capture_output=True, text=True, timeout=1500, check=False,
                          env={"BUILD": "build", **os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
