"""Text messages on the pages: an admin tries them, a patient asks to be called, a provider calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

import gateway as gateways
from gateway import Gateway, answer
from housecall.testing import Person, PluginContract, Practice, check_in, connected, open_dashboard, sign_in, start
from housecall.testing.access import PHONE, audit
from housecall.testing.practice import free_port
from sms_world import MARK, NUMBER, SETTINGS, SHOWN

FOLDER = Path(__file__).resolve().parents[2] / "plugins/sms"
DESK = {"width": 1280, "height": 800}


class TestSms(PluginContract):
    folder = FOLDER
    names = r"sms|\+32.*"


def picture(page: Page, name: str) -> None:
    """With HOUSECALL_PICTURES=folder, pictures to look at."""
    if folder := os.environ.get("HOUSECALL_PICTURES"):
        page.screenshot(path=Path(folder) / f"sms-{name}.png", full_page=True)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with gateways.running() as made:
        yield made


@pytest.fixture
def practice_(serve: Callable[..., Practice], gateway: Gateway) -> Practice:
    """A practice whose texts go by the gateway."""
    port = free_port()
    server = (
        f'[server]\nurl = "http://localhost:{port}"\n[clinic.main]\nname = "Elm Street Practice"\nplugins = ["sms"]\n'
    )
    return serve(f"{server}[clinic.main.sms]\n{SETTINGS.format(url=gateway.url, inside=gateway.inside)}", port=port)


@pytest.fixture
def admin(practice_: Practice, person: Callable[..., Person]) -> Person:
    made = person(own=f"localhost:{practice_.port}")
    sign_in(made.context, practice_.url, practice_.room(role="admin").login)
    return made


@pytest.fixture
def meet(practice_: Practice, person: Callable[..., Person]) -> Callable[..., Page]:
    """Somebody at that practice: a provider with an open dashboard where a login is given."""

    def make(colour: str, login: str = "", **options: Any) -> Page:
        page: Page = person(colour, own=f"localhost:{practice_.port}", **options).page
        if login:
            sign_in(page.context, practice_.url, login)
            open_dashboard(page, practice_.url)
        return page

    return make


def everywhere(page: Page, name: str) -> None:
    """On a desk and on a phone, light and dark, axe finds nothing, and nothing is wider than the screen."""
    for size, kind in ((DESK, "desk"), (PHONE, "phone")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            audit(page, f"{name}, {kind}, {scheme}")
        page.emulate_media(color_scheme="light")
        picture(page, f"{name}-{kind}")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), (
            f"{name} is wider than a {kind}"
        )


def test_an_admin_tries_it_and_sees_what_becomes_of_it(practice_: Practice, admin: Person, gateway: Gateway) -> None:
    page = admin.page
    page.goto(f"{practice_.url}/admin")
    page.get_by_role("link", name="Text messages").click()
    expect(page.get_by_role("heading", name="Text messages", level=1)).to_be_visible()
    expect(page.get_by_text("0 texts of 6 have gone today.")).to_be_visible()
    size = page.locator("#sms-size")
    expect(size).to_have_text("36 of 160 letters, one text")
    text = page.get_by_label("Text", exact=True)
    text.fill("“" + "a" * 70)
    expect(size).to_have_text("2 texts in parts, 63 letters left in the last. These make it longer: “")
    everywhere(page, "try")
    text.fill("hello")
    admin.expected += ["422"]
    page.get_by_label("Send a test to this number").fill("12")
    page.get_by_role("button", name="Send the test").click()
    expect(page.locator("#number-error")).to_have_text("This number is too short.")
    expect(text).to_have_value("hello")
    everywhere(page, "refused")
    page.get_by_label("Send a test to this number").fill("0470 11 22 33")
    page.get_by_label("Send a test to this number").press("Tab")
    expect(page.locator("#number-read")).to_have_text(f"Read as {SHOWN}")
    page.get_by_role("button", name="Send the test").press("Enter")
    became = page.locator(".sms-became")
    expect(became).to_contain_text("The gateway has taken it.")
    assert gateway.asked[0].form["to"] == NUMBER
    report = gateway.asked[0].form["report"]
    assert requests.post(report, data={"status": "delivered"}, timeout=30).status_code == 200
    expect(became).to_have_text("Delivered.")
    everywhere(page, "delivered")
    gateway.answers += ["drop"]
    page.get_by_label("Send a test to this number").fill("0470 11 22 33")
    page.get_by_role("button", name="Send the test").click()
    expect(became).to_contain_text("It is not known whether it went.")


def test_settings_say_what_is_missing(practice_: Practice, admin: Person) -> None:
    page = admin.page
    page.goto(f"{practice_.url}/admin/settings/sms")
    expect(page.get_by_text("Only housecall.toml can set this.").first).to_be_visible()
    everywhere(page, "settings")


def test_a_patient_asks_by_keyboard_and_is_called_when_next(
    practice_: Practice, meet: Callable[..., Page], gateway: Gateway
) -> None:
    room = practice_.room()
    provider, first, second = meet("red", room.login), meet("blue"), meet("green", viewport=PHONE)
    check_in(first, room.url, "Katherine")
    check_in(second, room.url, "Grace")
    whole = second.locator(".sms-waiting")
    expect(whole).to_be_visible()
    number = whole.get_by_label("Your mobile number")
    number.press("Enter")
    expect(whole.get_by_role("alert")).to_have_text("This is needed.")
    number.press_sequentially("12")
    number.press("Tab")
    expect(whole.get_by_role("button", name="Text me when I am next")).to_be_focused()
    second.keyboard.press("Enter")
    expect(whole.get_by_role("alert")).to_have_text("This number is too short.")
    expect(number).to_be_focused()
    for scheme in ("light", "dark"):
        second.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        audit(second, f"asking, {scheme}", only=".sms")
    second.emulate_media(color_scheme="light")
    picture(second, "asking")
    number.fill("0470 11 22 33")
    number.press("Enter")
    expect(whole.locator(".sms-kept")).to_have_text(f"We text {SHOWN} when you are next.")
    expect(second.locator("#said")).to_have_text(f"We text {SHOWN} when you are next.")
    expect(whole.get_by_role("button", name="Forget my number")).to_be_focused()
    audit(second, "kept", only=".sms")
    picture(second, "kept")
    second.reload()
    expect(whole.locator(".sms-kept")).to_have_text("We text … 33 when you are next.")
    card = provider.locator(".card", has_text="Grace")
    expect(card.locator(".sms-state")).to_have_text("Can be called by text")
    expect(provider.locator(".card", has_text="Katherine").locator(".sms-card")).to_be_hidden()
    audit(provider, "card", only=".sms")
    picture(provider, "card")
    provider.reload()
    expect(card.locator(".sms-state")).to_have_text("Can be called by text")
    assert gateway.asked == []
    start(provider, "Katherine")
    connected(provider, first)
    asked = gateway.wait()[0]
    assert asked.form["to"] == NUMBER
    assert (
        asked.form["text"] == "Elm Street Practice: it is your turn. Please go back to the page of your waiting room."
    )
    expect(whole.locator(".sms-kept")).to_contain_text("We have sent you a text")
    expect(whole.get_by_role("button", name="Forget my number")).to_be_hidden()
    picture(second, "called")


def test_a_provider_calls_at_any_time_and_a_number_is_taken_back(
    practice_: Practice, meet: Callable[..., Page], gateway: Gateway
) -> None:
    room = practice_.room()
    provider, patient = meet("red", room.login), meet("green", viewport=PHONE)
    check_in(patient, room.url, "Grace")
    whole, card = patient.locator(".sms-waiting"), provider.locator(".card", has_text="Grace")
    whole.get_by_label("Your mobile number").fill(NUMBER)
    whole.get_by_role("button", name="Text me when I am next").click()
    expect(whole.locator(".sms-kept")).to_contain_text("You are next.")
    expect(card.get_by_role("button", name="Call by text")).to_be_visible()
    whole.get_by_role("button", name="Forget my number").click()
    expect(card.locator(".sms-card")).to_be_hidden()
    expect(whole.get_by_label("Your mobile number")).to_be_focused()
    whole.get_by_label("Your mobile number").fill(NUMBER)
    whole.get_by_role("button", name="Text me when I am next").click()
    gateway.answers += ["drop"]
    card.get_by_role("button", name="Call by text").press("Enter")
    expect(card.locator(".sms-state")).to_contain_text("It is not known whether the text went")
    picture(provider, "unsure")
    card.get_by_role("button", name="Send it again").click()
    expect(card.locator(".sms-state")).to_have_text("Called by text")
    expect(whole.locator(".sms-kept")).to_contain_text("We have sent you a text")
    assert [each.form["to"] for each in gateway.wait(2)] == [NUMBER, NUMBER]
    picture(provider, "called-card")


def test_a_text_that_fails_is_said_on_both_sides(
    practice_: Practice, meet: Callable[..., Page], gateway: Gateway
) -> None:
    room = practice_.room()
    provider, patient = meet("red", room.login), meet("green")
    check_in(patient, room.url, "Grace")
    whole, card = patient.locator(".sms-waiting"), provider.locator(".card", has_text="Grace")
    whole.get_by_label("Your mobile number").fill(NUMBER)
    whole.get_by_role("button", name="Text me when I am next").click()
    gateway.answers += [answer(400, f"{NUMBER} {MARK}")]
    card.get_by_role("button", name="Call by text").click()
    expect(card.locator(".sms-state")).to_have_text(
        "The text could not be sent: The gateway refuses the text (HTTP 400)."
    )
    expect(whole.get_by_role("alert")).to_contain_text("The text could not be sent.")
    expect(whole.get_by_label("Your mobile number")).to_be_visible()


def test_where_no_text_can_go_nobody_is_asked_for_a_number(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    practice = serve('[clinic.main]\nname = "Elm"\nplugins = ["sms"]\n')
    page = person("green", own=f"localhost:{practice.port}").page
    check_in(page, practice.room().url, "Grace")
    expect(page.locator(".sms-waiting[data-state=off]")).to_be_attached()
    expect(page.locator(".sms-waiting")).to_be_hidden()
