#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares hyp/decode.c with what binutils' disassembler says about random words.

Every word is disassembled, the text is turned into addresses and registers again by a parser that
knows nothing of encodings, and the result is compared with struct transfer. A word that decode.c
refuses needs a reason: the text isn't a load or store of core registers, a rule of the manual's
(refusal() below) forbids its registers, or it doesn't assemble into the same word again, which
means that a should-be bit is wrong. All 16-bit Thumb instructions are tried; of the others, random
words, and all that differ in one bit from an accepted one of the first tenth.

usage: tests/unit/decode_oracle.py [WORDS] [SEED]
"""
import collections
import ctypes
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CROSS = "arm-none-eabi-"
REGISTERS = {f"r{i}": i for i in range(16)}
REGISTERS.update({"sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15})
SP, LR, PC = 13, 14, 15
CARRY, THUMB = 1 << 29, 1 << 5
MASK = 0xFFFFFFFF

# Bits of random words that are fixed, so that most words are loads and stores, and some are near.
ARM_CLASSES = [(0x0C000000, 0x04000000), (0x0E000010, 0x06000000), (0x0E000090, 0x00000090),
               (0x0F8000F0, 0x01800090), (0x0FB00FF0, 0x01000090), (0x0F800FF0, 0x01800F90),
               (0x0F900FFF, 0x01900F9F), (0x0E000F90, 0x00000090), (0x0E000000, 0x08000000), (0, 0)]
THUMB_CLASSES = [(0xFE400000, 0xE8000000), (0xFE400000, 0xE8400000), (0xFFE00000, 0xE8400000),
                 (0xFFF00F00, 0xE8500F00), (0xFFF00F80, 0xE8C00F00), (0xFFF00F8F, 0xE8D00F0F),
                 (0xFFF000F0, 0xE8C00070), (0xFFF000FF, 0xE8D0007F), (0xFE000000, 0xF8000000),
                 (0xFE800800, 0xF8000800), (0xFE800FC0, 0xF8000000), (0xE0000000, 0xE0000000)]


class Transfer(ctypes.Structure):
    """struct transfer of hyp/decode.h."""
    _fields_ = [("va", ctypes.c_uint32), ("writeback_value", ctypes.c_uint32)] + \
        [(name, ctypes.c_uint8) for name in ("length", "size", "count")] + \
        [("reg", ctypes.c_uint8 * 16), ("base", ctypes.c_uint8)] + \
        [(name, ctypes.c_bool) for name in ("store", "sign_extend", "writeback", "user_registers",
                                            "unprivileged", "swap", "exclusive")] + \
        [("status", ctypes.c_uint8)]

    def values(self):
        """What counts, as a dictionary; fields that mean nothing are left out."""
        moved = 2 if self.swap else self.count
        found = {"va": self.va, "size": self.size, "reg": tuple(self.reg[:moved])}
        for name in ("length", "base", "store", "sign_extend", "writeback", "user_registers",
                     "unprivileged", "swap", "exclusive"):
            found[name] = int(getattr(self, name))
        found["writeback_value"] = self.writeback_value if self.writeback else None
        found["status"] = self.status if self.exclusive and self.store else None
        return found


class Decoder:
    """hyp/decode.c as a library of the host's."""

    def __init__(self, folder):
        library = os.path.join(folder, "decode.so")
        subprocess.run(["gcc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-o", library,
                        os.path.join(ROOT, "hyp", "decode.c")], check=True)
        self.function = ctypes.CDLL(library).decode_transfer
        self.function.restype = ctypes.c_bool

    def __call__(self, insn, r, spsr):
        transfer = Transfer()
        registers = (ctypes.c_uint32 * 16)(*r)
        if self.function(ctypes.c_uint32(insn), registers, ctypes.c_uint32(spsr),
                         ctypes.byref(transfer)):
            return transfer
        return None


def random_words(source, count, classes, top):
    """count words, of the given classes by turns; with top, the condition is mostly "always"."""
    for number in range(count):
        mask, value = classes[number % len(classes)]
        word = (source.getrandbits(32) & ~mask) | value
        if top and source.getrandbits(5):
            word = (word & 0x0FFFFFFF) | 0xE0000000
        yield word


