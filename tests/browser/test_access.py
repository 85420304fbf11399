"""Everybody can use it: axe-core in every state, light and dark; a phone, 400 % zoom, the keyboard, other words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from housecall.testing.access import PHONE, ZOOMED, audit, bare
from housecall.testing.acts import begin, connected, open_dashboard
from housecall.testing.people import Person
from housecall.testing.practice import Practice
from housecall.testing.states import a_visit_in_every_state

PAGES = ("", "help", "contact", "privacy", "cookies", "sign-in", "sign-up", "nothing-here", "?room=nowhere")
MEMBERS_PAGES = (
    "dashboard",
    "dashboard/history",
    "account",
    "account/logins",
    "admin",
    "admin/people",
    "admin/rooms",
    "admin/plugins",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, ZOOMED], ids=["phone", "zoomed"])
def test_axe_finds_nothing_in_a_visit(
    practice: Practice, person: Callable[..., Person], scheme: str, screen: dict[str, int]
) -> None:
    with a_visit_in_every_state(
        practice, person, color_scheme=scheme, viewport=screen, reduced_motion="reduce"
    ) as walk:
        for state, page in walk:
            audit(page, f"{state}, {scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, ZOOMED], ids=["phone", "zoomed"])
def test_axe_finds_nothing_on_pages(
    practice: Practice, person: Callable[..., Person], scheme: str, screen: dict[str, int]
) -> None:
    room = practice.room(role="owner")
    options = {"color_scheme": scheme, "viewport": screen}
    visitor, member = person(**options), person(login=room.login, **options)
    visitor.expected.append("status of 404")
    for path in PAGES:
        visitor.page.goto(f"{practice.url}/{path}")
        audit(visitor.page, path)
    for path in MEMBERS_PAGES:
        member.page.goto(f"{practice.url}/{path}")
        audit(member.page, path)


def test_an_error_of_a_form_is_told_to_a_screen_reader(practice: Practice, person: Callable[..., Person]) -> None:
    visitor = person(viewport=PHONE)
    visitor.expected.append("status of 422")
    visitor.page.goto(f"{practice.url}/sign-in")
    visitor.page.get_by_role("button", name="Sign in").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("E-mail or password is not right.")
    expect(visitor.page.get_by_label("Password")).to_have_accessible_description(re.compile("is not right"))
    audit(visitor.page, "sign-in refused")


def tab_to(page: Page, name: str, *, most: int = 40) -> None:
    """Press Tab until what has the focus bears this name."""
    for _ in range(most):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "(e => e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent.trim())"
            "(document.activeElement)"
        )
        if said == name:
            return
    raise AssertionError(f"Tab never reaches {name!r}")


def test_a_whole_visit_by_keyboard_alone(practice: Practice, person: Callable[..., Person]) -> None:
    room = practice.room()
    provider, patient = person("red", login=room.login).page, person("green").page
    open_dashboard(provider, practice.url)
    patient.goto(room.url)
    expect(patient.locator("main[data-ready]")).to_be_attached()
    tab_to(patient, "Your name")
    patient.keyboard.type("Grace Hopper")
    patient.keyboard.press("Enter")
    expect(patient.get_by_role("heading", name="You are checked in")).to_be_focused()
    tab_to(patient, "Turn camera off")
    patient.keyboard.press("Space")
    expect(patient.locator("#camera-waiting")).to_have_attribute("aria-pressed", "true")
    patient.keyboard.press("Space")
    expect(patient.locator("#camera-waiting")).to_have_attribute("aria-pressed", "false")
    expect(provider.locator(".card")).to_have_count(1)
    tab_to(provider, "Remove Grace Hopper")
    provider.keyboard.press("Enter")
    expect(provider.locator(".undo")).to_be_focused()
    provider.keyboard.press("Enter")
    expect(provider.locator(".remove")).to_be_focused()
    tab_to(provider, "Start visit with Grace Hopper")
    provider.keyboard.press("Enter")
    connected(provider, patient)
    expect(patient.locator("main[data-state=call] h1:focus")).to_have_text("You are in the visit")
    tab_to(patient, "Mute")
    patient.keyboard.press("Enter")
    expect(provider.locator(".tile[data-muted=true]")).to_be_visible()
    tab_to(provider, "End visit")
    provider.keyboard.press("Enter")
    expect(provider.get_by_role("dialog")).to_be_visible()
    provider.keyboard.press("Escape")
    expect(provider.get_by_role("dialog")).to_be_hidden()
    expect(provider.locator("#end")).to_be_focused()
    provider.keyboard.press("Enter")
    tab_to(provider, "End it now", most=4)
    provider.keyboard.press("Enter")
    expect(patient.get_by_role("heading", name="Your visit has ended")).to_be_focused()


def test_every_state_change_is_said_aloud(practice: Practice, person: Callable[..., Person]) -> None:
    room = practice.room()
    provider, patient = person("red", login=room.login).page, person("green").page
    for page in (provider, patient):
        page.add_init_script(
            "window.said = []; addEventListener('DOMContentLoaded', () => new MutationObserver(() =>"
            " window.said.push(document.getElementById('said').textContent)).observe("
            "document.getElementById('said'), { childList: true }))"
        )
    begin(practice, room, provider, patient)
    patient.get_by_role("button", name="Mute").click()
    expect(provider.locator(".tile[data-muted=true]")).to_be_visible()
    assert provider.evaluate("said") == [
        "Grace Hopper is waiting",
        "Connected with Grace Hopper",
        "Grace Hopper is muted",
    ]
    assert patient.evaluate("said")[-1] == "Connected with Dr Ada Smith"
    assert "You are next." in patient.evaluate("said")


def test_no_text_is_bare(practice: Practice, person: Callable[..., Person]) -> None:
    """In the pseudo-locale every text is in brackets; one that is not has never met a catalogue."""
    with a_visit_in_every_state(practice, person, locale="en-XA") as walk:
        for state, page in walk:
            assert page.evaluate("document.documentElement.lang") == "en-XA"
            assert bare(page) == [], state
    room = practice.room(role="owner")
    visitor, member = person(locale="en-XA"), person(login=room.login, locale="en-XA")
    visitor.expected.append("status of 404")
    for path in PAGES:
        visitor.page.goto(f"{practice.url}/{path}")
        assert bare(visitor.page) == [], path
    for path in MEMBERS_PAGES:
        member.page.goto(f"{practice.url}/{path}")
        assert bare(member.page) == [], path
