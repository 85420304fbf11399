"""One visit that stops at every state of either page, for tests that look at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, expect

from .acts import connected, more, open_dashboard
from .people import Person
from .practice import Practice


@contextmanager
def a_visit_in_every_state(
    practice: Practice, person: Callable[..., Person], **options: Any
) -> Iterator[Iterator[tuple[str, Page]]]:
    """Walks through a visit and stops at every state of either page."""

    def walk() -> Iterator[tuple[str, Page]]:
        room, _ = practice.room(role="provider", specialty="Cardiology"), practice.room()
        provider = person("red", login=room.login, **options).page
        patient = person("green", **options).page
        denied = person(devices=False, **options).page
        patient.goto(room.url)
        yield "welcome", patient
        patient.locator("#check-in button").click()
        expect(patient.locator("#name-error")).to_be_visible()
        yield "welcome without a name", patient
        open_dashboard(provider, practice.url)
        expect(provider.locator("#empty")).to_be_visible()
        yield "nobody waits", provider
        patient.locator("#name").fill("Grace Hopper")
        patient.locator("#check-in button").click()
        expect(patient.locator("#devices[data-devices=on]")).to_be_visible()
        yield "waiting", patient
        denied.goto(room.url)
        denied.locator("#name").fill("Katherine Johnson")
        denied.locator("#check-in button").click()
        expect(denied.locator("#devices[data-devices=failed]")).to_be_visible()
        yield "denied", denied
        expect(provider.locator(".card")).to_have_count(2)
        yield "two wait", provider
        provider.locator(".card .send-on").first.click()
        expect(provider.locator("#sending")).to_be_visible()
        yield "send on to which room?", provider
        provider.locator("#sending button").first.click()
        # half a minute of silence later; the same marks that dashboard.js sets then
        provider.evaluate(
            "() => { const card = document.querySelector('.card'); card.classList.add('dim');"
            " card.querySelector('.away').hidden = false; }"
        )
        yield "one is away", provider
        provider.locator(".card .remove").nth(1).click()
        yield "removed, can be undone", provider
        provider.locator(".undo:visible").click()
        second = patient.context.new_page()
        second.goto(room.url)
        expect(second.locator("main[data-state=taken]")).to_be_visible()
        yield "taken", second
        second.close()
        patient.bring_to_front()
        provider.locator(".card .start").first.click()
        connected(provider, patient)
        yield "provider in the call", provider
        more(provider)
        yield "all of the bar", provider
        provider.locator("#view").click()
        expect(provider.locator("#view-layout")).to_be_visible()
        yield "view", provider
        provider.keyboard.press("Escape")
        yield "patient in the call", patient
        more(patient)
        yield "all of the patient's bar", patient
        patient.keyboard.press("Escape")
        patient.locator("#mute").click()
        patient.locator("#camera").click()
        expect(provider.locator(".tile[data-camera=off][data-muted=true]")).to_be_visible()
        yield "camera off, muted", provider
        provider.locator("#end").click()
        yield "really end?", provider
        provider.locator("#ending button[value=end]").click()
        expect(patient.locator("main[data-state=after]")).to_be_visible()
        yield "after", patient
        expect(provider.locator("#ended")).to_be_visible()
        yield "ended", provider

    yield walk()
