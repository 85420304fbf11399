"""Real Chromium against a real server: people, each with a browser context, a camera and a record of its requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from .parts import SHIM, find
from .practice import Practice

#: Of Chromium's features, those that are off. Each window begins two pages for its address bar, which nobody sees here
#: and which cost a second of the processor: three quarters of what a new person costs. The others are what Playwright
#: switches off (chromiumSwitches.ts): of several such arguments a browser takes the last alone.
WITHOUT = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    *("PreconnectToSearch",),
)
#: What Chromium is started with.
ARGUMENTS = (
    "--use-fake-device-for-media-stream",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
    f"--disable-features={','.join(WITHOUT)}",
)
PATIENCE = 30_000  #: ms until what a page should show is missed: a machine that does much else may be slow, not wrong
COLOURS = {"red": "#e00000", "green": "#00c000", "blue": "#0000e0", "yellow": "#c0c000"}

#: A camera of one colour and a steady tone, so that the far side can tell who is who, and a record of
#: every RTCPeerConnection and of the ICE servers that it was given.
DEVICES = """
([colour, tone]) => {
  window.made = []; window.asked = []; window.channels = [];
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...given) { super(...given); window.made.push(this);
      for (const server of given[0]?.iceServers ?? []) window.asked.push(...[server.urls].flat()); }
    createDataChannel(...given) {
      const channel = super.createDataChannel(...given);
      window.channels.push(channel);
      return channel;
    }
  };
  // What has come in over all connections: pictures decoded, and the energy of the sound. A connection that is closed
  // tells nothing any more (in Firefox it does not even answer), and Firefox may begin to count anew.
  const told = new Map(), sum = { frames: 0, energy: 0 };
  setInterval(async () => {
    for (const pc of window.made) if (pc.signalingState !== "closed") {
      const now = { frames: 0, energy: 0 }, before = told.get(pc) ?? now;
      for (const row of (await pc.getStats()).values()) if (row.type === "inbound-rtp") {
        if (row.kind === "video") now.frames += row.framesDecoded ?? 0;
        else now.energy += row.totalAudioEnergy ?? 0;
      }
      for (const figure in sum) sum[figure] += now[figure] - (now[figure] < before[figure] ? 0 : before[figure]);
      told.set(pc, now);
    }
    window.flow = { ...sum };
  }, 200);
  if (!colour || !navigator.mediaDevices) return;      // about:blank has none
  const devices = navigator.mediaDevices;
  const real = devices.getUserMedia.bind(devices);
  window.given = [];                                   // every track that a page was given
  devices.getUserMedia = async ({ video, audio }) => {
    const out = new MediaStream();
    if (video) {
      const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
      const pen = canvas.getContext("2d");
      const paint = () => { pen.fillStyle = colour; pen.fillRect(0, 0, 320, 240); };
      paint(); setInterval(paint, 100);
      out.addTrack(canvas.captureStream(10).getVideoTracks()[0]);
    }
    if (audio && navigator.userAgent.includes("Firefox")) { // its AudioContext wants a loudspeaker; it has its own tone
      out.addTrack((await real({ audio: true })).getAudioTracks()[0]);
    } else if (audio) {
      const context = new AudioContext(), sound = context.createOscillator();
      const destination = context.createMediaStreamDestination();
      sound.frequency.value = tone; sound.connect(destination); sound.start();
      out.addTrack(destination.stream.getAudioTracks()[0]);
    }
    window.given.push(...out.getTracks());
    return out;
  };
}
"""


@dataclass
class Person:
    """Somebody with a browser of their own: a context, its page, and what it asked for and complained about."""

    context: BrowserContext
    page: Page
    hosts: set[str] = field(default_factory=set)
    urls: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)  #: texts of complaints that a test provokes on purpose

    def watch(self) -> None:
        def host(url: str) -> None:
            self.urls.append(url)
            parts = urlsplit(url)
            if parts.scheme in ("http", "https", "ws", "wss"):
                self.hosts.add(parts.netloc)

        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(f"{message.type}: {message.text}")

        self.context.on("request", lambda request: host(request.url))
        self.context.on("page", lambda page: page.on("websocket", lambda socket: host(socket.url)))
        self.page.on("websocket", lambda socket: host(socket.url))
        self.context.on("console", console)
        self.context.on("weberror", lambda error: self.complaints.append(f"exception: {error.error}"))

    def check(self, own: str) -> None:
        """No complaint in the console that was not expected, and no host asked but our own."""
        left = [c for c in self.complaints if not any(text in c for text in self.expected)]
        assert left == []
        assert self.hosts <= {own}, f"asked other hosts: {self.hosts - {own}}"


@pytest.fixture(scope="session")
def engines() -> Iterator[Playwright]:
    """Playwright, which starts browsers: one for all tests of this process, since it has a loop of its own."""
    expect.set_options(timeout=PATIENCE)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NODE_OPTIONS", f"--require={SHIM}")
        with sync_playwright() as playwright:
            yield playwright


@pytest.fixture(scope="session")
def chromium(engines: Playwright) -> Iterator[Browser]:
    browser = engines.chromium.launch(
        executable_path=find("chromium"), args=[*ARGUMENTS, "--allow-loopback-in-peer-connection"]
    )
    yield browser
    browser.close()


def meet(
    browser: Browser,
    url: str,
    colour: str | None = None,
    *,
    login: str | None = None,
    devices: bool = True,
    **options: Any,
) -> Person:
    """Somebody new, with a camera of this colour (none: Chromium's own), signed in by a login or not."""
    if browser.browser_type.name == "chromium":  # Firefox has none to give; it is started so that it does not ask
        options.setdefault("permissions", ["camera", "microphone"] if devices else [])
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    tone = 300 + 100 * list(COLOURS).index(colour) if colour else 0
    context.add_init_script(f"({DEVICES})({[COLOURS[colour] if colour else '', tone]!r})")
    if login:
        sign_in(context, url, login)
    made = Person(context, context.new_page())
    made.watch()
    return made


@pytest.fixture
def person(chromium: Browser, practice: Practice) -> Iterator[Callable[..., Person]]:
    """Makes people; at the end of the test each must have a clean console and have asked our own host only."""
    people: list[tuple[Person, str]] = []

    def make(
        colour: str | None = None, *, own: str | None = None, browser: Browser | None = None, **options: Any
    ) -> Person:
        made = meet(browser or chromium, practice.url, colour, **options)
        people.append((made, own or f"localhost:{practice.port}"))
        return made

    yield make
    for each, _ in people:
        each.context.close()
    for each, own in people:
        each.check(own)


def sign_in(context: BrowserContext, url: str, login: str) -> None:
    """The cookie that a real sign-in sets (test_sign_in.py does it with the form)."""
    context.add_cookies([{"name": "hc-login", "value": login, "url": url, "httpOnly": True, "sameSite": "Lax"}])
