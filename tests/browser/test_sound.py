"""What browsers do to the sound of a microphone: reduced noise as a switch, and sound as it is, for a stethoscope."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from housecall.testing.access import PHONE, audit
from housecall.testing.acts import begin, connected, media_flows, more, wait
from housecall.testing.parts import find
from housecall.testing.people import Person, meet
from housecall.testing.practice import Practice, Room

People = Callable[..., Person]
PITCH, RATE, LOUD = 150, 48_000, 0.1  #: a low tone, as through a stethoscope: Hz, samples a second, amplitude


@pytest.fixture
def listener(chromium: Browser, practice: Practice, tmp_path: Path) -> Iterator[Person]:
    """A phone whose microphone hears a steady, low, soft tone: to a browser that prepares sound for talking, noise."""
    tone = tmp_path / "tone.wav"
    with wave.open(str(tone), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        period = [round(32767 * LOUD * math.sin(2 * math.pi * PITCH * n / RATE)) for n in range(RATE)]
        file.writeframes(struct.pack(f"<{RATE}h", *period))
    browser = chromium.browser_type.launch(
        executable_path=find("chromium"),
        args=[
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={tone}",
            "--autoplay-policy=no-user-gesture-required",
            "--allow-loopback-in-peer-connection",
        ],
    )
    made = meet(browser, practice.url, viewport=PHONE)
    yield made
    made.context.close()
    made.check(f"localhost:{practice.port}")
    browser.close()


#: What the browser does to the sound that is sent.
SENT = """() => {
  const pc = made.find(pc => pc.connectionState === "connected");
  const { echoCancellation: echo, noiseSuppression: noise, autoGainControl: gain } =
    pc.getSenders().find(sender => sender.track?.kind === "audio").track.getSettings();
  return [echo, noise, gain];
}"""

#: The amplitude of the tone in what comes from the other side, kept in `heard`: of the last half second.
HEAR = """pitch => {
  window.heard = NaN;
  const sound = new AudioContext({ sampleRate: 48000 }), node = sound.createAnalyser();
  sound.createMediaStreamSource(document.querySelector(".tile audio").srcObject).connect(node);
  node.fftSize = 32768;
  const samples = new Float32Array(node.fftSize);
  setInterval(() => {
    node.getFloatTimeDomainData(samples);
    let a = 0, b = 0;
    const count = 48000 / pitch * Math.floor(samples.length * pitch / 48000);
    for (let n = 0; n < count; n++) {
      a += samples[n] * Math.cos(2 * Math.PI * pitch * n / 48000);
      b += samples[n] * Math.sin(2 * Math.PI * pitch * n / 48000);
    }
    window.heard = 2 * Math.hypot(a, b) / count;
  }, 100);
}"""


def tick(page: Page, name: str, on: bool, said: str) -> None:
    box = page.get_by_role("dialog").get_by_label(name)
    box.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text(said)
    expect(box).to_be_checked(checked=on)


def test_clinical_sound_arrives_as_the_microphone_gives_it_and_the_other_side_is_told(
    practice: Practice, room: Room, person: People, listener: Person
) -> None:
    provider, page = person("red", login=room.login).page, listener.page
    begin(practice, room, provider, page)
    media_flows(provider)
    assert page.evaluate(SENT) == [True, True, True]
    provider.evaluate(HEAR, PITCH)
    wait(provider, "most => heard < most", LOUD / 4)  # a steady tone is taken for noise
    more(page)
    page.get_by_role("button", name="Devices").click()
    dialog = page.get_by_role("dialog", name="Camera, microphone and speaker")
    talking = "Your sound is prepared for talking again."
    tick(page, "Reduce background noise", False, talking)
    wait(page, f"() => String(({SENT})()) === 'true,false,true'", None)
    told = "Clinical sound is on, and the others are told. Wear headphones."
    tick(page, "Clinical sound", True, told)
    wait(page, f"() => String(({SENT})()) === 'false,false,false'", None)
    expect(dialog.get_by_label("Reduce background noise")).to_be_disabled()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        audit(page, f"clinical sound, {scheme}")
    wait(provider, "([low, high]) => heard > low && heard < high", [LOUD * 0.9, LOUD * 1.1])
    expect(provider.locator(".tile .clinical-flag")).to_be_visible()
    expect(provider.locator("#said")).to_have_text("Grace Hopper sends unprocessed sound")
    rate = "made.find(pc => pc.connectionState === 'connected').getSenders()[0].getParameters().encodings[0].maxBitrate"
    wait(page, f"() => {rate} === 96000", None)
    audit(provider, "unprocessed sound")
    tick(page, "Clinical sound", False, talking)
    wait(page, f"() => String(({SENT})()) === 'true,false,true'", None)  # what was chosen before
    expect(provider.locator(".tile .clinical-flag")).to_be_hidden()
    expect(provider.locator("#said")).to_have_text("Grace Hopper sends ordinary sound again")
    tick(page, "Reduce background noise", True, talking)
    wait(page, f"() => String(({SENT})()) === 'true,true,true'", None)
    dialog.get_by_role("button", name="Done").click()
    connected(provider, page)
    media_flows(provider)


def test_a_microphone_that_cannot_be_opened_anew_goes_on_as_it_was(
    practice: Practice, room: Room, person: People
) -> None:
    provider, patient = person("red", login=room.login).page, person("green")
    patient.context.add_init_script(
        "window.held = 0; { const devices = navigator.mediaDevices, ask = devices?.getUserMedia;"
        " if (devices) devices.getUserMedia = async wanted => {"
        " if (held-- > 0) throw new DOMException('', 'NotReadableError'); return ask.call(devices, wanted); }; }"
    )
    begin(practice, room, provider, patient.page)
    patient.page.evaluate("held = 1; 0")
    patient.page.get_by_role("button", name="Devices").click()
    tick(
        patient.page,
        "Clinical sound",
        False,
        "The microphone could not be started anew. Its sound stays as it was.",
    )
    expect(provider.locator(".tile .clinical-flag")).to_be_hidden()
    media_flows(provider)
