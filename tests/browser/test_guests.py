"""More than two: guests come by a link, are let in, see and hear the others, and are sent what they may have."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from housecall.testing.access import NAMES, PHONE, ZOOMED, audit, bare
from housecall.testing.acts import (
    ask_to_join,
    begin,
    check_in,
    connected,
    end,
    invite,
    more,
    open_dashboard,
    start,
    wait,
)
from housecall.testing.people import COLOURS, Person, sign_in
from housecall.testing.practice import Practice, Room
from housecall.testing.visitor import Visitor

People = Callable[..., Person]

#: What comes in over each connection that lives: {frames, packets of video, energy of the sound}; and in `put` whatever
#: track was put into a connection later on.
EACH = """{
  window.put = [];
  const real = RTCRtpSender.prototype.replaceTrack;
  RTCRtpSender.prototype.replaceTrack = function (track) {
    put.push(track?.kind ?? "nothing");
    return real.call(this, track);
  };
  setInterval(async () => {
    const all = [];
    for (const pc of window.made ?? []) {
      if (pc.connectionState !== "connected") continue;
      const one = { frames: 0, packets: 0, energy: 0 };
      for (const row of (await pc.getStats()).values()) if (row.type === "inbound-rtp") {
        if (row.kind === "video") { one.frames += row.framesDecoded ?? 0; one.packets += row.packetsReceived ?? 0; }
        else one.energy += row.totalAudioEnergy ?? 0;
      }
      all.push(one);
    }
    window.each = all;
  }, 200);
}"""

#: The colours of the pictures on the tiles, as names of people.py.
SEEN = """colours => [...document.querySelectorAll(".tile video")].map(video => {
  if (!video.videoWidth) return "";
  const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0, 8, 8);
  const [r, g, b] = pen.getImageData(4, 4, 1, 1).data;
  for (const [name, hex] of Object.entries(colours)) {
    const [x, y, z] = [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
    if (Math.abs(r - x) < 60 && Math.abs(g - y) < 60 && Math.abs(b - z) < 60) return name;
  }
  return "";
})"""


def sees_all(page: Page, *colours: str) -> None:
    """These pictures and no others, each once."""
    wait(
        page,
        f"([colours, wanted]) => ({SEEN})(colours).sort().join() === wanted",
        [COLOURS, ",".join(sorted(colours))],
        patience=30,
    )


def hears(page: Page, others: int) -> None:
    """Sound comes in over each of so many connections."""
    wait(page, "n => window.each?.length === n", others, patience=30)
    before = page.evaluate("each")
    grows = "each.length === before.length && each.every((one, i) => one.energy > before[i].energy + 1e-6)"
    wait(page, f"before => {grows}", before, patience=30)


def tiles(page: Page, count: int) -> None:
    expect(page.locator(".tile[data-state=connected]")).to_have_count(count)


@dataclass
class Meeting:
    """A visit in which a provider and a patient talk; guests come as they are called."""

    practice: Practice
    room: Room
    person: People
    provider: Person
    patient: Person

    def guest(self, colour: str, kind: str, name: str, *, admit: bool = True, **options: Any) -> Person:
        url = invite(self.provider.page, kind)
        guest = self.person(colour, **options)
        guest.context.add_init_script(EACH)
        ask_to_join(guest.page, url, name)
        if admit:
            self.provider.page.get_by_role("button", name=f"Admit {name} ({kind})").click()
            expect(guest.page.locator("main[data-state=call]")).to_be_visible()
        return guest


def meeting(practice: Practice, room: Room, person: People, *, own: str | None = None, **options: Any) -> Meeting:
    provider, patient = person("red", own=own, **options), person("green", own=own, **options)
    sign_in(provider.context, practice.url, room.login)
    for each in (provider, patient):
        each.context.add_init_script(EACH)
    begin(practice, room, provider.page, patient.page)
    return Meeting(practice, room, person, provider, patient)


def test_four_people_see_and_hear_each_other(practice: Practice, room: Room, person: People) -> None:
    call = meeting(practice, room, person)
    maria = call.guest("blue", "interpreter", "Maria")
    tiles(maria.page, 2)
    otto = call.guest("yellow", "relative", "Otto")
    people = {"red": call.provider, "green": call.patient, "blue": maria, "yellow": otto}
    for colour, each in people.items():
        tiles(each.page, 3)
        sees_all(each.page, *(other for other in people if other != colour))
        hears(each.page, 3)
    names = call.patient.page.locator(".tile .who")
    expect(names).to_have_text(["Dr Ada Smith", "Maria (interpreter)", "Otto (relative)"])
    expect(maria.page.locator(".tile .who")).to_have_text(["Patient", "Dr Ada Smith", "Otto (relative)"])
    expect(call.provider.page.locator(".tile .who")).to_have_text(
        ["Grace Hopper", "Maria (interpreter)", "Otto (relative)"]
    )
    call.provider.page.get_by_role("button", name="Guests", exact=True).click()
    expect(call.provider.page.get_by_text("Four people are as many as fit into a visit.")).to_be_visible()
    expect(call.provider.page.get_by_role("button", name="Make a link")).to_be_hidden()
    call.provider.page.get_by_role("button", name="Close").click()
    call.provider.page.evaluate(
        "() => { window.said = []; const at = document.querySelector('#said');"
        " new MutationObserver(() => said.push(at.textContent)).observe(at, { childList: true }); }"
    )
    otto.page.get_by_role("button", name="Leave").click()
    otto.page.get_by_role("button", name="Leave now").click()
    expect(otto.page.get_by_role("heading", name="You have left the visit")).to_be_visible()
    assert otto.page.evaluate("given.every(track => track.readyState === 'ended')")
    for each in (call.provider, call.patient, maria):
        tiles(each.page, 2)
    wait(call.provider.page, "() => said.includes('Otto (relative) has left')", None)
    hears(maria.page, 2)
    end(call.provider.page)
    for each in (call.patient, maria):
        expect(each.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()


def test_a_curtain_is_kept_by_every_sender(practice: Practice, room: Room, person: People) -> None:
    """Not one packet of a picture reaches a chaperone until the provider shows it; nor after it is hidden again."""
    call = meeting(practice, room, person)
    before = [each.page.evaluate("put.length") for each in (call.provider, call.patient)]
    nurse = call.guest("blue", "chaperone", "Nina")
    tiles(nurse.page, 2)
    sees_all(call.patient.page, "red", "blue")
    hears(nurse.page, 2)
    hears(call.patient.page, 2)
    assert [one["packets"] for one in nurse.page.evaluate("each")] == [0, 0], "a picture came through the curtain"
    for each, count in zip((call.provider, call.patient), before, strict=True):
        assert "video" not in each.page.evaluate(f"put.slice({count})"), "a camera was put into the connection"
        expect(each.page.locator(".tile .curtain-flag:visible")).to_have_text("Sees no picture")
    expect(nurse.page.get_by_text("You hear Dr Ada Smith. The picture is hidden from you.")).to_be_visible()
    for each in (call.provider, call.patient):  # a camera that comes later does not go either
        each.page.get_by_role("button", name="Turn camera off").click()
        each.page.get_by_role("button", name="Turn camera on").click()
    sees_all(call.patient.page, "red", "blue")
    hears(nurse.page, 2)
    assert [one["packets"] for one in nurse.page.evaluate("each")] == [0, 0]
    call.provider.page.get_by_role("button", name="Guests", exact=True).click()
    call.provider.page.get_by_role("button", name="Show picture to Nina (chaperone)").click()
    sees_all(nurse.page, "red", "green")
    call.provider.page.get_by_role("button", name="Hide picture from Nina (chaperone)").click()
    expect(nurse.page.get_by_text("You hear Dr Ada Smith. The picture is hidden from you.")).to_be_visible()
    stands_still(nurse.page)
    hears(nurse.page, 2)
    nurse.page.reload()  # a new page, and new connections, behind the same curtain
    tiles(nurse.page, 2)
    hears(nurse.page, 2)
    assert [one["packets"] for one in nurse.page.evaluate("each")] == [0, 0]


def stands_still(page: Page) -> None:
    """For a second of the page's own clock, not one more packet of video arrives."""
    wait(
        page,
        "() => { const sum = each.reduce((all, one) => all + one.packets, 0), at = performance.now();"
        " if (window.rest?.sum !== sum) { window.rest = { sum, at }; return false; }"
        " return at - window.rest.at > 1000; }",
        None,
    )


