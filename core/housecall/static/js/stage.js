// What a call looks like: tiles of the others, one's own picture, and the bar. The same on both sides.

import { words } from "./devices.js";
import { ask, late, part, say } from "./page.js";
import { unreached } from "./surface.js";
import { text } from "./text.js";
import * as interrupted from "./interrupted.js";

const LONG = 15_000; // ms without a connection after which we say that it takes long

const GONE = ["unplugged", "revoked", "interrupted"]; // what happens to a device in the middle of a call
const LATER = 5000;                                    // ms of a connection until what is seldom needed is loaded

export class Stage {
  // devices: a Devices; end(): what "End visit" does once it is confirmed; loud(seat): how loud somebody is, 0 to 1
  constructor({ devices, end, loud }) {
    this.devices = devices;
    this.tiles = new Map();
    part("mute").onclick = () => devices.mute(!devices.muted);
    this.more(part("more"), part("extras"));
    part("view").onclick = () => late("./comfort.js").then(({ open }) => open(this, loud), unreached);
    part("self-stage").onpointerdown = event => late("./comfort.js").then(({ drag }) => drag(event), () => {});
    part("camera").onclick = () => devices.camera(devices.cameraOff || !devices.video);
    part("end").onclick = async () => { if (await ask(part("ending")) === "end") end(); };
    part("hear").onclick = () => this.play();
    part("trouble-again").onclick = () => devices.ask();
    part("trouble-close").onclick = () => { part("trouble").hidden = true; };
    for (const button of [part("choose"), part("choose-waiting")]) if (button) button.onclick = () => late("./choose.js").then(({ choose }) => choose(devices), unreached);
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") this.play(); });
    devices.addEventListener("change", () => this.own());
    this.own();
  }
  // On a small screen, what is seldom needed of the bar opens above it.
  more(button, extras) {
    const shown = () => button.getAttribute("aria-expanded") === "true";
    const close = () => {
      if (!shown()) return;
      button.focus();                                    // also for a dialog that gives the focus back later
      button.setAttribute("aria-expanded", "false");
    };
    button.onclick = () => shown() ? close() : button.setAttribute("aria-expanded", "true");
    extras.addEventListener("click", ({ target }) => { if (target.closest("button")) close(); }, true);
    extras.onchange = close;
    button.onkeydown = extras.onkeydown = ({ key }) => { if (key === "Escape") close(); };
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
    this.timer = clearInterval(this.timer);
    this.told = null;
    this.comfort?.close();
    part("trouble").hidden = true;
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
      else if (video?.srcObject?.getVideoTracks()[0] !== devices.picture) {
        video?.remove();
        const fresh = Object.assign(document.createElement("video"), { muted: true, playsInline: true, autoplay: true });
        fresh.setAttribute("aria-label", text("Your own picture"));
        fresh.srcObject = new MediaStream([devices.picture]);
        place.append(fresh);
        fresh.play().catch(() => {});
      }
      place.dataset.camera = cameraOff ? "off" : "on";
      place.dataset.facing = devices.facing;
    }
    if (this.timer) this.trouble();
    for (const { tile } of this.tiles.values()) this.sink(tile.querySelector("audio"));
  }
  // What is wrong with one's own devices; large where they went in the middle of a call.
  trouble() {
    const { problem } = this.devices, gone = Boolean(problem && GONE.includes(problem.kind));
    if (problem === this.told) return;
    this.told = problem;
    if (problem) say(words(problem));
    part("trouble").hidden = !problem;
    part("trouble").classList.toggle("gone", gone);
    part("trouble-words").textContent = problem ? words(problem) : "";
    part("trouble-again").classList.toggle("large", gone);
    part("trouble-again").textContent = !gone ? text("Try again") : problem.device === "camera" ? text("Turn camera back on") : text("Turn microphone back on");
  }
  sink(element) {
    const { sink } = this.devices;
    if (sink !== undefined && element.sinkId !== sink) element.setSinkId?.(sink).catch(() => {});
  }

  // The others.
  tile(row) {
    const tile = part("tile").content.firstElementChild.cloneNode(true);
    Object.assign(tile.dataset, { seat: row.id, kind: row.kind ?? "" });
    const name = row.name || (row.role === "patient" ? text("Patient") : row.role === "guest" ? text("Guest") : text("Provider"));
    tile.querySelector(".who").textContent = name;
    tile.querySelector(".why").textContent = text("Connecting to {name} …", { name });
    part("tiles").append(tile);
    const at = { tile, name, role: row.role, since: performance.now(), connected: false, media: {} };
    this.tiles.set(row.id, at);
    if (row.kind) import("./kinds.js").then(({ called }) => {
      at.name = tile.querySelector(".who").textContent = called(row);
      this.why(at);
    });
  }
  // Whether pictures go to each of us, by the rows of `seats`.
  seats(rows, me) {
    for (const { id, curtain = false } of rows) {
      const flag = this.tiles.get(id)?.tile.querySelector(".curtain-flag");
      if (flag) flag.hidden = !curtain;
      if (id !== me || curtain === Boolean(this.veiled)) continue;
      this.veiled = curtain;
      part("tiles").toggleAttribute("data-veiled", curtain);
      say(curtain ? text("You hear the others. Their pictures are hidden from you.") : text("You see the others now."));
      for (const at of this.tiles.values()) this.why(at);
    }
  }
  track(id, kind, track) {
    const at = this.tiles.get(id);
    if (!at) return;
    if (kind === "screen") {
      at.screen = track;
      return void this.screen(at);
    }
    const element = at.tile.querySelector(kind === "audio" ? "audio" : "video");
    element.srcObject = new MediaStream([track]);
    this.sink(element);
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
  // A screen that they show has a tile of its own.
  async screen(at) {
    if (!at.media.screen && !at.shown) return;
    const screens = await late("./screens.js").catch(() => null); // without the server: in a later second
    if (this.tiles.get(at.tile.dataset.seat) === at) screens?.show(this, at);
  }
  media(id, { mic, camera, screen, clinical }) {
    const at = this.tiles.get(id);
    if (!at) return;
    const muted = mic === false, before = at.media;
    at.media = { muted, off: camera === false, screen: screen === true, clinical: clinical === true };
    at.tile.querySelector(".muted-flag").hidden = !muted;
    at.tile.querySelector(".clinical-flag").hidden = !at.media.clinical;
    at.tile.dataset.camera = at.media.off ? "off" : "on";
    at.tile.dataset.muted = String(muted);
    if (before.muted !== undefined && before.muted !== muted) say(muted ? text("{name} is muted", at) : text("{name} is not muted any more", at));
    if (at.media.clinical !== Boolean(before.clinical)) say(at.media.clinical ? text("{name} sends unprocessed sound", at) : text("{name} sends ordinary sound again", at));
    if (before.off !== undefined && before.off !== at.media.off) say(at.media.off ? text("{name} turned the camera off", at) : text("{name} turned the camera on", at));
    this.why(at);
  }
  // whose: on whose side it is interrupted, if it is (interrupted.js)
  state(id, state, whose) {
    const at = this.tiles.get(id);
    if (!at) return;
    const connected = state === "connected";
    if (connected && !at.connected) {
      say(text("Connected with {name}", at));
      setTimeout(() => import("./gear.js").then(({ watch }) => watch(this.devices), () => {}), LATER);
    }
    at.connected ||= connected;
    at.tile.dataset.state = connected ? "connected" : at.connected ? "broken" : "connecting";
    this.why(at);
    at.whose = whose;
    this.interruption();
  }
  // One line for all that is interrupted; our own connection explains every other.
  interruption() {
    const broken = [...this.tiles.values()].filter(({ tile, since }) =>
      tile.dataset.state === "broken" || (tile.dataset.state === "connecting" && performance.now() - since > LONG));
    const worst = broken.find(at => at.whose === "ours") ?? broken[0];
    const line = part("line"), told = worst ? interrupted.words(worst.whose, worst.name, worst.connected) : "";
    if (told && told !== line.textContent) say(told);
    line.hidden = !told;
    line.textContent = told;
  }
  // How good the line is, as lines.js says it.
  async quality(id, line) {
    const badge = await import("./quality-badge.js").catch(() => null), at = this.tiles.get(id);
    if (at) badge?.show(this, at, line);                // without the server: in a later second
  }
  why(at) {
    this.screen(at);
    const state = at.tile.dataset.state;
    at.tile.querySelector(".why").textContent =
      state === "connecting" ? text("Connecting to {name} …", at) :
      state === "broken" ? text("Reconnecting to {name} …", at) :
      this.audioOnly ? text("You are talking with {name}", at) :
      at.tile.dataset.kind === "captioner" ? text("{name} writes what is said", at) :
      this.veiled ? text("You hear {name}. The picture is hidden from you.", at) :
      at.media.off ? text("{name}'s camera is off", at) : at.paused ?? "";
  }
  gone(id) {
    const at = this.tiles.get(id);
    if (!at) return;
    for (const element of at.tile.querySelectorAll("audio, video")) element.srcObject = null;
    at.tile.remove();
    at.shown?.remove();
    this.tiles.delete(id);
    if (at.role === "guest" && at.connected) say(text("{name} has left", at));
    this.interruption();
    this.lines?.();
  }
}
