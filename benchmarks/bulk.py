"""How fast a file goes from browser to browser: in a call with the plugin *files*, and by a page of one DataChannel.

That page sends nothing else (`bare`), or has a call by sound beside it (`sound`), as ours has. Both browsers are on one
machine, whose processor is the limit, or have a line between them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from housecall.testing.acts import check_in, connected, open_dashboard, start
from housecall.testing.people import sign_in
from housecall.testing.practice import Practice

from .pages import browser
from .recovery import laboratory

Row = dict[str, Any]

PLUGINS = 'plugins = ["files"]\n'
TOML = f'[server]\n[clinic.main]\nname = "Elm Street Practice"\n{PLUGINS}'
#: A file of that many MiB, of which only one is in memory.
FILE = "new File(Array(mib).fill(new Blob([new Uint8Array(2 ** 20)])), 'scan.bin')"
#: Both sides speak and hear, where `sound` is true.
SPEAK = """
  if (sound) {
    pc.ontrack = ({ streams }) => { Object.assign(new Audio(), { srcObject: streams[0] }).play(); };
    const heard = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of heard.getTracks()) pc.addTrack(track, heard);
  }
"""
OFFER = f"""async sound => {{
  window.pc = new RTCPeerConnection();
  {SPEAK}
  window.channel = pc.createDataChannel("bare");
  await pc.setLocalDescription();
  await new Promise(done => {{ pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done(); }});
  return pc.localDescription.sdp;
}}"""
ANSWER = f"""async ([sdp, mib, sound]) => {{
  window.pc = new RTCPeerConnection();
  {SPEAK}
  let came = 0;
  pc.ondatachannel = ({{ channel }}) => {{
    channel.binaryType = "arraybuffer";
    const parts = [];
    channel.onmessage = ({{ data }}) => {{
      parts.push(data);
      came += data.byteLength;
      if (came === mib * 2 ** 20) window.arrived = performance.timeOrigin + performance.now();
    }};
  }};
  await pc.setRemoteDescription({{ type: "offer", sdp }});
  await pc.setLocalDescription();
  await new Promise(done => {{ pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done(); }});
  return pc.localDescription.sdp;
}}"""
SEND = f"""async mib => {{
  const file = {FILE}, chunk = 65536, began = performance.timeOrigin + performance.now();
  channel.bufferedAmountLowThreshold = 65536;
  for (let at = 0; at < file.size; at += chunk) {{
    if (channel.bufferedAmount > 262144) await new Promise(low => {{ channel.onbufferedamountlow = low; }});
    channel.send(await file.slice(at, at + chunk).arrayBuffer());
  }}
  return began;
}}"""
GIVE = f"""mib => {{
  const all = new DataTransfer(), input = document.querySelector("#side .files-input");
  all.items.add({FILE});
  input.files = all.files;
  const began = performance.timeOrigin + performance.now();
  input.dispatchEvent(new Event("change"));
  return began;
}}"""
WATCH = """() => {
  const timer = setInterval(() => {
    if (!document.querySelector("#side .files-state[data-state=done]")) return;
    window.arrived = performance.timeOrigin + performance.now();
    clearInterval(timer);
  }, 5);
}"""


def measure(name: str, mib: int) -> Iterator[Row]:
    """MB a second from the first byte to the last, which is whole and the same where that is checked."""
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        practice = Practice(Path(folder) / "site", toml=TOML).start()
        try:
            yield _given(name, practice, chromium, chromium, mib)
        finally:
            practice.stop()


def over(name: str, mib: int, rate: str) -> Iterator[Row]:
    """The same from host to host, where the one that gives sends at most so much: "50mbit"."""
    with laboratory() as lab:
        lab.toml += PLUGINS
        practice = lab.open()
        gives, takes = lab.browser("a"), lab.browser("b")
        lab.net.squeeze("a", rate)
        yield {**_given(name, practice, gives, takes, mib), "rate": rate}


def _given(name: str, practice: Practice, here: Browser, there: Browser, mib: int) -> Row:
    contexts = [each.new_context(permissions=["camera", "microphone"]) for each in (here, there)]
    for context in contexts:
        context.set_default_timeout(120_000)
    room = practice.room(media="audio")
    sign_in(contexts[0], practice.url, room.login)
    gives, takes = (context.new_page() for context in contexts)
    if name != "housecall":
        began = _bare(gives, takes, f"{practice.url}/help", mib, sound=name == "sound")
    else:
        open_dashboard(gives, practice.url)
        check_in(takes, room.url, "Grace Hopper")
        start(gives, "Grace Hopper")
        connected(gives, takes)
        for page in (gives, takes):
            page.get_by_role("button", name="Files").click()
        takes.evaluate(WATCH)
        began = gives.evaluate(GIVE, mib)
    arrived = takes.wait_for_function("() => window.arrived").json_value()
    return {"do": "files", "mib": mib, "mb_s": round(mib * 2**20 / 1e3 / (arrived - began), 1)}


def _bare(gives: Page, takes: Page, url: str, mib: int, *, sound: bool) -> float:
    for page in (gives, takes):
        page.goto(url)
    sdp = takes.evaluate(ANSWER, [gives.evaluate(OFFER, sound), mib, sound])
    gives.evaluate("sdp => pc.setRemoteDescription({ type: 'answer', sdp })", sdp)
    gives.wait_for_function("() => channel.readyState === 'open'")
    began: float = gives.evaluate(SEND, mib)
    return began