def neighbours(decoder, words, thumb):
    """What differs in one bit from a word that is accepted: finds a bit that no one looks at."""
    return [word ^ 1 << position for word in words if decoder(word, [0] * 16, THUMB if thumb else 0)
            for position in range(32)]


def run_objdump(folder, words, thumb):
    """A line of text for each word. A nop follows a 16-bit Thumb instruction, to stay in step."""
    path = os.path.join(folder, "words.bin")
    with open(path, "wb") as file:
        for word in words:
            if not thumb:
                file.write(struct.pack("<I", word))
            elif word >> 16:
                file.write(struct.pack("<HH", word >> 16, word & 0xFFFF))
            else:
                file.write(struct.pack("<HH", word, 0xBF00))
    output = subprocess.run([CROSS + "objdump", "-D", "-z", "-b", "binary", "-m", "arm"] +
                            (["-M", "force-thumb"] if thumb else []) + [path],
                            check=True, capture_output=True, text=True).stdout
    text = {}
    for line in output.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)", line)
        if match:
            text[int(match.group(1), 16)] = match.group(2).split("@")[0].strip()
    return [text[4 * number] for number in range(len(words))]


NAME = re.compile(r"((?:ldr|str)(?:ex[bhd]?|[bh]?t?|d)|ldrs[bh]t?|"
                  r"(?:ldm|stm)(?:ia|ib|da|db|fd)?|push|pop|swpb?)"
                  r"(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?(\.[wn])?$")


def value_of(text, r, spsr):
    """An offset ("#4", "-r2", "r2, lsl #3", "r2, rrx"): bytes (mod 2^32) and the register used."""
    parts = [part.strip() for part in text.split(",")]
    if parts[0].startswith("#"):
        return int(parts[0][1:], 0) & MASK, None
    number = REGISTERS[parts[0].lstrip("-")]
    value = r[number]
    if len(parts) > 1:
        kind, _, amount = parts[1].partition(" #")
        amount = int(amount or 0)
        signed = value - (1 << 32) if value >> 31 else value
        value = {"lsl": value << amount, "lsr": value >> amount, "asr": signed >> amount,
                 "ror": (value << 32 | value) >> amount,
                 "rrx": value >> 1 | (1 << 31 if spsr & CARRY else 0)}[kind] & MASK
    return (-value if parts[0].startswith("-") else value) & MASK, number


def parse_address(text, r, spsr):
    """"[r1, #4]!", "[r1], -r2": base, its value, offset, pre-indexed, writeback, index register."""
    match = re.match(r"\[(\w+)(?:, ([^\]]+))?\](!)?(?:, (.+))?$", text)
    base = REGISTERS[match.group(1)]
    offset, number = value_of(match.group(2) or match.group(4) or "#0", r, spsr)
    pre = match.group(4) is None
    value = r[base] & ~3 if base == PC else r[base]
    return base, value, offset, pre, bool(match.group(3)) or not pre, number


def parse_multiple(name, operands, r):
    """LDM and STM of all kinds."""
    if name in ("push", "pop"):
        base, bang, names = "sp", "!", operands
        name = "stmdb" if name == "push" else "ldmia"
    else:
        base, bang, names = re.match(r"(\w+)(!?), (.*)", operands).groups()
    user = names.endswith("^")
    listed = re.match(r"\{(.*)\}", names).group(1)
    reg = tuple(REGISTERS[item.strip()] for item in listed.split(",") if item.strip())
    mode = name[3:] or "ia"
    if mode == "fd":
        mode = "ia" if name.startswith("ld") else "db"
    base = REGISTERS[base]
    size, first = 4 * len(reg), r[base]
    start = {"ia": first, "ib": first + 4, "da": first - size + 4, "db": first - size}[mode]
    moved = (first + size if mode[0] == "i" else first - size) & MASK
    return {"va": start & MASK, "size": 4, "reg": reg, "base": base, "user_registers": int(user),
            "store": int(name.startswith("st")), "writeback": int(bang == "!"),
            "writeback_value": moved if bang else None}


