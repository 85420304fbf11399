"""What test_access.py does not meet on its way: refusals, mistakes, lost lines, links, and calls by sound only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from housecall import clinics, config
from housecall.testing.access import PHONE, ZOOMED, audit, bare
from housecall.testing.acts import connected, more, open_dashboard
from housecall.testing.people import Person, sign_in
from housecall.testing.practice import Practice

Serve = Callable[..., Practice]
People = Callable[..., Person]
States = Iterator[tuple[str, Page]]

#: The clinic's own words stand in digits and known names, so that no other word can hide among them.
TOML = """
[clinic.main]
name = "Elm Street Practice"
sign_up = "open"
[clinic.main.core]
email = "front@elm.example"
phone = "+1 555 0100"
address = "1 Ada Smith"
emergency = "112"
"""


def check_in(page: Page, url: str) -> None:
    """As a patient does it, in whichever language."""
    page.goto(url)
    expect(page.locator("main[data-ready]")).to_be_attached()
    page.locator("#name").fill("Grace Hopper")
    page.locator("#check-in button").click()
    expect(page.locator("main[data-state=waiting]")).to_be_visible()


def end(page: Page) -> None:
    page.locator("#end").click()
    page.locator("#ending button[value=end]").click()
    expect(page.locator("main[data-state=queue]")).to_be_visible()


def cut(page: Page, context: BrowserContext) -> None:
    """The line goes, and the page hears it at once from its browser."""
    context.set_offline(True)
    page.wait_for_function("() => !navigator.onLine")


def fresh(page: Page, url: str) -> None:
    """Open a link whose fragment alone may differ from the page that is open."""
    page.goto("about:blank")
    page.goto(url)


def forms(practice: Practice, person: People, **options: Any) -> States:
    room = practice.room(role="owner", provider_number="BR 123")
    with practice.lasting():
        invitation = clinics.invitations.make("main", "staff", made_by=None)
        member = clinics.members.by_id(room.member)
        assert member is not None
        reset = clinics.invitations.reset_token(config.load(practice.folder, environ={}).secret, member)
        clinics.logins.start(room.member, "test", agent="", address="127.0.0.1")
    visitor, provider = person(**options), person(**options)
    visitor.expected += ["status of 4", "RTCPeerConnection", "null"]
    provider.expected += ["status of 422"]
    sign_in(provider.context, practice.url, room.login)
    page = visitor.page
    page.goto(f"{practice.url}/contact")
    yield "contact, filled in", page
    page.goto(f"{practice.url}/sign-in/link")
    expect(page.locator("#missing")).to_be_visible()
    yield "an incomplete link", page
    fresh(page, f"{practice.url}/sign-in/link#{'x' * 40}")
    expect(page.locator("#missing")).to_have_count(0)
    yield "a link that was used", page
    fresh(page, f"{practice.url}/sign-in/link#{invitation}")
    expect(page.locator("#adult")).to_be_visible()
    yield "invited", page
    page.locator("form.sheet button").click()
    expect(page.locator(".summary")).to_be_visible()
    yield "sign-up with mistakes", page
    fresh(page, f"{practice.url}/sign-in/link#{reset}")
    expect(page.locator("#password")).to_be_visible()
    yield "a new password", page
    page.locator("form.sheet button").click()
    expect(page.locator(".summary")).to_be_visible()
    yield "a new password that is none", page
    page.add_init_script("delete window.RTCPeerConnection")
    page.goto(room.url)
    expect(page.locator("html[data-floor]")).to_be_attached()
    yield "a browser that is too old", page
    page = provider.page
    page.goto(f"{practice.url}/account")
    page.locator("#first_name").fill("")
    page.locator("form.sheet button.primary").click()
    expect(page.locator(".summary")).to_be_visible()
    yield "a profile with mistakes", page
    page.goto(f"{practice.url}/account/logins")
    yield "two sign-ins", page
    page.goto(f"{practice.url}/admin/people")
    page.locator("form:has(input[value=invite]) button").click()
    expect(page.locator("#invited")).to_be_visible()
    yield "the link of an invitation", page


def lines(practice: Practice, person: People, **options: Any) -> States:
    room = practice.room()
    provider, patient = person("red", **options), person("green", **options)
    for each in (provider, patient):
        each.expected += ["WebSocket", "ERR_INTERNET_DISCONNECTED"]
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    provider.page.locator("#sound").click()
    expect(provider.page.locator("#alerts-words")).not_to_be_empty()
    yield "alerts", provider.page
    check_in(patient.page, room.url)
    patient.page.locator("#leave").click()
    yield "really leave?", patient.page
    patient.page.locator("#leaving button[value=stay]").click()
    patient.page.evaluate("document.getElementById('again-name').hidden = false")  # as after a restart of the server
    yield "the name is asked again", patient.page
    patient.page.evaluate("document.getElementById('again-name').hidden = true")
    cut(patient.page, patient.context)
    expect(patient.page.locator("#link-lost")).to_be_visible()
    yield "line lost while waiting", patient.page
    patient.context.set_offline(False)
    expect(patient.page.locator("#link-lost")).to_be_hidden()
    provider.page.locator(".card .start").click()
    connected(provider.page, patient.page)
    second = provider.context.new_page()
    open_dashboard(second, practice.url)
    expect(second.locator("#elsewhere")).to_be_visible()
    yield "the call is in another tab", second
    second.close()
    provider.page.bring_to_front()
    cut(provider.page, provider.context)
    expect(provider.page.locator("#link-lost")).to_be_visible()
    yield "line lost in the call", provider.page
    provider.page.evaluate(  # what the browser says after some seconds of silence
        "for (const pc of made) { Object.defineProperty(pc, 'connectionState', { get: () => 'disconnected' });"
        " pc.dispatchEvent(new Event('connectionstatechange')); }"
    )
    expect(provider.page.locator(".tile[data-state=broken]")).to_be_visible()
    yield "the connection is interrupted", provider.page
    provider.context.set_offline(False)
    expect(provider.page.locator("#link-lost")).to_be_hidden()
    end(provider.page)
    provider.page.goto(f"{practice.url}/dashboard/history")
    expect(provider.page.locator("table.visits tbody tr")).to_have_count(1)
    yield "history", provider.page


def sound_only(practice: Practice, person: People, **options: Any) -> States:
    room = practice.room(media="audio")
    provider, patient = person("red", **options), person("green", **options)
    sign_in(provider.context, practice.url, room.login)
    provider.page.add_init_script(  # the other side never answers; and this browser wants a gesture before any sound
        "RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => {})"
    )
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url)
    expect(patient.page.locator("#devices[data-devices=on]")).to_be_visible()
    yield "waiting, sound only", patient.page
    provider.page.locator(".card .start").click()
    expect(provider.page.locator(".tile[data-state=connecting]")).to_be_visible()
    yield "connecting", provider.page
    patient.page.evaluate(
        "HTMLMediaElement.prototype.play = async () => { throw new DOMException('', 'NotAllowedError'); }; 0"
    )
    sign_in(provider.context, practice.url, room.login)
    other = provider.context.new_page()
    open_dashboard(other, practice.url)
    provider.page.close()
    other.locator("#take").click()
    connected(other, patient.page)
    yield "in a call by sound only", other
    expect(patient.page.locator("#hear")).to_be_visible()
    yield "tap to hear", patient.page
    end(other)
    third = provider.context.new_page()
    third.goto(f"{practice.url}/help")
    third.locator("header form button").click()
    expect(other.locator("main[data-state=refused]")).to_be_visible()
    yield "signed out", other


#: What a page says of its line, whatever the line is.
PRETEND = """{
  const send = RTCDataChannel.prototype.send;
  window.pretended = {};
  RTCDataChannel.prototype.send = function (data) {
    const [type, body, id] = JSON.parse(data);
    if (type === "media") body.quality = { ...Object(body.quality), ...window.pretended };
    send.call(this, JSON.stringify([type, body, id]));
  };
}"""


def weak_line(practice: Practice, person: People, **options: Any) -> States:
    room = practice.room()
    provider, patient = person("red", **options), person("green", **options)
    sign_in(provider.context, practice.url, room.login)
    provider.context.add_init_script(PRETEND)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url)
    provider.page.locator(".card .start").click()
    connected(provider.page, patient.page)
    for page in (provider.page, patient.page):
        page.locator(".quality").click()
    yield "what a badge says", provider.page
    more(provider.page)
    provider.page.locator("#ceiling").select_option("sound")
    for page in (provider.page, patient.page):
        expect(page.locator(".tile[data-paused]")).to_be_visible()
    yield "sound only, as I chose", provider.page
    yield "sound only, as the provider chose", patient.page
    more(provider.page)
    provider.page.locator("#ceiling").select_option("hd")
    expect(patient.page.locator(".tile[data-paused]")).to_have_count(0)
    provider.page.evaluate("pretended = { sent: 'sound', got: 'weak', causes: ['ours', 'theirs', 'busy', 'slow'] }")
    expect(patient.page.locator(".tile[data-paused]")).to_be_visible()
    expect(patient.page.locator(".quality[data-level=weak]")).to_be_visible()
    yield "a picture that pauses, and all causes", patient.page
    provider.page.evaluate("pretended = { sent: 'text', got: 'lost', causes: [] }")
    expect(patient.page.locator("#instead a")).to_be_visible()
    yield "the practice's number", patient.page
    expect(provider.page.locator("#calm")).to_be_visible()
    yield "the patient sees the number", provider.page


@pytest.mark.parametrize("pseudo", [False, True], ids=["axe", "words"])
@pytest.mark.parametrize("walk", [forms, lines, sound_only, weak_line])
def test_everybody_can_use(serve: Serve, person: People, walk: Callable[..., States], pseudo: bool) -> None:
    own = serve(TOML, host="127.0.0.1")  # for "localhost", Socket.IO does not believe that the line is lost
    options: dict[str, Any] = {"own": f"{own.host}:{own.port}", "reduced_motion": "reduce", "viewport": PHONE}
    for state, page in walk(own, person, **options, **({"locale": "en-XA"} if pseudo else {})):
        if pseudo:
            assert bare(page) == [], state
            continue
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for screen in (PHONE, ZOOMED):
                page.set_viewport_size(screen)  # type: ignore[arg-type]
                audit(page, f"{state}, {scheme}, {screen['width']} px")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
