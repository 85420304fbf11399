"""What happens to a network in mid-call: its cable is pulled, its address changes, it lets nothing but ICE through."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from housecall.testing.acts import unchanged
from housecall.testing.lab import Lab, back, interrupted


def test_a_cable_is_out_for_eight_seconds(lab: Lab) -> None:
    visit = lab.visit()
    lab.net.cable("b", plugged=False)
    unchanged(visit.provider, "frames", seconds=8)
    interrupted(visit.provider)
    interrupted(visit.patient, "ours")
    lab.net.cable("b", plugged=True)
    back(visit)


@pytest.mark.parametrize("whose", ["provider", "patient"])
def test_a_cable_is_out_for_twenty_five_seconds(lab: Lab, whose: str) -> None:
    """By then the connection has failed and the server has noticed: each side says whose cable it is."""
    visit = lab.visit()
    sides = {"a": visit.provider, "b": visit.patient}
    cut, other, name = ("a", "b", "Dr Ada Smith") if whose == "provider" else ("b", "a", "Grace Hopper")
    lab.net.cable(cut, plugged=False)
    unchanged(sides[other], "frames", seconds=25)
    interrupted(sides[cut], "ours")
    interrupted(sides[other], name)
    lab.net.cable(cut, plugged=True)
    back(visit)


def test_udp_is_closed_for_a_while_and_there_is_no_relay(lab: Lab) -> None:
    """Both lines to the practice live, so neither side is to blame."""
    visit = lab.visit()
    lab.net.drop("b", "meta l4proto udp")
    unchanged(visit.provider, "frames", seconds=20)
    interrupted(visit.provider, "between")
    interrupted(visit.patient, "between")
    lab.net.heal("b")
    back(visit)


def test_an_address_changes(lab: Lab) -> None:
    """As when a phone leaves the Wi-Fi in mid-call."""
    visit = lab.visit()
    lab.net.readdress("b", "10.77.0.33")
    unchanged(visit.provider, "frames", seconds=2)
    back(visit)
    assert far(visit.provider) == "10.77.0.33"


def far(page: Page) -> str:
    """The address to which a page sends."""
    address: str = page.evaluate(
        "async () => { const rows = await made.find(pc => pc.connectionState === 'connected').getStats();"
        " const pair = rows.get([...rows.values()].find(row => row.type === 'transport').selectedCandidatePairId);"
        " return rows.get(pair.remoteCandidateId).address; }"
    )
    return address


def test_a_connection_that_claims_to_live(lab: Lab) -> None:
    """ICE's questions are answered, so the browsers say "connected"; but nothing else comes through on this path."""
    visit = lab.visit()
    ports = visit.patient.evaluate(
        "async () => [...(await made.at(-1).getStats()).values()]"
        ".filter(row => row.type === 'local-candidate').map(row => row.port)"
    )
    for port in {port for port in ports if port > 1024}:
        lab.net.drop("b", f"udp sport {port} @th,64,8 >= 20", hooks=("output",))  # what is not STUN (RFC 7983)
        lab.net.drop("b", f"udp dport {port} @th,64,8 >= 20", hooks=("input",))
    unchanged(visit.provider, "frames", seconds=2)
    assert visit.provider.evaluate("made.at(-1).connectionState") == "connected"
    interrupted(visit.provider)
    interrupted(visit.patient)
    back(visit)
