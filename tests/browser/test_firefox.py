"""A whole visit with Firefox on one side or on both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from housecall.testing.acts import check_in, connected, end, media_flows, open_dashboard, sees, silent, start
from housecall.testing.people import Person
from housecall.testing.practice import Practice, Room

RED, GREEN = (224, 0, 0), (0, 192, 0)


@pytest.mark.parametrize(
    ("provider_uses", "patient_uses"), [("firefox", "firefox"), ("chromium", "firefox"), ("firefox", "chromium")]
)
def test_a_whole_visit_with_firefox(
    practice: Practice,
    room: Room,
    firefox: Browser,
    chromium: Browser,
    person: Callable[..., Person],
    provider_uses: str,
    patient_uses: str,
) -> None:
    browsers = {"firefox": firefox, "chromium": chromium}
    provider = person("red", login=room.login, browser=browsers[provider_uses]).page
    patient = person("green", browser=browsers[patient_uses]).page
    open_dashboard(provider, practice.url)
    check_in(patient, room.url, "Grace Hopper")
    expect(patient.locator("#place")).to_have_text("You are next.")
    start(provider, "Grace Hopper")
    connected(provider, patient)
    for page in (provider, patient):
        media_flows(page)
    sees(provider, GREEN)
    sees(patient, RED)
    patient.get_by_role("button", name="Mute").click()
    expect(provider.locator(".tile[data-muted=true]")).to_be_visible()
    silent(provider)
    patient.get_by_role("button", name="Unmute").click()
    media_flows(provider)
    patient.get_by_role("button", name="Turn camera off").click()
    expect(provider.get_by_text("Grace Hopper's camera is off")).to_be_visible()
    patient.get_by_role("button", name="Turn camera on").click()
    expect(provider.locator(".tile[data-camera=on]")).to_be_visible()
    media_flows(provider)
    end(provider)
    expect(patient.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    expect(provider.get_by_text("The visit has ended after 1 minute.")).to_be_visible()