def parse_single(name, operands, r, spsr):
    """All but LDM and STM: registers up to the bracket, then the address."""
    registers, bracket, rest = operands.partition("[")
    reg = [REGISTERS[item.strip()] for item in registers.split(",") if item.strip()]
    base, value, offset, pre, writeback, index = parse_address(bracket + rest, r, spsr)
    store = name.startswith("st")
    suffix = re.match(r"(?:ldr|str|swp)(?:ex)?(.*)", name).group(1)
    result = {"va": (value + offset if pre else value) & MASK, "base": base, "store": int(store),
              "size": {"b": 1, "h": 2}.get(suffix.strip("st")[:1], 4),
              "sign_extend": int(suffix.startswith("s")),
              "writeback": int(writeback), "unprivileged": int(name.endswith("t")), "index": index,
              "writeback_value": (value + offset) & MASK if writeback else None,
              "swap": int(name.startswith("swp")), "exclusive": int("ex" in name)}
    if result["exclusive"] and store:
        result["status"] = reg.pop(0)
    if name.endswith("d") and len(reg) == 1:
        reg.append(reg[0] + 1)
    result["reg"] = tuple(reg)
    return result


def parse(text, r, spsr):
    """The text of an instruction as Transfer.values() has it, or None if it's something else."""
    name, _, operands = text.partition("\t")
    match = NAME.match(name)
    if not match or "<undefined>" in text:
        return None
    name = match.group(1)
    multiple = name in ("push", "pop") or name[:3] in ("ldm", "stm")
    found = parse_multiple(name, operands, r) if multiple else parse_single(name, operands, r, spsr)
    flags = ("sign_extend", "user_registers", "unprivileged", "swap", "exclusive")
    return {**dict.fromkeys(flags, 0), "status": None, "name": name, **found}


def refuse_multiple(p, thumb, wide):
    """Why an LDM or STM is refused: ARM DDI 0406C A8.8.57 to 61, A8.8.199 to 202, B9.3.5, 6, 17."""
    reg, lists_base = p["reg"], p["base"] in p["reg"]
    if not reg or p["base"] == PC:
        return "empty list or base PC"
    if p["user_registers"] and (p["writeback"] or (PC in reg and not p["store"])):
        return "LDM ^ with PC, or ^ with writeback"
    if p["writeback"] and lists_base and (not p["store"] or wide):
        return "base in list and written back"
    if wide and (len(reg) < 2 or SP in reg or (PC in reg and (p["store"] or LR in reg))):
        return "Thumb list: fewer than two, SP, PC stored, or LR and PC"
    return None


def refuse_single(p, thumb, wide):
    """Why one of the others is refused: ARM DDI 0406C A8.8.62 to 92, A8.8.203 to 220, A8.8.229."""
    reg, base, index = p["reg"], p["base"], p["index"]
    if p["writeback"] and (base == PC or base in reg):
        return "base written back is PC or transferred"
    if index == PC or (wide and index == SP):
        return "offset register PC, or SP in Thumb"
    if p["exclusive"] or p["swap"]:
        status = p["status"]
        if PC in (base, status) or PC in reg or status == base or status in reg:
            return "exclusive or swap of PC, or status register used twice"
        if (p["swap"] and base in reg) or (wide and (SP in reg or status == SP)):
            return "swap of its base, or exclusive of SP"
    if len(reg) == 2 and not p["swap"]:
        if not thumb and (reg[0] % 2 or reg[0] == LR or reg[1] != reg[0] + 1):
            return "register pair"
        if not thumb and not p["store"] and index in reg:
            return "LDRD overwrites its offset"
        if wide and (SP in reg or PC in reg or (not p["store"] and reg[0] == reg[1])):
            return "register pair"
    if p["store"] and thumb and base == PC:
        return "Thumb store to a literal"
    if PC in reg and not (p["name"] in ("ldr", "str", "strt") and not (thumb and p["store"])):
        return "PC"
    if wide and SP in reg and p["name"] not in ("ldr", "str"):
        return "SP"
    return None


def refusal(p, thumb, wide):
    """The rule of the manual's that forbids these registers, or None."""
    return (refuse_single if "index" in p else refuse_multiple)(p, thumb, wide)


