// The desk of a visit: which forms there are, how each stands, and what either side sees of it.

import { DONE, Reading, Signing, word } from "./teleconsent-paper.js";
import { list, sha256 } from "./teleconsent-form.js";

const visits = new Map();   // visit -> what this page holds of it: its papers, and what it has said aloud
const held = id => visits.get(id) ?? visits.set(id, { signing: new Map(), said: new Set(), saved: new Set(), lost: new Set(), counted: new Set(), begun: false }).get(id);

const WAITS = ["asked", "requested"];   // for the patient to look at it
const TOLD = 5000;  // ms in which a provider's page that has a signed form tells it to a patient's page that is new
const AGAIN = 3000; // ms until what did not reach the server is tried again
const later = ms => new Promise(resolve => { setTimeout(resolve, ms); });

// How each form of the visit stands, the first asked first.
export function papers({ ask, word }) {
  const found = new Map();
  const of = ({ paper, form, version }) => found.get(paper) ?? found.set(paper, { paper, form, version, state: "asked" }).get(paper);
  for (const { data } of ask.entries) Object.assign(of(data), { off: Boolean(data.off) }, data.title && { title: data.title });
  for (const { data, mine, state: way } of word.entries) {
    const known = of(data);
    // A page that was reloaded, or that looks at it once more, says less than is known.
    if (data.state === "requested" ? known.state !== "asked" : data.state === "opened" && DONE.includes(known.state)) continue;
    Object.assign(known, { state: data.state, mine: known.mine || mine });
    for (const name of ["title", "lang", "text"]) if (data[name]) known[name] = data[name];
    if (data.state === "signed") Object.assign(known, { signed: data, off: false, there: way === "delivered" });
  }
  for (const each of found.values()) if (each.off && ["asked", "requested", "opened", "declined"].includes(each.state)) each.state = "back";
  return [...found.values()];
}

// The signed document, once all of it is here and it is what its SHA-256 says.
async function document_({ piece }, { paper, signed }) {
  if (!signed) return null;
  const parts = [];
  for (const { data } of piece.entries) if (data.paper === paper && data.file === signed.file) parts[data.n] = data.data;
  if (parts.filter(Boolean).length < signed.pieces) return null;
  const bytes = Uint8Array.from(atob(parts.slice(0, signed.pieces).join("")), letter => letter.charCodeAt(0));
  return await sha256(bytes) === signed.file ? new Blob([bytes], { type: "application/pdf" }) : null;
}

export function sit(host, threads) {
  const { me, root, signal, slot } = host, desk = held(host.visit.id);
  const draw = () => {
    if (signal.aborted) return;
    const all = papers(threads);
    announce(host, desk, threads, all);
    if (slot === "call.bar") return host.ui.badge(all.filter(each => me.role === "patient" ? WAITS.includes(each.state) : each.state === "signed" && !desk.said.has(`seen ${each.paper}`)).length);
    if (me.role === "patient") patient(host, threads, desk, all);
    else provider(host, threads, desk, all);
  };
  if (slot !== "call.bar") style();
  for (const event of ["ask", "word", "piece"]) for (const change of ["add", "change"]) threads[event].addEventListener(change, () => queueMicrotask(draw), { signal });
  if (slot === "call.side") root.addEventListener("shown", draw, { signal });
  // A signed document that is nowhere else goes with the page: the browser asks first.
  window.addEventListener("beforeunload", event => {
    if (papers(threads).some(each => each.signed && (!each.there || (slot === "call.after" && !desk.saved.has(each.paper))))) event.preventDefault();
  }, { signal });
  draw();
  if (slot === "waiting.main") missing(host, threads, desk);
}

// A form counts as signed, and the page in which it was is gone, before any other had it: it is to be signed again.
async function missing(host, threads, desk) {
  const { channel, signal, visit } = host;
  for (const [step, is] of Object.entries(visit.steps ?? {})) {
    const [plugin, form] = step.split(":"), paper = `before-${form}`;
    const here = () => signal.aborted || visit.state !== "waiting" || threads.word.entries.some(({ data }) => data.paper === paper && data.state === "signed");
    if (plugin !== host.plugin || is !== "done" || here()) continue;
    if (channel.others().some(({ role }) => role === "provider")) await later(TOLD);
    if (here()) continue;
    desk.lost.add(paper);
    word(host, threads, { paper, form, state: "requested" });
    while (!here() && !await host.done(form, false).catch(() => false)) await later(AGAIN);
  }
}

