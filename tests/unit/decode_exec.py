#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares hyp/decode.c with a processor: runs random loads and stores on QEMU's Cortex-A15.

Random words that decode.c accepts get random registers, but the base is moved so that the transfer
hits 256 bytes of random memory. decode_exec.S runs them natively, in SVC mode with the MMU off;
apply() does here what struct transfer says. All registers and all of the memory must be equal
afterwards.

usage: tests/unit/decode_exec.py [WORDS] [SEED]
"""
import collections
import os
import random
import struct
import subprocess
import sys
import tempfile

from decode_oracle import (ARM_CLASSES, CARRY, CROSS, LR, MASK, PC, SP, THUMB, THUMB_CLASSES,
                           Decoder, random_words)

HERE = os.path.dirname(os.path.abspath(__file__))
CASE = struct.Struct("<6I15I2I4x256s")
NOP = 0xE1A00000
LOAD_EXCLUSIVE = {(1, 1): 0xE1D02F9F, (2, 1): 0xE1F02F9F, (4, 1): 0xE1902F9F, (4, 2): 0xE1B02F9F}
LOW, HIGH = 96, 160  # where in the memory transfers start: up to 64 bytes, and room on both sides
# Words near the PC, which random ones hardly ever are
ARM_LITERALS = [(0x0F2F0E00, 0x050F0000), (0x0F6F0E90, 0x014F0090)]
THUMB_LITERALS = [(0xFE1F0E00, 0xF81F0000), (0xFF7F0080, 0xE95F0000)]


def build(folder):
    """The bare-metal program, and the addresses of its labels."""
    image = os.path.join(folder, "exec.elf")
    subprocess.run([CROSS + "gcc", "-nostdlib", "-Wl,-N,-Ttext=0x40010000,--build-id=none",
                    "-o", image, os.path.join(HERE, "decode_exec.S")], check=True)
    names = subprocess.run([CROSS + "nm", image], check=True, capture_output=True,
                           text=True).stdout
    return image, {fields[2]: int(fields[0], 16) for fields in map(str.split, names.splitlines())}


def alignment(transfer):
    """Bytes that the address must be aligned to for any Armv7 processor to do the transfer."""
    if transfer.exclusive:
        return transfer.size * transfer.count
    return transfer.size


class Case:
    """One instruction with the registers and the memory before it."""

    def __init__(self, source, insn, thumb, labels):
        self.insn, self.thumb, self.labels = insn, thumb, labels
        self.slot = labels[source.choice(("low", "high")) + ("_thumb" if thumb else "_arm")]
        self.flags = CARRY if source.getrandbits(1) else 0
        self.r = [source.getrandbits(32) for _ in range(15)] + [self.slot + (4 if thumb else 8)]
        self.user = [source.getrandbits(32), source.getrandbits(32)]
        self.memory = bytearray(source.randbytes(256))
        self.transfer = None

    def aim(self, source, decoder):
        """Moves the base, or failing that any offset, until the address falls into the memory."""
        spsr = self.flags | (THUMB if self.thumb else 0)
        for number in [None] + list(range(15)):
            saved = list(self.r)
            transfer = decoder(self.insn, self.r, spsr)
            if not transfer:
                return False
            if number is not None or transfer.base != PC:
                number = transfer.base if number is None else number
                target = self.labels["memory"] + LOW + 8 * source.randrange((HIGH - LOW) // 8)
                self.r[number] = (self.r[number] + target - transfer.va) & MASK
                transfer = decoder(self.insn, self.r, spsr)
            offset = transfer.va - self.labels["memory"]
            if LOW <= offset <= HIGH and offset % alignment(transfer) == 0:
                self.transfer = transfer
                return True
            self.r = saved
        return False

    def plant_jump(self):
        """If PC is loaded, has it find the way back in memory. False if it isn't aligned there."""
        if self.transfer.store or PC not in self.transfer.reg[:self.transfer.count]:
            return True
        at = self.transfer.va - self.labels["memory"] + 4 * list(self.transfer.reg).index(PC)
        struct.pack_into("<I", self.memory, at, self.labels["after"])
        return at % 4 == 0

    def pack(self):
        """The case as decode_exec.S reads it."""
        entry, insn = self.slot, self.insn
        if self.thumb:
            entry |= 1
            insn = (insn << 16 | insn >> 16) & MASK if insn >> 16 else insn | 0xBF00 << 16
        transfer, prelude = self.transfer, NOP
        if transfer.exclusive and transfer.store:
            prelude = LOAD_EXCLUSIVE[transfer.size, transfer.count]
        return CASE.pack(entry, insn, prelude, transfer.va, self.flags, 0, *self.r[:15], *self.user,
                         self.memory)

    def apply(self):
        """What struct transfer says of registers and memory afterwards."""
        transfer, memory = self.transfer, bytearray(self.memory)
        r, user = list(self.r), list(self.user)
        at = transfer.va - self.labels["memory"]
        for index in range(transfer.count):
            reg, end = transfer.reg[index], at + transfer.size
            banked = transfer.user_registers and reg in (SP, LR)
            old = int.from_bytes(memory[at:end], "little")
            stored = transfer.reg[1] if transfer.swap else reg
            if transfer.store or transfer.swap:
                value = self.user[reg - SP] if banked else self.r[stored]
                memory[at:end] = value.to_bytes(4, "little")[:transfer.size]
            if not transfer.store:
                if transfer.sign_extend and old >> (8 * transfer.size - 1):
                    old |= MASK << 8 * transfer.size & MASK
                if banked:
                    user[reg - SP] = old
                else:
                    r[reg] = old
            at = end
        if transfer.exclusive and transfer.store:
            r[transfer.status] = 0
        if transfer.writeback:
            r[transfer.base] = transfer.writeback_value
        return [0] + r[:15] + user + [bytes(memory)]


