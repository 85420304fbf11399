"""A one-visit link in a patient's browser: what it opens, and what the page says when it opens nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from housecall import clinics, config
from housecall.testing import Person, Practice, Room, connected, end, open_dashboard, start
from housecall.testing.access import PHONE, audit
from housecall.visits import Invite
from housecall.visits.tickets import Signer

HOUR = 3_600_000


def now() -> int:
    return time.time_ns() // 1_000_000


def link(practice: Practice, room: Room, **more: object) -> str:
    """The address of a one-visit link, signed as the server does."""
    site = config.load(practice.folder, environ={})
    made = {"c": "main", "r": room.id, "v": clinics.models.new_id(), "n": 0, "x": now() + HOUR, **more}
    return f"{room.url}#i={Signer(site.secret).invite(Invite(**made))}"  # type: ignore[arg-type]


def arrive(page: Page, url: str, name: str = "Grace") -> None:
    page.goto("about:blank")  # another fragment alone would load nothing
    page.goto(url)
    expect(page.locator("main[data-ready]")).to_be_attached()
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Check in").first.click()


def waits(page: Page) -> None:
    expect(page.get_by_role("heading", name="You are checked in")).to_be_visible()


def test_a_scanner_with_a_browser_uses_nothing_up(
    practice: Practice, room: Room, chromium: Browser, person: Callable[..., Person]
) -> None:
    """It runs the page's scripts, waits, presses nothing, and leaves; as often as it likes."""
    url = link(practice, room)
    board = person(login=room.login).page
    open_dashboard(board, practice.url)
    for _ in range(3):
        scanner = person().page
        scanner.goto(url)
        expect(scanner.locator("main[data-ready]")).to_be_attached()
        scanner.wait_for_function("() => document.querySelectorAll('link[rel=modulepreload]').length > 5")
        scanner.close()
    expect(board.locator("#empty")).to_be_visible()
    patient = person("green").page
    arrive(patient, url)
    waits(patient)
    expect(board.locator(".card")).to_have_count(1)