def test_a_captioner_is_asked_for_no_device_and_sends_nothing(practice: Practice, room: Room, person: People) -> None:
    call = meeting(practice, room, person)
    paul = call.guest("blue", "captioner", "Paul")
    tiles(paul.page, 2)
    sees_all(paul.page, "red", "green")
    hears(paul.page, 2)
    assert paul.page.evaluate("given") == [], "a captioner was asked for a device"
    expect(paul.page.locator("#mute")).to_be_hidden()
    expect(paul.page.locator("#camera")).to_be_hidden()
    expect(call.patient.page.get_by_text("Paul (captioner) writes what is said")).to_be_visible()
    flows = call.patient.page.evaluate("each")
    assert len(flows) == 2
    assert sorted(one["packets"] > 0 for one in flows) == [False, True]


def test_the_provider_refuses_and_removes(practice: Practice, room: Room, person: People) -> None:
    call = meeting(practice, room, person)
    otto = call.guest("blue", "relative", "Otto", admit=False)
    expect(otto.page.locator("#place")).to_have_text("Your host will let you in.")
    expect(call.provider.page.locator("#knocks .guest")).to_have_text("Otto (relative) wants to join")
    expect(call.provider.page.locator("#said")).to_have_text("Otto (relative) wants to join")
    expect(call.patient.page.locator(".tile")).to_have_count(1)
    call.provider.page.get_by_role("button", name="Refuse Otto (relative)").click()
    expect(otto.page.get_by_role("heading", name="Your host could not let you in.")).to_be_visible()
    expect(call.provider.page.locator("#knocks")).to_be_hidden()
    otto.page.reload()
    expect(otto.page.get_by_role("heading", name="This link opens nothing any more.")).to_be_visible()
    maria = call.guest("yellow", "interpreter", "Maria")
    tiles(call.patient.page, 2)
    call.provider.page.get_by_role("button", name="Guests", exact=True).click()
    call.provider.page.get_by_role("button", name="Remove Maria (interpreter)").click()
    expect(maria.page.get_by_role("heading", name="You are no longer in this visit.")).to_be_visible()
    assert maria.page.evaluate("given.every(track => track.readyState === 'ended')")
    tiles(call.patient.page, 1)
    tiles(call.provider.page, 1)
    expect(call.provider.page.get_by_role("dialog").get_by_role("listitem")).to_have_count(0)


