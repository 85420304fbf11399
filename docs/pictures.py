"""Takes the pictures of the README from a running practice: `make pictures`.

With a folder (`python docs/pictures.py FOLDER`) it takes every screen, in both themes and at both sizes, to look at.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from housecall.testing import Practice, Room, check_in, connected, end, open_dashboard, sign_in, start
from housecall.testing.parts import find

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs/images"
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1, "is_mobile": True, "has_touch": True}

#: A camera that shows a drawn person, since test cameras show test pictures.
CAMERA = """([wall, skin, coat]) => {
  navigator.mediaDevices.getUserMedia = async ({ video, audio }) => {
    const out = new MediaStream();
    if (video) {
      const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
      const pen = canvas.getContext("2d");
      const paint = () => {
        pen.fillStyle = wall; pen.fillRect(0, 0, 1280, 720);
        pen.fillStyle = "rgb(255 255 255 / 18%)"; pen.fillRect(120, 60, 260, 330); pen.fillRect(930, 90, 220, 260);
        pen.fillStyle = coat; pen.beginPath(); pen.ellipse(640, 760, 330, 300, 0, 0, 7); pen.fill();
        pen.fillStyle = skin; pen.fillRect(585, 430, 110, 100);
        pen.beginPath(); pen.ellipse(640, 330, 125, 155, 0, 0, 7); pen.fill();
        pen.fillStyle = "#3a2a22"; pen.beginPath(); pen.ellipse(640, 245, 138, 95, 0, 3.1, 6.3); pen.fill();
        pen.fillStyle = "#2b2320";
        for (const x of [595, 685]) { pen.beginPath(); pen.arc(x, 330, 9, 0, 7); pen.fill(); }
        pen.strokeStyle = "#7c4a3c"; pen.lineWidth = 7; pen.lineCap = "round";
        pen.beginPath(); pen.arc(640, 372, 46, 0.5, 2.64); pen.stroke();
      };
      paint(); setInterval(paint, 100);
      out.addTrack(canvas.captureStream(10).getVideoTracks()[0]);
    }
    if (audio) {
      const context = new AudioContext(), to = context.createMediaStreamDestination();
      out.addTrack(to.stream.getAudioTracks()[0]);
    }
    return out;
  };
}"""
ADA = ["#b9c9c2", "#d9a98a", "#2f7570"]
GRACE = ["#d8c7ae", "#c58f6e", "#7b4a52"]


WORDS = "# Welcome\n\nHave your **insurance card** at hand. If it is urgent, call 112."
Meet = Callable[..., Page]


@contextmanager
def house(theme: str) -> Iterator[tuple[Practice, Room, Meet]]:
    """A practice in a theme, its owner's room, and a way to meet people."""
    toml = f'[server]\n[clinic.main]\nname = "Elm Street Practice"\ntheme = "{theme}"\n'
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        practice = Practice(Path(folder) / "site", toml=toml).start()
        browser = playwright.chromium.launch(
            executable_path=find("chromium"), args=["--allow-loopback-in-peer-connection"]
        )

        def meet(camera: list[str], login: str | None = None, **options: Any) -> Page:
            context = browser.new_context(permissions=["camera", "microphone"], **options)
            context.add_init_script(f"({CAMERA})({camera!r})")
            if login:
                sign_in(context, practice.url, login)
            return context.new_page()

        try:
            yield practice, practice.room(role="owner"), meet
        finally:
            browser.close()
            practice.stop()


def main() -> None:
    if len(sys.argv) > 1:
        for theme in ("calm", "evening"):
            for size, options in (("desk", DESK), ("phone", PHONE)):
                every_screen(Path(sys.argv[1]), theme, size, options)
        return
    with house("calm") as (practice, room, meet):
        provider, patient, other = meet(ADA, room.login, **DESK), meet(GRACE, **PHONE), meet(GRACE, **PHONE)
        patient.goto(room.url)
        shoot(patient, OUT / "welcome")
        open_dashboard(provider, practice.url)
        wait_in_line(patient, room)
        shoot(patient, OUT / "waiting")
        check_in(other, room.url, "Katherine Johnson")
        expect(provider.locator(".card")).to_have_count(2)
        shoot(provider, OUT / "queue")
        talk(provider, patient)
        shoot(provider, OUT / "call")
        shoot(patient, OUT / "call-phone")
        switch(provider, practice, "Chat")
        shoot(provider, OUT / "plugins")
    with house("evening") as (practice, room, meet):
        provider, patient = meet(ADA, room.login, **DESK), meet(GRACE, **PHONE)
        open_dashboard(provider, practice.url)
        wait_in_line(patient, room)
        shoot(patient, OUT / "evening-waiting")


