// Opening hours on the welcome page of a room: open or not by the practice's clocks, and the hours themselves.

import { regional } from "./invites-say.js";

const LATEST = 2 ** 31 - 1; // ms that a timer can wait

export async function mount(host) {
  const place = host.root.querySelector(".invites-hours");
  if (!place) return;
  const draw = async () => {
    const response = await fetch(`/-/invites/hours/${place.dataset.slug}`).catch(() => null);
    if (!response?.ok || host.signal.aborted) return;
    const { open, until, zone, lines } = await response.json();
    const status = Object.assign(document.createElement("p"), { className: "invites-status", textContent: words(host, open, until) });
    status.dataset.open = String(open);
    const details = document.createElement("details"), list = document.createElement("ul");
    details.open = place.querySelector("details")?.open ?? false;
    details.append(Object.assign(document.createElement("summary"), { textContent: host.text("Opening hours") }), list);
    list.append(...lines.filter(line => line.trim()).map(line => Object.assign(document.createElement("li"), { textContent: line })));
    if (zone !== Intl.DateTimeFormat().resolvedOptions().timeZone) details.append(Object.assign(document.createElement("p"), { className: "soft", textContent: host.text("By the clocks of {zone}.", { zone: zone.replaceAll("_", " ") }) }));
    place.replaceChildren(status, details);
    if (until) timer = setTimeout(draw, Math.min(LATEST, until - Date.now() + 1000));
  };
  let timer;
  host.signal.addEventListener("abort", () => clearTimeout(timer));
  await draw();
}

// By the reader's own clock.
function words(host, open, until) {
  if (!until) return open ? host.text("Open now.") : host.text("Closed at present.");
  const lang = regional(document.documentElement.lang), date = new Date(until), today = date.toDateString() === new Date().toDateString();
  const time = new Intl.DateTimeFormat(lang, { hour: "numeric", minute: "2-digit" }).format(date);
  if (open) return host.text("Open now, until {time}.", { time: today ? time : new Intl.DateTimeFormat(lang, { weekday: "long", hour: "numeric", minute: "2-digit" }).format(date) });
  const soon = until - Date.now() < 6 * 86_400_000;
  const day = new Intl.DateTimeFormat(lang, soon ? { weekday: "long" } : { dateStyle: "long" }).format(date);
  return today ? host.text("Closed. Opens today at {time}.", { time }) : host.text("Closed. Opens {day} at {time}.", { day, time });
}