def test_one_link_is_one_seat_and_a_reload_gets_it_back(practice: Practice, room: Room, person: People) -> None:
    call = meeting(practice, room, person)
    url = invite(call.provider.page, "relative")
    scanner = Visitor(practice.url)
    assert scanner.get(f"/{room.slug}/join").status_code == 200
    otto, other = person("blue"), person("yellow")
    other.expected += ["status of 409"]
    ask_to_join(otto.page, url, "Otto")
    assert "#" not in otto.page.url, "the token stays in the address"
    other.page.goto(url)
    other.page.get_by_label("Your name").fill("Mallory")
    other.page.get_by_role("button", name="Ask to join").click()
    expect(other.page.get_by_role("alert")).to_contain_text("This link is in use in another browser.")
    otto.page.reload()
    expect(otto.page.locator("#place")).to_have_text("Your host will let you in.")
    call.provider.page.get_by_role("button", name="Admit Otto (relative)").click()
    tiles(otto.page, 2)
    otto.page.reload()
    tiles(otto.page, 2)
    sees_all(otto.page, "red", "green")
    otto.page.goto("about:blank")
    otto.page.goto(url)  # the mail with the link is opened again
    tiles(otto.page, 2)
    tiles(call.patient.page, 2)
    assert not [each for each in otto.urls if url.partition("#")[2] in each.partition("#")[0]]


