"""Captions: a captioner types, everybody reads; nobody else writes them, and no server can read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from housecall.testing import Person, PluginContract, Practice, check_in, connected, end, open_dashboard, sign_in, start
from housecall.testing.access import PHONE, audit
from housecall.testing.acts import guest_joins, wait

TOML = '[clinic.main]\nname = "Elm"\nplugins = ["captions"]\n'


class TestCaptions(PluginContract):
    folder = Path(__file__).resolve().parents[2] / "plugins/captions"


def guest(provider: Page, person: Callable[..., Person], kind: str, name: str, colour: str, own: str) -> Page:
    """Somebody who is invited, asks to join and is let in."""
    page = person(colour, own=own, viewport=PHONE).page
    guest_joins(provider, page, kind, name)
    expect(page.locator(".tile[data-state=connected]").nth(1)).to_be_visible()
    return page


def test_what_a_captioner_types_is_read_by_everybody(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    practice = serve(TOML)
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own, viewport=PHONE)
    provider.context.grant_permissions(["clipboard-read", "clipboard-write", "camera", "microphone"])
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace")
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    for page in (provider.page, patient.page):
        expect(page.locator(".captions")).to_be_hidden()
    paul = guest(provider.page, person, "captioner", "Paul", "blue", own)
    expect(paul.get_by_label("What is said").locator("visible=true").last).to_be_focused()
    said = ["Good morning, how are you?", "Much better, thank you.", "Then let us look at the knee."]
    for line in said:
        paul.keyboard.type(line)
        paul.keyboard.press("Enter")
    for page in (provider.page, patient.page, paul):
        expect(page.locator(".captions-log p")).to_have_text(said)
        expect(page.locator(".captions-log p").last).to_be_visible()
        audit(page, "captions")
    assert patient.page.get_by_role("log").get_attribute("aria-live") == "polite"
    for page in (provider.page, patient.page):
        expect(page.locator(".captions form")).to_be_hidden()
    provider.page.locator(".captions .captions-copy").click()
    expect(provider.page.locator(".toast:visible", has_text="Copied")).to_be_visible()
    assert provider.page.evaluate("navigator.clipboard.readText()").splitlines() == said
    patient.page.reload()
    expect(patient.page.locator(".captions-log p")).to_have_text(said)
    end(provider.page)
    for page in (provider.page, patient.page):
        expect(page.locator(".captions-all:visible")).to_have_text("\n".join(said), use_inner_text=True)
    with provider.page.expect_download() as download:
        provider.page.locator(".captions-save:visible").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").splitlines() == said


#: Says a line as a page that was tampered with would.
TAMPER = """async () => {
  const { rules } = await import("housecall/parts.js");
  const line = { id: "x", at: Date.now(), t: Date.now(), n: 1, data: { text: "I never said this" } };
  for (const channel of channels) if (channel.readyState === "open")
    channel.send(JSON.stringify(["say", { event: "captions:line", after: 0, items: [line] }, 1]));
  return Boolean(rules()["captions:line"]);
}"""


def test_nobody_else_writes_captions(serve: Callable[..., Practice], person: Callable[..., Person]) -> None:
    practice = serve(TOML)
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own)
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace")
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    otto = guest(provider.page, person, "relative", "Otto", "yellow", own)
    paul = guest(provider.page, person, "captioner", "Paul", "blue", own)
    expect(otto.locator(".captions form")).to_be_hidden()
    for page in (patient.page, otto):
        wait(page, "() => channels.filter(each => each.readyState === 'open').length === 3", None)
        assert page.evaluate(TAMPER)
    paul.keyboard.type("This was said")
    paul.keyboard.press("Enter")
    for page in (provider.page, patient.page, otto):
        expect(page.locator(".captions-log p")).to_have_text(["This was said"])
