"""What a patient and a provider do in a visit, and the proof that media really flows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from .people import Person
from .practice import Practice, Room

#: The middle of the first picture that {} names: [red, green, blue], or null while there is none.
COLOUR = """() => {{
  const video = document.querySelector("{}");
  if (!video?.videoWidth) return null;
  const canvas = Object.assign(document.createElement("canvas"), {{ width: 8, height: 8 }});
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0, 8, 8);
  return [...pen.getImageData(4, 4, 1, 1).data].slice(0, 3);
}}"""


def check_in(page: Page, url: str, name: str) -> None:
    page.goto(url)
    expect(page.locator("main[data-ready]")).to_be_attached()
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Check in").first.click()
    expect(page.get_by_role("heading", name="You are checked in")).to_be_visible()


def open_dashboard(page: Page, url: str) -> None:
    page.goto(f"{url}/dashboard")
    expect(page.locator("main[data-ready]")).to_be_attached()


def start(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Start visit with {name}").click()
    expect(page.locator("main[data-state=call]")).to_be_visible()


def end(page: Page) -> None:
    page.get_by_role("button", name="End visit").click()
    page.get_by_role("button", name="End it now").click()


def connected(*pages: Page) -> None:
    for page in pages:
        expect(page.locator(".tile[data-state=connected]")).to_be_visible()


def begin(practice: Practice, room: Room, provider: Page, patient: Page) -> None:
    """A whole beginning: Grace Hopper checks in, her provider starts, both pages are connected."""
    open_dashboard(provider, practice.url)
    check_in(patient, room.url, "Grace Hopper")
    start(provider, "Grace Hopper")
    connected(provider, patient)


def invite(provider: Page, kind: str) -> str:
    """The provider makes a link for a guest of this kind and copies it; the page shows what it copies."""
    provider.get_by_role("button", name="Guests", exact=True).click()
    provider.get_by_label("Invite").select_option(label=kind)
    provider.get_by_role("button", name="Make a link").click()
    provider.get_by_role("button", name=f"Copy link for: {kind}").last.click()
    url = provider.get_by_label("Link", exact=True).last.input_value()
    provider.get_by_role("dialog").get_by_role("button", name="Close").click()
    return url


def ask_to_join(guest: Page, url: str, name: str) -> None:
    guest.goto(url)
    expect(guest.locator("main[data-ready]")).to_be_attached()
    guest.get_by_label("Your name").fill(name)
    guest.get_by_role("button", name="Ask to join").click()
    expect(guest.get_by_role("heading", name="You have asked to join")).to_be_visible()


def guest_joins(provider: Page, guest: Page, kind: str, name: str) -> None:
    """The provider invites somebody of a kind, who asks to join and is let in."""
    ask_to_join(guest, invite(provider, kind), name)
    provider.get_by_role("button", name=f"Admit {name} ({kind})").click()
    expect(guest.locator("main[data-state=call]")).to_be_visible()


def more(page: Page) -> None:
    """On a small screen, open what is seldom needed of the call's bar."""
    button = page.locator("#more[aria-expanded=false]")
    if button.is_visible():
        button.click()


def media_flows(page: Page, *, video: bool = True, patience: float = 30) -> None:
    """Decoded frames and sound energy both grow. `flow` is kept by people.py: what has come in since the page began."""
    page.wait_for_function("() => window.flow")
    before = page.evaluate("() => window.flow")
    condition = "flow.energy > before.energy + 1e-6" + (" && flow.frames > before.frames + 3" if video else "")
    wait(page, f"before => {condition}", before, patience=patience)


def wait(page: Page, condition: str, argument: object, *, patience: float = 30) -> None:
    """Wait until a function of the page says true, at most `patience` seconds.

    Never an async one: Playwright takes its promise for true.
    """
    assert "async" not in condition
    page.wait_for_function(condition, arg=argument, polling=100, timeout=patience * 1000)


def asks_before_leaving(page: Page) -> bool:
    """Whether the browser would ask before the page is left, as something goes with it that is nowhere else."""
    return bool(page.evaluate("!dispatchEvent(new Event('beforeunload', { cancelable: true }))"))


def sees(page: Page, colour: tuple[int, int, int], *, tolerance: int = 60) -> None:
    """The far picture turns this colour."""
    wait(
        page,
        f"([r, g, b, d]) => {{ const c = ({COLOUR.format('.tile video')})();"
        " return c && Math.abs(c[0] - r) < d && Math.abs(c[1] - g) < d && Math.abs(c[2] - b) < d; }",
        [*colour, tolerance],
    )


def silent(page: Page) -> None:
    """Nothing but silence comes: for a second, the far sound's energy does not grow."""
    unchanged(page, "energy")


def no_new_frames(page: Page) -> None:
    """For a second, no new picture is decoded."""
    unchanged(page, "frames")


def unchanged(page: Page, figure: str, *, seconds: float = 1) -> None:
    """Wait until a figure of `flow` has stood still for a second, or more, of the page's own clock."""
    wait(
        page,
        "([figure, ms]) => { const now = flow[figure], at = performance.now(), still = window.still ??= {};"
        " const before = still[figure];"
        " if (!before || now > before.value + 1e-7) { still[figure] = { value: now, at }; return false; }"
        " if (at - before.at < ms) return false; delete still[figure]; return true; }",
        [figure, seconds * 1000],
        patience=30 + seconds,
    )


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Two browsers in one call."""

    room: Room
    provider: Page
    patient: Page
    practice: Practice


@pytest.fixture
def visit(practice: Practice, person: Callable[..., Person]) -> Visit:
    """A whole visit: Grace Hopper has checked in, her provider has started, both pages are connected."""
    room = practice.room()
    provider, patient = person("red", login=room.login).page, person("green").page
    begin(practice, room, provider, patient)
    return Visit(room=room, provider=provider, patient=patient, practice=practice)
