"""A join that cannot go wrong: what is wrong with devices and pages, as both sides see it (docs/joining.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from playwright.sync_api import Route, expect

from housecall.testing.access import PHONE, audit, bare
from housecall.testing.acts import begin, check_in, connected, end, media_flows, open_dashboard, sees, start, wait
from housecall.testing.people import Person
from housecall.testing.practice import Practice, Room
from housecall.testing.visitor import Visitor

People = Callable[..., Person]
RED, GREEN = (224, 0, 0), (0, 192, 0)


def refusing(error: str, permission: str, *, only: str = "") -> str:
    """A browser whose devices fail like this; `only`: the camera alone."""
    condition = "wanted.video" if only == "camera" else "true"
    return f"""{{
      const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
      if (devices) {{
        devices.getUserMedia = async wanted => {{
          if ({condition}) throw new DOMException("", "{error}");
          return ask.call(devices, wanted);
        }};
        navigator.permissions.query = async () => ({{ state: "{permission}" }});
      }}
    }}"""


class Fault(NamedTuple):
    """What is wrong in the browser, what the person reads, what the board says, and the picture that helps."""

    script: str
    words: str
    board: str
    colour: str
    help: str = ""
    press: str = ""


FAULTS = {
    "denied": Fault("", "Your browser blocks camera", "blocked in the browser", "red", "chrome"),
    "dismissed": Fault(
        refusing("NotAllowedError", "prompt"), "got no answer", "the browser's question has no answer yet", "red"
    ),
    "system": Fault(
        refusing("NotAllowedError", "granted"),
        "Your device does not let this browser use camera",
        "the device does not let the browser use it",
        "red",
        "on-other",
    ),
    "missing": Fault(
        refusing("NotFoundError", "granted", only="camera"), "No camera was found", "none was found", "yellow"
    ),
    "busy": Fault(refusing("NotReadableError", "granted"), "Another program uses", "another program uses it", "red"),
    "broken": Fault(refusing("AbortError", "granted"), "could not be started", "it could not be started", "red"),
    "skipped": Fault(
        refusing("NotFoundError", "granted", only="camera"),
        "Your camera is off",
        "turned off",
        "yellow",
        press="Continue without camera",
    ),
}


def somebody(person: People, fault: str) -> Person:
    made = person(None if fault == "denied" else "green", devices=fault != "denied")
    made.context.add_init_script(FAULTS[fault].script or "0")
    return made


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_page_says_what_is_wrong(room: Room, person: People, fault: str) -> None:
    _, words, board, colour, help_, press = FAULTS[fault]
    page = somebody(person, fault).page
    page.goto(f"{room.url}/check")
    expect(page.locator("main[data-ready]")).to_be_attached()
    page.get_by_role("button", name="Start the test").click()
    if press:
        page.get_by_role("button", name=press).click()
    expect(page.locator("[data-row=camera]")).to_contain_text(words)
    expect(page.locator(".verdict")).to_have_attribute("data-colour", colour)
    expect(page.locator(".verdict")).to_contain_text(board)
    expect(page.locator(".check-help figure:visible")).to_have_count(1 if help_ else 0)
    if help_:
        expect(page.locator(f".check-help [data-for={help_}]")).to_be_visible()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_board_says_it_before_the_start_and_the_visit_begins(
    practice: Practice, room: Room, person: People, fault: str
) -> None:
    _, words, board, colour, _, press = FAULTS[fault]
    provider, patient = person("red", login=room.login).page, somebody(person, fault).page
    open_dashboard(provider, practice.url)
    check_in(patient, room.url, "Grace Hopper")
    if press:
        patient.get_by_role("button", name=press).click()
    else:
        expect(patient.locator("#devices-words")).to_contain_text(words)
    expect(provider.locator(".card .ready")).to_contain_text(board)
    expect(provider.locator(".card .ready")).to_have_attribute("data-colour", colour)
    start(provider, "Grace Hopper")
    connected(provider, patient)
    sees(patient, RED)
    expect(provider.get_by_text("Grace Hopper's camera is off")).to_be_visible()
    expect(patient.locator("#trouble")).to_be_visible(visible=not press)


def test_a_permission_given_during_the_check_is_noticed(room: Room, person: People) -> None:
    patient = somebody(person, "denied")
    patient.page.goto(f"{room.url}/check")
    patient.page.get_by_role("button", name="Start the test").click()
    expect(patient.page.locator(".check-help [data-for=chrome]")).to_be_visible()
    patient.context.grant_permissions(["camera", "microphone"])
    expect(patient.page.locator("[data-row=camera][data-state=good]")).to_be_visible()
    expect(patient.page.locator(".check-help")).to_be_hidden()
    expect(patient.page.locator(".verdict")).to_have_attribute("data-colour", "green")


def test_check_in_can_be_pressed_once_the_page_listens(room: Room, person: People) -> None:
    """Before it, the form would send itself, with the name in the address."""
    patient, held = person("green"), list[Route]()
    page, button = patient.page, patient.page.get_by_role("button", name="Check in")
    page.route("**/js/patient.js", lambda route: held.append(route))
    page.goto(room.url, wait_until="commit")
    page.get_by_label("Your name").fill("Grace Hopper")
    page.keyboard.press("Enter")
    expect(button).to_be_disabled()
    for route in held:
        route.continue_()
    page.unroute("**/js/patient.js")
    expect(button).to_be_enabled()
    expect(page.get_by_label("Your name")).to_have_value("Grace Hopper")
    button.click()
    expect(page.get_by_role("heading", name="You are checked in")).to_be_visible()
    assert not [url for url in patient.urls if "Grace" in url]


def test_a_second_tab_asks_before_it_takes_the_place(practice: Practice, room: Room, person: People) -> None:
    provider, patient = person("red", login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    second = patient.context.new_page()
    second.goto(room.url)
    expect(second.get_by_role("heading", name="This visit is open in another tab")).to_be_visible()
    expect(patient.page.locator("main[data-state=waiting]")).to_be_visible()
    expect(provider.page.locator(".card")).to_have_count(1)
    second.get_by_role("button", name="Continue here").click()
    expect(second.locator("main[data-state=waiting]")).to_be_visible()
    expect(patient.page.get_by_role("heading", name="This visit is open in another tab")).to_be_visible()
    expect(provider.page.locator(".card")).to_have_count(1)


#: Sound may be played only after a touch.
STRICT = """{
  const play = HTMLMediaElement.prototype.play;
  window.touched = false;
  HTMLMediaElement.prototype.play = function () {
    if (this.localName === "audio" && !touched) return Promise.reject(new DOMException("", "NotAllowedError"));
    return play.call(this);
  };
}"""


def test_sound_that_the_browser_holds_back_is_one_tap_away(practice: Practice, room: Room, person: People) -> None:
    provider, patient = person("red", login=room.login), person("green", viewport=PHONE, has_touch=True)
    patient.context.add_init_script(STRICT)
    begin(practice, room, provider.page, patient.page)
    tap = patient.page.get_by_role("button", name="Tap to hear")
    expect(tap).to_have_count(1)
    box = tap.bounding_box()
    assert box
    assert box["height"] >= 60
    assert box["width"] >= 180
    assert patient.page.evaluate("document.querySelector('.tile audio').paused")
    patient.page.evaluate("touched = true")
    tap.tap()
    expect(tap).to_have_count(0)
    wait(patient.page, "() => !document.querySelector('.tile audio').paused", None)
    media_flows(patient.page)


#: Counts what is asked of the screen; and a page that can be put to sleep and woken.
SCREEN = """{
  window.locks = 0;
  if (navigator.wakeLock) {
    const request = navigator.wakeLock.request.bind(navigator.wakeLock);
    navigator.wakeLock.request = async kind => {
      window.lock = await request(kind);
      locks += 1;
      return lock;
    };
  }
  let seen = "visible";
  Object.defineProperty(Document.prototype, "visibilityState", { get: () => seen });
  window.turn = state => { seen = state; document.dispatchEvent(new Event("visibilitychange")); };
}"""


def test_the_screen_stays_on_from_check_in_and_a_slept_page_keeps_its_place(
    practice: Practice, room: Room, person: People
) -> None:
    """Sleep as a phone does it: the lock is gone, the page hidden, the line dead. Then it wakes."""
    patient = person("green", permissions=["camera", "microphone", "screen-wake-lock"])
    provider, next_ = person("red", login=room.login), person("blue")
    patient.expected += ["WebSocket connection", "ERR_INTERNET_DISCONNECTED"]
    patient.context.add_init_script(SCREEN)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    wait(patient.page, "() => locks === 1 && !lock.released", None)
    check_in(next_.page, room.url, "Katherine Johnson")
    patient.page.evaluate("turn('hidden'); lock.release()")
    patient.context.set_offline(True)
    wait(patient.page, "() => !navigator.onLine", None)
    patient.context.set_offline(False)
    patient.page.evaluate("turn('visible')")
    wait(patient.page, "() => locks === 2 && !lock.released", None)
    expect(patient.page.locator("#link-lost")).to_be_hidden()
    expect(patient.page.locator("#place")).to_have_text("You are next.")
    expect(next_.page.locator("#place")).to_have_text("1 person is before you.")
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    assert patient.page.evaluate("!lock.released")
    end(provider.page)
    wait(patient.page, "() => lock.released", None)


INSIDE = 'Object.defineProperty(Navigator.prototype, "mediaDevices", { get: () => undefined })'


@pytest.mark.parametrize("path", ["", "/check"], ids=["room", "check"])
def test_inside_another_app_the_way_out_is_shown(room: Room, person: People, path: str) -> None:
    patient = person("green", viewport=PHONE)
    patient.context.add_init_script(INSIDE)
    patient.context.grant_permissions(["clipboard-read", "clipboard-write"])
    patient.expected += ["null", "undefined", "exception"]
    patient.page.goto(room.url + path)
    expect(patient.page.get_by_role("heading", name="Here the camera is out of reach")).to_be_visible()
    expect(patient.page.get_by_label("Link of this page")).to_have_value(room.url + path)
    audit(patient.page, "inside another app")
    patient.page.get_by_role("button", name="Copy the link").click()
    expect(patient.page.get_by_text("Copied.")).to_be_visible()
    assert patient.page.evaluate("navigator.clipboard.readText()") == room.url + path


def test_inside_another_app_no_text_is_bare(room: Room, person: People) -> None:
    patient = person("green", locale="en-XA")
    patient.context.add_init_script(INSIDE)
    patient.expected += ["null", "undefined", "exception"]
    patient.page.goto(room.url)
    expect(patient.page.locator("#floor-inside")).to_be_visible()
    assert bare(patient.page) == []


def test_a_link_scanner_uses_nothing_up(practice: Practice, room: Room, person: People) -> None:
    scanner = Visitor(practice.url)
    provider, patient = person("red", login=room.login).page, person("green").page
    open_dashboard(provider, practice.url)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        for path in (f"/{room.slug}", f"/{room.slug}/check"):
            asked = scanner.http.request(method, scanner.url + path, headers=scanner.headers(), timeout=30)
            assert asked.status_code == 200
    assert not scanner.http.cookies
    check_in(patient, room.url, "Grace Hopper")
    expect(provider.locator(".card")).to_have_count(1)
    start(provider, "Grace Hopper")
    connected(provider, patient)
    sees(provider, GREEN)
