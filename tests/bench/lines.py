#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long the hypervisor is, its functions and its assembly, beside the bars; fails where one of the latter two is missed."""

import glob
import re
import sys

SCREEN = 60
# (share of functions longer than a screen, length that 9 of 10 keep to, lines of assembly)
BARS = (0.02, 35, 216)
TOTAL_BAR = 8000
FILES = [name for folder in ("boot", "hyp", "drivers", "linker") for name in glob.glob(f"{folder}/**", recursive=True)
         if re.search(r"\.[chS]$", name)]


def lines_of(name):
    with open(name, encoding="utf-8") as file:
        return file.read().splitlines()


def functions(name):
    """[(length, file:line)]: from the first line of its head, in kernel style, to its closing brace."""
    found, lines = [], lines_of(name)
    for at, line in enumerate(lines):
        if line == "{":
            head = at
            while head > 0 and re.match(r"[A-Za-z_\t]", lines[head - 1]):
                head -= 1
            found.append((lines.index("}", at) + 1 - head, f"{name}:{head + 1}"))
    return found


def code(lines):
    """Those with more than a comment."""
    text = re.sub(r"/\*.*?\*/", "", "\n".join(lines), flags=re.DOTALL)
    return sum(bool(line.strip()) for line in text.splitlines())


def figures():
    """{"lines", "code", "assembly", "functions", "long": share, "tenth": 9 of 10 are no longer}"""
    lengths = sorted(length for name in FILES if name.endswith(".c") for length, _ in functions(name))
    return {"lines": sum(len(lines_of(name)) for name in FILES), "code": sum(code(lines_of(name)) for name in FILES),
            "assembly": sum(code(lines_of(name)) for name in FILES if name.endswith(".S") and "linker/" not in name),
            "functions": len(lengths), "long": sum(length > SCREEN for length in lengths) / len(lengths),
            "tenth": lengths[len(lengths) * 9 // 10]}


def main():
    found = figures()
    print("{lines:,} lines of hypervisor, {code:,} of them code; {functions} functions, {long:.1%} of them longer than a "
          "screen, 9 of 10 at most {tenth} lines; {assembly} lines of assembly".format(**found))
    print(f"bars: {TOTAL_BAR:,} lines, {BARS[0]:.0%}, {BARS[1]} lines, {BARS[2]} lines")
    if any(found[name] > bar for name, bar in zip(("long", "tenth", "assembly"), BARS)):
        sys.exit("lines.py: a bar is missed; the longest: "
                 + ", ".join(f"{at} ({length})" for length, at in
                             sorted(sum(map(functions, (f for f in FILES if f.endswith('.c'))), []))[-5:]))


if __name__ == "__main__":
    main()
