"""The device check: on its own page on any day, and in the waiting room, where the provider's board hears of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from coturn import running
from housecall import relay
from housecall.testing.access import PHONE, ZOOMED, audit, bare
from housecall.testing.acts import check_in, open_dashboard, wait
from housecall.testing.people import Person
from housecall.testing.practice import Practice, Room, free_port

#: A microphone that is there and says nothing.
MUTE = """{
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
  if (devices) devices.getUserMedia = async wanted => {
    const out = await ask(wanted), context = new AudioContext();
    for (const track of out.getAudioTracks()) out.removeTrack(track);
    if (wanted.audio) out.addTrack(context.createMediaStreamDestination().stream.getAudioTracks()[0]);
    return out;
  };
}"""

#: Counts how often the browser is asked for devices.
ASKS = """{
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
  window.asks = 0;
  if (devices) devices.getUserMedia = wanted => {
    asks += 1;
    return ask.call(devices, wanted);
  };
}"""

#: A network that lets pages through and no WebSocket.
NO_SOCKETS = """{
  window.WebSocket = class extends EventTarget {
    constructor() { super(); setTimeout(() => this.onerror?.()); }
    close() {}
  };
}"""


def begin(page: Page, url: str) -> None:
    page.goto(f"{url}/check")
    expect(page.locator("main[data-ready]")).to_be_attached()
    page.locator("[data-do=begin]").click()


def row(page: Page, name: str, state: str) -> None:
    expect(page.locator(f"[data-row={name}]")).to_have_attribute("data-state", state)


def verdict(page: Page, colour: str) -> None:
    expect(page.locator(".verdict")).to_have_attribute("data-colour", colour)
    expect(page.locator(".verdict")).to_be_visible()


def test_everything_works_and_nothing_is_kept(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient = person(login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    patient.context.add_init_script(ASKS)
    patient.page.goto(room.url)
    patient.page.get_by_role("link", name="Test your camera and sound first").click()
    patient.page.get_by_role("button", name="Start the test").click()
    verdict(patient.page, "green")
    for name in ("camera", "microphone", "connection"):
        row(patient.page, name, "good")
    expect(patient.page.get_by_role("heading", name="Everything works")).to_be_visible()
    expect(patient.page.locator(".preview video")).to_be_visible()
    expect(patient.page.get_by_text("The practice has no relay of its own")).to_be_visible()
    patient.page.get_by_role("button", name="Test again").click()
    verdict(patient.page, "green")
    assert patient.page.evaluate("asks") == 1, "asked for devices that are there"
    kept = patient.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    assert kept == [0, 0, ""]
    assert patient.context.cookies() == []
    expect(provider.page.locator(".card")).to_have_count(0)
    patient.page.get_by_role("link", name="To the waiting room").click()
    expect(patient.page.get_by_label("Your name")).to_be_visible()


def test_a_microphone_that_says_nothing_is_told(room: Room, person: Callable[..., Person]) -> None:
    patient = person("green")
    patient.context.add_init_script(MUTE)
    begin(patient.page, room.url)
    row(patient.page, "microphone", "busy")
    row(patient.page, "microphone", "odd")
    verdict(patient.page, "yellow")
    expect(patient.page.locator(".verdict")).to_contain_text("Nothing is heard from the microphone")


def test_what_the_person_hears_counts(room: Room, person: Callable[..., Person]) -> None:
    page = person("green").page
    begin(page, room.url)
    verdict(page, "green")
    page.get_by_role("button", name="Play a sound").click()
    page.get_by_role("button", name="I hear nothing").click()
    row(page, "speaker", "odd")
    expect(page.locator("[data-row=speaker]")).to_contain_text("Turn up the volume")
    verdict(page, "yellow")
    page.get_by_role("button", name="Play a sound").click()
    page.get_by_role("button", name="I hear it").click()
    row(page, "speaker", "good")
    verdict(page, "green")


def test_a_network_without_sockets_is_red(room: Room, person: Callable[..., Person]) -> None:
    patient = person("green")
    patient.context.add_init_script(NO_SOCKETS)
    begin(patient.page, room.url)
    row(patient.page, "connection", "bad")
    verdict(patient.page, "red")
    expect(patient.page.locator(".verdict")).to_contain_text("blocks the line to the practice's server")


def test_a_question_that_nobody_answers_has_a_verdict_too(room: Room, person: Callable[..., Person]) -> None:
    patient = person("green")
    patient.context.add_init_script(
        "navigator.mediaDevices && (navigator.mediaDevices.getUserMedia = () => new Promise(() => {}))"
    )
    patient.context.add_init_script(ASKS)
    begin(patient.page, room.url)
    patient.page.get_by_role("button", name="Test again").click()
    verdict(patient.page, "red")
    assert patient.page.evaluate("asks") == 1, "asked again while the first question is open"
    expect(patient.page.locator(".verdict")).to_contain_text("the browser's question has no answer yet")


def with_relay(port: int, secret: str) -> str:
    return (
        '[clinic.main]\nname = "Elm Street Practice"\n[[clinic.main.ice]]\n'
        f'urls = ["turn:localhost:{port}?transport=udp", "turn:localhost:{port}?transport=tcp"]\nsecret = "{secret}"\n'
    )


def test_the_connection_is_tested_through_the_practices_own_relay(
    serve: Callable[..., Practice], person: Callable[..., Person], tmp_path: Path
) -> None:
    """A real coturn: bytes go through it; one that refuses us and one that is not there are told apart."""
    port = free_port()
    own = serve(with_relay(port, "right"))
    room, patient = own.room(), person("green", own=f"localhost:{own.port}")
    with running(tmp_path, relay.configuration("localhost", "right"), port, free_port()):
        begin(patient.page, room.url)
        row(patient.page, "connection", "good")
        expect(patient.page.get_by_text("Picture and sound get through")).to_be_visible()
        assert set(patient.page.evaluate("asked")) == {
            f"turn:localhost:{port}?transport={way}" for way in ("udp", "tcp")
        }
        policies = patient.page.evaluate("made.map(pc => pc.getConfiguration().iceTransportPolicy)")
        assert set(policies) == {"relay"}
        wait(patient.page, "() => made.every(pc => pc.signalingState === 'closed')", None)
        verdict(patient.page, "green")
    patient.page.get_by_role("button", name="Test again").click()
    row(patient.page, "connection", "odd")
    expect(patient.page.locator("[data-row=connection]")).to_contain_text("This network may block the call")
    verdict(patient.page, "yellow")
    with running(tmp_path, relay.configuration("localhost", "another"), port, free_port()):
        patient.page.get_by_role("button", name="Test again").click()
        expect(patient.page.locator("[data-row=connection]")).to_contain_text("The practice's relay does not work")


def test_the_waiting_room_offers_the_check_and_the_board_hears_of_it(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person(login=room.login), person("green")
    patient.context.add_init_script(MUTE)
    patient.context.add_init_script(ASKS)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(provider.page.locator(".card .ready")).to_have_text("Camera and microphone work")
    patient.page.get_by_role("button", name="Test camera and sound").click()
    verdict(patient.page, "yellow")
    expect(provider.page.locator(".card .ready")).to_have_text("Nothing is heard from the microphone")
    expect(provider.page.locator(".card .ready")).to_have_attribute("data-colour", "yellow")
    assert patient.page.evaluate("asks") == 1, "asked a second time"
    patient.page.get_by_role("button", name="Close", exact=True).click()
    expect(patient.page.locator("#test-devices")).to_be_focused()


def test_the_call_begins_though_the_check_is_open(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person("red", login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    patient.page.get_by_role("button", name="Test camera and sound").click()
    expect(patient.page.get_by_role("dialog")).to_be_visible()
    provider.page.get_by_role("button", name="Start visit with Grace Hopper").click()
    expect(patient.page.locator("main[data-state=call]")).to_be_visible()
    expect(patient.page.get_by_role("dialog")).to_have_count(0)


def test_a_relay_that_is_out_of_reach_is_told_to_the_board_without_a_question(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """What the rehearsal has shown is shown anew when the visit comes: nothing of it was kept."""
    own = serve(with_relay(free_port(), "right"))
    room, host = own.room(), f"localhost:{own.port}"
    provider, patient = person(own=host), person("green", own=host)
    provider.context.add_cookies([{"name": "hc-login", "value": room.login, "url": own.url, "httpOnly": True}])
    open_dashboard(provider.page, own.url)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(provider.page.locator(".card .ready")).to_have_text("The network may block the call")
    expect(patient.page.locator("#devices-words")).to_contain_text("This network may block the call")


@pytest.mark.parametrize("pseudo", [False, True], ids=["axe", "words"])
@pytest.mark.parametrize("works", [True, False], ids=["works", "denied"])
def test_everybody_can_use_the_check(
    practice: Practice, room: Room, person: Callable[..., Person], works: bool, pseudo: bool
) -> None:
    options = {"locale": "en-XA"} if pseudo else {}
    patient = person("green" if works else None, devices=works, viewport=PHONE, reduced_motion="reduce", **options)

    def look(state: str) -> None:
        if pseudo:
            assert bare(patient.page) == [], state
            return
        for scheme in ("light", "dark"):
            patient.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for screen in (ZOOMED, PHONE):
                patient.page.set_viewport_size(screen)  # type: ignore[arg-type]
                audit(patient.page, f"{state}, {scheme}, {screen['width']} px")

    patient.page.goto(f"{room.url}/check")
    expect(patient.page.locator("main[data-ready]")).to_be_attached()
    look("before the test")
    patient.page.keyboard.press("Tab")
    while "begin" not in (patient.page.evaluate("document.activeElement.dataset.do") or ""):
        patient.page.keyboard.press("Tab")
    patient.page.keyboard.press("Enter")
    verdict(patient.page, "green" if works else "red")
    look("after the test")
    patient.page.goto(room.url)
    expect(patient.page.locator("main[data-ready]")).to_be_attached()
    patient.page.locator("#name").fill("Grace Hopper")
    patient.page.keyboard.press("Enter")
    expect(patient.page.locator("main[data-state=waiting]")).to_be_visible()
    patient.page.locator("#test-devices").click()
    verdict(patient.page, "green" if works else "red")
    look("in the waiting room")
