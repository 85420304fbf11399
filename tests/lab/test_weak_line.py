"""A line that is really narrow and loses packets: the sound stays, the picture pauses and says so, and comes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from housecall.testing.acts import Visit, media_flows, no_new_frames, wait
from housecall.testing.lab import Lab

PATIENCE = 90_000  #: ms for what happens after some seconds of a bad or a fine line, on a machine that has more to do
PHONE = "+1 555 0100"

#: A camera whose picture wants more room than there is; a record of the sound that came in, and of what was said aloud.
BUSY_CAMERA = """{
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
  if (ask) devices.getUserMedia = async wanted => {
    const out = await ask({ audio: wanted.audio }), size = { width: 320, height: 240 };
    const canvas = Object.assign(document.createElement("canvas"), size), pen = canvas.getContext("2d");
    const paint = () => {
      for (let i = 0; i < 1200; i++) {
        pen.fillStyle = `hsl(${Math.random() * 360} 80% ${Math.random() * 100}%)`;
        pen.fillRect(8 * (i % 40), 8 * Math.floor(i / 40), 8, 8);
      }
    };
    setInterval(paint, 80);
    out.addTrack(canvas.captureStream(12).getVideoTracks()[0]);
    return out;
  };
  window.said = [];
  addEventListener("DOMContentLoaded", () => new MutationObserver(() =>
    window.said.push(document.getElementById("said").textContent)).observe(
    document.getElementById("said"), { childList: true }));
  setInterval(async () => {
    const rows = [...(await window.made?.at(-1)?.getStats() ?? new Map()).values()];
    const row = rows.find(each => each.type === "inbound-rtp" && each.kind === "audio");
    if (row) window.sound = { all: row.totalSamplesReceived, made: row.concealedSamples - row.silentConcealedSamples };
  }, 200);
}"""

#: The frequency, in Hz, at which the far sound is loudest.
LISTEN = """() => {
  const context = new AudioContext(), analyser = new AnalyserNode(context, { fftSize: 16384 });
  context.createMediaStreamSource(document.querySelector(".tile audio").srcObject).connect(analyser);
  const bins = new Float32Array(analyser.frequencyBinCount);
  window.loudest = () => {
    analyser.getFloatFrequencyData(bins);
    return bins.indexOf(Math.max(...bins)) * context.sampleRate / analyser.fftSize;
  };
}"""


def in_call(lab: Lab) -> Visit:
    """Grace Hopper, at `b`, and her provider, at `a`, see and hear each other."""
    lab.toml += f'[clinic.main.core]\nphone = "{PHONE}"\n'
    visit = lab.visit(script=BUSY_CAMERA)
    for page in (visit.provider, visit.patient):
        media_flows(page)
        expect(page.locator(".quality[data-level=good]")).to_be_visible(timeout=PATIENCE)
    return visit


def concealed(page: Page, seconds: int) -> float:
    """How much of the far sound had to be made up, of so many seconds of it."""
    before = page.evaluate("sound")
    wait(page, f"before => sound.all - before.all > {seconds} * 48000", before, patience=seconds + 60)
    share: float = page.evaluate("before => (sound.made - before.made) / (sound.all - before.all)", before)
    return share


def test_at_64_kilobits_and_ten_percent_loss_the_voice_stays(lab: Lab) -> None:
    visit = in_call(lab)
    lab.net.squeeze("b", "64kbit")
    lab.net.drop("b", "meta l4proto udp numgen random mod 100 < 10", hooks=("output",))
    calm, face = visit.patient.locator("#calm"), visit.provider.locator(".tile .why")
    expect(calm).to_have_text("Your video is paused to keep the sound. It comes back by itself.", timeout=PATIENCE)
    expect(face).to_have_text(
        "Grace Hopper's video is paused to keep the sound. It comes back by itself.", timeout=PATIENCE
    )
    no_new_frames(visit.provider)
    visit.provider.evaluate(LISTEN)
    assert concealed(visit.provider, 15) < 0.04
    assert visit.provider.evaluate("loudest()") == pytest.approx(400, abs=5)  # the tone of "green"
    for page, cause in ((visit.patient, "your line"), (visit.provider, "Grace Hopper's line")):
        expect(page.locator(".quality")).to_have_accessible_name("Weak line", timeout=PATIENCE)
        expect(page.locator(".cause")).to_contain_text(f"The cause is {cause}.", timeout=PATIENCE)
    expect(visit.patient.locator("#instead")).to_be_hidden()
    for page, whose in ((visit.patient, "Your"), (visit.provider, "Grace Hopper's")):
        assert f"{whose} video is paused to keep the sound. It comes back by itself." in page.evaluate("said.join('|')")
    lab.net.heal("b")
    expect(calm).to_be_hidden(timeout=PATIENCE)
    expect(face).to_be_hidden(timeout=PATIENCE)
    media_flows(visit.provider)
    for page, whose in ((visit.patient, "Your"), (visit.provider, "Grace Hopper's")):
        wait(page, "back => said.some(words => words.includes(back))", f"{whose} video is back.")
    expect(visit.patient.locator(".quality")).to_have_accessible_name("Good line", timeout=PATIENCE)


def test_the_number_is_there_before_the_call_breaks(lab: Lab) -> None:
    visit = in_call(lab)
    lab.net.squeeze("b", "32kbit")
    number = visit.patient.get_by_role("link", name=PHONE)
    expect(number).to_be_visible(timeout=PATIENCE)
    assert visit.patient.evaluate("made.at(-1).connectionState") == "connected"
    expect(visit.provider.locator("#calm")).to_contain_text("very weak", timeout=PATIENCE)
    lab.net.heal("b")
    expect(number).to_be_hidden(timeout=PATIENCE)
    expect(visit.provider.locator(".tile[data-paused]")).to_have_count(0, timeout=PATIENCE)
    media_flows(visit.provider)
