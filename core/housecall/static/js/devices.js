// This side's camera and microphone: asked for in a gesture, each optional, with words for everything that can go wrong.

import { text } from "./text.js";

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 } };
const NAMES = { audio: "microphone", video: "camera" };

export class Devices extends EventTarget {
  // state: off, asking, on, partly (one of the two), failed. problem: {kind, device} or null. Fires "change".
  // filter: what a part makes of the camera's picture: {track, take(camera's track or null), stop()}; owner: whose part
  // withheld: what hid the room was switched off, or went with a reload, before a visit: the next one begins without camera
  constructor({ camera = true } = {}) {
    super();
    const { muted = false, unseen = false } = history.state ?? {}; // before this page was loaded anew
    Object.assign(this, { wanted: camera, audio: null, video: null, state: "off", problem: null, muted, cameraOff: !camera || unseen, withheld: unseen, visits: 0, loan: null, filter: null, owner: "" });
    this.choice = { audio: {}, video: { facingMode: "user" } }; // which one of several, as constraints; sink: which speaker
    this.sound = { noise: true, clinical: false };      // whether noise is taken out; whether the sound is sent as it is, for a stethoscope
    navigator.mediaDevices?.addEventListener?.("devicechange", () => { if (this.problem?.kind === "missing" || this.problem?.kind === "unplugged") this.ask(); });
    this.follow();
  }
  // Whether what is sent is what the microphone gives: wanted, and done by the browser.
  get clinical() { return this.sound.clinical && this.audio?.getSettings().echoCancellation === false; }
  // What is sent and shown of the camera: its own picture, or what a part makes of it. Never the one while the other is wanted.
  get picture() { return this.video && (this.filter?.track ?? this.video); }
  get tracks() { return [this.audio, this.cameraOff ? null : this.picture]; }
  changed() {
    const { wanted, muted, cameraOff, filter } = this;
    history.replaceState({ muted, unseen: filter !== null || wanted && cameraOff }, ""); // what is neither seen nor heard stays so over a reload
    this.filter?.take(this.cameraOff ? null : this.video);
    this.dispatchEvent(new Event("change"));
  }
  // The filter that was put in last is the one that counts; null: the camera's own picture.
  wear(filter, owner = "") {
    this.filter?.stop();
    Object.assign(this, { filter, owner, withheld: this.withheld && !filter });
    this.changed();
  }
  wish(kind) { return { ...kind === "audio" ? this.hearing : PICTURE, ...this.choice[kind] }; }
  get hearing() {
    const { noise, clinical } = this.sound;
    return { echoCancellation: !clinical, noiseSuppression: noise && !clinical, autoGainControl: !clinical };
  }
  get facing() { return this.video?.getSettings().facingMode ?? this.choice.video.facingMode?.exact ?? "user"; }

  // Ask for what is wanted and not there. The browser may ask the person; the answer may take as long as it likes.
  async ask() {
    if (this.stopped || this.state === "asking" || this.loan) return; // who has borrowed the camera gives it back (loan.js)
    if (!navigator.mediaDevices?.getUserMedia) return this.fail({ kind: "insecure", device: "both" });
    this.state = "asking";
    this.problem = null;
    for (const kind of ["audio", "video"]) if (this[kind]?.muted) this.drop(kind); // held back by the device: asked for anew
    this.changed();
    const camera = this.wanted && !this.cameraOff && !this.video;
    const microphone = !this.audio, { visits } = this;
    const first = await attempt({ audio: microphone && this.wish("audio"), video: camera && this.wish("video") });
    if (first.stream) return this.got(first.stream, visits);
    if (camera && microphone) {
      const second = await attempt({ audio: this.wish("audio") });
      if (second.stream) return this.got(second.stream, visits, { kind: first.kind, device: "camera" });
      const third = first.kind === "missing" || first.kind === "busy" ? await attempt({ video: this.wish("video") }) : {};
      if (third.stream) return this.got(third.stream, visits, { kind: second.kind, device: "microphone" });
    }
    if (visits === this.visits) this.fail({ kind: first.kind, device: camera && microphone ? "both" : camera ? "camera" : "microphone" });
  }
  // What the browser gave, perhaps long after it was asked: for a visit that is over, or a camera no longer wanted.
  got(stream, visits, problem = null) {
    if (this.stopped || visits !== this.visits) return stream.getTracks().forEach(track => track.stop());
    const [audio] = stream.getAudioTracks(), [video] = stream.getVideoTracks();
    if (this.cameraOff && problem?.device === "camera") problem = null;
    if (audio) {
      this.have("audio", audio);
      audio.enabled = !this.muted;
    }
    if (video && (this.cameraOff || this.loan)) video.stop();
    else if (video) this.have("video", video);
    this.problem = problem;
    this.state = problem ? "partly" : "on";
    this.changed();
  }
  have(kind, track) {
    this[kind]?.stop();
    this[kind] = track;
    track.addEventListener("ended", () => this.lost(kind, track));
    track.addEventListener("mute", () => this.after("hushed", kind, track));
  }
  fail(problem) {
    this.problem = problem;
    this.state = this.audio || this.video ? "partly" : "failed";
    this.changed();
  }
  lost(kind, track) {                                  // unplugged, or the permission was taken back
    if (this[kind] !== track) return;
    this[kind] = null;
    this.fail({ kind: "unplugged", device: NAMES[kind] });
    this.after("heal", kind, track);
  }
  // What seldom happens (swap.js). Without it, where no server is, "Try again" does the same.
  after(what, kind, track) { import("./swap.js").then(swap => swap[what](this, kind, track), () => {}); }
  withoutCamera() {
    this.cameraOff = true;
    this.drop();
    if (this.problem?.device === "camera") this.problem = null;
    else if (this.problem?.device === "both") this.problem = { ...this.problem, device: "microphone" };
    if (this.audio) this.state = "on";
    this.changed();
  }
  mute(muted) {
    this.muted = muted;
    if (this.audio) this.audio.enabled = !muted;
    this.changed();
  }
  async camera(on) {
    this.cameraOff = !on;
    if (on) await this.ask();
    else {
      this.drop();
      this.changed();
    }
  }
  drop(kind = "video") {                               // stopped, so that the camera's light goes out
    this[kind]?.stop();
    this[kind] = null;
  }
  // keep: the visit may go on here, and what hid the room then hides it again.
  stop(keep) {
    this.stopped = true;
    this.visits += 1;
    this.loan?.back();
    this.drop("audio");
    this.drop();
    this.sound.clinical = false;
    this.problem = null;
    this.state = "off";
    if (keep) return this.changed();
    this.wear(null);
    history.replaceState(null, "");
  }
  restart() { this.stopped = false; }

