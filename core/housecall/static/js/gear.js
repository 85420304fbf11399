// While a call runs: what is plugged in is offered, never taken; a phone may turn to its rear camera. Loaded once somebody is connected.

import { part, say } from "./page.js";
import { notice } from "./surface.js";
import { list, take } from "./swap.js";
import { text } from "./text.js";

let watched = null, known = [];

export async function watch(devices) {
  if (watched) return;
  watched = devices;
  known = await all();
  part("flip").onclick = flip;
  devices.addEventListener("change", flippable);
  navigator.mediaDevices.addEventListener("devicechange", changed);
  flippable();
}

const all = async () => (await Promise.all(["audioinput", "videoinput", "audiooutput"].map(list))).flat().filter(each => each.deviceId !== "default");

// -- what is new

async function changed() {
  const now = await all(), before = new Set(known.map(each => each.deviceId)), there = new Set(now.map(each => each.deviceId));
  const things = new Map();                              // a headset is one thing, though it is a microphone and a speaker
  for (const each of now) if (!before.has(each.deviceId)) things.set(each.groupId, [...things.get(each.groupId) ?? [], each]);
  known = now;
  if (watched.sink && watched.sink !== "default" && !there.has(watched.sink)) {
    watched.sink = "";                                   // the default
    watched.changed();
    notice(text("Your speaker was unplugged. We go on with another one."));
  }
  for (const old of document.querySelectorAll(".offer")) if (!there.has(old.dataset.device)) old.remove();
  if (part("main").dataset.state === "call") for (const each of things.values()) offer(each);
  flippable();
}

function offer(each) {
  const line = Object.assign(document.createElement("div"), { className: "offer" });
  const words = Object.assign(document.createElement("p"), { textContent: text("New: {label}", { label: each[0].label || text("a device without a name") }) });
  const button = (label, kind, press) => Object.assign(document.createElement("button"), {
    type: "button", className: `button ${kind}`, textContent: label, onclick() { line.remove(); press?.(); },
  });
  line.dataset.device = each[0].deviceId;
  line.append(words, button(text("Use it"), "primary", () => use(each)), button(text("Not now"), "quiet"));
  part("offers").append(line);
  say(`${words.textContent}. ${text("You can use it with the button in the call.")}`);
}

async function use(each) {
  for (const { kind, deviceId } of each) {
    if (kind === "audioinput") await take(watched, "audio", { deviceId: { exact: deviceId } });
    else if (kind === "videoinput") await take(watched, "video", { deviceId: { exact: deviceId } });
    else watched.sink = deviceId;
  }
  watched.changed();
}

// -- front and rear

async function flippable() {
  const cameras = navigator.maxTouchPoints > 0 ? await list("videoinput") : [];
  part("flip").hidden = cameras.length < 2 || watched.cameraOff || !watched.video;
}

async function flip() {
  const facing = watched.facing === "environment" ? "user" : "environment";
  part("flip").disabled = true;
  const came = await take(watched, "video", { facingMode: { exact: facing } });
  part("flip").disabled = false;
  say(!came ? text("That camera could not be started.") : watched.facing === "environment" ? text("The rear camera is on.") : text("The front camera is on."));
}
