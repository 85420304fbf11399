// The provider's side: the request, how it stands with it, and the photos that have come.

import { measured, SENT } from "./header.js";
import { button, make, style } from "./make.js";
import { KINDS, named } from "./named.js";

const SMALL = 320;                                       // px of a photo in the list
const OPEN = ["asked", "away", "sees", "camera", "looks", "none", "comes", "torn"]; // a request that is not settled
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
let forms = 0;

// place: where it stands; album: of the visit (photo.js); only: the photos alone; visible(): whether somebody looks at it.
export async function desk(host, place, album, { only = false, visible }) {
  const { text, signal } = host;
  await style();
  const state = make("div", { className: "photo-state" }), form = only ? null : request(host, album);
  const none = make("p", { className: "soft", tabIndex: -1 }, text("No photos yet.")), title = make("h2", { tabIndex: -1 }, text("Photos of the visit")), list = make("ul", { className: "photo-list" });
  const kept = make("p", { className: "soft" }, text("Photos are in this page only. They are gone when you close it."));
  const tiles = new Map();                               // photo -> its item of the list
  let told = album.ask?.state, bar = null;
  list.setAttribute("aria-label", text("Photos"));
  place.replaceChildren(...only ? [title] : [form, state, none], list, kept);
  if (only) place.hidden = false;

  const draw = () => {
    const { ask, photos } = album, now = ask?.state;
    if (!only) {
      if (!album.ear || album.ear.aborted) listen(host, album);
      if (visible()) album.seen = photos.length;
      host.ui.badge(photos.length - album.seen);
      const focused = state.contains(document.activeElement) || form.contains(document.activeElement);
      form.hidden = OPEN.includes(now);
      if (now !== told) {
        told = now;
        bar = standing(host, album, state);
        if (album.ear === signal) host.ui.say(words(host, ask)); // one says it, of several that show it
        if (focused) (state.querySelector("button") ?? form.elements[0]).focus();
      }
      if (bar) bar.value = ask.share;
    }
    let next = null;                                     // where the keyboard goes when it was at one that goes
    for (const [photo, item] of tiles) if (!photos.includes(photo)) {
      if (item.contains(document.activeElement)) next = (item.nextElementSibling ?? item.previousElementSibling)?.firstElementChild ?? (only ? title : none);
      item.remove();
      tiles.delete(photo);
    }
    for (const photo of photos) if (!tiles.has(photo)) {
      tiles.set(photo, tile(host, album, photo));
      list.prepend(tiles.get(photo));
    }
    none.hidden = photos.length > 0;
    list.hidden = kept.hidden = !photos.length;
    next?.focus();
  };
  const shown = () => {
    draw();
    if (form && !form.hidden) form.elements[0].focus();
  };
  if (told) bar = standing(host, album, state);
  album.addEventListener("change", draw, { signal });
  for (const each of [place, host.root]) each.addEventListener("shown", shown, { signal });
  window.addEventListener("beforeunload", event => { // what was not saved goes with the page: the browser asks first
    if (album.photos.some(photo => !photo.saved)) event.preventDefault();
  }, { signal });
  signal.addEventListener("abort", () => queueMicrotask(() => changed(album))); // another part listens from now on
  shown();
}
const changed = album => album.dispatchEvent(new Event("change"));

// -- asking

function request(host, album) {
  const { text, settings } = host, n = forms += 1, id = name => `photo-${name}-${n}`;
  const what = make("select", { id: id("what") }, ...KINDS.map(kind => make("option", { value: kind }, named(host, { what: kind }))));
  const other = make("input", { id: id("other"), maxLength: 80, autocomplete: "off" });
  const said = make("textarea", { id: id("words"), rows: 2, maxLength: 400 });
  const choose = make("input", { type: "checkbox", id: id("choose"), checked: settings.choose });
  const field = (input, label, ...more) => make("div", { className: "field" }, make("label", { htmlFor: input.id }, label, ...more), input);
  const another = field(other, text("Of what?"));
  const optional = make("span", { className: "optional" }, text("optional"));
  const tick = make("div", { className: "field tick", hidden: !settings.choose }, choose, make("label", { htmlFor: choose.id }, text("A picture from the device will do, too")));
  const form = make("form", { className: "photo-ask", noValidate: true },
    field(what, text("A photo of")), another, field(said, text("Words to the patient"), " ", optional), tick,
    make("button", { className: "button primary" }, text("Ask for a photo")));
  another.hidden = true;
  what.onchange = () => { another.hidden = what.value !== "other"; };
  form.onsubmit = async event => {
    event.preventDefault();
    if (what.value === "other" && !other.value.trim()) return other.focus();
    const data = { id: crypto.randomUUID(), what: what.value, other: what.value === "other" ? other.value.trim() : "", words: said.value.trim(), choose: settings.choose && choose.checked };
    album.ask = { ...data, data, state: "asked", page: "" };
    if (await asked(host, album, album.ask)) said.value = "";
  };
  return form;
}