def test_a_link_without_its_end_says_so(practice: Practice, room: Room, person: People) -> None:
    page = person("blue").page
    page.goto(f"{room.url}/join")
    expect(page.get_by_role("heading", name="This link opens nothing any more.")).to_be_visible()


def test_a_guest_who_was_invited_while_the_patient_waits(practice: Practice, room: Room, person: People) -> None:
    provider, patient, otto = person("red", login=room.login), person("green"), person("blue")
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    provider.page.get_by_role("button", name="Guests of Grace Hopper").click()
    provider.page.get_by_label("Invite").select_option(label="relative")
    provider.page.get_by_role("button", name="Make a link").click()
    provider.page.get_by_role("button", name="Copy link for: relative").click()
    url = provider.page.get_by_label("Link", exact=True).input_value()
    provider.page.get_by_role("button", name="Close").click()
    ask_to_join(otto.page, url, "Otto")
    expect(provider.page.locator("#knocks .guest")).to_have_text(
        "Otto (relative) wants to join the visit of Grace Hopper"
    )
    provider.page.get_by_role("button", name="Admit Otto (relative)").click()
    expect(otto.page.locator("#place")).to_have_text("You are let in. The visit begins in a moment.")
    ready = patient.page.evaluate("made.at(-1).localDescription.sdp.match(/ice-ufrag:\\S+/)[0]")
    start(provider.page, "Grace Hopper")
    for each, colours in ((provider, ("green", "blue")), (patient, ("red", "blue")), (otto, ("red", "green"))):
        tiles(each.page, 2)
        sees_all(each.page, *colours)
    used = "ready => made.some(pc => pc.remoteDescription?.sdp.includes(ready))"
    assert provider.page.evaluate(used, ready), "the offer that was ready did not go to the provider"


def test_a_guest_and_a_patient_in_one_browser(practice: Practice, room: Room, person: People) -> None:
    call = meeting(practice, room, person)
    url = invite(call.provider.page, "relative")
    second = call.patient.context.new_page()
    ask_to_join(second, url, "Otto")
    call.provider.page.get_by_role("button", name="Admit Otto (relative)").click()
    tiles(second, 2)
    call.patient.page.reload()
    tiles(call.patient.page, 2)
    expect(call.patient.page.locator(".tile .who")).to_have_text(["Dr Ada Smith", "Otto (relative)"])
    second.get_by_role("button", name="Leave").click()
    second.get_by_role("button", name="Leave now").click()
    tiles(call.patient.page, 1)
    call.patient.page.reload()
    tiles(call.patient.page, 1)


#: A call whose other two seats say goodbye, once `rows` was told. -> whose goodbye ended the visit.
GOODBYES = """async rows => {
  const { Call } = await import("housecall/call.js");
  const devices = Object.assign(new EventTarget(), { tracks: [null, null, null] }), ended = [];
  const on = { tile() {}, gone() {}, road() {}, bye: seat => ended.push(seat) };
  const call = new Call({ visit: "v", me: "patient", link: {}, ice: { by: () => ({}) }, devices, on });
  const here = [{ id: "patient", role: "patient" }, { id: "doctor", role: "provider" }, { id: "otto", role: "guest" }];
  call.sit(here, null);
  call.sit(here.filter(row => rows.includes(row.id)), null);
  for (const seat of ["otto", "doctor"]) call.heard(seat, "page", "bye", { reason: "ended" }, "1");
  call.close();
  return ended;
}"""


@pytest.mark.parametrize(
    "rows", [["patient", "doctor", "otto"], ["patient", "doctor"]], ids=["first", "after the server"]
)
def test_a_guests_goodbye_ends_nothing_for_the_others(
    practice: Practice, room: Room, person: People, rows: list[str]
) -> None:
    """It may come after the server has said that the seat is free."""
    page = person().page
    page.goto(room.url)
    assert page.evaluate(GOODBYES, rows) == ["doctor"]