// The look of papers comes with the first of them.
function style() {
  const href = new URL("teleconsent.css", import.meta.url).pathname;
  if (!document.querySelector(`link[href="${href}"]`)) document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

// Each change is said once on this page, however many parts show it; what was before this page was there is not,
// but that a form waits for the patient.
function announce(host, desk, { ask, word }, all) {
  const first = !desk.begun;
  desk.begun = true;
  for (const { id, data, mine } of [...ask.entries, ...word.entries]) {
    if (desk.said.has(id) || mine) continue;
    desk.said.add(id);
    if (first && !(host.me.role === "patient" && !data.state && all.some(each => each.paper === data.paper && WAITS.includes(each.state)))) continue;
    const title = data.title ?? host.text("The form");
    if (host.me.role === "patient" && !data.state) host.ui.notice(data.off ? host.text("Your provider has taken the form back.") : host.text("Your provider asks you to read and sign a form."));
    else if (host.me.role === "provider" && data.state === "requested" && data.paper.startsWith("before-")) host.ui.notice(host.text("What the patient had signed was lost with a page that was loaded anew. It is to be signed again."));
    else if (host.me.role === "provider" && data.state === "opened") host.ui.say(host.text("“{title}”: the patient is reading it", { title }));
    else if (host.me.role === "provider" && data.state === "signed") host.ui.notice(host.text("“{title}” was signed", { title }));
    else if (host.me.role === "provider" && data.state === "declined") host.ui.notice(host.text("“{title}” was declined", { title }));
    else if (host.me.role === "provider" && data.state === "withdrawn") host.ui.notice(host.text("“{title}” was withdrawn", { title }));
  }
}

const made = (name, given = {}, ...inside) => {
  const element = Object.assign(document.createElement(name), given);
  element.append(...inside);
  return element;
};
const button = (label, run, kind = "quiet") => {
  const element = made("button", { type: "button", className: `button ${kind}`, textContent: label });
  element.addEventListener("click", run);
  return element;
};
const day = () => new Date().toISOString().slice(0, 10);
const save = (host, blob, title, paper) => {
  held(host.visit.id).saved.add(paper);
  host.ui.download(`${title.replace(/[\\/:*?"<>|]/g, "")} ${day()}.pdf`, blob);
};

// -- the patient's side

function patient(host, threads, desk, all) {
  const place = host.root.querySelector(".teleconsent"), step = host.slot === "checkin.step" ? place.dataset.form : "";
  const first = step && !all.some(each => each.paper === `before-${step}`) ? [{ paper: `before-${step}`, form: step, state: "requested" }] : [];
  const shown = [...first, ...all].filter(each => host.slot === "checkin.step" ? each.paper === `before-${step}` : host.slot === "call.after" ? each.signed : each.state !== "back");
  place.hidden = host.slot !== "checkin.step" && host.slot !== "call.side" && !shown.length;
  for (const each of shown) {
    if (!desk.signing.has(each.paper)) desk.signing.set(each.paper, new Signing(each));
    const signing = desk.signing.get(each.paper);
    signing.lost = desk.lost.has(each.paper);
    signing.take(host, threads, each, () => document_(threads, each), { made, button, save });
    // A provider's page has told what a page of ours had signed before: it counts.
    if (step && each.state === "signed" && !signing.making && !desk.counted.has(step) && (signing.lost || host.visit.steps?.[`${host.plugin}:${step}`] === "open")) {
      desk.counted.add(step);
      host.done(step, true);
    }
    if (step && each.state !== "declined" && !DONE.includes(each.state)) signing.open(false);
  }
  const parts = shown.map(({ paper }) => desk.signing.get(paper).element);
  if (!parts.length && host.slot === "call.side") parts.push(made("p", { className: "soft", textContent: host.text("No form is here for you to sign.") }));
  // What stands already is not moved: it would lose the focus and the place in the text.
  if (parts.length !== place.children.length || parts.some((part, i) => place.children[i] !== part)) place.replaceChildren(...parts);
  for (const { paper, form, state } of all) if (state === "asked") word(host, threads, { paper, form, state: "requested" });
}

// -- the provider's side

const STATES = {
  asked: host => host.text("Asked"),
  requested: host => host.text("Waits on the patient's page"),
  opened: host => host.text("The patient is reading it"),
  signed: host => host.text("Signed"),
  declined: host => host.text("Declined"),
  withdrawn: host => host.text("Signed, then withdrawn"),
  back: host => host.text("Taken back"),
};

function provider(host, threads, desk, all) {
  const { root, slot } = host, place = slot === "dashboard.card" ? root.querySelector("details > div") : root.querySelector(".teleconsent");
  if (slot === "call.after") {
    root.querySelector(".teleconsent").hidden = !all.some(each => each.signed);
    if (!place.firstChild) place.append(made("h2", { className: "teleconsent-title", textContent: host.text("Signed forms") }));
  }
  let view = place.querySelector(".teleconsent-list");
  if (!view) {
    view = made("ul", { className: "teleconsent-list" });
    place.append(view);
    if (slot !== "call.after") asking(host, place);
  }
  if (slot === "call.side" && host.ui.panel.open) for (const each of all) if (each.state === "signed") desk.said.add(`seen ${each.paper}`);
  const open = slot === "dashboard.card" && root.querySelector("details").open;
  if (slot === "dashboard.card") host.ui.badge(open ? 0 : all.filter(each => each.state === "signed" || each.state === "declined").length);
  for (const each of slot === "call.after" ? all.filter(({ signed }) => signed) : all) row(host, threads, view, each);
}

// One line for each form: how it stands, and what can be done with it.
async function row(host, threads, view, each) {
  let item = [...view.children].find(({ dataset }) => dataset.paper === each.paper);
  if (!item) {
    item = made("li", {}, made("strong"), made("span", { className: "tag" }), made("span", { className: "soft" }), made("div", { className: "row" }));
    item.dataset.paper = each.paper;
    view.append(item);
  }
  const file = await document_(threads, each), state = each.state;
  const [title, tag, more, buttons] = item.children;
  if (host.signal.aborted) return;
  title.textContent = each.title || host.text("A form");
  tag.textContent = STATES[state](host);
  more.textContent = each.signed ? file ? each.signed.name : host.text("The document is on its way …") : "";
  item.dataset.state = state;
  const wanted = `${state} ${Boolean(file)} ${each.text ?? ""}`;
  if (buttons.dataset.for === wanted) return;
  buttons.dataset.for = wanted;
  buttons.replaceChildren();
  if (file) buttons.append(button(host.text("Download the signed form"), () => save(host, file, each.title, each.paper)));
  if (["asked", "requested", "opened", "declined"].includes(state) && !each.paper.startsWith("before-")) {
    buttons.append(button(host.text("Take back"), () => host.channel.send("ask", { paper: each.paper, form: each.form, off: true })));
  }
  if (host.slot === "call.side" && each.text) buttons.append(button(host.text("Read it together"), () => together(host, item, each)));
}

// The text that the patient reads, beside the call: what one points at is shown on the other side.
async function together(host, item, each) {
  const before = item.querySelector(".teleconsent-reading");
  if (before) return before.remove();
  const reading = new Reading(host, each);
  item.append(reading.element);
  await reading.load();
}

// Which form is to be signed. The server is asked for its version when one asks, not before.
function asking(host, place) {
  const id = `teleconsent-${crypto.randomUUID().slice(0, 8)}`, select = made("select", { id });
  const forms = [
    ["telehealth", host.text("Consent to telehealth")], ["minor", host.text("Telehealth for a minor, with a parent or guardian")],
    ["release", host.text("Release of health information")], ["photography", host.text("Photographs and recordings of you")],
    ["own", host.text("The practice's own form")],
  ];
  select.append(...forms.map(([value, textContent]) => made("option", { value, textContent })));
  const label = made("label", { htmlFor: id, textContent: host.text("Ask for a signature on") });
  const ask = button(host.text("Ask"), async () => {
    ask.disabled = true;
    const known = await list(), found = known.find(({ form }) => form === select.value);
    if (found) await send(found);
    else host.ui.notice(known.length ? host.text("Your practice has no form of its own yet: owners and admins write it on the page of the forms.") : host.text("The forms could not be loaded. Try again when the line is back."));
    ask.disabled = false;
    ask.focus();
  }, "primary");
  const send = async found => {
    try {
      await host.channel.send("ask", { paper: crypto.randomUUID().slice(0, 16), ...found });
      host.ui.say(host.text("The patient is asked to sign."));
    } catch {
      host.ui.notice(host.text("This could not be sent. Try again in a moment."));
    }
  };
  place.append(made("div", { className: "teleconsent-ask" }, label, made("div", { className: "row" }, select, ask)));
}
