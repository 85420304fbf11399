"""A network of one's own: hosts with addresses on one switch, whose cables are pulled and whose packets are dropped.

Its hosts are network namespaces of Linux; nothing of the machine's own network is touched. It needs root, iproute2 and
nftables, and raises Impossible where the machine does not let us.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

from .parts import find

LABS = itertools.count(1)
GATEWAY = "10.77.0.254"  #: nobody is there: the network has no way out
NAMESPACES = Path("/run/netns")

#: Connects as soon as it can: a network that has just come back has no way to anybody for a moment.
ASK = """
import socket, time
end = time.monotonic() + {patience}
while True:
    try:
        socket.create_connection(({address!r}, {port}), timeout=max(0.1, end - time.monotonic())).close()
        break
    except OSError:
        if time.monotonic() > end:
            raise
        time.sleep(0.1)
"""


class Impossible(RuntimeError):
    """This machine has no such network; the text says why and what to do."""


class NetLab:
    """Hosts at 10.77.0.1, .2, .3 …, in this order. `folder` is for what their browsers are started by."""

    def __init__(self, folder: Path, hosts: tuple[str, ...] = ("srv", "a", "b")) -> None:
        missing = [f"{program} ({package})" for program, package in NEEDED.items() if not find(program)]
        if os.geteuid() != 0 or missing:
            lacks = ", ".join([*missing, *(["root"] if os.geteuid() != 0 else [])])
            raise Impossible(f"a network of namespaces needs {lacks}: as root, apt-get install iproute2 nftables")
        self.folder, self.tag = folder, f"hc{os.getpid()}-{next(LABS)}"
        self.ip = {host: f"10.77.0.{number}" for number, host in enumerate(hosts, 1)}
        _sweep()
        try:
            _ip("", f"netns add {self.name('switch')}")
            _ip(self.name("switch"), "link add br0 type bridge stp_state 0 forward_delay 0", "link set br0 up")
            for host, address in self.ip.items():
                own, switch = self.name(host), self.name("switch")
                _ip("", f"netns add {own}", f"link add eth0 netns {own} type veth peer name {host} netns {switch}")
                _ip(switch, f"link set dev {host} master br0 up")
                _ip(own, "link set lo up", "link set eth0 up")
                self.readdress(host, address)
        except Impossible:
            self.close()
            raise

    def name(self, host: str) -> str:
        """The namespace of a host."""
        return f"{self.tag}-{host}"

    def inside(self, host: str) -> tuple[str, ...]:
        """What a command is run by to run on a host."""
        return (find("ip") or "ip", "netns", "exec", self.name(host))

    def chromium(self, host: str) -> str:
        """A program that starts Chromium on a host; Playwright speaks with it over the pipes that it inherits."""
        path = self.folder / f"chromium-{host}"
        path.write_text(f'#!/bin/sh\nexec {" ".join(self.inside(host))} {find("chromium")} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    def reaches(self, host: str, address: str, port: int, *, patience: float = 2) -> bool:
        """Whether a TCP connection from a host to an address comes about, in so many seconds."""
        ask = ASK.format(address=address, port=port, patience=patience)
        done = subprocess.run([*self.inside(host), sys.executable, "-S", "-c", ask], capture_output=True)
        return done.returncode == 0

    # -- faults

    def cable(self, host: str, *, plugged: bool) -> None:
        """Plug a host's cable into the switch, or pull it out."""
        _ip(self.name("switch"), f"link set dev {host} {'up' if plugged else 'down'}")

    def readdress(self, host: str, address: str) -> None:
        """Give a host another address, as when a phone leaves its Wi-Fi."""
        _ip(
            self.name(host),
            "addr flush dev eth0",
            f"addr add {address}/24 dev eth0",
            f"route add default via {GATEWAY}",
        )
        self.ip[host] = address

    def drop(self, host: str, match: str, hooks: tuple[str, ...] = ("input", "output")) -> None:
        """Drop what matches, coming and going: "meta l4proto udp", "ip daddr 10.77.0.3" (see nft(8))."""
        for hook in hooks:
            chain = f"chain {hook} {{\ntype filter hook {hook} priority 0;\n}}"
            rule = f"table inet hc {{\n{chain}\n}}\nadd rule inet hc {hook} {match} drop\n"
            _run(*self.inside(host), find("nft") or "nft", "-f", "-", said=rule)

    def part(self, one: str, other: str) -> None:
        """Two hosts do not reach each other any more; others reach both."""
        self.drop(one, f"ip daddr {self.ip[other]}", hooks=("output",))
        self.drop(one, f"ip saddr {self.ip[other]}", hooks=("input",))

    def squeeze(self, host: str, rate: str) -> None:
        """Let a host send at most so much: "64kbit"."""
        self._tc(host, f"replace dev eth0 root tbf rate {rate} burst 16kbit latency 300ms")

    def heal(self, host: str) -> None:
        """Nothing is dropped or squeezed any more."""
        _run(*self.inside(host), find("nft") or "nft", "flush", "ruleset")
        self._tc(host, "replace dev eth0 root pfifo_fast")

    def _tc(self, host: str, command: str) -> None:
        _run(*self.inside(host), find("tc") or "tc", "qdisc", *command.split())

    def close(self) -> None:
        """The hosts and their switch are gone; who still runs there hears nobody."""
        for host in (*self.ip, "switch"):
            if (NAMESPACES / self.name(host)).exists():
                _ip("", f"netns del {self.name(host)}")


#: What the lab is made with -> the Debian package that brings it.
NEEDED = {"ip": "iproute2", "tc": "iproute2", "nft": "nftables"}


def _ip(namespace: str, *commands: str) -> None:
    """Commands of ip(8), in a namespace or, without one, about namespaces."""
    where = ["-n", namespace] if namespace else []
    _run(find("ip") or "ip", *where, "-batch", "-", said="\n".join(commands) + "\n")


def _run(*command: str, said: str = "") -> None:
    done = subprocess.run(command, input=said, capture_output=True, text=True)
    if done.returncode:
        raise Impossible(f"{' '.join(command[:6])}: {done.stderr.strip()}")


def _sweep() -> None:
    """Remove what test runs that were killed have left behind."""
    for path in NAMESPACES.glob("hc*-*-*"):
        owner = re.match(r"hc(\d+)-", path.name)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            _ip("", f"netns del {path.name}")
