// Tells a provider that somebody has come: sound, the title of the tab, a notification; once across all tabs.

import { Chime } from "./chime.js";
import { part } from "./page.js";
import { text } from "./text.js";

const AGAIN = 20000; // ms between two knocks for people who have not been noticed yet
const TELL = 5000; // ms in which every other tab has heard of an arrival
const title = document.title;
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("housecall alerts") : null;
const told = new Set(); // what this tab or another has done for an arrival already: "sound <id>", "note <id>"
const noticed = new Set(); // arrivals that came while the person looked at another tab
const chime = new Chime();
let timer = null; // runs while somebody has not been noticed

tabs?.addEventListener("message", ({ data }) => {
  if (data.told) return void told.add(data.told);
  noticed.add(data.seen);
  seen(false);
});
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") seen(true); });
addEventListener("focus", () => seen(true));

// Somebody has come. One tab of this browser knocks, of those that can be heard, and one shows it.
export function arrived(id) {
  if (looking()) tabs?.postMessage({ seen: id });
  else if (!noticed.has(id)) timer ??= setInterval(again, AGAIN);
  if (chime.on) once(`sound ${id}`, ring);
  once(`note ${id}`, () => notify(id));
}

// In whichever tab gets the lock first.
function once(what, act) {
  const first = () => {
    if (told.has(what)) return;
    told.add(what);
    tabs?.postMessage({ told: what });
    act();
  };
  if (navigator.locks) navigator.locks.request(`housecall alert ${what}`, { ifAvailable: true }, async lock => {
    if (!lock) return;
    first();
    await new Promise(done => setTimeout(done, TELL));
  });
  else first();
}

// One tab knocks again; the others find the lock taken until it is nearly time for the next.
function again() {
  const knock = () => ring() && new Promise(done => setTimeout(done, AGAIN * 0.9));
  if (!chime.on) return;
  if (navigator.locks) navigator.locks.request("housecall alert again", { ifAvailable: true }, lock => lock && knock());
  else knock();
}

// The number of people who wait stands in the title, where a hidden tab shows it.
export function badge(waiting) {
  if (!waiting) seen(false);
  document.title = waiting ? `(${waiting}) ${title}` : title;
  navigator.setAppBadge?.(waiting).catch(() => {});
}

const looking = () => document.visibilityState === "visible" && document.hasFocus();

function seen(tell) {
  clearInterval(timer);
  timer = null;
  if (tell) tabs?.postMessage({ seen: true });
}

function ring() {
  const rang = chime.ring();
  if (rang) part("alerts").dataset.rang = String(Number(part("alerts").dataset.rang ?? 0) + 1);
  return rang;
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
  if (part("sound").getAttribute("aria-pressed") === "true") {
    chime.close();
    return shown("off", text("Sound is off."));
  }
  const state = await chime.open();
  if (state === "unsupported") return shown(state, text("This browser cannot play our sound. Watch the number in the tab's title."));
  if (state === "blocked") return shown(state, text("Your browser blocks sound for this page. Allow it at the lock sign beside the address, then press again."));
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

Object.assign(part("sound"), { onclick: switchOn, disabled: false });
