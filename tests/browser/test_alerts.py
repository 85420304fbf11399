"""How a provider learns that somebody has come: sound, title, notification, once across all tabs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from housecall.testing.acts import check_in, invite, open_dashboard, start, wait
from housecall.testing.people import Person
from housecall.testing.practice import Practice, Room
from housecall.testing.visitor import Visitor

#: Counts notifications instead of showing them; the permission is what the test says.
NOTES = """permission => {
  window.notes = [];
  window.Notification = class { constructor(title) { window.notes.push(title); } close() {} };
  Object.assign(window.Notification, { permission, requestPermission: async () => window.Notification.permission });
}"""

HIDDEN = """() => {
  Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
  document.hasFocus = () => false;
}"""


def rang(page: Page) -> int:
    return int(page.locator("#alerts").get_attribute("data-rang") or 0)


def test_sound_title_and_notification(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient = person(login=room.login), person("green")
    provider.page.add_init_script(f"({NOTES})('granted')")
    open_dashboard(provider.page, practice.url)
    provider.page.get_by_role("button", name="Turn on sound").click()
    expect(provider.page.locator("#alerts-words")).to_have_text("Sound and notifications are on.")
    assert rang(provider.page) == 1  # so that one hears what to listen for
    provider.page.evaluate(HIDDEN)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(provider.page.locator("#alerts[data-rang='2']")).to_be_attached()
    assert provider.page.evaluate("notes") == ["Somebody is waiting"]  # without a name: screens are seen by others
    expect(provider.page).to_have_title("(1) Waiting room · Elm Street Practice")
    provider.page.get_by_role("button", name="Turn off sound").click()
    expect(provider.page.locator("#alerts[data-sound=off]")).to_be_visible()


@pytest.mark.parametrize(
    ("prepare", "state", "words"),
    [
        (f"({NOTES})('denied')", "on", "Sound is on. Notifications are blocked"),
        (f"({NOTES})('default')", "on", "Sound is on. Notifications were not allowed."),
        ("delete window.Notification", "on", "This browser shows no notifications."),
        ("delete window.AudioContext", "unsupported", "This browser cannot play our sound."),
        (
            "window.AudioContext = class { state = 'suspended'; resume() { return new Promise(() => {}); } }",
            "blocked",
            "Your browser blocks sound for this page.",
        ),
    ],
    ids=["denied", "dismissed", "no notifications", "no sound", "blocked"],
)
def test_each_refusal_shows_something(
    practice: Practice, room: Room, person: Callable[..., Person], prepare: str, state: str, words: str
) -> None:
    provider = person(login=room.login)
    provider.page.add_init_script(prepare)
    open_dashboard(provider.page, practice.url)
    provider.page.get_by_role("button", name="Turn on sound").click()
    expect(provider.page.locator(f"#alerts[data-sound={state}]")).to_be_visible()
    expect(provider.page.locator("#alerts-words")).to_contain_text(words)


@pytest.mark.parametrize("channel", [True, False], ids=["as it is", "no word between the tabs"])
def test_one_alert_for_an_arrival_across_tabs(
    practice: Practice, room: Room, person: Callable[..., Person], channel: bool
) -> None:
    provider, patient = person(login=room.login), person("green")
    if not channel:  # then the lock alone must do: tabs hear of an arrival at almost the same time
        provider.context.add_init_script("delete window.BroadcastChannel")
    provider.context.add_init_script(f"({NOTES})('granted')")
    pages = [provider.page, provider.context.new_page(), provider.context.new_page()]
    for page in pages:
        open_dashboard(page, practice.url)
        page.get_by_role("button", name="Turn on sound").click()
        expect(page.locator("#alerts[data-sound=on]")).to_be_visible()
        page.evaluate(HIDDEN)
    before = sum(rang(page) for page in pages)
    check_in(patient.page, room.url, "Grace Hopper")
    for page in pages:
        expect(page.locator(".card")).to_have_count(1)
        expect(page).to_have_title("(1) Waiting room · Elm Street Practice")
    for page in pages:
        page.evaluate("() => navigator.locks.query()")  # behind all that was asked of the locks before
    assert sum(rang(page) for page in pages) == before + 1
    assert sum(len(page.evaluate("notes")) for page in pages) == 1


#: What this tab asks of the locks waits until the test says `go()`; `told` is what other tabs have said that they did.
LATE = """{
  window.told = [];
  new BroadcastChannel("housecall alerts").onmessage = ({ data }) => data.told && told.push(data.told);
  const ask = navigator.locks.request.bind(navigator.locks);
  const gone = new Promise(done => { window.go = done; });
  navigator.locks.request = (...given) => gone.then(() => ask(...given));
} 0"""
#: This tab gives a lock back at once, and not after five seconds.
BRIEF = """{
  const later = setTimeout;
  window.setTimeout = (act, ms, ...more) => later(act, ms === 5000 ? 0 : ms, ...more);
} 0"""
FREE = """async () => {
  while ((await navigator.locks.query()).held.length) await new Promise(done => setTimeout(done, 20));
}"""


def test_a_tab_without_sound_takes_the_chime_from_none_that_has_it(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person(login=room.login), person("green")
    provider.context.add_init_script(f"({NOTES})('granted')")
    mute, loud = provider.page, provider.context.new_page()
    for page in (mute, loud):
        open_dashboard(page, practice.url)
    loud.get_by_role("button", name="Turn on sound").click()
    expect(loud.locator("#alerts[data-sound=on]")).to_be_visible()
    for page in (mute, loud):
        page.evaluate(HIDDEN)
    mute.evaluate(BRIEF)
    loud.evaluate(LATE)
    check_in(patient.page, room.url, "Grace Hopper")
    for page in (mute, loud):
        expect(page.locator(".card")).to_have_count(1)
    wait(mute, "() => window.notes.length === 1", None)  # the tab without sound was first, and has told of it
    wait(loud, "() => window.told.length", None)
    mute.evaluate(FREE)
    loud.evaluate("go()")
    expect(loud.locator("#alerts[data-rang='2']")).to_be_attached()
    loud.evaluate("() => navigator.locks.query()")
    assert loud.evaluate("notes") == []
    assert rang(mute) == 0


#: The clock of the repeated chime stands still until a test lets 20 seconds pass with `again()`.
STILL = """{
  const begin = window.setInterval, end = window.clearInterval;
  window.again = null;
  window.setInterval = (what, ms, ...more) => ms === 20000 ? (window.again = what, -1) : begin(what, ms, ...more);
  window.clearInterval = id => id === -1 ? void (window.again = null) : end(id);
}"""
SEEN = """() => {
  Object.defineProperty(document, "visibilityState", { get: () => "visible" });
  document.hasFocus = () => true;
}"""


def tabs(provider: Person, url: str) -> list[Page]:
    """Three tabs of one provider, all with sound."""
    provider.context.add_init_script(STILL)
    pages = [provider.page, provider.context.new_page(), provider.context.new_page()]
    for page in pages:
        open_dashboard(page, url)
        page.get_by_role("button", name="Turn on sound").click()
        expect(page.locator("#alerts[data-sound=on]")).to_be_visible()
    return pages


def rang_after_a_while(pages: list[Page]) -> int:
    """How often the tabs have rung in all, 20 seconds later."""
    for page in pages:
        page.evaluate("window.again?.()")
    for page in pages:
        page.evaluate("() => navigator.locks.query()")
    return sum(rang(page) for page in pages)


def test_who_is_not_noticed_is_rung_for_again_by_one_tab_until_nobody_waits(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person(login=room.login), person("green")
    pages = tabs(provider, practice.url)
    for page in pages:
        page.evaluate(HIDDEN)
    check_in(patient.page, room.url, "Grace Hopper")
    for page in pages:
        expect(page.locator(".card")).to_have_count(1)
        wait(page, "() => window.again", None)
    for page in pages:
        page.evaluate("() => navigator.locks.query()")
    before = sum(rang(page) for page in pages)
    assert rang_after_a_while(pages) == before + 1
    patient.page.get_by_role("button", name="Leave the waiting room").click()
    patient.page.get_by_role("button", name="Leave", exact=True).click()
    for page in pages:
        expect(page.locator(".card")).to_have_count(0)
    assert rang_after_a_while(pages) == before + 1


def test_who_is_seen_in_one_tab_is_not_rung_for_again_by_others(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person(login=room.login), person("green")
    pages = tabs(provider, practice.url)
    for page, state in zip(pages, (SEEN, HIDDEN, HIDDEN), strict=True):
        page.evaluate(state)
    check_in(patient.page, room.url, "Grace Hopper")
    for page in pages:
        expect(page.locator(".card")).to_have_count(1)
        wait(page, "() => !window.again", None)
    before = sum(rang(page) for page in pages)
    assert rang_after_a_while(pages) == before


def test_a_room_that_is_given_to_an_open_dashboard_has_its_name_there(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    owner, other = practice.room(role="owner"), practice.room(name="Katherine Johnson")
    provider, patient = person(login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, other.url, "Grace Hopper")
    form = {"room": other.id, "name": "Grace Murray", "slug": other.slug, "media": "video", "owner": room.member}
    assert Visitor(practice.url, login=owner.login).post("/admin/rooms", form).status_code == 303
    expect(provider.page.locator(".card .room-name")).to_have_text("Grace Murray")
    expect(provider.page.locator(".card .room-name")).to_be_visible()
    start(provider.page, "Grace Hopper")
    assert invite(provider.page, "relative").startswith(f"{other.url}/join#")


def test_a_delta_that_never_came_is_made_good_by_a_snapshot(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider = person(login=room.login)
    asked: list[str] = []
    swallowed: list[str] = []

    def between(line: WebSocketRoute) -> None:
        server = line.connect_to_server()

        def to_server(message: str | bytes) -> None:
            asked.extend(["snapshot"] if '["snapshot"' in str(message) else [])
            server.send(message)

        def to_page(message: str | bytes) -> None:
            if str(message).startswith('42["delta"') and not swallowed:
                swallowed.append(str(message))
            else:
                line.send(message)

        line.on_message(to_server)
        server.on_message(to_page)

    provider.context.route_web_socket("**/socket.io/**", between)
    open_dashboard(provider.page, practice.url)
    expect(provider.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    for name in ("Grace Hopper", "Katherine Johnson"):
        assert Visitor(practice.url).check_in(room.slug, name).status_code == 201
    expect(provider.page.locator(".card .name")).to_have_text(["Grace Hopper", "Katherine Johnson"])
    assert "Grace Hopper" in swallowed[0]
    assert asked == ["snapshot"]


def test_a_line_that_was_cut_brings_what_happened_meanwhile(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, first, second = person(login=room.login), person("green"), person("blue")
    for each in (provider,):
        each.expected += ["WebSocket", "ERR_INTERNET_DISCONNECTED"]
    open_dashboard(provider.page, practice.url)
    check_in(first.page, room.url, "Grace Hopper")
    expect(provider.page.locator(".card")).to_have_count(1)
    provider.context.set_offline(True)
    check_in(second.page, room.url, "Katherine Johnson")
    provider.context.set_offline(False)
    expect(provider.page.locator(".card .name")).to_have_text(["Grace Hopper", "Katherine Johnson"], timeout=40_000)
