"""A network that fails while two people come together."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from housecall.testing.acts import Visit, check_in, open_dashboard, start
from housecall.testing.lab import PATIENCE, Lab, back, interrupted


def waiting(lab: Lab) -> Visit:
    """Grace Hopper waits; her provider looks at the queue."""
    practice = lab.open()
    room = practice.room()
    provider = lab.person("a", "red", practice, login=room.login).page
    patient = lab.person("b", "green", practice).page
    open_dashboard(provider, practice.url)
    check_in(patient, room.url, "Grace Hopper")
    expect(provider.get_by_role("heading", name="Grace Hopper")).to_be_visible()
    return Visit(room=room, provider=provider, patient=patient, practice=practice)


def says(page: Page, words: str) -> None:
    expect(page.locator("#line")).to_contain_text(words, timeout=PATIENCE)


def test_a_cable_is_out_when_the_visit_starts(lab: Lab) -> None:
    visit = waiting(lab)
    lab.net.cable("b", plugged=False)
    start(visit.provider, "Grace Hopper")
    interrupted(visit.provider, "Grace Hopper")
    lab.net.cable("b", plugged=True)
    expect(visit.patient.locator("main[data-state=call]")).to_be_visible(timeout=PATIENCE)
    back(visit)


def test_two_networks_do_not_meet_when_the_visit_starts(lab: Lab) -> None:
    """Both lines to the practice live, but no way leads from one to the other: both are told what may help."""
    visit = waiting(lab)
    lab.net.part("a", "b")
    start(visit.provider, "Grace Hopper")
    says(visit.provider, "Grace Hopper is not reached yet.")
    says(visit.patient, "Dr Ada Smith is not reached yet.")
    lab.net.heal("b")
    lab.net.heal("a")
    back(visit)
