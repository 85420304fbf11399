// Where parts meet the page: notices, dialogs, badges, the side panel of the call, progress, downloads.

import { ask, part, say } from "./page.js";
import { text } from "./text.js";

const LINGER = 6000; // ms that a notice stays
const BAR = ':is([data-slot="call.bar"], [data-slot="call.more"])'; // where buttons of the call stand

const create = (name, more) => Object.assign(document.createElement(name), more);

// A line that goes away by itself; said aloud too.
export function notice(words) {
  const line = create("p", { className: "toast", textContent: words });
  const place = document.querySelector("dialog[open]") ?? document.querySelector("main") ?? document.body;
  let toasts = place.querySelector(":scope > .toasts");
  if (!toasts) place.append(toasts = create("div", { className: "toasts" }));
  toasts.append(line);
  say(words);
  setTimeout(() => line.remove(), LINGER);
}

// What a press needs is loaded then: not while the server is away.
export const unreached = () => notice(text("The practice's server was not reached. Check your connection and try again."));

// buttons: [{value, label, kind}]; body: a node. Answers the chosen value, "" after Escape or when the part goes.
export async function dialog({ title, body = null, buttons = [{ value: "ok", label: text("OK"), kind: "primary" }] }, signal) {
  if (signal?.aborted) return "";
  const made = document.createElement("dialog"), id = `title-${crypto.randomUUID()}`;
  made.setAttribute("aria-labelledby", id);
  made.append(create("h2", { id, textContent: title }));
  if (body) made.append(body);
  const row = create("div", { className: "row" });
  for (const { value, label, kind = "quiet" } of buttons) {
    row.append(create("button", { type: "button", className: `button ${kind}`, value, textContent: label }));
  }
  made.append(row);
  document.body.append(made);
  signal?.addEventListener("abort", () => made.close(""), { once: true });
  const answer = await ask(made);
  made.remove();
  return answer;
}

export async function confirm(question, { yes = text("Yes"), no = text("No"), details = "", danger = false } = {}, signal) {
  const body = details ? create("p", { textContent: details }) : null;
  const buttons = [{ value: "", label: no }, { value: "yes", label: yes, kind: danger ? "danger" : "primary" }];
  return await dialog({ title: question, body, buttons }, signal) === "yes";
}

// A number on the plugin's button: how much is new.
export function badge(plugin, n, element) {
  const bars = element.dataset.slot.startsWith("call.") ? document.querySelectorAll(`hc-part[data-plugin="${plugin}"]${BAR}`) : [element];
  for (const bar of bars) for (const button of bar.querySelectorAll("[data-badge]")) {
    let mark = button.querySelector(".badge");
    if (!mark) button.append(mark = create("span", { className: "badge" }));
    mark.hidden = !n;
    mark.textContent = n > 99 ? "99+" : String(n);
    mark.setAttribute("aria-label", text("{n} new", { n }));
  }
}

// The side panel of the call, which shows one plugin's part at a time.
export function panel(plugin, slot, element) {
  const side = part("side");
  if (!side || !slot.startsWith("call.")) return null;
  const own = () => side.querySelector(`hc-part[data-plugin="${plugin}"]`);
  const face = {
    get open() { return !side.hidden && side.dataset.plugin === plugin; },
    show() {
      const mine = own();
      if (!mine) return;
      side.dataset.plugin = plugin;
      for (const each of side.querySelectorAll("hc-part")) each.hidden = each !== mine;
      part("side-title").textContent = mine.dataset.title;
      side.hidden = false;
      tell();
      mine.dispatchEvent(new Event("shown"));
      (mine.querySelector("[autofocus], textarea, input:not([hidden])") ?? part("side-close")).focus();
    },
    hide() { if (face.open) closeSide(); },
    toggle() { if (face.open) face.hide(); else face.show(); },
  };
  return Object.freeze(face);
}

// Gives the focus back to the plugin's button, or to what hides it on a small screen.
function back(plugin) {
  const button = document.querySelector(`hc-part[data-plugin="${plugin}"]${BAR} [aria-expanded]`);
  (button && !button.offsetParent ? part("more") : button)?.focus();
}

function tell() {
  const side = part("side");
  part("stage").classList.toggle("has-side", !side.hidden);
  for (const each of document.querySelectorAll(`hc-part${BAR} [aria-expanded]`)) {
    const mine = each.closest("hc-part").dataset.plugin === side.dataset.plugin;
    each.setAttribute("aria-expanded", String(mine && !side.hidden));
  }
}

export function closeSide() {
  const side = part("side");
  if (!side || side.hidden) return;
  side.hidden = true;
  tell();
  back(side.dataset.plugin);
}

// Progress of long work: {value(0…1), done()}.
export function progress(element, label, signal) {
  const made = create("label", { className: "progress" });
  const bar = create("progress", { max: 1, value: 0 });
  made.append(label, bar);
  element.append(made);
  signal?.addEventListener("abort", () => made.remove());
  return { value(part_) { bar.value = part_; }, done() { made.remove(); } };
}

// Saves a Blob or a text as a file of this browser.
export function download(name, content) {
  const blob = content instanceof Blob ? content : new Blob([content], { type: "text/plain;charset=utf-8" });
  const link = create("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