@pytest.mark.parametrize("first", ["guest", "others"])
def test_a_guest_survives_the_death_of_the_server(serve: Callable[..., Practice], person: People, first: str) -> None:
    """`kill -9` in mid-call: media go on; when the server is back the guest is in, and after a reload too."""
    own = serve()
    room, host = own.room(), f"localhost:{own.port}"
    call = meeting(own, room, person, own=host)
    maria = call.guest("blue", "interpreter", "Maria", own=host)
    people = [call.provider, call.patient, maria]
    for each in people:
        each.expected += ["WebSocket", "net::ERR_"]
        tiles(each.page, 2)
    own.stop(signal.SIGKILL)
    expect(call.provider.page.locator("#link-lost")).to_be_visible()
    for each in people:
        hears(each.page, 2)
    later = [call.provider, call.patient] if first == "guest" else [maria]
    for each in later:
        each.context.set_offline(True)  # sockets only: media goes on
    own.start()
    if first == "guest":
        with Visitor(own.url, login=room.login).dashboard() as board:  # the guest has told the new server of the visit
            cards = board.hear("welcome")["rooms"][0]["cards"] or [board.hear("delta")["put"]]
            assert [seat["admitted"] for seat in cards[0]["seats"] if seat["role"] == "guest"] == [None]
    for each in people:
        hears(each.page, 2)
    expect(maria.page.locator("main[data-state=call]")).to_be_visible()
    for each in later:
        each.context.set_offline(False)
    expect(call.provider.page.locator(".card .state")).to_have_text("In your call")
    expect(call.provider.page.locator("#link-lost")).to_be_hidden()
    maria.page.reload()
    for each, colours in (
        (call.provider, ("green", "blue")),
        (call.patient, ("red", "blue")),
        (maria, ("red", "green")),
    ):
        tiles(each.page, 2)
        sees_all(each.page, *colours)


def test_a_guest_who_leaves_while_the_server_is_away_is_gone_when_it_is_back(
    serve: Callable[..., Practice], person: People
) -> None:
    """The others have heard the goodbye; the guest's own page is closed by then."""
    own = serve()
    room, host = own.room(), f"localhost:{own.port}"
    call = meeting(own, room, person, own=host)
    maria = call.guest("blue", "interpreter", "Maria", own=host)
    for each in (call.provider, call.patient, maria):
        each.expected += ["WebSocket", "net::ERR_"]
        tiles(each.page, 2)
    own.stop(signal.SIGKILL)
    expect(call.provider.page.locator("#link-lost")).to_be_visible()
    maria.page.get_by_role("button", name="Leave").click()
    maria.page.get_by_role("button", name="Leave now").click()
    expect(maria.page.get_by_role("heading", name="You have left the visit")).to_be_visible()
    for each in (call.provider, call.patient):
        expect(each.page.locator(".tile")).to_have_count(1)
    maria.page.close()
    own.start()
    with Visitor(own.url, login=room.login).dashboard() as board:
        cards = board.hear("welcome")["rooms"][0]["cards"]
        for _ in range(20):  # a card changes for other reasons too
            if cards and cards[0]["state"] == "in_call" and len(cards[0]["seats"]) == 2:
                break
            cards = [board.hear("delta", timeout=30)["put"]]
        else:
            pytest.fail(f"the guest is still there: {cards}")
    for each in (call.provider, call.patient):
        expect(each.page.locator(".tile")).to_have_count(1)
        hears(each.page, 1)