// Sends a request; answers whether that could be.
async function asked(host, album, ask) {
  ask.page = pageOf(host);
  const way = await host.channel.send("ask", ask.data).catch(() => "");
  ask.state = { "": "unsent", waiting: "away" }[way] ?? ask.state;
  changed(album);
  return Boolean(way);
}
// The patient's page, while it is there; another after it was loaded anew.
const pageOf = ({ visit }) => visit.seats.find(({ role, present }) => role === "patient" && present)?.page ?? "";

// How it stands with the request; answers the bar of its progress, where there is one.
function standing(host, album, place) {
  const { ask } = album, { text } = host, line = ask ? make("p", { className: "photo-stands" }, words(host, ask)) : "";
  const bar = ask?.state === "comes" ? make("progress", { max: 1, value: 0 }) : null;
  bar?.setAttribute("aria-label", text("How much of the photo is here"));
  const back = button(text("Take the request back"), "quiet", () => {
    host.channel.send("withdraw", { id: ask.id }).catch(() => {});
    ask.cancel?.("cancelled");
    ask.state = "withdrawn";
    changed(album);
  });
  place.replaceChildren(line, ...bar ? [bar] : [], ...ask && OPEN.includes(ask.state) ? [back] : []);
  return bar;
}

function words(host, ask) {
  const { text } = host, name = host.visit.name || text("Patient"), what = named(host, ask);
  switch (ask.state) {
    case "asked": return text("{name} is asked for a photo: {what}", { name, what });
    case "away": return text("{name} is asked as soon as the page is back: {what}", { name, what });
    case "sees": return text("{name} sees the request: {what}", { name, what });
    case "camera": return text("{name} takes the photo.", { name });
    case "looks": return text("{name} looks at the photo before it is sent.", { name });
    case "none": return text("{name} has no camera that works here.", { name });
    case "comes": return text("The photo is coming …");
    case "torn": return text("The photo did not come whole. {name} can send it again.", { name });
    case "wrong": return text("What came is no photo, and is not shown. Ask again if you like.");
    case "refused": return text("{name} would rather not send a photo now.", { name });
    case "unsent": return text("The request could not be sent. Try again in a moment.");
    case "withdrawn": return text("The request is taken back.");
    default: return text("The photo is here.");
  }
}

// -- hearing

function listen(host, album) {
  album.ear = host.signal;
  const now = state => {
    if (album.ask.state === state) return;
    album.ask.state = state;
    changed(album);
  };
  host.visit.on("change", () => {
    const { ask } = album, page = pageOf(host);
    if (!ask || !page || page === ask.page || !OPEN.includes(ask.state)) return;
    if (!ask.page) return void (ask.page = page);        // what it has not got yet goes to the page that comes
    ask.cancel?.("cancelled");                           // a reload has lost the request, and the photo with it
    now("asked");
    asked(host, album, ask);
  });
  host.channel.on("answer", ({ data }) => {
    const { ask } = album;
    if (ask?.id === data.id && OPEN.includes(ask.state)) now(data.state);
  });
  album.take = async ({ head, cancel, save }) => {
    const { ask } = album;
    if (!ask || head?.id !== ask.id || !OPEN.includes(ask.state)) return cancel("unknown"); // only what was asked for
    if (ask.coming) return cancel("refused");            // and once
    Object.assign(ask, { coming: true, cancel, share: 0 });
    now("comes");
    try {
      const photo = await photographed(await save(undefined, ({ stored, size }) => {
        ask.share = stored / size;
        changed(album);
      }));
      if (photo) album.photos.push({ ...photo, what: ask.what, other: ask.other, at: new Date(), turn: 0, marks: [] });
      if (OPEN.includes(ask.state)) now(photo ? "here" : "wrong");
      else changed(album);
    } catch {
      if (OPEN.includes(ask.state)) now("torn");
    } finally {
      ask.coming = false;
    }
  };
}

// What has come, if it is what our page sends: a JPEG of a size that can be shown.
async function photographed(blob) {
  const found = await measured(blob);
  if (found?.type !== "image/jpeg" || found.width * found.height > SENT) return null;
  const photo = new Blob([blob], { type: "image/jpeg" }), small = await createImageBitmap(photo, { resizeWidth: SMALL }).catch(() => null);
  return small && { blob: photo, width: found.width, height: found.height, small };
}

// -- the photos

export const caption = (host, photo) => `${named(host, photo)} · ${clock.format(photo.at)}`;

function tile(host, album, photo) {
  const { small } = photo, picture = make("canvas", { width: small.width, height: small.height });
  picture.getContext("2d").drawImage(small, 0, 0);
  const face = make("button", { type: "button", className: "photo-tile" }, picture, make("span", {}, caption(host, photo)));
  face.onclick = async () => {
    try {
      const { view } = await host.load("./view.js");
      await view(host, album, photo);
    } catch {
      host.ui.notice(host.text("This could not be loaded. Try again in a moment."));
    }
    changed(album);
  };
  return make("li", {}, face);
}
