# SPDX-License-Identifier: BSD-2-Clause
"""The models of what cores do to each other, checked by Spin in every order of steps; and the code against the models.

`make model` runs these; SIZE=2 tries more of everything, which takes minutes and 2 GiB of memory.
"""
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
TOP = HERE.parents[1]
SIZE = int(os.environ.get("SIZE") or 1)

# What the models can be, and how much happens in them.
TARGET, OWN = "-DLRS=1 -DEDGE=0 -DHW=0", "-DLRS=1 -DEDGE=0 -DHW=1"
BUDGET = {"vgic": f"-DRAISES={SIZE} -DSENDS={SIZE} -DWRITES=2", "queue": f"-DREQUESTS={3 + 2 * SIZE} -DRESETS={SIZE}"}
MODELS = [("vgic", f"-DLRS=1 -DEDGE={edge} -DHW={hw}") for edge in (0, 1) for hw in (0, 1)]
MODELS += [("vgic", f"-DLRS=2 -DEDGE={edge} -DHW=0") for edge in (0, 1)]
MODELS += [("vgic", f"{TARGET} -DACTIVE"), ("vgic", f"{OWN} -DACTIVE")]
MODELS += [("queue", f"-DPACKED={packed} -DEVENT={event}") for packed in (0, 1) for event in (0, 1)]
SELF = ("vgic", f"{TARGET} -DSELF")
# With less of something, and what no simulation is made of.
SENDERS = f"{TARGET} -DSELF -DRAISES=0 -DSENDS=3 -DWRITES=0"
MORE = [("vgic", SENDERS), ("vgic", f"{TARGET} -DSELF -DRAISES=1 -DSENDS=2 -DWRITES=0"),
        ("vgic", f"{TARGET} -DCORES=3 -DRAISES=1 -DSENDS=1 -DWRITES=1"),
        ("vgic", f"{OWN} -DCORES=3 -DRAISES=1 -DSENDS=0 -DWRITES=2")]

INBOX = f"{TARGET} -DRAISES=0 -DSENDS=2 -DWRITES=0"
EVENT, PACKED = "-DPACKED=0 -DEVENT=1", "-DPACKED=1 -DEVENT=1"

# The model in which it shows, a line of it, and what is in its place when the code has this fault.
FAULTS = {
    "the owner of a list register is not told":
        ("vgic", TARGET, ":: in_lr -> c[owner].recheck = 1; look = BIT(owner)", ":: in_lr -> skip"),
    "core 0 is not kicked": ("vgic", TARGET, "\tc[0].kicked = c[0].kicked | ((mask) & 1)", "\tskip"),
    "an SPI that ends is not looked for again":
        ("vgic", TARGET, "\t\tc[target].spi_word = 1;\n\t\tif", "\t\tif"),
    "what leaves a list register is forgotten":
        ("vgic", "-DLRS=1 -DEDGE=1 -DHW=0", ":: c[x].irq[i] == SPI -> latched = 1\n", ":: c[x].irq[i] == SPI -> skip\n"),
    "a claim that ended keeps out what comes": ("vgic", TARGET, ":: claimers == 0 -> claimed = 0", ":: claimers == 0 -> skip"),
    "the end of a high wire's interrupt is not told": ("vgic", TARGET, "\t\tc[x].told[i] = spi_pending;\n", ""),
    "the senders are cleared after the inbox":
        ("vgic", INBOX, "c[x].senders = 0 };\n\t\t\tdo\n\t\t\t:: from -> atomic { open_inbox(x) }",
         "skip };\n\t\t\tdo\n\t\t\t:: from -> atomic { open_inbox(x) }; c[x].senders = 0"),
    "the inbox is filled after its sender is known":
        ("vgic", INBOX, "c[to].senders = c[to].senders | BIT(x); to = 0; phase = looks }",
         "c[to].senders = c[to].senders | BIT(x); c[to].inbox = c[to].inbox & ~BIT(x); phase = looks };\n"
         "\t\tatomic { c[to].inbox = c[to].inbox | BIT(x); to = 0 }"),
    "one sender stands for all":
        ("vgic", SENDERS,
         "\t\tc[x].sgi_source = c[x].sgi_source & ~BIT(c[x].source[i]);\n", "\t\tc[x].sgi_source = 0;\n"),
    "another sender's end is not told":
        ("vgic", SENDERS, "\tc[x].told[i] = c[x].sgi_source != 0;\n\tc[x].eoi[i] = c[x].sgi_source != 0\n}",
         "\tskip\n}"),
    "full list registers are not noted": ("vgic", TARGET, ":: k == NONE -> c[x].npie = 1; break", ":: k == NONE -> c[x].npie = 0; break"),
    "ends outside list registers are not told": ("vgic", TARGET, "\tc[x].lrenpie = c[x].taken;", "\tc[x].lrenpie = 0;"),
    "a target changes without a claim":
        ("vgic", TARGET, "op != write_set_enable && (HW || op != write_set_pending)",
         "op != write_set_enable && op != write_target && op != write_set_pending"),
    "an SPI that is claimed stays where it fired":
        ("vgic", OWN, "\t:: in_lr && owner == x && !c[x].pending[k]", "\t:: in_lr && !claimed && owner == x && !c[x].pending[k]"),
    "an SPI that fired for another core is kept":
        ("vgic", OWN, "\t\t:: target != x -> give_back()\n", "\t\t:: target != x -> skip\n"),
    "an SPI that is given back stays active":
        ("vgic", OWN, "\tlatched = 0;\n\tphys_active = 0\n", "\tlatched = 0\n"),
    "an SPI that ends outside list registers stays active":
        ("vgic", OWN, "\t:: HW && running -> give_back()\n\t:: else\n\tfi;\n\trunning = 0;\n\trepeat",
         "\t:: skip\n\tfi;\n\trunning = 0;\n\trepeat"),
    "an SPI that is not pending any more stays active":
        ("vgic", OWN, "\t\tphys_active = phys_active && !latched;\n", ""),
    "the device does not look again":
        ("queue", EVENT, "\t\t\tFENCE(used, avail_event);\n\t\t\twaiting = behind(avail.seen, last_avail)\n",
         "\t\t\tFENCE(used, avail_event)\n"),
    "no barrier before it looks again": ("queue", EVENT, "\t\t\tFENCE(used, avail_event);\n\t\t\twaiting", "\t\t\twaiting"),
    "no barrier before it reads the driver's wish": ("queue", EVENT, "\tFENCE(used, avail_event);\n\tif", "\tif"),
    "the last used entry is not counted":
        ("queue", EVENT, "asks(used.mine, used_event.seen, pushed)", "asks(used.mine, used_event.seen, pushed - 1)"),
    "the next lap is taken for this one": ("queue", PACKED, "now / LAP != event / LAP -> LAP : 0", "0 -> LAP : 0"),
    "the driver listens without looking":
        ("queue", "-DPACKED=1 -DEVENT=0", "\t\t\tFENCE(avail, used_event);\n\t\t\tif\n\t\t\t:: used.seen == last_used -> break",
         "\t\t\tif\n\t\t\t:: true -> break"),
    "a reset does not wait": ("queue", EVENT, "\t\tdraining = in_flight != 0;\n", "\t\tdraining = 0;\n"),
}


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False, **more)