def test_what_fails_in_a_call_is_said_in_it(serve: Callable[..., Practice], person: People) -> None:
    """Not in the queue, which may be out of sight."""
    own = serve()
    host = f"localhost:{own.port}"
    call = meeting(own, own.room(), person, own=host)
    otto = call.guest("blue", "relative", "Otto", admit=False, own=host)
    expect(call.provider.page.locator("#knocks .guest")).to_be_visible()
    for each in (call.provider, call.patient, otto):
        each.expected += ["WebSocket", "net::ERR_"]
    own.stop(signal.SIGKILL)
    expect(call.provider.page.locator("#link-lost")).to_be_visible()
    call.provider.page.get_by_role("button", name="Admit Otto (relative)").click()
    expect(call.provider.page.locator(".toast")).to_contain_text("Something went wrong on our side.")


def test_a_knock_is_heard_and_said(practice: Practice, room: Room, person: People) -> None:
    """As an arrival is: by the chime, and to a screen reader; it stands there until somebody has decided."""
    provider, patient, otto = person("red", login=room.login).page, Visitor(practice.url), Visitor(practice.url)
    open_dashboard(provider, practice.url)
    assert patient.check_in(room.slug, "Grace Hopper").status_code == 201
    with patient.seat(room.id), Visitor(practice.url, login=room.login).dashboard() as board:
        (card,) = board.hear("welcome")["rooms"][0]["cards"]
        ack = board.ask("invite", {"visit": card["id"], "kind": "relative"})
        page = f"/{room.slug}/join"
        body = {"name": "Otto", "lang": "en", "link": ack["link"]}
        assert otto.post_json(page, body, token=otto.token(page)).status_code == 201
        provider.get_by_role("button", name="Turn on sound").click()
        alerts = provider.locator("#alerts")
        expect(alerts).to_have_attribute("data-rang", "1")
        expect(provider.locator("#knocks")).to_be_hidden()
        with otto.socket(**{"as": "guest", "room": room.id}):
            expect(provider.locator("#knocks .guest")).to_have_text(
                "Otto (relative) wants to join the visit of Grace Hopper"
            )
            expect(alerts).to_have_attribute("data-rang", "2")
            expect(provider.locator("#said")).to_have_text("Otto (relative) wants to join the visit of Grace Hopper")
        expect(provider.locator("#knocks")).to_be_hidden()


WORDS = re.compile(f"{NAMES.pattern}|Maria|Nina|Hopper")


def walk(practice: Practice, room: Room, person: People, **options: Any) -> Iterator[tuple[str, Page]]:
    """Every state of a guest's page and of what a provider sees of guests, by what no language changes."""
    provider, patient = person("red", login=room.login, **options).page, person("green", **options).page
    open_dashboard(provider, practice.url)
    patient.goto(room.url)
    expect(patient.locator("main[data-ready]")).to_be_attached()
    patient.locator("#name").fill("Grace Hopper")
    patient.locator("#check-in button").click()
    expect(patient.locator("#devices[data-devices=on]")).to_be_visible()
    provider.locator(".card .start").click()
    connected(provider, patient)
    more(provider)
    provider.locator("#people").click()
    yield "no guests yet", provider
    urls = []
    for kind in ("interpreter", "chaperone"):
        provider.locator("#guest-kind").select_option(kind)
        provider.locator("#guest-new button").click()
        row = provider.locator("#guest-rows li").nth(len(urls))
        row.locator("button").first.click()
        urls.append(row.locator("input").input_value())
    yield "two links", provider
    provider.locator("#guests-close").click()
    guests = [person(colour, **options) for colour in ("blue", "yellow")]
    maria, nina = (each.page for each in guests)
    guests[0].expected += ["status of 4"]
    maria.goto(f"{room.url}/join")
    expect(maria.locator("main[data-state=refused]")).to_be_attached()
    yield "an incomplete link", maria
    for page, url, name in zip((maria, nina), urls, ("Maria", "Nina"), strict=True):
        page.goto("about:blank")
        page.goto(url)
        expect(page.locator("main[data-ready]")).to_be_attached()
        if page is maria:
            yield "invited", page
        page.locator("#name").fill(name)
        page.locator("#check-in button").click()
        expect(page.locator("main[data-state=waiting]")).to_be_visible()
        expect(page.locator("#devices[data-devices=on]")).to_be_visible()
        if page is maria:
            yield "at the door", page
    expect(provider.locator("#knocks li")).to_have_count(2)
    yield "two knock", provider
    provider.locator("#knocks .primary").first.click()
    expect(provider.locator("#knocks li")).to_have_count(1)
    provider.locator("#knocks .primary").first.click()
    for page in (provider, patient, maria, nina):
        tiles(page, 3)
    yield "provider among four", provider
    yield "patient among four", patient
    yield "interpreter among four", maria
    yield "behind the curtain", nina
    more(provider)
    provider.locator("#people").click()
    yield "as many as fit", provider
    provider.locator("#guest-rows li").last.locator("button").last.click()
    expect(nina.locator("main[data-state=refused]")).to_be_visible()
    yield "removed", nina
    provider.locator("#guests-close").click()
    maria.locator("#end").click()
    yield "really leave?", maria
    maria.locator("#ending button[value=end]").click()
    expect(maria.locator("main[data-state=after]")).to_be_visible()
    yield "has left", maria


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, ZOOMED], ids=["phone", "zoomed"])
def test_everybody_can_use_it(
    practice: Practice, room: Room, person: People, scheme: str, screen: dict[str, int]
) -> None:
    for state, page in walk(practice, room, person, color_scheme=scheme, viewport=screen, reduced_motion="reduce"):
        audit(page, f"{state}, {scheme}")


