// What seldom happens to cameras and microphones: another one is chosen, one goes, one falls silent. Loaded when it does.

import { attempt, permission } from "./devices.js";
import { notice } from "./surface.js";
import { text } from "./text.js";

const HUSH = 3000; // ms of silence after which a device is held back: by a telephone call, an assistant, another program
const NAMES = { audio: "microphone", video: "camera" };

// Those of a kind ("audioinput", "videoinput", "audiooutput") that may be told apart.
export async function list(kind) {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter(each => each.kind === kind && each.deviceId && each.deviceId !== "communications");
}

// Another camera or microphone instead of ours; a call goes on with it. want: constraints that choose it. Says whether it came.
export async function take(devices, kind, want) {
  const before = devices.choice[kind], { visits } = devices;
  devices.choice[kind] = want;
  if (!devices[kind]) return true;                       // off: it is meant for later
  devices.state = "asking";
  if (kind === "video") devices.video.stop();            // phones open one camera at a time
  let { stream } = await attempt({ [kind]: devices.wish(kind) });
  const came = Boolean(stream);
  if (!came) {
    devices.choice[kind] = before;
    if (kind === "video") ({ stream } = await attempt({ video: devices.wish("video") }));
  }
  if (stream) devices.got(stream, visits, devices.problem?.device === NAMES[kind] ? null : devices.problem);
  else if (kind === "video") {
    devices.drop();
    devices.fail({ kind: "broken", device: "camera" });
  } else {
    devices.state = devices.problem ? "partly" : "on";
    devices.changed();
  }
  return came;
}

// The microphone anew, with or without what browsers do to its sound. Nothing changes that in a track that is there; and while
// one is open, Chromium gives the same sound once more, or another microphone.
export async function tune(devices, sound) {
  const before = devices.sound, { audio } = devices;
  const to = now => {
    devices.sound = now;
    return take(devices, "audio", devices.choice.audio);
  };
  audio?.stop();
  const came = await to({ ...before, ...sound });
  if (!came && !await to(before)) devices.lost("audio", audio);
  devices.changed();
  return came;
}

// Ours has ended. One that was unplugged has the default instead; a permission that was taken back is only told.
export async function heal(devices, kind, track) {
  const { deviceId } = track.getSettings(), device = NAMES[kind];
  const there = (await navigator.mediaDevices.enumerateDevices()).filter(each => each.kind === `${kind}input` && each.deviceId);
  const gone = there.length > 0 && !there.some(each => each.deviceId === deviceId);
  if (!gone && await permission(device) !== "granted") return devices.fail({ kind: "revoked", device });
  if (devices[kind] || devices.stopped || (kind === "video" && devices.cameraOff)) return;
  devices.choice[kind] = kind === "video" ? { facingMode: "user" } : {};
  await devices.ask();
  const { label } = devices[kind] ?? {};
  if (label !== undefined) notice(kind === "audio" ? text("Your microphone was unplugged. We go on with another one: {label}", { label }) : text("Your camera was unplugged. We go on with another one: {label}", { label }));
}

// Ours is there and gives nothing. When the person returns to the page it is asked for again.
export function hushed(devices, kind, track) {
  const ours = () => devices[kind] === track && track.muted;
  const back = () => { if (ours() && document.visibilityState === "visible") devices.ask(); };
  const over = new AbortController(), { signal } = over;
  const timer = setTimeout(() => {
    if (!ours()) return over.abort();
    devices.fail({ kind: "interrupted", device: NAMES[kind] });
    document.addEventListener("visibilitychange", back, { signal });
    addEventListener("focus", back, { signal });
  }, HUSH);
  track.addEventListener("unmute", () => {
    clearTimeout(timer);
    over.abort();
    if (devices[kind] !== track || devices.problem?.kind !== "interrupted") return;
    devices.problem = null;
    devices.state = "on";
    devices.changed();
  }, { signal });
  track.addEventListener("ended", () => over.abort(), { signal });
}
