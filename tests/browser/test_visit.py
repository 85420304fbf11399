"""A whole visit between two real browsers."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from housecall.testing.acts import (
    begin,
    check_in,
    connected,
    end,
    media_flows,
    no_new_frames,
    open_dashboard,
    sees,
    silent,
    start,
    wait,
)
from housecall.testing.people import Person, sign_in
from housecall.testing.practice import Practice, Room
from housecall.testing.visitor import Visitor

RED, GREEN = (224, 0, 0), (0, 192, 0)


def test_a_whole_visit_with_media_both_ways(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient = person("red", login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    expect(provider.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    check_in(patient.page, room.url, "Grace Hopper")
    expect(patient.page.locator("#place")).to_have_text("You are next.")
    expect(patient.page.locator(".waiting .provider-words")).to_have_text("Your provider is here and will call you.")
    expect(provider.page.get_by_role("heading", name="Grace Hopper")).to_be_visible()
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    expect(patient.page).to_have_title("Your visit has started")
    expect(patient.page.locator("main[data-rang=true]")).to_be_visible()
    media_flows(provider.page)
    media_flows(patient.page)
    sees(provider.page, GREEN)
    sees(patient.page, RED)
    end(provider.page)
    expect(patient.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    expect(provider.page.get_by_text("The visit has ended after 1 minute.")).to_be_visible()
    expect(provider.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    for each in (provider, patient):
        assert each.page.evaluate("asked") == [], "a foreign STUN or TURN server was asked"
        assert not [url for url in each.urls if "Grace" in url or "Hopper" in url]
        kept = each.page.evaluate(
            "async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,"
            " (await caches.keys()).length, document.cookie]"
        )
        assert kept == [0, 0, 0, 0, ""]
    provider.page.get_by_role("link", name="Past visits").click()
    expect(provider.page.locator("table.visits tbody tr")).to_have_count(1)
    expect(provider.page.locator("table.visits tbody")).to_contain_text("Completed")
    expect(provider.page.locator("body")).not_to_contain_text("Grace")


def test_a_patient_is_told_whether_the_provider_is_there(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person(login=room.login), person("green")
    check_in(patient.page, room.url, "Grace Hopper")
    said = patient.page.locator(".waiting .provider-words")
    expect(said).to_have_text("Your provider is not here yet.")
    open_dashboard(provider.page, practice.url)
    expect(said).to_have_text("Your provider is here and will call you.")
    provider.page.close()
    expect(said).to_have_text("Your provider is not here yet.")


LIGHTS = "given.filter(track => track.kind === 'video' && track.readyState === 'live').length"


def in_call(
    practice: Practice, room: Room, person: Callable[..., Person], name: str = "Grace Hopper"
) -> tuple[Person, Person]:
    """A provider and a patient who see and hear each other."""
    provider, patient = person("red", login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, name)
    start(provider.page, name)
    connected(provider.page, patient.page)
    return provider, patient


def test_mute_and_camera_off_reach_the_far_side(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient = in_call(practice, room, person)
    sees(provider.page, GREEN)
    media_flows(provider.page)
    patient.page.get_by_role("button", name="Mute").click()
    expect(provider.page.locator(".tile[data-muted=true]").get_by_text("Muted")).to_be_visible()
    silent(provider.page)
    patient.page.get_by_role("button", name="Unmute").click()
    expect(provider.page.locator(".tile[data-muted=false]")).to_be_visible()
    media_flows(provider.page, video=False)
    patient.page.get_by_role("button", name="Turn camera off").click()
    expect(provider.page.get_by_text("Grace Hopper's camera is off")).to_be_visible()
    assert patient.page.evaluate("!document.querySelector('#self-stage video')")
    assert patient.page.evaluate(LIGHTS) == 0, "the camera's light is still on"
    no_new_frames(provider.page)
    patient.page.get_by_role("button", name="Turn camera on").click()
    expect(provider.page.locator(".tile[data-camera=on]")).to_be_visible()
    media_flows(provider.page)
    provider.page.get_by_role("button", name="Mute").click()
    expect(patient.page.locator(".tile[data-muted=true]")).to_be_visible()
    assert patient.page.evaluate(LIGHTS) == 1
    end(patient.page)
    expect(patient.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    expect(provider.page.get_by_text("The visit has ended after 1 minute.")).to_be_visible()
    for each in (provider, patient):
        assert each.page.evaluate("given.filter(track => track.readyState === 'live').length") == 0


def test_a_reload_while_waiting_keeps_the_place(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, first, second = person("red", login=room.login), person("green"), person("blue")
    open_dashboard(provider.page, practice.url)
    check_in(first.page, room.url, "Grace Hopper")
    check_in(second.page, room.url, "Katherine Johnson")
    expect(second.page.locator("#place")).to_have_text("1 person is before you.")
    first.page.reload()
    expect(first.page.get_by_role("heading", name="You are checked in")).to_be_visible()
    expect(first.page.locator("#place")).to_have_text("You are next.")
    names = provider.page.locator(".card .name")
    expect(names).to_have_text(["Grace Hopper", "Katherine Johnson"])
    start(provider.page, "Grace Hopper")
    connected(provider.page, first.page)
    expect(second.page.locator("#place")).to_have_text("You are next.")
    expect(second.page.locator(".waiting .provider-words")).to_have_text("Your provider is with another patient.")
    end(provider.page)
    start(provider.page, "Katherine Johnson")
    connected(provider.page, second.page)
    sees(provider.page, (0, 0, 224))


def test_both_sides_may_reload_in_the_call(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient = in_call(practice, room, person)
    patient.page.reload()
    connected(provider.page, patient.page)
    media_flows(provider.page)
    media_flows(patient.page)
    provider.page.reload()
    expect(provider.page.locator("main[data-state=call]")).to_be_visible()
    connected(provider.page, patient.page)
    media_flows(provider.page)
    media_flows(patient.page)
    sees(provider.page, GREEN)


def test_what_is_neither_seen_nor_heard_stays_so_over_a_reload(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = (each.page for each in in_call(practice, room, person))
    for page, other in ((patient, provider), (provider, patient)):
        page.get_by_role("button", name="Mute", exact=True).click()
        page.get_by_role("button", name="Turn camera off").click()
        expect(other.locator(".tile[data-camera=off][data-muted=true]")).to_be_visible()
        page.reload()
        connected(provider, patient)
        expect(page.get_by_role("button", name="Unmute", exact=True)).to_be_visible()
        expect(other.locator(".tile[data-camera=off][data-muted=true]")).to_be_visible()
        assert page.evaluate("given.map(({ kind, enabled }) => [kind, enabled])") == [["audio", False]]
        page.get_by_role("button", name="Turn camera on").click()
        expect(other.locator(".tile[data-camera=on]")).to_be_visible()
    end(provider)
    expect(patient.locator("main[data-state=after]")).to_be_visible()
    assert [page.evaluate("history.state") for page in (provider, patient)] == [None, None], "the next visit is another"


def test_both_links_in_one_browser(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    """One cookie jar holds a login and a ticket; each page is who it says it is."""
    provider = person("red", login=room.login)
    open_dashboard(provider.page, practice.url)
    patient = provider.context.new_page()
    check_in(patient, room.url, "Grace Hopper")
    provider.page.bring_to_front()
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient)
    media_flows(provider.page)
    media_flows(patient)
    end(provider.page)
    expect(patient.get_by_role("heading", name="Your visit has ended")).to_be_visible()


def test_an_audio_only_visit_asks_for_no_camera(practice: Practice, person: Callable[..., Person]) -> None:
    room = practice.room(media="audio")
    provider, patient = person("red", login=room.login), person("green")
    for each in (provider, patient):
        each.context.add_init_script(
            "{ const ask = navigator.mediaDevices.getUserMedia; window.asks = [];"
            " navigator.mediaDevices.getUserMedia = wanted => {"
            " asks.push(Boolean(wanted.video)); return ask(wanted); } }"
        )
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(patient.page.get_by_text("Your microphone works.")).to_be_visible()
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    media_flows(provider.page, video=False)
    media_flows(patient.page, video=False)
    expect(provider.page.get_by_text("You are talking with Grace Hopper")).to_be_visible()
    expect(provider.page.locator("#camera")).to_be_hidden()
    assert patient.page.evaluate("asks") == [False]
    assert provider.page.evaluate("asks") == [False]


def test_a_visit_without_any_device(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient = person("red", login=room.login), person(devices=False)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(patient.page.locator("#devices-words")).to_contain_text("Your browser blocks camera and microphone")
    expect(provider.page.get_by_text("No microphone")).to_be_visible()
    patient.page.get_by_role("button", name="Continue without camera").click()
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    sees(patient.page, RED)
    expect(provider.page.get_by_text("Grace Hopper's camera is off")).to_be_visible()


def test_a_permission_given_later_is_noticed(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    patient = person(devices=False)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(patient.page.locator("#devices[data-devices=failed]")).to_be_visible()
    patient.context.grant_permissions(["camera", "microphone"])
    expect(patient.page.get_by_text("Your camera and microphone work.")).to_be_visible()


def test_a_second_tab_takes_the_seat_only_when_told(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = in_call(practice, room, person)
    second = patient.context.new_page()
    second.goto(room.url)
    expect(second.get_by_role("heading", name="This visit is open in another tab")).to_be_visible()
    media_flows(provider.page)
    second.get_by_role("button", name="Continue here").click()
    expect(patient.page.get_by_role("heading", name="This visit is open in another tab")).to_be_visible()
    connected(provider.page, second)
    media_flows(provider.page)
    media_flows(second)


def test_a_provider_continues_in_another_window(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient = in_call(practice, room, person)
    second = provider.context.new_page()
    open_dashboard(second, practice.url)
    expect(second.get_by_text("Your visit is open in another window.")).to_be_visible()
    second.get_by_role("button", name="Continue here").click()
    expect(provider.page.get_by_text("Your visit is open in another window.")).to_be_visible()
    connected(second, patient.page)
    media_flows(second)
    media_flows(patient.page)
    end(second)
    expect(provider.page.get_by_text("Your visit is open in another window.")).to_be_hidden()


def test_remove_can_be_undone(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient = person("red", login=room.login), person("green")
    provider.context.add_init_script(SHORT_TIMERS)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    provider.page.get_by_role("button", name="Remove Grace Hopper").click()
    provider.page.get_by_role("button", name="Undo").click()
    expect(provider.page.get_by_role("button", name="Start visit with Grace Hopper")).to_be_visible()
    provider.page.evaluate("window.late = true")
    provider.page.get_by_role("button", name="Remove Grace Hopper").click()
    expect(provider.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    expect(patient.page.get_by_role("heading", name="You have left the waiting room")).to_be_visible()


#: Once a test has set `late`, what would happen after six seconds happens at once.
SHORT_TIMERS = """{
  const later = window.setTimeout;
  window.setTimeout = (step, ms, ...rest) => later(step, ms === 6000 && window.late ? 0 : ms, ...rest);
}"""


def test_no_dialog_outlives_what_it_is_about(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    """The patient is removed, or the other side ends the visit, while one is open: what follows can be used."""
    people = person("red", login=room.login), person("green")
    provider, patient = (each.page for each in people)
    people[0].context.add_init_script(SHORT_TIMERS)
    open_dashboard(provider, practice.url)
    provider.evaluate("window.late = true")
    check_in(patient, room.url, "Grace Hopper")

    def again() -> None:
        patient.get_by_role("button", name="Check in again").click()
        patient.get_by_label("Your name").fill("Grace Hopper")
        patient.get_by_role("button", name="Check in").first.click()

    for button in ("Leave the waiting room", "Test camera and sound"):
        patient.get_by_role("button", name=button).click()
        expect(patient.get_by_role("dialog")).to_be_visible()
        provider.get_by_role("button", name="Remove Grace Hopper").click()
        expect(patient.get_by_role("heading", name="You have left the waiting room")).to_be_focused()
        expect(patient.locator("dialog[open]")).to_have_count(0)
        again()
    for side, other in ((patient, provider), (provider, patient)):
        start(provider, "Grace Hopper")
        connected(provider, patient)
        for name in ("#choose", "#view"):
            side.locator(name).dispatch_event("click")
        expect(side.locator("dialog[open]")).to_have_count(2)
        end(other)
        expect(side.locator("main[data-state=call]")).to_have_count(0)
        expect(side.locator("dialog[open]")).to_have_count(0)
        again()
    expect(patient.get_by_role("heading", name="You are checked in")).to_be_visible()
    patient.evaluate(  # one that a part wants to show when it has gone
        "import('housecall/surface.js').then(({ dialog }) => void dialog({ title: 'Late' }, AbortSignal.abort()))"
    )
    expect(patient.locator("dialog[open]")).to_have_count(0)


def test_a_patient_may_leave_the_queue(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient = person("red", login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(provider.page.get_by_role("heading", name="Grace Hopper")).to_be_visible()
    patient.page.get_by_role("button", name="Leave the waiting room").click()
    patient.page.get_by_role("button", name="Leave", exact=True).click()
    expect(patient.page.get_by_role("heading", name="You have left the waiting room")).to_be_visible()
    expect(provider.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    patient.page.reload()
    expect(patient.page.get_by_role("button", name="Check in").first).to_be_visible()


@pytest.mark.parametrize("first", ["patient", "provider"])
def test_the_call_survives_the_death_of_the_server(
    serve: Callable[..., Practice], person: Callable[..., Person], first: str
) -> None:
    """`kill -9` in mid-call: picture and sound go on; when the server is back, both are where they were.

    Whoever is back first tells the new server of the visit; until the other comes, nobody is thrown out.
    """
    own = serve()
    room, host = own.room(), f"localhost:{own.port}"
    people = {"provider": person("red", own=host), "patient": person("green", own=host)}
    provider, patient = people["provider"], people["patient"]
    sign_in(provider.context, own.url, room.login)
    for each in people.values():
        each.expected += ["WebSocket connection", "net::ERR_"]
    begin(own, room, provider.page, patient.page)
    own.stop(signal.SIGKILL)
    expect(provider.page.locator("#link-lost")).to_be_visible()
    media_flows(provider.page)
    media_flows(patient.page)
    patient.page.get_by_role("button", name="Mute").click()
    expect(provider.page.locator(".tile[data-muted=true]")).to_be_visible()
    patient.page.get_by_role("button", name="Unmute").click()
    later = people["provider" if first == "patient" else "patient"]
    later.context.set_offline(True)  # its socket only: media goes on
    own.start()
    if first == "provider":
        expect(provider.page.locator("#link-lost")).to_be_hidden()
        expect(provider.page.locator(".card .away")).to_be_visible()  # the new server has never heard of the visit
        media_flows(provider.page)
    else:
        with Visitor(own.url, login=room.login).dashboard() as board:  # the patient's page has told it
            cards = board.hear("welcome")["rooms"][0]["cards"] or [board.hear("delta")["put"]]
            assert cards[0]["name"] == "Grace Hopper"
            assert cards[0]["state"] == "in_call"
    later.context.set_offline(False)
    expect(provider.page.locator("#link-lost")).to_be_hidden()
    expect(provider.page.locator(".card .name")).to_have_text(["Grace Hopper"])
    expect(provider.page.locator(".card .state")).to_have_text("In your call")
    expect(provider.page.locator("main[data-state=call]")).to_be_visible()
    media_flows(patient.page)
    media_flows(provider.page)
    end(provider.page)
    expect(patient.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()


#: The seconds that the visit's clock has shown since this page began.
CLOCK = """{
  window.clock = [];
  new MutationObserver(() => {
    const [, minutes, seconds] = document.getElementById("timer")?.textContent.match(/^(\\d+):(\\d\\d)$/) ?? [];
    if (seconds) clock.push(60 * minutes + Number(seconds));
  }).observe(document, { childList: true, subtree: true });
}"""


def test_the_clock_of_a_visit_goes_on_over_reloads_and_a_new_server(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    own = serve()
    room, host = own.room(), f"localhost:{own.port}"
    provider, patient = person("red", own=host), person("green", own=host)
    sign_in(provider.context, own.url, room.login)
    for each in (provider, patient):
        each.expected += ["WebSocket connection", "net::ERR_"]
        each.context.add_init_script(CLOCK)
    begin(own, room, provider.page, patient.page)
    pages = (patient.page, provider.page)

    def reloads() -> None:
        for page in pages:
            wait(page, "() => clock.at(-1) >= 2", None)  # one that begins anew shows less at first
            before = page.evaluate("clock.at(-1)")
            page.reload()
            connected(*pages)
            assert page.evaluate("clock[0]") >= before

    reloads()
    own.stop(signal.SIGKILL)
    expect(provider.page.locator("#link-lost")).to_be_visible()
    before = [page.evaluate("clock.splice(0).at(-1)") for page in pages]
    own.start()
    expect(provider.page.locator("#link-lost")).to_be_hidden()
    expect(provider.page.locator(".card .state")).to_have_text("In your call")
    expect(provider.page.locator(".card .away")).to_be_hidden()
    for page, least in zip(pages, before, strict=True):
        wait(page, "() => clock.length > 1", None)
        assert page.evaluate("Math.min(...clock)") >= least
    reloads()


LATER = """names => names.every(each => performance.getEntries().some(
  ({ name, responseStatus }) => name.endsWith(`/${each}.js`) && responseStatus === 200))"""


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_what_a_press_cannot_load_is_said_and_loaded_with_the_next(
    serve: Callable[..., Practice], person: Callable[..., Person], request: pytest.FixtureRequest, browser: str
) -> None:
    """Firefox keeps what could not be loaded as such, and would not ask for it again."""
    own = serve('[server]\n[clinic.main]\nname = "Elm"\nplugins = ["files"]\n')
    room, host = own.room(), f"localhost:{own.port}"
    own.room()  # somewhere to send somebody on to
    provider, patient = (person(c, own=host, browser=request.getfixturevalue(browser)) for c in ("red", "green"))
    sign_in(provider.context, own.url, room.login)
    for each in (provider, patient):
        each.expected += ["WebSocket", "net::ERR_", "can’t establish a connection"]
    begin(own, room, provider.page, patient.page)
    for each in (provider, patient):
        wait(each.page, LATER, ["gear", "lines", "safety"])  # what comes by itself has come
    own.stop(signal.SIGKILL)
    expect(provider.page.locator("#link-lost")).to_be_visible()
    both = [("#view", "View"), *([("#choose", "Camera, microphone")] if browser == "chromium" else [])]
    more = [*both, ("#people", "Guests"), ("#send-on", "Send Grace Hopper on")]
    for page, presses in ((provider.page, more), (patient.page, both)):
        for button, _ in presses:
            page.locator(button).dispatch_event("click")  # one may stand behind "More"
            expect(page.locator(".toast")).to_contain_text("The practice's server was not reached.")
            page.locator(".toast").evaluate("toast => toast.remove()")
        page.get_by_role("button", name="Files").click()
        expect(page.locator(".toast")).to_contain_text("Files cannot be opened at the moment.")
        page.locator(".toast").evaluate("toast => toast.remove()")
    own.start()
    for page, presses in ((provider.page, more), (patient.page, both)):
        for button, title in presses:
            page.locator(button).dispatch_event("click")
            expect(page.get_by_role("dialog", name=title)).to_be_visible()
            page.keyboard.press("Escape")
    letter = {"name": "letter.txt", "mimeType": "text/plain", "buffer": b"To whom it may concern"}
    patient.page.locator("#side .files-input").set_input_files(letter)
    expect(patient.page.locator("#side")).to_contain_text("Delivered. The checksums agree.")


def test_a_restart_and_a_reload_keep_the_place_and_ask_for_the_name_again(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """The name lived in the page and in the server's memory; with both gone it is asked for, and the place is kept."""
    own = serve()
    room, host = own.room(), f"localhost:{own.port}"
    first, second, provider = person("green", own=host), person("blue", own=host), person("red", own=host)
    sign_in(provider.context, own.url, room.login)
    second.expected += ["WebSocket connection", "net::ERR_"]
    check_in(first.page, room.url, "Grace Hopper")
    check_in(second.page, room.url, "Katherine Johnson")
    first.page.goto("about:blank")
    own.stop(signal.SIGKILL)
    own.start()
    open_dashboard(provider.page, own.url)
    first.page.goto(room.url)
    expect(first.page.get_by_role("heading", name="You are checked in")).to_be_visible()
    names = provider.page.locator(".card .name")
    expect(names).to_have_text(["Name not given yet", "Katherine Johnson"])
    expect(first.page.locator("#place")).to_have_text("You are next.")
    first.page.get_by_label("The name for your provider").fill("Grace Hopper")
    first.page.get_by_role("button", name="Send my name again").click()
    expect(names).to_have_text(["Grace Hopper", "Katherine Johnson"])
    expect(first.page.locator("#again-name")).to_be_hidden()


