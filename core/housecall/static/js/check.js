// The device check: camera, microphone, speaker and connection, each in words, and one verdict. On its own page and in the waiting room.

import { Chime } from "./chime.js";
import { words } from "./devices.js";
import { lent, relayed, wired } from "./loopback.js";
import { listen } from "./meter.js";
import { ready } from "./ready.js";
import { reason } from "./reasons.js";
import { text } from "./text.js";

const HEARD = 0.33;   // of the meter: a quiet voice
const QUIET = 6000;   // ms without one until we say so
const WHOLE = 20_000; // ms until there is a verdict, whatever is still open

const agent = navigator.userAgent;
const browser =
  /FBA[NV]\/|Instagram|Line\/|Snapchat|WhatsApp|MicroMessenger|LinkedInApp|; wv\)/.test(agent) ? "inside" :
  /iPhone|iPad/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1) ? "iphone" :
  /Firefox\//.test(agent) ? "firefox" : /Android/.test(agent) ? "android" : /Chrome\//.test(agent) ? "chrome" : "safari";
const system = browser === "iphone" ? "ios" : /Android/.test(agent) ? "android" : /Windows/.test(agent) ? "windows" : /Macintosh/.test(agent) ? "mac" : "other";

const ROADS = {
  none: () => ["good", text("The practice's server is reached. The practice has no relay of its own, so there is no more to test.")],
  works: () => ["good", text("Picture and sound get through, by strict networks too.")],
  relay_blocked: () => ["odd", text("This network may block the call. If it does, use another one, for example mobile data, or turn off a VPN.")],
  relay_refused: () => ["odd", text("The practice's relay does not work. Most calls do without it; please tell the practice.")],
  unknown: () => ["odd", text("The practice's server gave no answer. Test again in a minute.")],
  cut: () => ["bad", text("This network blocks the line to the practice's server. Use another one, for example mobile data, or turn off a VPN or filter.")],
};

