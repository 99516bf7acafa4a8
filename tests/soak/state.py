# SPDX-License-Identifier: BSD-2-Clause
"""What bivy knows of its devices' requests, found by gdb in a copy of its memory; printed as JSON.

    gdb-multiarch -nx -batch -x tests/soak/state.py build/bivy.elf CORE
"""

import json

import gdb  # pylint: disable=import-error

LONGEST = 1000


def items(array):
    first, last = array.type.range()
    return [array[i] for i in range(first, last + 1)]


def length(element):
    """Of a list; LONGEST if it has no end."""
    count = 0
    while element != 0 and count < LONGEST:
        count += 1
        element = element["next"]
    return count


def numbers(structure, *fields):
    return {field: int(structure[field]) for field in fields}


def free_list(queue):
    """How many descriptors are in the list of those that are free."""
    reached, at = set(), int(queue["free"])
    while len(reached) < int(queue["free_count"]) and at not in reached:
        reached.add(at)
        at = int(queue["slot"][at]["next"])
    return len(reached)


def physical_queue(queue):
    chains = [queue["slot"][i] for i in range(int(queue["size"])) if queue["slot"][i]["request"] != 0]
    return {**numbers(queue, "size", "in_flight", "free_count"), "free_list": free_list(queue),
            "chains": len(chains), "used": sum(int(chain["count"]) for chain in chains)}


def physical(device):
    return {**numbers(device, "lies", "users"), "state": str(device["state"]),
            "listeners": length(device["listener"]),
            "counters": {field.name: int(device["counters"][field]) for field in device["counters"].type.fields()},
            "queues": [physical_queue(device["queue"][i]) for i in range(int(device["queue_count"]))]}


def disk(model):
    return {"requests": len(items(model["request"])), "free": length(model["free"]),
            "held": length(model["held"]), "stalled": int(model["stalled"])}


def card(model):
    free = [length(of) for of in items(model["free"])]
    return {"slots": len(items(model["slot"])), "free": sum(free), "sending": len(items(model["slot"])) // 2 - free[1],
            **numbers(model, "outstanding", "late", "sent", "received", "dropped")}


def rng(model):
    return {"busy": sum(int(slot["busy"]) for slot in items(model["slot"]))}


KINDS = {"disks": disk, "cards": card, "rngs": rng}


def in_use(source, kind, sign):
    """(name, structure) of those whose device has the sign of one that is there."""
    for i, structure in enumerate(items(gdb.parse_and_eval(f"'{source}'::{kind}"))):
        if structure["device"][sign] != 0:
            yield f"{kind[:-1]} {i}", structure


def emulated(describe, model):
    return {**describe(model), **numbers(model["device"], "in_flight", "status"),
            "fault": int(model["device"]["fault"] != 0)}


gdb.execute("set max-value-size unlimited")
print(json.dumps({
    "board": {name: physical(structure["device"]) for kind in KINDS
              for name, structure in in_use("hyp/hw.c", kind, "registers")},
    "guest": {name: emulated(describe, model) for kind, describe in KINDS.items()
              for name, model in in_use("hyp/devices.c", kind, "model")},
    "tables": int(gdb.parse_and_eval("'hyp/stage1.c'::pool.used")),
}))