  // A permission that is given later, in the browser's own settings, is noticed by itself.
  async follow() {
    for (const name of ["camera", "microphone"]) {
      try {
        const status = await navigator.permissions.query({ name });
        status.onchange = () => { if (status.state === "granted" && this.problem) this.ask(); };
      } catch { /* this browser does not tell */ }
    }
  }
}

// {stream}, or the {kind} of what went wrong. What is chosen and not there any more is as good as any other.
export async function attempt(wanted) {
  try {
    return { stream: await navigator.mediaDevices.getUserMedia(wanted) };
  } catch (error) {
    if (error.name === "OverconstrainedError" && !wanted.plain) return attempt({ audio: wanted.audio && { ...wanted.audio, deviceId: undefined }, video: Boolean(wanted.video), plain: true });
    return { kind: await kind(error, wanted) };
  }
}

async function kind(error, wanted) {
  if (error.name === "NotFoundError") return "missing";
  if (error.name === "NotReadableError") return "busy";
  if (error.name !== "NotAllowedError") return "broken";
  return { denied: "denied", prompt: "dismissed", granted: "system" }[await permission(wanted.video ? "camera" : "microphone")];
}

// "granted", "prompt" or "denied"; "denied" too where the browser does not tell.
export async function permission(name) {
  try {
    return (await navigator.permissions.query({ name })).state;
  } catch {
    return "denied";
  }
}

// What happened and what to do, for a problem of devices.
export function words({ kind, device }) {
  const name = { camera: text("camera"), microphone: text("microphone"), both: text("camera and microphone") }[device];
  if (kind === "missing" && device === "both") return text("Neither a camera nor a microphone was found. Plug one in, or go on without.");
  switch (kind) {
    case "denied": return text("Your browser blocks {name} for this page. Press the lock or camera sign beside the address, allow it, and we go on by ourselves.", { name });
    case "dismissed": return text("Your browser asked for {name} and got no answer. Press “Try again”, then “Allow”.", { name });
    case "system": return text("Your device does not let this browser use {name}. Allow it in the device's settings, then press “Try again”.", { name });
    case "missing": return text("No {name} was found. Plug one in, or go on without it.", { name });
    case "busy": return text("Another program uses your {name}. Close it, then press “Try again”.", { name });
    case "unplugged": return text("Your {name} was unplugged. Plug it in again, or press “Try again” to use another.", { name });
    case "revoked": return text("Your browser does not allow the {name} any more. Allow it again beside the address, and we go on by ourselves.", { name });
    case "interrupted": return text("Your device holds the {name} back, perhaps for a telephone call. It comes back when you return to this page.", { name });
    case "insecure": return text("This browser gives no page a camera here. Open the link in Chrome, Edge, Firefox or Safari.");
    default: return text("Your {name} could not be started. Press “Try again”, or go on without it.", { name });
  }
}
