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
VGIC = [f"-DLRS={lrs} -DEDGE={edge}" for lrs in (1, 2) for edge in (0, 1)]
QUEUE = [f"-DEVENT={event}" for event in (0, 1)]
BUDGET = {"vgic": f"-DRAISES={SIZE} -DSENDS={SIZE} -DWRITES=2", "queue": f"-DREQUESTS={3 + 2 * SIZE} -DRESETS={SIZE}"}
MODELS = [("vgic", flags) for flags in VGIC] + [("queue", flags) for flags in QUEUE]
ACTIVE = ("vgic", "-DLRS=1 -DEDGE=0 -DACTIVE")

TARGET = "-DLRS=1 -DEDGE=0"
INBOX = "-DLRS=1 -DEDGE=0 -DRAISES=0 -DSENDS=2 -DWRITES=0"
EVENT = "-DEVENT=1"

# The model in which it shows, a line of it, and what is in its place when the code has this fault.
FAULTS = {
    "the owner of a list register is not told":
        ("vgic", TARGET, ":: in_lr -> c[owner].recheck = 1; look[owner] = 1", ":: in_lr -> skip"),
    "nobody is kicked": ("vgic", TARGET, "\tc[who].kicked = 1", "\tskip"),
    "an SPI that ends is not looked for again":
        ("vgic", TARGET, "\t\tc[target].spi_word = 1;\n\t\tif", "\t\tif"),
    "what leaves a list register is forgotten":
        ("vgic", "-DLRS=1 -DEDGE=1", ":: c[x].irq[i] == SPI -> latched = 1\n", ":: c[x].irq[i] == SPI -> skip\n"),
    "a claim that ended keeps out what comes": ("vgic", TARGET, ":: claimers == 0 -> claimed = 0", ":: claimers == 0 -> skip"),
    "the end of a high wire's interrupt is not told": ("vgic", TARGET, "\tc[x].told[i] = spi_pending;\n", ""),
    "the senders are cleared after the inbox":
        ("vgic", INBOX, "c[x].senders = 0; atomic { open_inbox(x) }", "atomic { open_inbox(x) }; c[x].senders = 0"),
    "the inbox is filled after its sender is known":
        ("vgic", INBOX, "c[1 - x].unseen = 1; c[1 - x].inbox = 1; look[1 - x] = 1 };\n\t\tc[1 - x].senders = 1;",
         "look[1 - x] = 1 };\n\t\tc[1 - x].senders = 1;\n\t\tatomic { c[1 - x].unseen = 1; c[1 - x].inbox = 1 };"),
    "full list registers are not noted": ("vgic", TARGET, ":: k == NONE -> c[x].npie = 1; break", ":: k == NONE -> c[x].npie = 0; break"),
    "ends outside list registers are not told": ("vgic", TARGET, "\tc[x].lrenpie = c[x].taken;", "\tc[x].lrenpie = 0;"),
    "a target changes without a claim":
        ("vgic", TARGET, "op != write_set_enable && op != write_set_pending",
         "op != write_set_enable && op != write_target && op != write_set_pending"),
    "the device does not look again":
        ("queue", EVENT, "\t\t\tFENCE(used, avail_event);\n\t\t\twaiting = behind(avail.seen, last_avail)\n",
         "\t\t\tFENCE(used, avail_event)\n"),
    "no barrier before it looks again": ("queue", EVENT, "\t\t\tFENCE(used, avail_event);\n\t\t\twaiting", "\t\t\twaiting"),
    "no barrier before it reads the driver's wish": ("queue", EVENT, "\tFENCE(used, avail_event);\n\tif", "\tif"),
    "the last used entry is not counted":
        ("queue", EVENT, "used_event.seen + 1) < pushed", "used_event.seen + 1) < pushed - 1"),
    "a reset does not wait": ("queue", EVENT, "\t\tdraining = in_flight != 0;\n", "\t\tdraining = 0;\n"),
}


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False, **more)


def errors(folder, name, flags):
    """What Spin finds: its complaint, or an empty string; and the number of states."""
    budget = [] if "SENDS" in flags else BUDGET[name].split()
    generated = run("spin", *flags.split(), *budget, "-a", f"{name}.pml", cwd=folder)
    assert generated.returncode == 0, generated.stdout
    built = run("gcc", "-O0", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048", "-o", "pan", "pan.c", cwd=folder)
    assert built.returncode == 0, built.stderr
    report = run("./pan", "-m1000000", cwd=folder).stdout
    states = re.search(r"(\d+) states, stored", report)
    assert states and "Search not completed" not in report.replace("errors: 1", "") or "errors: 1" in report, report
    assert "max search depth too small" not in report, report
    return "".join(re.findall(r"pan:1: .*", report)), int(states[1])


@pytest.mark.parametrize("name,flags", MODELS + [ACTIVE])
def test_nothing_is_lost_twice_or_stuck(tmp_path, name, flags):
    (tmp_path / f"{name}.pml").write_text((HERE / f"{name}.pml").read_text())
    complaint, states = errors(tmp_path, name, flags)
    print(f"{name} {flags} {BUDGET[name]}: {states} states")
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


@pytest.mark.parametrize("name,flags", MODELS + [ACTIVE])
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
    linux = {"virtqueue_kick_prepare", "vring_interrupt"}
    code = "".join(path.read_text() for path in (TOP / folder).glob("*.c"))
    code += "".join(path.read_text() for path in (TOP / folder).glob("*.h"))
    named = set(re.findall(r"\b(\w+)\(\)", comments)) - linux
    assert len(named) > 5
    missing = [function for function in named if not re.search(rf"^[a-z].*\b{function}\(", code, re.M)]
    assert missing == []