def offline(*people: Person) -> None:
    """Their sockets go; what flows between the two browsers goes on."""
    for each in people:
        each.expected += ["WebSocket", "ERR_INTERNET_DISCONNECTED"]
        each.context.set_offline(True)
    for each in people:
        wait(each.page, "() => !navigator.onLine", None)


def online(*people: Person) -> None:
    for each in people:
        each.context.set_offline(False)


@pytest.mark.parametrize("ender", ["provider", "patient"])
@pytest.mark.parametrize("away", [("provider",), ("patient",), ("provider", "patient")], ids="-".join)
def test_a_visit_that_ends_without_the_server_stays_ended(
    practice: Practice, room: Room, person: Callable[..., Person], ender: str, away: tuple[str, ...]
) -> None:
    provider, patient = in_call(practice, room, person)
    people = {"provider": provider, "patient": patient}
    offline(*(people[who] for who in away))
    end(people[ender].page)
    expect(patient.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    expect(provider.page.get_by_text("The visit has ended after 1 minute.")).to_be_visible()
    online(people[ender])  # it tells the server, also where the other one never comes back
    with Visitor(practice.url, login=room.login).dashboard() as board:
        left = board.hear("welcome")["rooms"][0]["cards"]
        while left:  # the page may know before the server has heard
            left = [] if "drop" in board.hear("delta") else left
    online(*people.values())
    expect(provider.page.locator(".card")).to_have_count(0)
    expect(provider.page.get_by_text("The visit has ended after 1 minute.")).to_be_visible()
    patient.page.reload()
    expect(patient.page.locator("main[data-state=welcome]")).to_be_visible()
    provider.page.goto(f"{practice.url}/dashboard/history")
    expect(provider.page.locator("table.visits tbody tr")).to_have_count(1)


def test_a_patient_who_leaves_without_the_server_has_left(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person(login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(provider.page.locator(".card")).to_have_count(1)
    offline(patient)
    patient.page.get_by_role("button", name="Leave the waiting room").click()
    patient.page.get_by_role("button", name="Leave", exact=True).click()
    expect(patient.page.get_by_role("heading", name="You have left the waiting room")).to_be_visible()
    online(patient)
    expect(provider.page.locator(".card")).to_have_count(0)
    expect(patient.page.locator("main[data-state=after]")).to_be_visible()
    patient.page.reload()
    expect(patient.page.locator("main[data-state=welcome]")).to_be_visible()


#: The browser's question to the person stays open until the test answers it with `allow()`.
ASKING = """{
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
  window.asked_for = [];
  if (ask) devices.getUserMedia = wanted => new Promise(done => window.asked_for.push(() => done(ask(wanted))));
  window.allow = () => { for (const answer of window.asked_for.splice(0)) answer(); };
}"""
LIVE = "given.filter(track => track.readyState === 'live').map(track => track.kind).sort()"


def test_without_camera_while_the_browser_still_asks_means_without_camera(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    patient = person("green")
    patient.context.add_init_script(ASKING)
    check_in(patient.page, room.url, "Grace Hopper")
    patient.page.get_by_role("button", name="Continue without camera").click()
    patient.page.evaluate("allow()")
    expect(patient.page.locator("#devices[data-devices=on]")).to_be_visible()
    expect(patient.page.locator("#devices-words")).to_have_text("Your microphone works.")
    assert patient.page.evaluate(LIVE) == ["audio"]


def test_a_permission_given_for_a_visit_that_was_left_opens_nothing(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    patient = person("green")
    patient.context.add_init_script(ASKING)
    check_in(patient.page, room.url, "Grace Hopper")
    patient.page.get_by_role("button", name="Leave the waiting room").click()
    patient.page.get_by_role("button", name="Leave", exact=True).click()
    patient.page.get_by_role("button", name="Check in again").click()
    patient.page.get_by_label("Your name").fill("Grace Hopper")
    patient.page.get_by_role("button", name="Check in").first.click()
    wait(patient.page, "() => window.asked_for.length === 2", None)
    patient.page.evaluate("allow()")
    expect(patient.page.locator("#devices[data-devices=on]")).to_be_visible()
    assert patient.page.evaluate(LIVE) == ["audio", "video"]


def test_a_file_that_is_dropped_takes_nobody_out_of_a_visit(
    practice: Practice, room: Room, person: Callable[..., Person], tmp_path: Path
) -> None:
    """Where nobody takes files: dragged and let go by the browser itself, on either side of a call. Chromium would show
    the file in a tab before this one, others in its place."""
    provider, patient = person("red", login=room.login), person("green")
    begin(practice, room, provider.page, patient.page)
    (tmp_path / "scan.txt").write_text("not for this page")
    for each in (provider, patient):
        browser = each.context.new_cdp_session(each.page)
        carried = {"items": [], "files": [str(tmp_path / "scan.txt")], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            browser.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 200, "data": carried})
    connected(provider.page, patient.page)
    media_flows(provider.page)
    media_flows(patient.page)
    for each in (provider, patient):
        assert each.context.pages == [each.page]
