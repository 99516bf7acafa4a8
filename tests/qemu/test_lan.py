# SPDX-License-Identifier: BSD-2-Clause
"""The board's Ethernet, a LAN9118, as the guest's network card, on vexpress-a15."""

import hashlib
import http.server
import json
import os
import socket
import threading

from machine import ANSWER, BOOT, PROMPT, Machine, tree_of
from test_devices import Files, bundle, digest, image, sum_of

BOARD = "vexpress-a15,secure=off,virtualization=on"
CARD = 'bivy,virtio = "net"; bivy,backend = "eth0";'
MAC = "52:54:00:ab:cd:ef"
# QEMU's card loses what its 10 KiB have no room for, and its network sends a whole window at once.
WINDOW = "echo 4096 8192 8192 >/proc/sys/net/ipv4/tcp_rmem"


def boot(folder):
    qmp = os.path.join(str(folder), "qmp")
    tree = tree_of("vexpress-a15", folder, 2, "512M")
    guest = Machine("-dtb", tree, "-nic", f"user,model=lan9118,id=n0,mac={MAC}", "-qmp", f"unix:{qmp},server=on,wait=off",
                    machine=BOARD, mem="512M", bundle=bundle(folder, CARD))
    guest.expect(PROMPT, BOOT)
    guest.command("stty columns 300; " + WINDOW)
    return guest


def set_link(folder, up):
    """Pulls the cable, or puts it back."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(ANSWER)
        link.connect(os.path.join(str(folder), "qmp"))
        lines = link.makefile("rw", encoding="ascii")
        for command, arguments in (("qmp_capabilities", {}), ("set_link", {"name": "n0", "up": up})):
            lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            lines.flush()
            answer = {}
            while "return" not in answer:
                answer = json.loads(lines.readline())
                assert "error" not in answer, answer


def wait_for_carrier(guest, carrier):
    guest.command(f"until grep -q {carrier} /sys/class/net/eth0/carrier; do usleep 100000; done")


class Sink:
    """Takes what comes over one connection."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(ANSWER)
        self.port = self.listener.getsockname()[1]
        self.digest = None
        self.thread = threading.Thread(target=self.take, daemon=True)
        self.thread.start()

    def take(self):
        taken = hashlib.sha256()
        with self.listener, self.listener.accept()[0] as connection:
            while piece := connection.recv(1 << 16):
                taken.update(piece)
        self.digest = taken.hexdigest()


def test_net(tmp_path):
    """An address by DHCP, files that arrive whole both ways; a cable that is pulled; the same after a restart."""
    path = image(tmp_path, "file", 2)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *more: Files(*more, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fetch = f"wget -q -O - http://10.0.2.2:{server.server_address[1]}/file"
    up = "ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0"
    with boot(tmp_path) as guest:
        assert guest.command("cat /sys/class/net/eth0/address").strip() == MAC
        guest.command(up)
        wait_for_carrier(guest, 1)
        assert "lease of 10.0.2.15" in guest.command("udhcpc -i eth0 -n -q -t 5")
        assert " 0% packet loss" in guest.command("ping -c 3 -s 1472 10.0.2.2")
        assert sum_of(guest, fetch) == digest(path)
        sink = Sink()
        guest.command(f"head -c 1000001 /dev/urandom >/tmp/new; nc 10.0.2.2 {sink.port} </tmp/new")
        sink.thread.join(ANSWER)
        assert sum_of(guest, "cat /tmp/new") == sink.digest

        set_link(tmp_path, False)
        wait_for_carrier(guest, 0)
        set_link(tmp_path, True)
        wait_for_carrier(guest, 1)
        guest.command("ip link set eth0 down; ip link set eth0 up")
        assert sum_of(guest, fetch) == digest(path)

        # It goes in the middle of a file.
        guest.send(f"{fetch} >/dev/null & reboot -f\r")
        guest.expect("the guest starts again", ANSWER)
        guest.expect(PROMPT, BOOT)
        guest.command(f"stty columns 300; {WINDOW}; {up}")
        wait_for_carrier(guest, 1)
        assert sum_of(guest, fetch) == digest(path)
    server.shutdown()


def test_a_board_without(tmp_path):
    with Machine(bundle=bundle(tmp_path, CARD), mem="256M") as guest:
        guest.expect("virtio_mmio@a000200: bivy,backend: this board has no such card", BOOT)