// root: what _check.html made; settled({colour, found}): a verdict was given;
// now: it begins at once.
// Answers a function that ends it.
export function check({ root, devices, settled = () => {}, now = false }) {
  const row = name => root.querySelector(`[data-row="${name}"]`), button = name => root.querySelector(`[data-do="${name}"]`);
  const over = new AbortController(), { signal } = over, chime = new Chime();
  let track = null, deaf = null, heard = false, quiet = false, road = null, speaker = "new", late = false, timers = [];

  function mark(name, state, said) {
    const at = row(name), line = at.querySelector(".check-words");
    at.dataset.state = state;
    if (line.textContent !== said) line.textContent = said;
  }
  const about = device => devices.problem && (devices.problem.device === device || devices.problem.device === "both") ? { ...devices.problem, device } : null;

  function draw() {
    if (signal.aborted) return;
    const { problem, state, audio, video } = devices, asking = state === "asking";
    row("camera").hidden = !devices.wanted;
    if (devices.cameraOff) mark("camera", "odd", text("Your camera is off: your provider will hear you and not see you."));
    else if (video) mark("camera", "good", text("This is how your provider sees you."));
    else if (about("camera")) mark("camera", "bad", words(about("camera")));
    else mark("camera", "busy", text("Your browser asks. Press “Allow”."));
    if (audio && heard) mark("microphone", "good", text("We hear you."));
    else if (audio && quiet) mark("microphone", "odd", text("Nothing is heard. Is the microphone muted, or is it another one that you speak into?"));
    else if (audio) mark("microphone", "busy", text("Say a few words."));
    else if (about("microphone")) mark("microphone", "bad", words(about("microphone")));
    else mark("microphone", "busy", text("Your browser asks. Press “Allow”."));
    if (speaker === "new") mark("speaker", "new", text("Press the button. You should hear two soft notes."));
    else if (speaker === "played") mark("speaker", "busy", text("Did you hear it?"));
    else if (speaker === "blocked") mark("speaker", "odd", text("This browser let no sound out. Press the button again."));
    else if (speaker === "good") mark("speaker", "good", text("You hear us."));
    else mark("speaker", "odd", text("Turn up the volume, look at the mute switch of your phone, take headphones out or plug them in. Then play it again."));
    if (road) mark("connection", ...ROADS[road]());
    else mark("connection", "busy", text("We send something to the practice and back …"));
    button("skip").hidden = !devices.wanted || devices.cameraOff || !(asking || about("camera"));
    button("camera").hidden = !devices.wanted || !devices.cameraOff;
    button("retry").hidden = !problem || asking;
    button("choose").hidden = !audio;
    button("yes").hidden = button("no").hidden = speaker !== "played";
    help(problem?.kind);
    picture();
    hear();
    judge();
  }

  // Where this browser hides its permission, or this system its own.
  function help(kind) {
    const place = root.querySelector(".check-help");
    const wanted = kind === "denied" || kind === "revoked" ? browser : kind === "insecure" ? "inside" : kind === "system" ? `on-${system}` : "";
    place.hidden = !wanted;
    for (const figure of place.querySelectorAll("[data-for]")) figure.hidden = figure.dataset.for !== wanted;
  }
  function picture() {
    const place = row("camera").querySelector(".preview"), shown = place.querySelector("video");
    place.dataset.camera = devices.video ? "on" : "off";
    place.dataset.facing = devices.facing;
    if (shown?.srcObject?.getVideoTracks()[0] === devices.picture) return;
    shown?.remove();
    if (!devices.video) return;
    const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, autoplay: true, srcObject: new MediaStream([devices.picture]) });
    video.setAttribute("aria-label", text("Your own picture"));
    place.append(video);
    video.play().catch(() => {});
  }
  function hear() {
    if (track === devices.audio) return;
    deaf?.();
    deaf = null;
    heard = quiet = false;
    track = devices.audio;
    const meter = row("microphone").querySelector("meter");
    meter.value = 0;
    if (!track) return;
    soon(QUIET, () => { if (track && !heard) quiet = true; });
    deaf = listen(track, loud => {
      meter.value = loud;
      if (loud < HEARD || heard) return;
      heard = true;
      draw();
    });
  }
  function soon(ms, step) {
    timers.push(setTimeout(() => {
      step();
      draw();
    }, ms));
  }

  async function travel() {
    road = null;
    const [line, given] = await Promise.all([wired(), lent()]);
    road = !line ? "cut" : !given ? "unknown" : await relayed(given, signal);
    draw();
  }

  // The verdict: what it is, and why. It changes with what it is made of.
  function judge() {
    const open = devices.state === "off" || devices.state === "asking" || (devices.audio && !heard && !quiet) || !road;
    const place = root.querySelector(".verdict");
    if (open && !late) return void (place.hidden = true);
    const found = quiet && !heard ? "microphone_quiet" : road?.startsWith("relay_") ? road : speaker === "bad" ? "speaker_quiet" : "";
    const { colour, reason: code } = road === "cut" ? { colour: "red", reason: "" } : ready(devices, found) ?? { colour: "red", reason: "both_dismissed" };
    const said = `${colour} ${code} ${road}`;
    place.hidden = false;
    if (place.dataset.said === said) return;
    Object.assign(place.dataset, { said, colour });
    place.querySelector("h2").textContent =
      colour === "green" ? text("Everything works") : colour === "yellow" ? text("Your visit will work, but not fully") : text("Your visit will not work yet");
    place.querySelector(".why").textContent = road === "cut" ? ROADS.cut()[1] : code ? `${reason(code)}.` : text("You are ready for your visit.");
    settled({ colour, found });
  }

  function begin() {
    root.dataset.state = "on";
    late = false;
    for (const timer of timers.splice(0)) clearTimeout(timer);
    soon(WHOLE, () => { late = true; });
    if (devices.state === "off") devices.restart();
    if (!devices.audio || (devices.wanted && !devices.cameraOff && !devices.video)) devices.ask();
    track = null;
    travel();
    draw();
    root.querySelector("h2").focus();
  }
  const press = {
    begin, again: begin,
    retry: () => devices.ask(),
    skip: () => devices.withoutCamera(),
    camera: () => devices.camera(true),
    choose: async () => (await import("./choose.js")).choose(devices),
    play: async () => {
      speaker = await chime.open() === "on" ? "played" : "blocked";
      if (devices.sink) await chime.sound?.setSinkId?.(devices.sink).catch(() => {});
      chime.ring();
      draw();
    },
    yes: () => { speaker = "good"; draw(); },
    no: () => { speaker = "bad"; draw(); },
  };
  root.addEventListener("click", ({ target }) => press[target.closest("[data-do]")?.dataset.do]?.(), { signal });
  devices.addEventListener("change", draw, { signal });
  button("begin").disabled = false;
  if (now) begin();
  return () => {
    over.abort();
    deaf?.();
    chime.close();
    for (const timer of timers) clearTimeout(timer);
  };
}
