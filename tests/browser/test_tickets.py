"""Who gets in: a stranger's, an ended visit's and another clinic's ticket are refused; old browsers are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from housecall import clinics
from housecall.testing.acts import check_in, connected, end, open_dashboard, start
from housecall.testing.people import Person
from housecall.testing.practice import Practice, Room


def test_an_ended_visits_ticket_opens_nothing(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    provider, patient, thief = person("red", login=room.login), person("green"), person("blue")
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    ticket = patient.context.cookies()
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    end(provider.page)
    expect(patient.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    thief.context.add_cookies(ticket)
    thief.page.goto(room.url)
    expect(thief.page.get_by_label("Your name")).to_be_visible()
    expect(provider.page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    patient.page.get_by_role("button", name="Check in again").click()
    patient.page.get_by_label("Your name").fill("Grace again")
    patient.page.get_by_role("button", name="Check in").first.click()
    expect(provider.page.get_by_role("heading", name="Grace again")).to_be_visible()


def test_a_strangers_ticket_opens_nothing(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    stranger = person("blue")
    name = f"hc-ticket-{room.id}"
    for value in ("forged", "WyJtYWluIl0.AAAAAAAAAAAAAAAAAAAAAAAAAAA"):
        stranger.context.add_cookies([{"name": name, "value": value, "url": practice.url, "httpOnly": True}])
        stranger.page.goto(room.url)
        expect(stranger.page.get_by_label("Your name")).to_be_visible()


def test_another_clinics_ticket_opens_nothing(serve: Callable[..., Practice], person: Callable[..., Person]) -> None:
    """Two clinics with a room of the same name; the ticket of one is brought to the other under the right cookie."""
    toml = (
        '[clinic.elm]\nname = "Elm"\nhost = "elm.housecall.localhost"\n'
        '[clinic.oak]\nname = "Oak"\nhost = "oak.housecall.localhost"\n'
    )
    own = serve(toml)
    elm, oak = own.room(clinic="elm"), own.room(clinic="oak")
    hosts = {clinic: f"{clinic}.housecall.localhost:{own.port}" for clinic in ("elm", "oak")}
    patient, thief = person("green", own=hosts["elm"]), person("blue", own=hosts["oak"])
    check_in(patient.page, f"http://{hosts['elm']}/{elm.slug}", "Grace Hopper")
    (ticket,) = [cookie for cookie in patient.context.cookies() if cookie["name"].startswith("hc-ticket")]
    thief.context.add_cookies(
        [{"name": f"hc-ticket-{oak.id}", "value": ticket["value"], "url": f"http://{hosts['oak']}", "httpOnly": True}]
    )
    thief.page.goto(f"http://{hosts['oak']}/{oak.slug}")
    expect(thief.page.get_by_label("Your name")).to_be_visible()
    answer = thief.page.goto(f"http://{hosts['oak']}/{elm.slug}")
    assert answer is not None
    assert answer.status == 404
    thief.expected.append("status of 404")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("delete window.RTCPeerConnection", "This browser cannot make video calls"),
        ("HTMLScriptElement.supports = () => false", "This browser cannot make video calls"),
        ("Object.defineProperty(window, 'isSecureContext', { value: false })", "This address is not secure"),
    ],
    ids=["no calls", "old", "http"],
)
def test_a_browser_that_cannot_hold_a_visit_is_told_what_to_do(
    room: Room, person: Callable[..., Person], script: str, words: str
) -> None:
    visitor = person()
    visitor.expected += ["RTCPeerConnection", "Cannot read properties", "null"]
    visitor.page.add_init_script(script)
    visitor.page.goto(room.url)
    expect(visitor.page.get_by_role("heading", name=words)).to_be_visible()
    expect(visitor.page.get_by_label("Your name")).to_have_count(0)


def test_a_whole_link_pasted_over_an_incomplete_one_is_used(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    visitor = person()
    with practice.lasting():
        token = clinics.invitations.make("main", "provider", made_by=room.member)
    visitor.page.goto(f"{practice.url}/sign-in/link")
    expect(visitor.page.get_by_text("This link is not complete.")).to_be_visible()
    visitor.page.evaluate("token => { location.hash = token; }", token)
    expect(visitor.page.get_by_text("You join Elm Street Practice")).to_be_visible()
    assert token not in visitor.page.url