def kind(case):
    """What the case is of, for the table."""
    transfer = case.transfer
    name = "Arm" if not case.thumb else "Thumb 32-bit" if case.insn >> 16 else "Thumb 16-bit"
    for field in ("swap", "exclusive", "unprivileged", "user_registers"):
        if getattr(transfer, field):
            return f"{name} {field.replace('_', ' ')}"
    if transfer.base == PC:
        return f"{name} PC-relative"
    return (name + (" one" if transfer.count == 1 else " several") +
            (", writeback" if transfer.writeback else ""))


def make_cases(source, count, decoder, labels):
    """Random words as cases, as many as can be aimed at the memory."""
    words = [(word, False) for classes in (ARM_CLASSES, ARM_LITERALS)
             for word in random_words(source, count, classes, True) if word >> 28 == 14]
    words += [(word, True) for classes in (THUMB_CLASSES, THUMB_LITERALS)
              for word in random_words(source, count, classes, False) if word >> 27 >= 0x1D]
    words += [(source.randrange(0x4800, 0xD000), True) for _ in range(count // 4)]
    cases = (Case(source, word, thumb, labels) for word, thumb in words)
    return [case for case in cases if case.aim(source, decoder) and case.plant_jump()]


def run(folder, image, cases):
    """Runs them all in one QEMU; a list of what each left."""
    with open(os.path.join(folder, "cases.bin"), "wb") as file:
        file.write(struct.pack("<I", len(cases)) + b"".join(case.pack() for case in cases))
    subprocess.run(["qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15", "-m", "1G",
                    "-nographic", "-nic", "none", "-monitor", "none", "-serial", "none",
                    "-semihosting-config", "enable=on,target=native", "-kernel", image,
                    "-device", "loader,addr=0x44000000,force-raw=on,file=cases.bin"],
                   check=True, cwd=folder, timeout=600)
    with open(os.path.join(folder, "results.bin"), "rb") as file:
        return [list(fields[5:]) for fields in CASE.iter_unpack(file.read())]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    source = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    counts, wrong = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        image, labels = build(folder)
        cases = make_cases(source, count, Decoder(folder), labels)
        results = run(folder, image, cases)
    for case, found in zip(cases, results, strict=True):
        expected = case.apply()
        counts[kind(case)] += found == expected
        if found != expected:
            wrong += 1
            if wrong <= 20:
                names = ["outcome"] + [f"r{i}" for i in range(15)] + ["sp_usr", "lr_usr", "memory"]
                print(f"{case.insn:08x} {kind(case)}: " + "; ".join(
                    f"{name} is {was if name == 'memory' else hex(was)}, not "
                    f"{want if name == 'memory' else hex(want)}"
                    for name, was, want in zip(names, found, expected) if was != want))
    print(f"{len(cases)} instructions run, {wrong} disagreements")
    for name, number in sorted(counts.items()):
        print(f"  {number:8} {name}")
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
