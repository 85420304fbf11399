"""The lab itself: its faults are faults, and end; two labs know nothing of each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from housecall.testing.lab import PORT, Lab
from housecall.testing.netlab import NAMESPACES, NetLab

#: Says when it listens, and then how many datagrams came until a second was silent.
COUNT = """
import socket
here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
here.bind(("", 9000))
here.settimeout(1)
print("ready", flush=True)
count = 0
try:
    while here.recv(2000):
        count += 1
except TimeoutError:
    print(count)
"""


def come_through(net: NetLab) -> int:
    """How many of a hundred kilobytes that `b` sends at once reach `a`."""
    send = "import socket; out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    send += f"for _ in range(100): out.sendto(bytes(1000), ({net.ip['a']!r}, 9000))"
    python = (sys.executable, "-S", "-c")
    with subprocess.Popen([*net.inside("a"), *python, COUNT], stdout=subprocess.PIPE, text=True) as counts:
        assert counts.stdout is not None
        assert counts.stdout.readline() == "ready\n"
        subprocess.run([*net.inside("b"), *python, send], check=True)
        return int(counts.stdout.read())


def test_each_fault_is_one_and_ends(lab: Lab, tmp_path: Path) -> None:
    lab.open()
    net, here = lab.net, lab.net.ip["srv"]
    other = NetLab(tmp_path)

    def reached() -> bool:
        return net.reaches("b", here, PORT, patience=30)

    def out_of_reach() -> bool:
        return not net.reaches("b", here, PORT)

    try:
        assert reached()
        assert not other.reaches("b", here, PORT), "the other lab's server was reached"
        net.cable("b", plugged=False)
        assert out_of_reach()
        net.cable("b", plugged=True)
        assert reached()
        net.drop("b", f"tcp dport {PORT}")
        assert out_of_reach()
        assert net.reaches("a", here, PORT, patience=30), "another host's packets were dropped"
        net.heal("b")
        assert reached()
        net.part("b", "srv")
        assert out_of_reach()
        net.heal("b")
        net.readdress("b", "10.77.0.33")
        assert reached()
        assert come_through(net) > 50  # all, but where the counter was kept from counting
        net.squeeze("b", "64kbit")
        assert reached()
        assert come_through(net) < 20
        net.heal("b")
        assert come_through(net) > 50  # all, but where the counter was kept from counting
        other.close()
        assert not [path.name for path in NAMESPACES.glob(f"{other.tag}-*")]
    finally:
        other.close()