def assemble(folder, texts, thumb):
    """The words that gas makes of the texts, None for what it doesn't take."""
    source, target, binary = (os.path.join(folder, "back" + end) for end in (".s", ".o", ".bin"))
    texts = list(texts)
    words = [None] * len(texts)
    todo = set(range(len(texts)))
    for _ in range(2):
        with open(source, "w", encoding="ascii") as file:
            file.write(".syntax unified\n.arch armv7ve\n" + (".thumb\n" if thumb else ".arm\n"))
            for number, text in enumerate(texts):
                file.write((text.replace("\t", " ") if number in todo else "nop") + "\n.balign 4\n")
        run = subprocess.run([CROSS + "as", "-o", target, source], check=False,
                             capture_output=True, text=True)
        bad = {(int(line) - 4) // 2 for line in re.findall(r":(\d+): Error", run.stderr)}
        todo -= bad
        if not bad:
            break
    subprocess.run([CROSS + "objcopy", "-O", "binary", target, binary], check=True)
    with open(binary, "rb") as file:
        found = file.read()
    for number in todo:
        low, high = struct.unpack_from("<HH", found, 4 * number)
        words[number] = high << 16 | low
        if thumb:
            words[number] = low << 16 | high if low >= 0xE800 else low
    return words


def slip(word, p, wide):
    """Corrects p where objdump 2.40 is wrong about the word; returns what it was, or None."""
    if wide and p["base"] == PC and p["unprivileged"]:
        # A8.8.92 and the other T forms: "if Rn == '1111' then SEE LDR (literal)"
        p.update(unprivileged=0, name=p["name"][:-1])
        return "a literal printed as a T form"
    if (wide and p["name"] in ("ldrd", "strd") and word & 0x012000FF == 0x01200000 and
            not p["writeback"]):
        p.update(writeback=1, writeback_value=p["va"])
        return "writeback of LDRD or STRD with offset 0 not printed"
    return None


def compare(decoder, folder, words, thumb, source):
    """Counts agreements by kind and lists disagreements."""
    counts, wrong, unexplained = collections.Counter(), [], []
    for word, text in zip(words, run_objdump(folder, words, thumb)):
        spsr = (THUMB if thumb else 0) | (CARRY if source.getrandbits(1) else 0)
        r = [source.getrandbits(32) for _ in range(15)]
        r.append(source.getrandbits(20) * (2 if thumb else 4))
        wide = thumb and word >> 16 != 0
        said, expected = decoder(word, r, spsr), parse(text, r, spsr)
        if not thumb and word >> 28 == 15:
            expected = None
        slipped = expected and slip(word, expected, wide)
        if slipped:
            counts["objdump's slip: " + slipped] += 1
        reason = expected and refusal(expected, thumb, wide)
        if expected is None or reason:
            counts["refused: " + (reason or "not a load or store")] += said is None
            if said is not None:
                wrong.append((word, text, f"accepted, but {reason or 'it is none'}"))
        elif said is None:
            unexplained.append((word, text))
        else:
            expected["length"] = 2 if thumb and not wide else 4
            found = said.values()
            bad = [f"{name}: {found[name]}, not {expected[name]}" for name in found
                   if found[name] != expected[name]]
            counts["accepted, all fields equal"] += not bad
            if bad:
                wrong.append((word, text, "; ".join(bad)))
    back = assemble(folder, [text for _, text in unexplained], thumb)
    for (word, text), again in zip(unexplained, back):
        if again in (word, None):
            wrong.append((word, text, "refused without a reason"))
        else:
            counts["refused: should-be bit"] += 1
    return counts, wrong


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    source = random.Random(seed)
    # IT would lend its condition to what follows, and is none of ours
    short = [word for word in range(0xE800) if word & 0xFF00 != 0xBF00]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        decoder = Decoder(folder)
        arm = random_words(source, count, ARM_CLASSES, True)
        wide = random_words(source, count, THUMB_CLASSES, False)
        for title, words, thumb in (("Arm", arm, False), ("Thumb 32-bit", wide, True),
                                    ("Thumb 16-bit, all", short, True)):
            words = list(words)
            if words != short:
                words += neighbours(decoder, words[:count // 10], thumb)
            words = [word for word in words if not thumb or word < 0xE800 or word >> 27 >= 0x1D]
            counts, wrong = compare(decoder, folder, words, thumb, source)
            print(f"{title}: {len(words)} words, {len(wrong)} disagreements")
            for kind, number in counts.most_common():
                print(f"  {number:8} {kind}")
            for word, text, why in wrong[:20]:
                print(f"  {word:08x} {text!r}: {why}")
            failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