def test_no_text_is_bare(practice: Practice, room: Room, person: People) -> None:
    for state, page in walk(practice, room, person, locale="en-XA"):
        assert bare(page, names=WORDS) == [], state


def test_a_guest_is_invited_and_let_in_by_keyboard_alone(practice: Practice, room: Room, person: People) -> None:
    call = meeting(practice, room, person)
    page = call.provider.page
    page.locator("#people").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Invite").focus()
    page.keyboard.type("rel")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    copy = page.get_by_role("button", name="Copy link for: relative")
    expect(copy).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Link", exact=True)).to_be_focused()
    url = page.get_by_label("Link", exact=True).input_value()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#people")).to_be_focused()
    otto = person("blue").page
    otto.goto(url)
    expect(otto.locator("main[data-ready]")).to_be_attached()
    otto.get_by_label("Your name").focus()
    otto.keyboard.type("Otto")
    otto.keyboard.press("Enter")
    expect(otto.get_by_role("heading", name="You have asked to join")).to_be_focused()
    admit = page.get_by_role("button", name="Admit Otto (relative)")
    expect(admit).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Admit Otto (relative)":
            break
    expect(admit).to_be_focused()
    page.keyboard.press("Enter")
    tiles(otto, 2)


def test_what_was_said_before_a_guest_came_is_not_told_to_the_guest(
    serve: Callable[..., Practice], person: People
) -> None:
    practice = serve('[clinic.main]\nname = "Elm"\nplugins = ["chat"]\n')
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own)
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    say(patient.page, ".waiting", "For you alone")
    expect(provider.page.locator(".card .badge")).to_have_text("1")
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    call = Meeting(practice, room, person, provider, patient)
    otto = call.guest("blue", "relative", "Otto", own=own)
    tiles(otto.page, 2)
    for each in (provider, patient, otto):
        each.page.get_by_role("button", name="Chat").click()
    say(patient.page, "#side", "Hello Otto")
    expect(otto.page.locator("#side .chat-log p")).to_have_text(["Hello Otto"])
    say(otto.page, "#side", "Hello Grace")
    for each in (provider, patient):
        expect(each.page.locator("#side .chat-log p")).to_have_text(["For you alone", "Hello Otto", "Hello Grace"])
    otto.page.reload()
    tiles(otto.page, 2)
    otto.page.get_by_role("button", name="Chat").click()
    expect(otto.page.locator("#side .chat-log p")).to_have_text(["Hello Otto", "Hello Grace"])


def say(page: Page, where: str, text: str) -> None:
    page.locator(f"{where} .chat-form textarea").fill(text)
    page.keyboard.press("Enter")
