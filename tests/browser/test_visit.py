"""A whole visit between two real browsers."""

from __future__ import annotations

from collections.abc import Callable

from conftest import Person
from playwright.sync_api import expect
from practice import Practice, Room
from visit import check_in, connected, end, media_flows, open_dashboard, sees, start

RED, GREEN = (224, 0, 0), (0, 192, 0)


def test_a_whole_visit_with_media_both_ways(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person("red", login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    expect(provider.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    check_in(patient.page, room.url, "Grace Hopper")
    expect(patient.page.locator("#place")).to_have_text("You are next.")
    expect(patient.page.locator(".waiting .provider-words")).to_have_text("Your provider is here and will call you.")
    expect(provider.page.get_by_role("heading", name="Grace Hopper")).to_be_visible()
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    media_flows(provider.page)
    media_flows(patient.page)
    sees(provider.page, GREEN)
    sees(patient.page, RED)
    end(provider.page)
    expect(patient.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    expect(provider.page.get_by_text("The visit has ended after 1 minute.")).to_be_visible()
    expect(provider.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
