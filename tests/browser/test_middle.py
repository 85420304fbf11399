"""A server that sits in between: media really flows through it, and it cannot help being seen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from housecall.testing.acts import check_in, connected, media_flows, open_dashboard, sees, start, wait
from housecall.testing.people import Person, sign_in
from housecall.testing.practice import Practice
from safety import device_link

SERVER = Path(__file__).parent.parent / "middle_server.py"
MIDDLE = (Path(__file__).parent / "middle.js").read_text(encoding="utf-8")
RED, GREEN = (224, 0, 0), (0, 192, 0)
RUNS = 20

#: The certificate that a page's DTLS has really seen last.
SEEN = """async () => {
  const { far } = await import("housecall/exchange.js");
  return [...await far(made.at(-1))];
}"""
CODE = "document.querySelector('.pictures')?.textContent + document.querySelector('.by-number')?.textContent"


class Between:
    """Both ends of a visit on a hostile server, and who sits in between."""

    def __init__(self, own: Practice, person: Callable[..., Person], mode: str, named: bool = False):
        room, host = own.room(), f"localhost:{own.port}"
        provider, patient = person("red", own=host), person("green", own=host)
        sign_in(provider.context, own.url, room.login)
        self.middle = person(own=host).page
        self.provider, self.patient = provider.page, patient.page
        self.certificate: list[int] | None = None
        if mode:
            self.middle.goto(room.url)
            self.certificate = self.middle.evaluate(MIDDLE, mode)
        open_dashboard(self.provider, own.url)
        check_in(self.patient, device_link(self.provider) if named else room.url, "Grace Hopper")
        start(self.provider, "Grace Hopper")
        connected(self.provider, self.patient)

    @property
    def ends(self) -> tuple[Page, Page]:
        return self.provider, self.patient

    def media_goes_through(self) -> None:
        """Each end sees the other, decoded by the middle on the way, and has met the middle's certificate."""
        wait(self.middle, "() => window.flow?.frames > 10", None)
        for page, colour in ((self.provider, GREEN), (self.patient, RED)):
            media_flows(page)
            sees(page, colour)
            assert page.evaluate(SEEN) == self.certificate
        assert self.middle.evaluate("middle.errors") == []


@pytest.fixture
def between(
    serve: Callable[..., Practice], person: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Between]:
    def make(mode: str, **more: bool) -> Between:
        monkeypatch.setenv("HOUSECALL_MIDDLE", "signals" if mode else "keys")
        own = serve(command=(sys.executable, "-W", "error", str(SERVER), "run"))
        return Between(own, person, mode, **more)

    return make


def finding(page: Page, words: str) -> None:
    expect(page.locator(".finding")).to_contain_text(words)
    expect(page.locator(".finding")).to_contain_text("Somebody may be in between. End the visit and call")
    expect(page.locator(".shield[data-safety=finding]")).to_be_visible()


def test_two_codes_show_whoever_makes_codes_of_its_own(between: Callable[..., Between]) -> None:
    """Twenty connections, one after the other; in none of them do both ends show the same pictures or digits."""
    world = between("own")
    for page in world.ends:
        page.get_by_role("button", name="in between").click()
    seen = ["", ""]
    for run in range(RUNS):
        if run:
            world.middle.evaluate("middle.again()")
        for end, page in enumerate(world.ends):
            changed = f"before => document.querySelector('.pictures') && {CODE} !== before"
            wait(page, changed, seen[end], patience=30)
        before, seen = seen, [page.evaluate(CODE) for page in world.ends]
        assert seen[0] != before[0]
        assert seen[1] != before[1]
        assert seen[0] != seen[1], f"the same code on both sides of run {run}"
        (ours, digits), (theirs, others) = (each.split("Or by number: ") for each in seen)
        assert ours != theirs or digits != others
        expect(world.provider.locator(".finding")).to_have_count(0)
    assert world.middle.evaluate("middle.runs") == 2 * RUNS, "the middle has taken part in every exchange"
    world.media_goes_through()


def test_a_proof_of_the_practices_device_does_not_pass_through_a_middle(between: Callable[..., Between]) -> None:
    world = between("quiet", named=True)
    finding(world.patient, "This is not the practice's device that your link names.")
    expect(world.provider.locator(".finding")).to_have_count(0)
    world.media_goes_through()


@pytest.mark.parametrize("mode", ["forward", "reflect"])
def test_whoever_hands_on_or_gives_back_what_was_said_is_found_at_once(
    between: Callable[..., Between], mode: str
) -> None:
    world = between(mode)
    for page in world.ends:
        finding(page, "does not fit this connection")
    world.media_goes_through()


def test_a_server_that_lies_about_the_keys_of_pages_is_found(between: Callable[..., Between]) -> None:
    """Connections are honest; what is sealed by the server would not be."""
    world = between("")
    for page in world.ends:
        finding(page, "does not fit this connection")
