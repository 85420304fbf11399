"""Which way a call takes where the direct one is closed: through the practice's own relay, a real coturn."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from housecall.testing.acts import Visit, wait
from housecall.testing.lab import PATIENCE, Lab, back, road

BRIEF = str(Path(__file__).parent / "brief_server.py")
USER = "made.at(-1).getConfiguration().iceServers[0].username"

#: What the patient's network does not let through, so that this way to the relay is left.
CLOSED = {"tcp": ["meta l4proto udp"], "tls": ["meta l4proto udp", "tcp dport 3478"]}


def test_a_call_between_two_networks_that_do_not_meet_goes_by_the_relay(lab: Lab) -> None:
    lab.relay("udp", "tcp", "tls")
    lab.net.part("a", "b")
    visit = lab.visit()
    back(visit)
    assert road(visit.patient) == "udp"


@pytest.mark.parametrize("way", CLOSED)
def test_without_udp_a_call_goes_by_the_way_that_is_open(lab: Lab, way: str) -> None:
    """By TCP to the relay; where only what web pages use is open, by TLS."""
    lab.relay("udp", "tcp", "tls")
    for match in CLOSED[way]:
        lab.net.drop("b", match)
    visit = lab.visit()
    back(visit)
    assert road(visit.patient) == way


def goes_by(visit: Visit, way: str) -> None:
    """The browser finds the way that is left, so fast that there may be no word of it; media flows by it."""
    end = time.monotonic() + PATIENCE / 1000
    while road(visit.patient) != way:
        assert time.monotonic() < end, road(visit.patient)
        visit.patient.wait_for_timeout(200)  # the condition is the answer; this only paces the asking
    back(visit)
    assert road(visit.patient) == way


def test_a_direct_way_that_is_closed_in_the_call_is_left_for_the_relay(lab: Lab) -> None:
    lab.relay("udp", "tcp", "tls")
    visit = lab.visit()
    assert road(visit.patient) == "direct"
    back(visit)
    lab.net.part("a", "b")
    goes_by(visit, "udp")


def test_udp_that_is_closed_in_the_call_is_left_for_tcp(lab: Lab) -> None:
    lab.relay("udp", "tcp", "tls")
    visit = lab.visit()
    back(visit)
    lab.net.drop("b", "meta l4proto udp")
    goes_by(visit, "tcp")


def test_credentials_that_have_run_out_are_renewed_before_they_are_needed(lab: Lab) -> None:
    """The relay's credentials live for seconds here. A new address needs the relay anew, long after they have ended."""
    lab.relay("udp")
    lab.net.part("b", "a")
    visit = lab.visit(command=(sys.executable, "-P", "-W", "error", BRIEF, "run"))
    back(visit)
    before = visit.patient.evaluate(USER)
    wait(visit.patient, "until => Date.now() > until", int(before.split(":")[0]) * 1000)
    lab.net.readdress("b", "10.77.0.33")
    wait(visit.patient, f"before => {USER} !== before", before, patience=PATIENCE / 1000)
    back(visit)
    goes_by(visit, "udp")
