"""In Chromium: from a link to the first frame of the other side, and what pages weigh."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from housecall.testing.parts import find

from .running import HERE, Server, node, serve

Row = dict[str, Any]

#: Says on the clock of the machine when the first frame of the far side (a video `far`) was shown: `window.framed`.
#: `act` is done as soon as the page can: it is asked again whenever the page changes.
WATCH = """
([far, act]) => {
  const now = () => performance.timeOrigin + performance.now(), todo = act && new Function("now", act);
  const watched = new WeakSet();
  let acted = !act;
  const look = () => {
    if (!acted) acted = todo(now);
    for (const video of document.querySelectorAll(far)) if (!watched.has(video)) {
      watched.add(video);
      video.requestVideoFrameCallback(() => { window.framed ??= now(); });
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
}
"""
CHECK_IN = """
  if (!document.querySelector("main[data-ready]")) return false;
  window.ready = now();
  document.querySelector("#name").value = "Grace Hopper";
  document.querySelector("#check-in button").click();
  return true;
"""
#: The moment in which a page can be used, on its own clock.
READY = """
new MutationObserver((changes, watch) => {
  if (!document.querySelector("main[data-ready], body[data-ready]")) return;
  performance.mark("ready");
  watch.disconnect();
}).observe(document, { childList: true, subtree: true, attributes: true });
"""
#: [bytes, is it a script or a style], for each request that went over the line
ASKED = """early => {
  const until = early ? performance.getEntriesByName("ready")[0].startTime : Infinity;
  return [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter(each => each.transferSize > 0 && each.startTime < until)
    .map(each => [each.encodedBodySize, /\\.(js|css)$/.test(each.name)]);
}"""
START = """
  const named = each => (each.ariaLabel ?? each.textContent).includes("Start visit with Grace");
  const button = [...document.querySelectorAll("button")].find(named);
  if (!button || button.disabled) return false;
  window.clicked = now();
  button.click();
  return true;
"""
PRESS = """() => {
  const clicked = performance.timeOrigin + performance.now();
  document.querySelector(".start").click();
  return clicked;
}"""
CALL = "() => { const clicked = performance.timeOrigin + performance.now(); ring(); return clicked; }"
#: Says when the page was given its camera: `window.camera`.
CAMERA = """
if (navigator.mediaDevices) {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (...wanted) => {
    const stream = await ask(...wanted);
    window.camera = performance.timeOrigin + performance.now();
    return stream;
  };
}
"""
WAITED = 2000  #: ms that a patient has waited at least
RING = "window.started = () => { window.clicked ??= now(); }; return true;"


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium with fake devices."""
    with sync_playwright() as playwright:
        arguments = ["--use-fake-device-for-media-stream", "--allow-loopback-in-peer-connection"]
        arguments += ["--disable-background-networking", "--autoplay-policy=no-user-gesture-required"]
        chromium = playwright.chromium.launch(executable_path=find("chromium"), args=arguments)
        try:
            yield chromium
        finally:
            chromium.close()


def _figures(page: Page, *, early: bool = False) -> Row:
    """Requests; KiB of all and of scripts and styles, as compressed. `early`: what began before the page was ready."""
    rows = page.evaluate(ASKED, early)
    return {
        "requests": len(rows),
        "kib": round(sum(size for size, _ in rows) / 1024, 1),
        "code_kib": round(sum(size for size, code in rows if code) / 1024, 1),
    }


@contextmanager
def meeting(name: str) -> Iterator[tuple[Server, BrowserContext, BrowserContext]]:
    """A server and two people's browsers, with camera and microphone allowed."""
    with serve("tuned" if name == "demo" else name) as server, browser() as chromium:
        provider, patient = (
            chromium.new_context(permissions=["camera", "microphone"], base_url=f"http://localhost:{server.port}")
            for _ in range(2)
        )
        for context in (provider, patient):
            context.set_default_timeout(60_000)
        yield server, provider, patient


#: The same picture for all, whatever a page would like best.
SAME = """{
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia.bind(devices);
  if (ask) devices.getUserMedia = ({ audio, video }) => ask({ audio, video: video && { width: 640, height: 480 } });
}"""


def cpu(name: str, seconds: float) -> Iterator[Row]:
    """CPU of the processes of two pages in a connected call, each in per cent of a core."""
    with meeting(name) as (server, provider, patient):
        for context in (provider, patient):
            context.add_init_script(SAME)
        waits, comes, _ = _call(server, provider, patient)
        for page in (waits, comes):
            page.wait_for_function("() => window.framed")
            page.wait_for_timeout(4000)  # the picture has its full size, and what is loaded lazily is there
        browser = provider.browser
        assert browser is not None
        session = browser.new_browser_cdp_session()

        def spent() -> float:
            told = session.send("SystemInfo.getProcessInfo")["processInfo"]
            return float(sum(each["cpuTime"] for each in told if each["type"] == "renderer"))

        before = spent()
        comes.wait_for_timeout(seconds * 1000)
        yield {"do": "page_cpu", "pct": round((spent() - before) / seconds / 2 * 100, 1)}


def _watch(context: BrowserContext, far: str, act: str) -> None:
    context.add_init_script(f"({WATCH})({[far, act]!r})")


def _call(server: Server, provider: BrowserContext, patient: BrowserContext) -> tuple[Page, Page, Row]:
    """Somebody waits, another comes: their pages, and what the first had asked for until then."""
    if server.house:
        hall = server.house["hall"]
        base = f"http://localhost:{server.port}"
        provider.add_cookies([{"name": "hc-login", "value": hall["login"], "url": base}])
        _watch(provider, ".tile video", START)
        _watch(patient, ".tile video", CHECK_IN)
        there, link, ready = "/dashboard", f"/{hall['slug']}", "main[data-ready]"
    else:
        _watch(provider, "#far", RING)
        _watch(patient, "#far", "")
        there, link, ready = "/demo?room", "/demo?room", "body[data-ready]"
    waits, comes = provider.new_page(), patient.new_page()
    waits.goto(there)
    waits.wait_for_selector(ready, state="attached")
    waits.wait_for_timeout(1000)  # a dashboard that is open already has settled
    before = _figures(waits)
    comes.goto(link)
    return waits, comes, before


def frame(name: str) -> Iterator[Row]:
    """From the navigation of the second page, and from the provider's click, to the far picture on the slower side."""
    with meeting(name) as (server, provider, patient):
        waits, comes, before = _call(server, provider, patient)
        times = [page.wait_for_function("() => window.framed").json_value() for page in (waits, comes)]
        began = comes.evaluate("performance.timeOrigin")
        clicked = waits.evaluate("window.clicked")
        comes.wait_for_timeout(1000)  # what the call still loads after its first frame
        yield {
            "do": "frame",
            "ms": round(max(times) - began, 1),
            "click_ms": round(max(times) - clicked, 1),
            "provider_ms": round(times[0] - began, 1),
            "patient_ms": round(times[1] - began, 1),
            **_figures(comes),
            "provider_requests": before["requests"],
            "provider_code_kib": before["code_kib"],
            "cores": len(os.sched_getaffinity(0)),
        }


def click(name: str) -> Iterator[Row]:
    """From the provider's click to the far picture on the slower side, with a patient who has waited for a moment."""
    with meeting(name) as (server, provider, patient):
        _watch(provider, ".tile video" if server.house else "#far", "")
        _watch(patient, ".tile video" if server.house else "#far", CHECK_IN if server.house else "")
        provider.add_init_script(CAMERA)
        if server.house:
            base = f"http://localhost:{server.port}"
            provider.add_cookies([{"name": "hc-login", "value": server.house["hall"]["login"], "url": base}])
        waits, comes = provider.new_page(), patient.new_page()
        waits.goto("/dashboard" if server.house else "/demo?room#later")
        comes.goto(f"/{server.house['hall']['slug']}" if server.house else "/demo?room#later")
        for page, ready in ((waits, ".start:enabled"), (comes, 'main[data-state="waiting"]')):
            page.wait_for_selector(ready if server.house else "body[data-ready]", state="attached")
        comes.wait_for_timeout(WAITED)
        clicked = waits.evaluate(PRESS if server.house else CALL)
        times = [page.wait_for_function("() => window.framed").json_value() for page in (waits, comes)]
        camera = waits.evaluate("window.camera")
        yield {
            "do": "click",
            "ms": round(max(times) - clicked, 1),
            "provider_ms": round(times[0] - clicked, 1),
            "camera_ms": round(max(0, camera - clicked), 1),  # a camera that was on before costs nothing
        }


def weight(name: str) -> Iterator[Row]:
    """What the patient's page loads until "Check in" can be pressed (the demo: until its camera is there)."""
    with meeting(name) as (server, _, patient):
        patient.add_init_script(READY)
        page = patient.new_page()
        page.goto(f"/{server.house['hall']['slug']}" if server.house else "/demo?alone")
        page.wait_for_selector("main[data-ready]" if server.house else "body[data-ready]", state="attached")
        yield {"do": "weight", **_figures(page, early=True)}


def lighthouse(name: str) -> Iterator[Row]:
    """What Lighthouse says of the patient's page on a slow phone: its score, and ms until it shows and reacts."""
    folder = HERE / "lighthouse"
    with serve(name) as server:
        assert server.house
        url = f"http://localhost:{server.port}/{server.house['hall']['slug']}"
        command = [node(folder), str(folder / "node_modules/lighthouse/cli/index.js"), url, "--output=json", "--quiet"]
        command += ["--only-categories=performance", "--chrome-flags=--headless=new --no-sandbox --disable-gpu"]
        environment = {**os.environ, "CHROME_PATH": str(find("chromium"))}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(done.stderr.strip()[-300:])
    said = json.loads(done.stdout)
    shown = {"fcp_ms": "first-contentful-paint", "lcp_ms": "largest-contentful-paint", "tbt_ms": "total-blocking-time"}
    figures = {key: round(said["audits"][audit]["numericValue"]) for key, audit in shown.items()}
    yield {"do": "lighthouse", "score": round(100 * said["categories"]["performance"]["score"]), **figures}
