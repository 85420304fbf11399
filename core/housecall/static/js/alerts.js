// Tells a provider that somebody has come: sound, the title of the tab, a notification; once across all tabs.

import { part } from "./page.js";
import { text } from "./text.js";

const AGAIN = 20000; // ms between two knocks for people who have not been noticed yet
const title = document.title;
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("housecall alerts") : null;
const told = new Set(); // arrivals that this tab or another has told already
let sound = null, unseen = 0, timer = null;

tabs?.addEventListener("message", ({ data }) => {
  if (data.seen) seen(false);
  else told.add(data.told);
});
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") seen(true); });
addEventListener("focus", () => seen(true));

// Somebody has come. One tab of this browser knocks, whichever gets the lock first.
export function arrived(id) {
  const knock = () => {
    if (told.has(id)) return;
    told.add(id);
    tabs?.postMessage({ told: id });
    ring();
    notify(id);
  };
  if (!looking()) {
    unseen += 1;
    timer ??= setInterval(() => { if (unseen) ring(); }, AGAIN);
  }
  if (navigator.locks) navigator.locks.request(`housecall alert ${id}`, { ifAvailable: true }, async lock => {
    if (lock) knock();
  });
  else knock();
}

// The number of people who wait stands in the title, where a hidden tab shows it.
export function badge(waiting) {
  document.title = waiting ? `(${waiting}) ${title}` : title;
  navigator.setAppBadge?.(waiting).catch(() => {});
}

const looking = () => document.visibilityState === "visible" && document.hasFocus();

function seen(tell) {
  unseen = 0;
  clearInterval(timer);
  timer = null;
  if (tell) tabs?.postMessage({ seen: true });
}

// Two soft notes, as of a doorbell in another room.
function ring() {
  if (!sound || sound.state !== "running") return;
  for (const [at, pitch] of [[0, 659], [0.22, 523]]) {
    const note = sound.createOscillator(), loudness = sound.createGain();
    note.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, sound.currentTime + at);
    loudness.gain.linearRampToValueAtTime(0.25, sound.currentTime + at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + at + 0.6);
    note.connect(loudness).connect(sound.destination);
    note.start(sound.currentTime + at);
    note.stop(sound.currentTime + at + 0.7);
  }
  part("alerts").dataset.rang = String(Number(part("alerts").dataset.rang ?? 0) + 1);
}

function notify(id) {
  if (!("Notification" in window) || Notification.permission !== "granted" || looking()) return;
  try {
    const note = new Notification(text("Somebody is waiting"), { tag: id });   // no name: screens are seen by others
    note.onclick = () => { window.focus(); note.close(); };
  } catch { /* phones show notifications only by a service worker */ }
}

// The button: sound needs a gesture, notifications a permission; each answer is shown in words.
async function switchOn() {
  const button = part("sound"), Context = window.AudioContext;
  if (button.getAttribute("aria-pressed") === "true") {
    await sound?.close();
    sound = null;
    return shown("off", text("Sound is off."));
  }
  if (!Context) return shown("unsupported", text("This browser cannot play our sound. Watch the number in the tab's title."));
  sound = new Context();
  const running = await Promise.race([sound.resume().then(() => true, () => false), new Promise(done => setTimeout(() => done(false), 2000))]);
  if (!running || sound.state !== "running") {
    sound = null;
    return shown("blocked", text("Your browser blocks sound for this page. Allow it at the lock sign beside the address, then press again."));
  }
  const allowed = await permission();
  ring();
  shown("on", {
    granted: text("Sound and notifications are on."),
    denied: text("Sound is on. Notifications are blocked: allow them at the lock sign beside the address."),
    default: text("Sound is on. Notifications were not allowed."),
    unsupported: text("Sound is on. This browser shows no notifications."),
  }[allowed]);
}

async function permission() {
  if (!("Notification" in window)) return "unsupported";
  if (Notification.permission !== "default") return Notification.permission;
  return Notification.requestPermission();
}

function shown(state, words) {
  const button = part("sound");
  part("alerts").dataset.sound = state;
  button.setAttribute("aria-pressed", String(state === "on"));
  button.lastElementChild.textContent = state === "on" ? text("Turn off sound") : text("Turn on sound");
  part("alerts-words").textContent = words;
}

part("sound").onclick = switchOn;
