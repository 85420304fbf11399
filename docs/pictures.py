"""Takes the pictures of the README from a running practice: `make pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from housecall.testing import Practice, check_in, connected, open_dashboard, sign_in, start
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


def main() -> None:
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        practice = Practice(Path(folder) / "site").start()
        room = practice.room()
        browser = playwright.chromium.launch(
            executable_path=find("chromium"), args=["--allow-loopback-in-peer-connection"]
        )

        def person(camera: list[str], login: str | None = None, **options: object) -> Page:
            context = browser.new_context(permissions=["camera", "microphone"], **options)  # type: ignore[arg-type]
            context.add_init_script(f"({CAMERA})({camera!r})")
            if login:
                sign_in(context, practice.url, login)
            return context.new_page()

        provider, patient, other = person(ADA, room.login, **DESK), person(GRACE, **PHONE), person(GRACE, **PHONE)
        patient.goto(room.url)
        shoot(patient, "welcome")
        open_dashboard(provider, practice.url)
        check_in(patient, room.url, "Grace Hopper")
        expect(patient.locator("#devices[data-devices=on]")).to_be_visible()
        expect(patient.locator("#self-waiting video")).to_be_visible()
        shoot(patient, "waiting")
        check_in(other, room.url, "Katherine Johnson")
        expect(provider.locator(".card")).to_have_count(2)
        shoot(provider, "queue")
        start(provider, "Grace Hopper")
        connected(provider, patient)
        provider.wait_for_function("() => document.querySelector('.tile video').videoWidth >= 960", timeout=60_000)
        shoot(provider, "call")
        shoot(patient, "call-phone")
        browser.close()
        practice.stop()


def shoot(page: Page, name: str) -> None:
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=OUT / f"{name}.png")


if __name__ == "__main__":
    main()