def test_the_token_is_sent_with_check_in_only(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    """No address that the page asks for holds it, whatever logs them; nor does a referrer."""
    url, patient = link(practice, room), person("green")
    token = url.partition("#i=")[2]
    sent: list[str] = []
    patient.page.on("request", lambda request: sent.append(request.post_data or ""))
    arrive(patient.page, url)
    waits(patient.page)
    assert [body for body in sent if token in body] == [body for body in sent if '"invite"' in body]
    assert len([body for body in sent if token in body]) == 1
    assert [each for each in patient.urls if token in each.partition("#")[0]] == []
    assert token not in practice.log.read_text()


def test_after_its_visit_the_link_says_so_and_the_room_is_still_open(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    url = link(practice, room)
    provider, patient = person("red", login=room.login).page, person("green")
    patient.expected.append("status of 410")
    open_dashboard(provider, practice.url)
    arrive(patient.page, url)
    waits(patient.page)
    start(provider, "Grace")
    connected(provider, patient.page)
    end(provider)
    expect(patient.page.locator("main[data-state=after]")).to_be_visible()
    arrive(patient.page, url)
    expect(patient.page.locator("#name-error")).to_contain_text("This link was for one visit, which has been.")
    expect(patient.page.get_by_label("Your name")).to_have_value("Grace")
    patient.page.get_by_role("button", name="Check in").first.click()
    waits(patient.page)


@pytest.mark.parametrize("why", ["early", "expired", "used", "elsewhere", "broken"])
def test_what_a_link_is_not_good_for_is_said(
    practice: Practice, room: Room, person: Callable[..., Person], why: str
) -> None:
    patient = person("green", viewport=PHONE, locale="en-GB", timezone_id="Europe/Brussels")
    patient.expected += ["status of 409", "status of 410"]
    url, words = {
        "early": (link(practice, room, n=now() + HOUR, x=now() + 2 * HOUR), "It opens on"),
        "expired": (link(practice, room, x=now() - 1), "This link is too old."),
        "used": (link(practice, room), "This link was for one visit, which has been."),
        "elsewhere": (link(practice, room, r="another"), "This visit belongs to another waiting room."),
        "broken": (link(practice, room)[:-4], "This link is not whole."),
    }[why]
    if why == "used":
        with practice.lasting():
            visit = Signer(config.load(practice.folder, environ={}).secret).read_invite(
                url.partition("#i=")[2], clinic="main", room=room.id, now=now()
            )
            row = {"clinic_id": "main", "room_id": room.id, "member_id": None, "arrived": 1, "started": 2, "ended": 3}
            clinics.history.record(visit_id=visit.v, **row, outcome="completed", media="video", seats=2)
    arrive(patient.page, url)
    expect(patient.page.locator("#name-error")).to_contain_text(words)
    expect(patient.page.get_by_label("Your name")).to_be_focused()
    expect(patient.page.get_by_role("link", name="Test your camera and sound first")).to_be_visible()
    audit(patient.page, why)
    patient.page.get_by_role("button", name="Check in").first.click()
    if why in ("expired", "used"):
        waits(patient.page)
    else:
        expect(patient.page.locator("#name-error")).to_contain_text(words)


def test_from_a_second_device_it_is_the_same_visit(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    url = link(practice, room)
    board, phone, laptop = person(login=room.login).page, person("green").page, person("blue").page
    open_dashboard(board, practice.url)
    arrive(phone, url)
    waits(phone)
    arrive(laptop, url, "Grace again")
    expect(laptop.locator("main[data-state=taken]")).to_be_visible()
    laptop.get_by_role("button", name="Continue here").click()
    waits(laptop)
    expect(phone.locator("main[data-state=taken]")).to_be_visible()
    expect(board.locator(".card")).to_have_count(1)
    expect(board.locator(".card .name")).to_have_text("Grace")


def test_whoever_closed_the_page_comes_again_by_the_link(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    """Closed, and the visit is over half a minute later; the appointment is not lost by that."""
    url = link(practice, room)
    board, patient = person(login=room.login).page, person("green")
    open_dashboard(board, practice.url)
    arrive(patient.page, url)
    waits(patient.page)
    patient.page.get_by_role("button", name="Leave the waiting room").click()
    patient.page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(board.locator("#empty")).to_be_visible()
    arrive(patient.page, url)
    waits(patient.page)
    expect(board.locator(".card")).to_have_count(1)


def test_a_passcode_is_asked_for_unless_the_link_carries_it(practice: Practice, person: Callable[..., Person]) -> None:
    room = practice.room()
    with practice.lasting():
        hashed = clinics.rooms.hash_passcode("winter rain", offload=lambda function, *args: function(*args))
        about = {"slug": room.slug, "name": "Dr Ada Smith", "owner_id": room.member, "media": "video", "reserved": ()}
        clinics.rooms.update("main", room.id, **about, actor=None, passcode_hash=hashed)  # type: ignore[arg-type]
    with_it, without = person("green", viewport=PHONE), person("blue", viewport=PHONE)
    without.expected.append("status of 422")
    with_it.page.goto(link(practice, room, free=True))
    expect(with_it.page.get_by_label("Passcode")).to_be_hidden()
    arrive(with_it.page, link(practice, room, free=True))
    waits(with_it.page)
    arrive(without.page, link(practice, room))
    expect(without.page.get_by_label("Passcode")).to_be_focused()
    audit(without.page, "passcode")
    without.page.get_by_label("Passcode").fill("wrong one")
    without.page.get_by_role("button", name="Check in").first.click()
    expect(without.page.locator("#passcode-error")).to_contain_text("This is not the passcode of this waiting room.")
    without.page.get_by_label("Passcode").fill("winter rain")
    without.page.get_by_label("Passcode").press("Enter")
    waits(without.page)


def test_beside_the_key_of_a_device_the_link_works_too(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    patient = person("green").page
    arrive(patient, f"{link(practice, room)}&k={'A' * 22}")
    waits(patient)
    assert patient.evaluate("import('housecall/page.js').then(({ page }) => [page.device, Boolean(page.invite)])") == [
        "A" * 22,
        True,
    ]
