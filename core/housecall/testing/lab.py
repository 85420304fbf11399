"""A practice, its relay and people on the hosts of a network of their own: calls take the real network path."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from .. import relay
from .acts import Visit, begin, media_flows, wait
from .certificate import certificate
from .netlab import Impossible, NetLab
from .parts import find
from .people import ARGUMENTS, Person, meet
from .practice import Practice

HOST, PORT = "elm.localhost", 8000
SECRET = "s3cret"
TOML = '[server]\nbind = "0.0.0.0"\n[clinic.main]\nname = "Elm Street Practice"\n'
LINE_LOST = ("WebSocket", "net::ERR_")  #: what a browser says in its console of a line to the server that is gone
PATIENCE = 90_000  #: ms for a call to come back, on a machine that has more to do

ROAD = """async () => {
  const pc = made.find(pc => pc.connectionState === "connected");
  if (!pc) return "none";
  const rows = await pc.getStats();
  const pair = rows.get([...rows.values()].find(row => row.type === "transport").selectedCandidatePairId);
  if (!pair) return "none";
  const here = rows.get(pair.localCandidateId), there = rows.get(pair.remoteCandidateId);
  return here.relayProtocol ?? (there.candidateType === "relay" ? here.protocol : "direct");
}"""

#: Keeps what the page says of interruptions, since some are soon over.
LINES = """
  window.lines = [];
  new MutationObserver(() => {
    const line = document.getElementById("line")?.textContent;
    if (line && line !== lines.at(-1)) lines.push(line);
  }).observe(document, { childList: true, subtree: true, characterData: true });
"""


@dataclass
class Lab:
    """The practice runs on `srv`; people sit at the other hosts, each with a browser of their own."""

    net: NetLab
    engines: Playwright
    serve: Callable[..., Practice]
    people: list[Person] = field(default_factory=list)
    browsers: dict[str, Browser] = field(default_factory=dict)
    relays: list[subprocess.Popen[bytes]] = field(default_factory=list)
    toml: str = TOML

    def open(self, **more: Any) -> Practice:
        """Start the practice."""
        return self.serve(self.toml, host=HOST, port=PORT, prefix=self.net.inside("srv"), **more)

    def relay(self, *ways: str) -> None:
        """Start coturn beside the practice, with the settings that `housecall turn` writes; `ways`: udp, tcp, tls.

        It is a relay in a network that is nobody's business out there: its own network is taken off that list. People
        of the practice, which is opened later, are told of these ways to it.
        """
        program, here, folder = find("turnserver"), self.net.ip["srv"], self.net.folder
        if program is None:
            pytest.skip("coturn is not installed: apt-get install coturn")
        cert, key = certificate(folder, here, here)
        ours = relay.configuration(here, SECRET, certificate=str(cert), key=str(key))
        ours = re.sub(r"^(denied-peer-ip=10\..*|log-file=.*|simple-log)\n", "", ours, flags=re.M)
        ours += f"listening-ip={here}\nrelay-ip={here}\npidfile={folder / 'turn.pid'}\nuserdb={folder / 'turn.db'}\n"
        (folder / "turn.conf").write_text(ours + "log-file=stdout\n", encoding="utf-8")
        with (folder / "turn.log").open("wb") as log:
            command = [*self.net.inside("srv"), program, "-c", str(folder / "turn.conf")]
            self.relays.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        end = time.monotonic() + 20
        while not self.net.reaches("srv", here, 443):
            if time.monotonic() > end or self.relays[-1].poll() is not None:
                raise RuntimeError(f"coturn does not listen: {(folder / 'turn.log').read_text()}")
            time.sleep(0.05)  # the condition is the answer; this only paces the asking
        known = dict(zip(("udp", "tcp", "tls"), relay.addresses(here, tls=True), strict=True))
        urls = [known[way] for way in ways]
        self.toml += f'[[clinic.main.ice]]\nurls = {urls}\nsecret = "{SECRET}"\n'

    def browser(self, host: str) -> Browser:
        """The browser at a host."""
        if host not in self.browsers:
            self.browsers[host] = self.engines.chromium.launch(
                executable_path=self.net.chromium(host),
                args=[
                    *ARGUMENTS,
                    f"--host-resolver-rules=MAP *.localhost {self.net.ip['srv']}",
                    "--ignore-certificate-errors",  # of our relay, whose certificate signs itself
                ],
            )
        return self.browsers[host]

    def person(self, host: str, colour: str, practice: Practice, **options: Any) -> Person:
        """Somebody at a host."""
        made = meet(self.browser(host), practice.url, colour, **options)
        made.expected += LINE_LOST
        made.context.add_init_script(LINES)
        self.people.append(made)
        return made

    def visit(self, *, script: str = "", **more: Any) -> Visit:
        """Grace Hopper, at `b`, has checked in, and her provider, at `a`, has started; both pages are connected.

        `script` runs on each page before its own.
        """
        practice = self.open(**more)
        room = practice.room()
        provider, patient = self.person("a", "red", practice, login=room.login), self.person("b", "green", practice)
        for each in (provider, patient) if script else ():
            each.context.add_init_script(script)
        begin(practice, room, provider.page, patient.page)
        return Visit(room=room, provider=provider.page, patient=patient.page, practice=practice)

    def close(self) -> None:
        """Everybody goes home; the practice is its maker's to stop."""
        for each in self.people:
            each.context.close()
        for browser in self.browsers.values():
            browser.close()
        for process in self.relays:
            process.terminate()
            process.wait(10)
        self.net.close()


def interrupted(page: Page, whose: str = "") -> None:
    """The page has said that a connection is interrupted, and whose: "ours", "between", a name, or "" for any."""
    known = {"": ".*", "ours": "Your connection", "between": "The connection between you and .*"}
    words = f"^{known.get(whose, whose + chr(39) + 's connection')} is interrupted"
    wait(page, "words => lines.some(line => RegExp(words).test(line))", words, patience=PATIENCE / 1000)


def back(visit: Visit) -> None:
    """Picture and sound come in on both sides, and nothing speaks of an interruption any more."""
    for page in (visit.provider, visit.patient):
        expect(page.locator(".tile[data-state=connected]")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#line")).to_be_hidden(timeout=PATIENCE)
    for page in (visit.provider, visit.patient):
        media_flows(page, patience=PATIENCE / 1000)


def road(page: Page) -> str:
    """How a page sends: "direct", or by which way it reaches the relay, its own or the other side's."""
    told: str = page.evaluate(ROAD)
    return told


@pytest.fixture
def lab(engines: Playwright, serve: Callable[..., Practice], tmp_path: Path) -> Iterator[Lab]:
    """A network of the test's own. At its end each page must have a clean console and have asked our own host only."""
    try:
        net = NetLab(tmp_path)
    except Impossible as why:
        pytest.skip(str(why))
    made = Lab(net, engines, serve)
    yield made
    made.close()
    for each in made.people:
        each.check(f"{HOST}:{PORT}")