def every_screen(folder: Path, theme: str, size: str, options: dict[str, Any]) -> None:
    def take(page: Page, name: str, *, whole: bool = False) -> None:
        shoot(page, folder / f"{theme}-{size}-{name}", whole=whole)

    with house(theme) as (practice, room, meet):
        provider, patient, other = meet(ADA, room.login, **options), meet(GRACE, **options), meet(GRACE, **options)
        switch(provider, practice, "Chat")
        take(provider, "admin-plugins", whole=True)
        provider.goto(f"{practice.url}/dashboard/room/{room.id}")
        provider.get_by_label("Words for the waiting room").fill(WORDS)
        provider.get_by_label("Link 1: words").fill("How to prepare")
        provider.get_by_label("Link 1: address").fill("https://elm.example/prepare")
        provider.get_by_role("button", name="Preview").click()
        expect(provider.locator(".previewed")).to_be_visible()
        take(provider, "room-form", whole=True)
        provider.get_by_role("button", name="Save").click()
        expect(provider.get_by_text("Saved.")).to_be_visible()
        for path in ("admin", "admin/people", "admin/rooms", "admin/look", "admin/settings/chat", "account"):
            provider.goto(f"{practice.url}/{path}")
            for summary in provider.locator("main summary").all():
                summary.click()
            take(provider, path.replace("/", "-"), whole=True)
        provider.goto(f"{practice.url}/dashboard/history")
        take(provider, "history")
        patient.goto(room.url)
        take(patient, "welcome", whole=True)
        open_dashboard(provider, practice.url)
        take(provider, "dashboard-empty")
        wait_in_line(patient, room)
        check_in(other, room.url, "Katherine Johnson")
        say(patient, ".waiting", "Good morning! I am a little early.")
        provider.locator(".card", has_text="Grace").locator(".chat-card summary").click()
        say(provider, ".card", "Good morning. I am with you in five minutes.")
        expect(patient.locator(".waiting .theirs")).to_be_visible()
        take(patient, "waiting", whole=True)
        take(provider, "dashboard", whole=True)
        talk(provider, patient)
        take(provider, "call-provider")
        take(patient, "call-patient")
        for page in (provider, patient):
            page.get_by_role("button", name="Chat").click()
        say(provider, "#side", "Can you see me well?")
        expect(patient.locator("#side .theirs")).to_have_count(2)
        take(provider, "chat-provider")
        take(patient, "chat-patient")
        patient.get_by_role("button", name="Close").click()
        provider.get_by_role("button", name="Close").click()
        end(provider)
        expect(patient.get_by_role("heading", name="Your visit has ended")).to_be_visible()
        take(patient, "after", whole=True)
        take(provider, "dashboard-after", whole=True)


def switch(page: Page, practice: Practice, plugin: str) -> None:
    """Switch a plugin on, as an owner does."""
    page.goto(f"{practice.url}/admin/plugins")
    page.get_by_role("switch", name=plugin, exact=True).click()
    expect(page.get_by_role("switch", name=plugin, exact=True)).to_have_attribute("aria-checked", "true")
    page.evaluate("scrollTo(0, 0)")


def wait_in_line(page: Page, room: Room) -> None:
    check_in(page, room.url, "Grace Hopper")
    expect(page.locator("#devices[data-devices=on]")).to_be_visible()
    expect(page.locator("#self-waiting video")).to_be_visible()


def talk(provider: Page, patient: Page) -> None:
    """The visit, until both have a good picture."""
    start(provider, "Grace Hopper")
    connected(provider, patient)
    provider.wait_for_function("() => document.querySelector('.tile video').videoWidth >= 960", timeout=60_000)


def say(page: Page, where: str, words: str) -> None:
    page.locator(f"{where} .chat-form textarea").first.fill(words)
    page.keyboard.press("Enter")
    expect(page.locator(f"{where} .chat-log .mine p").last).to_have_text(words)


def shoot(page: Page, path: Path, *, whole: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=path.with_name(f"{path.name}.png"), full_page=whole)


if __name__ == "__main__":
    main()
