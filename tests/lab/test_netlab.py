"""The lab itself: its faults are faults, and end; two labs know nothing of each other."""

from __future__ import annotations

from pathlib import Path

from housecall.testing.lab import PORT, Lab
from housecall.testing.netlab import NAMESPACES, NetLab


def test_each_fault_is_one_and_ends(lab: Lab, tmp_path: Path) -> None:
    lab.open()
    net, here = lab.net, lab.net.ip["srv"]
    other = NetLab(tmp_path)

    def reached() -> bool:
        return net.reaches("b", here, PORT)

    try:
        assert reached()
        assert not other.reaches("b", here, PORT), "the other lab's server was reached"
        net.cable("b", plugged=False)
        assert not reached()
        net.cable("b", plugged=True)
        assert reached()
        net.drop("b", f"tcp dport {PORT}")
        assert not reached()
        assert net.reaches("a", here, PORT), "another host's packets were dropped"
        net.heal("b")
        assert reached()
        net.part("b", "srv")
        assert not reached()
        net.heal("b")
        net.readdress("b", "10.77.0.33")
        assert reached()
        net.squeeze("b", "64kbit")
        assert reached()
        net.heal("b")
        other.close()
        assert not [path.name for path in NAMESPACES.glob(f"{other.tag}-*")]
    finally:
        other.close()
