# SPDX-License-Identifier: BSD-2-Clause
"""Device tree blobs, to be read, changed and written; also such as no compiler would write.

The format: Devicetree Specification v0.3, chapter 5.
"""

import struct

BEGIN, END, PROPERTY, NOP, LAST = 1, 2, 3, 4, 9


def cells(*values):
    return struct.pack(f">{len(values)}I", *values)


def string(*values):
    return b"".join(value.encode() + b"\0" for value in values)


def pad(data):
    return data + bytes(-len(data) % 4)


class Node:
    def __init__(self, name="", properties=None, children=()):
        self.name = name
        self.properties = dict(properties or {})
        self.children = list(children)

    def at(self, path):
        node = self
        for name in path.strip("/").split("/"):
            node = next(child for child in node.children if child.name == name)
        return node

    def set(self, name, value):
        self.properties[name] = value
        return self

    def add(self, *children):
        self.children += children
        return self

    def drop(self, name):
        """Removes a property or a child."""
        self.properties.pop(name, None)
        self.children = [child for child in self.children if child.name != name]
        return self

    def structure(self, strings):
        """The structure block's bytes of this node; names of properties are added to strings."""
        parts = [cells(BEGIN), pad(string(self.name))]
        for name, value in self.properties.items():
            if string(name) not in strings:
                strings += string(name)
            parts += [cells(PROPERTY, len(value), strings.index(string(name))), pad(value)]
        parts += [child.structure(strings) for child in self.children]
        return b"".join(parts) + cells(END)

    def blob(self):
        strings = bytearray()
        return wrap(self.structure(strings) + cells(LAST), bytes(strings))


def wrap(structure, strings=b""):
    """A blob of these two blocks, whatever is in them."""
    structure_at, strings_at = 56, 56 + len(structure)
    size = strings_at + len(strings)
    header = cells(0xD00DFEED, size, structure_at, strings_at, 40, 17, 16, 0, len(strings), len(structure))
    return header + bytes(16) + structure + strings


def parse(blob):
    """The root of a blob that is in order; of a property that is there twice the first counts."""
    structure, strings = struct.unpack_from(">2I", blob, 8)
    stack, at = [Node()], structure
    while True:
        token = struct.unpack_from(">I", blob, at)[0]
        at += 4
        if token == BEGIN:
            name = blob[at:blob.index(b"\0", at)]
            stack.append(Node(name.decode()))
            stack[-2].add(stack[-1])
            at += len(pad(name + b"\0"))
        elif token == END:
            stack.pop()
        elif token == PROPERTY:
            length, name = struct.unpack_from(">2I", blob, at)
            name += strings
            stack[-1].properties.setdefault(blob[name:blob.index(b"\0", name)].decode(), blob[at + 8:at + 8 + length])
            at += 8 + len(pad(bytes(length)))
        elif token == LAST:
            return stack[0].children[0]
