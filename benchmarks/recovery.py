"""How long a call is without picture and sound after a fault, between two browsers on a real network path."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from housecall.testing.acts import Visit, unchanged
from housecall.testing.lab import PATIENCE, Lab
from housecall.testing.netlab import NetLab
from housecall.testing.practice import Practice

Row = dict[str, Any]

#: Says in `window.back`, on the clock of the machine, when picture and sound have come in since now.
LISTEN = """() => {
  const before = { ...window.flow };
  window.back = 0;
  const timer = setInterval(() => {
    if (flow.frames < before.frames + 2 || flow.energy <= before.energy + 1e-6) return;
    window.back = performance.timeOrigin + performance.now();
    clearInterval(timer);
  }, 20);
}"""


def now() -> float:
    """ms, on the clock of the machine."""
    return time.time() * 1000


def short_cut(lab: Lab, visit: Visit) -> float:
    """The patient's cable is out for 8 s."""
    return cable_out(lab, visit, 8)


def long_cut(lab: Lab, visit: Visit) -> float:
    """The patient's cable is out for 25 s."""
    return cable_out(lab, visit, 25)


def cable_out(lab: Lab, visit: Visit, seconds: float) -> float:
    lab.net.cable("b", plugged=False)
    unchanged(visit.provider, "frames", seconds=seconds)
    lab.net.cable("b", plugged=True)
    return now()


def silence(visit: Visit, since: float) -> float:
    """What was under way has come in: only what comes from now on came by another way."""
    for page in (visit.provider, visit.patient):
        unchanged(page, "frames")
    return since


def address(lab: Lab, visit: Visit) -> float:
    """The patient's address changes."""
    lab.net.readdress("b", "10.77.0.33")
    return silence(visit, now())


def parted(lab: Lab, visit: Visit) -> float:
    """The direct way is closed; the relay is open."""
    lab.net.part("a", "b")
    return silence(visit, now())


def no_udp(lab: Lab, visit: Visit) -> float:
    """UDP is closed on the patient's side; the relay is open by TCP."""
    lab.net.drop("b", "meta l4proto udp")
    return silence(visit, now())


def udp_back(lab: Lab, visit: Visit) -> float:
    """UDP is closed on the patient's side for 20 s, without a relay."""
    lab.net.drop("b", "meta l4proto udp")
    unchanged(visit.provider, "frames", seconds=20)
    lab.net.heal("b")
    return now()


def server_and_cable(lab: Lab, visit: Visit) -> float:
    """The server is killed and the patient's cable is out for 25 s; then both are back."""
    visit.practice.stop(signal.SIGKILL)
    cable_out(lab, visit, 25)
    visit.practice.start()
    return now()


def reload(lab: Lab, visit: Visit) -> float:
    """The patient reloads the page."""
    visit.patient.reload(wait_until="commit")
    return now()


#: By the name of a row: (the fault, which says when the clock started; whether the practice has a relay).
FAULTS: dict[str, tuple[Callable[[Lab, Visit], float], bool]] = {
    "cable 8 s": (short_cut, False),
    "cable 25 s": (long_cut, False),
    "address": (address, False),
    "direct way closed": (parted, True),
    "UDP closed": (no_udp, True),
    "UDP closed 20 s": (udp_back, False),
    "server and cable 25 s": (server_and_cable, False),
    "reload": (reload, False),
}


def measure(name: str) -> Iterator[Row]:
    """Each fault once, in a network and a visit of its own: seconds until picture and sound are back, on each side."""
    for fault, (cause, relayed) in FAULTS.items():
        with laboratory() as lab:
            if relayed:
                lab.relay("udp", "tcp", "tls")
            visit = lab.visit()
            pages = {"provider": visit.provider, "patient": visit.patient}
            for page in pages.values():
                page.wait_for_function("() => window.flow?.frames > 20")
            healed = cause(lab, visit)
            for page in pages.values():
                page.wait_for_function("() => window.flow")
                page.evaluate(LISTEN)
            yield {"do": "recovery", "fault": fault, **{f"{who}_s": _back(page, healed) for who, page in pages.items()}}


def _back(page: Page, since: float) -> float:
    page.wait_for_function("() => window.back", timeout=PATIENCE)
    return round((float(page.evaluate("window.back")) - since) / 1000, 2)


@contextmanager
def laboratory() -> Iterator[Lab]:
    """A lab of its own. Raises Impossible."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as engines, ExitStack() as after:

        def serve(toml: str, **more: Any) -> Practice:
            practice = Practice(Path(folder) / "site", toml=toml, **more).start()
            after.callback(practice.stop)
            return practice

        lab = Lab(NetLab(Path(folder)), engines, serve)
        after.callback(lab.close)
        yield lab
