// What a call looks like: tiles of the others, one's own picture, and the bar. The same on both sides.

import { ask, part, say } from "./page.js";
import { text } from "./text.js";

export class Stage {
  // devices: a Devices; end(): what "End visit" does once it is confirmed
  constructor({ devices, end }) {
    this.devices = devices;
    this.tiles = new Map();
    part("mute").onclick = () => devices.mute(!devices.muted);
    part("camera").onclick = () => devices.camera(devices.cameraOff || !devices.video);
    part("end").onclick = async () => { if (await ask(part("ending")) === "end") end(); };
    part("hear").onclick = () => this.play();
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") this.play(); });
    devices.addEventListener("change", () => this.own());
    this.own();
  }
  open({ media, started, now }) {
    this.audioOnly = media === "audio";
    part("camera").hidden = this.audioOnly;
    part("picture")?.toggleAttribute("hidden", this.audioOnly);
    this.offset = now - Date.now();
    clearInterval(this.timer);
    this.tick(started);
    this.timer = setInterval(() => this.tick(started), 1000);
    this.own();
  }
  close() {
    clearInterval(this.timer);
    for (const id of [...this.tiles.keys()]) this.gone(id);
    for (const id of ["line", "hear", "calm", "instead"]) part(id)?.toggleAttribute("hidden", true);
    if (part("ending").open) part("ending").close("");
  }
  tick(started) {
    const seconds = Math.max(0, Math.round((Date.now() + this.offset - started) / 1000));
    part("timer").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  // One's own side: the bar's two switches, and the small picture.
  own() {
    const { devices } = this;
    const cameraOff = devices.cameraOff || !devices.video;
    for (const button of [part("mute"), part("mute-waiting")]) if (button) {
      button.setAttribute("aria-pressed", String(devices.muted));
      button.lastElementChild.textContent = devices.muted ? text("Unmute") : text("Mute");
      button.disabled = !devices.audio;
    }
    for (const button of [part("camera"), part("camera-waiting")]) if (button) {
      button.setAttribute("aria-pressed", String(cameraOff));
      button.lastElementChild.textContent = cameraOff ? text("Turn camera on") : text("Turn camera off");
      button.disabled = devices.state === "asking";
    }
    for (const place of [part("self-stage"), part("self-waiting")]) if (place) {
      const video = place.querySelector("video");
      if (cameraOff) video?.remove();
      else if (video?.srcObject?.getVideoTracks()[0] !== devices.video) {
        video?.remove();
        const fresh = Object.assign(document.createElement("video"), { muted: true, playsInline: true, autoplay: true });
        fresh.setAttribute("aria-label", text("Your own picture"));
        fresh.srcObject = new MediaStream([devices.video]);
        place.append(fresh);
        fresh.play().catch(() => {});
      }
      place.dataset.camera = cameraOff ? "off" : "on";
    }
  }

  // The others.
  tile(row) {
    const tile = part("tile").content.firstElementChild.cloneNode(true);
    tile.dataset.seat = row.id;
    const name = row.name || (row.role === "patient" ? text("Patient") : text("Provider"));
    tile.querySelector(".who").textContent = name;
    tile.querySelector(".why").textContent = text("Connecting to {name} …", { name });
    part("tiles").append(tile);
    this.tiles.set(row.id, { tile, name, connected: false, media: {} });
  }
  track(id, kind, track) {
    const at = this.tiles.get(id);
    if (!at || kind === "screen") return;
    const element = at.tile.querySelector(kind === "audio" ? "audio" : "video");
    element.srcObject = new MediaStream([track]);
    this.start(element);
  }
  start(element) {
    element.play().catch(error => {
      if (error.name === "NotAllowedError" && element.localName === "audio") part("hear").hidden = false;
    });
  }
  play() {
    part("hear").hidden = true;
    for (const { tile } of this.tiles.values()) for (const element of tile.querySelectorAll("audio, video")) if (element.srcObject) this.start(element);
  }
  media(id, { mic, camera }) {
    const at = this.tiles.get(id);
    if (!at) return;
    const muted = mic === false, before = at.media;
    at.media = { muted, off: camera === false };
    at.tile.querySelector(".muted-flag").hidden = !muted;
    at.tile.dataset.camera = at.media.off ? "off" : "on";
    at.tile.dataset.muted = String(muted);
    if (before.muted !== undefined && before.muted !== muted) say(muted ? text("{name} is muted", at) : text("{name} is not muted any more", at));
    if (before.off !== undefined && before.off !== at.media.off) say(at.media.off ? text("{name} turned the camera off", at) : text("{name} turned the camera on", at));
    this.why(at);
  }
  state(id, state) {
    const at = this.tiles.get(id);
    if (!at) return;
    const connected = state === "connected";
    if (connected && !at.connected) say(text("Connected with {name}", at));
    at.connected ||= connected;
    at.tile.dataset.state = connected ? "connected" : at.connected ? "broken" : "connecting";
    this.why(at);
    const broken = [...this.tiles.values()].some(other => other.tile.dataset.state === "broken");
    part("line").hidden = !broken;
    part("line").textContent = broken ? text("The connection is interrupted. We are bringing it back …") : "";
  }
  // How good the line is, as lines.js says it.
  async quality(id, line) {
    const { show } = await import("./quality-badge.js"), at = this.tiles.get(id);
    if (at) show(this, at, line);
  }
  why(at) {
    const state = at.tile.dataset.state;
    at.tile.querySelector(".why").textContent =
      state === "connecting" ? text("Connecting to {name} …", at) :
      state === "broken" ? text("Reconnecting to {name} …", at) :
      this.audioOnly ? text("You are talking with {name}", at) :
      at.media.off ? text("{name}'s camera is off", at) : at.paused ?? "";
  }
  gone(id) {
    const at = this.tiles.get(id);
    if (!at) return;
    for (const element of at.tile.querySelectorAll("audio, video")) element.srcObject = null;
    at.tile.remove();
    this.tiles.delete(id);
    this.lines?.();
  }
}
