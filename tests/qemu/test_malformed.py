# SPDX-License-Identifier: BSD-2-Clause
"""Each malformed bundle and tree gets its own sentence: from the checker, and from bivy on the UART."""

import re

import pytest

import fdt
import machine
import malformed
from machine import Machine, built

ROWS = [pytest.param(make, sentence, id=name.replace(" ", "-")) for name, make, sentence in malformed.ROWS]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree") / "guest.dtb"
    answer = machine.run("tools/checkguest", "tests/payload/guest.dts", "--compile", str(tree))
    assert answer.returncode == 0, answer.stdout
    with open(built("payload", "traps.bin"), "rb") as kernel:
        return malformed.Good(kernel.read(), fdt.parse(tree.read_bytes()))


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return machine.board_tree(tmp_path_factory.mktemp("board"))


def test_the_good_one(good, board, tmp_path):
    """What the rows are made of runs, with sha256 and with crc32."""
    for image_hash in (malformed.sha256, malformed.crc32):
        bundle = tmp_path / "good.itb"
        bundle.write_bytes(good.bundle(image_hash=image_hash))
        assert machine.run(built("checkdt"), "--bundle", str(bundle), board).returncode == 0
        with Machine(bundle=str(bundle)) as m:
            machine.verdict(m)


def test_the_sentences_differ():
    sentences = [sentence for _, _, sentence in malformed.ROWS]
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize("make,sentence", ROWS)
def test_checker(make, sentence, good, board, tmp_path):
    bundle = tmp_path / "bad.itb"
    bundle.write_bytes(make(good))
    answer = machine.run(built("checkdt"), "--bundle", str(bundle), board, timeout=10)
    assert answer.returncode == 1, answer.stdout
    assert re.search(sentence, answer.stdout.replace("\t", ": ")), answer.stdout


@pytest.mark.parametrize("make,sentence", ROWS)
def test_on_the_uart(make, sentence, good, tmp_path):
    bundle = tmp_path / "bad.itb"
    bundle.write_bytes(make(good))
    with Machine(bundle=str(bundle), cpus=2) as m:
        m.expect("bivy: stopped")
        assert re.search(f"bivy: .*({sentence})", m.log), m.log
        assert "bug in bivy" not in m.log
