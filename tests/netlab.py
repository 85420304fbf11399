"""A practice and two people on a network of their own: the least of it, under the names of `housecall.testing.lab`.

It goes when that module is here; test_weak_line.py then needs no other change than the import.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType

from housecall.testing.parts import find
from housecall.testing.people import Person, meet
from housecall.testing.practice import Practice

HOST, PORT = "elm.localhost", 8000
TOML = '[server]\nbind = "0.0.0.0"\n[clinic.main]\nname = "Elm Street Practice"\n'


def sh(command: str, said: str = "") -> None:
    subprocess.run(["/bin/sh", "-ec", command], input=said, text=True, check=True, capture_output=True)


class NetLab:
    """Hosts srv, a, b at 10.77.0.1, .2, .3 on one switch; nothing of the machine's own network is touched."""

    def __init__(self, folder: Path, hosts: tuple[str, ...] = ("srv", "a", "b")) -> None:
        self.folder, self.tag = folder, f"hcl{os.getpid()}"
        self.ip = {host: f"10.77.0.{number}" for number, host in enumerate(hosts, 1)}
        switch = f"{self.tag}-sw"
        sh(f"ip netns add {switch}; ip -n {switch} link add br0 type bridge stp_state 0 forward_delay 0")
        sh(f"ip -n {switch} link set br0 up")
        for host, address in self.ip.items():
            own = f"{self.tag}-{host}"
            sh(f"ip netns add {own}; ip link add eth0 netns {own} type veth peer name v{host} netns {switch}")
            sh(f"ip -n {switch} link set v{host} master br0 up; ip -n {own} link set lo up")
            sh(f"ip -n {own} addr add {address}/24 dev eth0; ip -n {own} link set eth0 up")
            sh(f"ip -n {own} route add default via 10.77.0.254")

    def inside(self, host: str) -> tuple[str, ...]:
        """What a command is run by to run on a host."""
        return ("ip", "netns", "exec", f"{self.tag}-{host}")

    def chromium(self, host: str) -> str:
        """A program that starts Chromium on a host."""
        path = self.folder / f"chromium-{host}"
        path.write_text(f'#!/bin/sh\nexec {" ".join(self.inside(host))} {find("chromium")} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    def drop(self, host: str, match: str, hooks: tuple[str, ...] = ("input", "output")) -> None:
        """Drop what matches, see nft(8)."""
        for hook in hooks:
            chain = f"chain {hook} {{ type filter hook {hook} priority 0; }}"
            rule = f"table inet hc {{\n{chain}\n}}\nadd rule inet hc {hook} {match} drop\n"
            sh(f"{' '.join(self.inside(host))} nft -f -", rule)

    def squeeze(self, host: str, rate: str) -> None:
        """Let a host send at most so much: "64kbit"."""
        inside = " ".join(self.inside(host))
        sh(f"{inside} tc qdisc replace dev eth0 root tbf rate {rate} burst 16kbit latency 300ms")

    def heal(self, host: str) -> None:
        """Nothing is dropped or squeezed any more."""
        inside = " ".join(self.inside(host))
        sh(f"{inside} nft flush ruleset; {inside} tc qdisc replace dev eth0 root pfifo_fast")

    def close(self) -> None:
        for host in (*self.ip, "sw"):
            sh(f"ip netns del {self.tag}-{host} || true")


@dataclass
class OnAHost(Practice):
    """A practice whose server runs on a host of the lab."""

    prefix: tuple[str, ...] = ()

    def start(self) -> OnAHost:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "housecall.toml").write_text(self.toml, encoding="utf-8")
        environment = {**os.environ, "PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *self.command, str(self.folder)],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        address = f"http://127.0.0.1:{self.port}/-/health"
        ask = [
            *self.prefix,
            sys.executable,
            "-S",
            "-c",
            f"import urllib.request as u; u.urlopen({address!r}, timeout=5)",
        ]
        end = time.monotonic() + 60
        while subprocess.run(ask, capture_output=True).returncode:
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)  # the condition is the answer; this only paces the asking
        return self


@dataclass
class Lab:
    """The practice runs on `srv`; people sit at the other hosts, each with a browser of their own."""

    net: NetLab
    chromium: BrowserType
    people: list[Person] = field(default_factory=list)
    browsers: list[Browser] = field(default_factory=list)
    practices: list[OnAHost] = field(default_factory=list)
    toml: str = TOML

    def open(self) -> Practice:
        """Start the practice."""
        made = OnAHost(self.net.folder / "site", host=HOST, port=PORT, toml=self.toml, prefix=self.net.inside("srv"))
        self.practices.append(made)
        return made.start()

    def person(self, host: str, colour: str, practice: Practice, **options: Any) -> Person:
        """Somebody at a host."""
        browser = self.chromium.launch(
            executable_path=self.net.chromium(host),
            args=[
                "--use-fake-device-for-media-stream",
                "--disable-background-networking",
                "--autoplay-policy=no-user-gesture-required",
                f"--host-resolver-rules=MAP *.localhost {self.net.ip['srv']}",
            ],
        )
        self.browsers.append(browser)
        made = meet(browser, practice.url, colour, **options)
        made.expected += ["WebSocket", "net::ERR_"]
        self.people.append(made)
        return made

    def close(self) -> None:
        for each in self.people:
            each.context.close()
        for browser in self.browsers:
            browser.close()
        for practice in self.practices:
            practice.stop()
        self.net.close()


@pytest.fixture
def lab(chromium: Browser, tmp_path: Path) -> Iterator[Lab]:
    """A network of the test's own; at its end each page must have a clean console and have asked our own host only."""
    missing = [program for program in ("ip", "tc", "nft") if not find(program)]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"a network of namespaces needs root and {missing}: apt-get install iproute2 nftables")
    made = Lab(NetLab(tmp_path), chromium.browser_type)
    try:
        yield made
    finally:
        made.close()
    for practice in made.practices:
        practice.check()
    for each in made.people:
        each.check(f"{HOST}:{PORT}")