def errors(folder, name, flags):
    """What Spin finds: its complaint, or an empty string; and the number of states."""
    budget = [] if "SENDS" in flags else BUDGET[name].split()
    generated = run("spin", *flags.split(), *budget, "-a", f"{name}.pml", cwd=folder)
    assert generated.returncode == 0, generated.stdout
    less_memory = ["-DCOLLAPSE"] if SIZE > 1 else []
    built = run("gcc", "-O0", "-w", "-DSAFETY", *less_memory, "-DVECTORSZ=2048", "-o", "pan", "pan.c", cwd=folder)
    assert built.returncode == 0, built.stderr
    report = run("./pan", "-m1000000", cwd=folder).stdout
    states = re.search(r"(\d+) states, stored", report)
    assert states and "Search not completed" not in report.replace("errors: 1", "") or "errors: 1" in report, report
    assert "max search depth too small" not in report, report
    return "".join(re.findall(r"pan:1: .*", report)), int(states[1])


@pytest.mark.parametrize("name,flags", MODELS + MORE)
def test_nothing_is_lost_twice_or_stuck(tmp_path, name, flags):
    (tmp_path / f"{name}.pml").write_text((HERE / f"{name}.pml").read_text())
    complaint, states = errors(tmp_path, name, flags)
    print(f"{name} {flags}: {states} states")
    assert complaint == ""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(tmp_path, fault):
    name, flags, line, instead = FAULTS[fault]
    model = (HERE / f"{name}.pml").read_text()
    assert model.count(line) == 1
    (tmp_path / f"{name}.pml").write_text(model.replace(line, instead))
    assert errors(tmp_path, name, flags)[0]


@pytest.fixture(scope="module")
def replays(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    sources = {"vgic": ["tests/model/replay.c", "tests/unit/vgic_hw.c"],
               "queue": ["tests/model/replay_queue.c", *(f"drivers/virtio/{name}.c" for name in
                                                         ("mmio", "device", "queue", "split", "packed"))]}
    for name, files in sources.items():
        built = run("gcc", "-std=gnu11", "-g", "-O1", "-fsanitize=address,undefined", "-Wall", "-Wextra", "-Werror", "-I.",
                    "-o", folder / name, *files, "-lcmocka", cwd=TOP)
        assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.parametrize("name,flags", MODELS + [SELF])
def test_the_code_does_as_the_model(replays, tmp_path, name, flags):
    compared = 0
    for seed in range(1, 9):
        told = run("spin", "-T", f"-n{seed}", "-u100000", "-DREPLAY", *flags.split(), "-DRAISES=30", "-DSENDS=20",
                   "-DWRITES=40", "-DREQUESTS=100", "-DRESETS=0", HERE / f"{name}.pml", cwd=tmp_path).stdout
        done = run(replays / name, *re.findall(r"-D[A-Z]+=(\d)", flags), input=told)
        assert done.returncode == 0, f"seed {seed}: {done.stderr}"
        compared += int(done.stdout)
    assert compared > 400


@pytest.mark.parametrize("name,folder", [("vgic", "hyp"), ("queue", "drivers/virtio")])
def test_the_model_names_functions_that_exist(name, folder):
    comments = " ".join(re.findall(r"/\*.*?\*/", (HERE / f"{name}.pml").read_text(), re.S))
    linux = {"virtqueue_kick_prepare", "vring_interrupt", "virtqueue_disable_cb"}
    code = "".join(path.read_text() for path in (TOP / folder).glob("*.c"))
    code += "".join(path.read_text() for path in (TOP / folder).glob("*.h"))
    named = set(re.findall(r"\b(\w+)\(\)", comments)) - linux
    assert len(named) > 5
    missing = [function for function in named if not re.search(rf"^[a-z].*\b{function}\(", code, re.M)]
    assert missing == []
