// All files of one visit, on their way and there, and how they are shown. Loaded when the first one comes or goes.

import { safe, shown } from "./files-name.js";

const AT_ONCE = 3;                    // that go to one at the same time; the others wait
const BY_ITSELF = 100 * 1024 * 1024;  // bytes of what is taken without a question
const IN_MEMORY = 512 * 1024 * 1024;  // bytes of what a browser takes that cannot write to the disk while it comes, and of all that is taken unasked
const RELAYED = 100 * 1024 * 1024;    // bytes of what goes before the call (docs/contracts.md §9)
const LEFT = 60_000;                  // ms without a part that shows it after which a desk is cleared: the visit is over, or all is saved
const BACK = 43_200_000;              // the same where a file is not saved and the visit has not ended: its ticket brings it back for so long
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];
const lang = document.documentElement.lang;
const desks = new Map();              // visit -> Desk: a page may have several, on cards

// The desk of a part's visit, which shows it from now on.
export function join(host) {
  if (!desks.has(host.visit.id)) desks.set(host.visit.id, new Desk());
  const desk = desks.get(host.visit.id);
  desk.meet(host);
  return desk;
}

const amount = (n, unit, digits = 1) => new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits }).format(n);
function size(n) {
  let at = 0;
  for (; n >= 1000 && at < UNITS.length - 1; at++) n /= 1000;
  return amount(n, UNITS[at], at ? 1 : 0);
}

class Desk {
  constructor() { Object.assign(this, { rows: [], views: new Map(), asks: new Set() }); }
  meet(host) {
    this.host = host;
    if (this.views.has(host.root)) return;
    if (host.slot === "call.bar") for (const each of this.asks) this.asked(each); // the call has begun meanwhile
    if (host.slot === "call.after") for (const row of this.rows) this.over(row); // the patient may only be sent on: nobody else ends it
    this.views.set(host.root, new View(this, host));
    host.visit.on("change", () => this.begun());
    this.begun();
    window.addEventListener("beforeunload", event => { // what came and was not saved goes with the page: the browser asks first
      if (this.unsaved) event.preventDefault();
    }, { signal: host.signal });
    host.signal.addEventListener("abort", () => {
      this.views.delete(host.root);
      setTimeout(() => { if (!this.views.size && desks.get(host.visit.id) === this) desks.delete(host.visit.id); }, this.unsaved && host.visit.state !== "ended" ? BACK : LEFT);
    });
  }
  get unsaved() { return this.rows.some(row => row.blob && !row.saved); }
  add(row) {
    this.rows.push({ key: crypto.randomUUID(), stored: 0, speed: 0, road: "", sha256: "", code: "", seen: false, ...row });
    return this.rows.at(-1);
  }
  draw() { for (const view of this.views.values()) view.draw(); }
  set(row, more, said = "") {
    Object.assign(row, more);
    this.draw();
    if (said) this.host.ui.say(said);
  }

  // -- what goes

  get far() { return this.host.me.role === "provider" ? "patient" : "provider"; }
  // To whom a file of ours goes: the provider who sits there or the patient, or until the call whoever of them watches.
  whom() {
    const { visit, channel } = this.host, wanted = this.far;
    const seats = visit.seats.filter(({ role }) => role === wanted).map(({ id, member, name, page }) => ({ to: member ?? id, name, page }));
    const there = new Map(channel.others().filter(({ role }) => role === wanted).map(({ who, name }) => [who, { to: who, name }])); // with two pages open: once
    return seats.length ? seats : there.size ? [...there.values()] : [{ to: undefined, name: "" }];
  }
  send(files) {
    for (const file of files) for (const { to, name } of this.whom()) {
      this.add({ mine: true, file, to, who: name, name: safe(file.name), size: file.size, state: "queued", early: !running(this.host) });
    }
    this.next();
  }
  next() {
    for (const row of this.rows) if (row.state === "queued" && this.may(row)) this.give(row).finally(() => this.next());
    this.draw();
  }
  // What waits for somebody who has left, or for the call, holds up nothing else.
  may(row) {
    if (later(this.host, row)) return false;
    if (!row.to) this.address(row);
    return this.rows.filter(({ state, to }) => state === "going" && to === row.to).length < AT_ONCE;
  }
  address(row) {
    const all = this.whom(), { to, name } = all.find(each => each.to === row.to) ?? all[0];
    Object.assign(row, { to, who: name, early: !running(this.host) });
  }
  // A call: with another provider than the one to whom it was to go; or in another of their pages than the one that has it.
  begun() {
    const there = running(this.host) ? this.whom().filter(({ page }) => page) : [];
    for (const row of this.rows) if (row.mine && row.to && there.length) {
      const seat = there.find(({ to }) => to === row.to), had = row.early && row.state === "done";
      if (!seat && ["queued", "going"].includes(row.state)) this.over(row);
      if (seat && had && row.page !== seat.page) this.set(row, { state: "queued", stored: 0 });
      if (seat && row.state !== "going") row.early = false;
    }
    this.next();
  }
  async give(row) {
    const { host } = this, { text } = host;
    row.stop = new AbortController();
    row.state = "going";
    const onprogress = ({ road, stored, bytesPerSecond: speed, sha256, to, page }) => this.set(row, { road, stored, speed, sha256, page, to: to ?? row.to });
    try {
      await host.channel.deliver("file", row.file, { to: row.to, head: { name: row.name }, signal: row.stop.signal, onprogress });
      this.set(row, { state: "done" }, text("{name} was delivered.", row));
    } catch (error) {
      this.failed(row, error.code);
    }
  }
  again(row) {
    this.address(row);
    this.set(row, { state: "queued", code: "", stored: 0, speed: 0, ours: false });
    this.next();
  }
  cancel(row) {
    row.ours = true;
    if (row.state === "queued") this.set(row, { state: "failed", code: "cancelled" });
    row.stop?.abort();
    row.come?.cancel("cancelled");
  }
  over(row) {
    if (["done", "failed"].includes(row.state)) return;
    this.failed(row, "broken");
    row.stop?.abort();
    row.come?.cancel("broken");
  }
  failed(row, code) {
    if (row.state === "failed") return;
    this.set(row, { state: "failed", code });
    this.host.ui.say(`${row.name}: ${why(this.host, row)}`);
  }

  // -- what comes

  come(come) {
    const { text } = this.host, held = this.rows.reduce((sum, { mine, state, size: n }) => sum + (!mine && ["coming", "done"].includes(state) ? n : 0), 0);
    const row = this.add({ mine: false, come, who: come.name, name: safe(come.head.name, text("file")), size: come.size, state: "offered" });
    come.signal.addEventListener("abort", () => this.failed(row, come.signal.reason?.code));
    if (come.size > IN_MEMORY && !window.showSaveFilePicker) come.cancel("too_big");
    else if (come.size > BY_ITSELF || held + come.size > IN_MEMORY) this.set(row, {}, text("{name} is large. Choose where to save it.", row));
    else return this.take(row);
  }
  // A large one goes to the disk while it comes, where the browser can do that.
  async accept(row) {
    if (!window.showSaveFilePicker) return this.take(row);
    const file = await window.showSaveFilePicker({ suggestedName: row.name }).catch(() => null);
    if (file) return this.take(row, await file.createWritable());
  }
  async take(row, writable) {
    const { text } = this.host;
    this.set(row, { state: "coming" });
    try {
      const blob = await row.come.save(writable, ({ road, stored, bytesPerSecond: speed }) => this.set(row, { road, stored, speed }));
      this.set(row, { state: "done", stored: row.size, blob, sha256: row.come.sha256, saved: Boolean(writable) }, text("{name} has arrived.", row));
    } catch (error) {
      this.failed(row, error.code);
    }
  }
  save(row) {
    this.host.ui.download(row.name, new Blob([row.blob], { type: "application/octet-stream" })); // never shown, whatever it is
    this.set(row, { saved: true });
  }

  // -- asking for one

  async ask() {
    const { text, ui, channel } = this.host;
    const label = Object.assign(document.createElement("label"), { className: "files-wanted" }), field = Object.assign(document.createElement("input"), { maxLength: 120, className: "files-what", type: "text" });
    label.append(text("What do you need? You may leave this empty."), field);
    const go = await ui.dialog({ title: text("Ask for a file"), body: label, buttons: [{ value: "", label: text("Cancel") }, { value: "ask", label: text("Ask"), kind: "primary" }] });
    if (go !== "ask") return;
    try {
      const what = field.value.trim();
      await channel.send("ask", what ? { what } : {});
      ui.notice(text("The patient was asked for a file."));
    } catch {
      ui.notice(text("Nobody could be asked. Try again in a moment."));
    }
  }
  // A part that goes takes its dialog along. The request stays until it is answered, and the next part asks again.
  async asked(wanted) {
    const { text, ui, channel, root, signal } = this.host, { what = "" } = wanted;
    const body = document.createElement("p");
    body.append(text("Choose one on this device. It goes to your provider only."));
    if (what) body.prepend(Object.assign(document.createElement("strong"), { className: "files-asked", dir: "auto", textContent: what }), document.createElement("br"));
    this.asks.add(wanted);
    const go = await ui.dialog({ title: text("Your provider asks for a file"), body, buttons: [{ value: "", label: text("Not now") }, { value: "choose", label: text("Choose a file"), kind: "primary" }] });
    if (signal.aborted) return;
    this.asks.delete(wanted);
    if (go === "choose") root.querySelector(".files-input").click();
    else channel.send("later").catch(() => {});
  }
  later() { this.host.ui.notice(this.host.text("The patient has no file for you at the moment.")); }
}

const running = ({ visit }) => ["in_call", "paused"].includes(visit.state);
const later = ({ visit }, { mine, size: n }) => mine && n > RELAYED && visit.state === "waiting";

// Why a file did not go, or come, and what to do.
function why({ text, visit }, { code, mine, ours }) {
  switch (code) {
    case "cancelled": return ours ? text("You cancelled this.") : text("The other side cancelled this.");
    case "too_big": return mine ? text("Too large for the other side's browser. Send it in smaller parts.") : text("Too large for this browser. Use Chrome or Edge on a computer.");
    case "refused": return text("The other side did not take it.");
    case "full": return text("There is no room for it. Try again in a quarter of an hour, or in the call.");
    case "unknown": return text("Files are switched off here.");
    default: return visit.state === "ended" ? text("The visit ended before it arrived.") : mine ? text("It did not arrive whole. Send it again.") : text("It did not arrive whole. Ask for it again.");
  }
}

// How one part shows the files.
class View {
  constructor(desk, host) {
    Object.assign(this, { desk, host, items: new Map(), whole: host.root.firstElementChild, list: host.root.querySelector(".files-list"), empty: host.root.querySelector(".files-empty") });
    this.list?.replaceChildren();                 // what it showed in the call before
    this.draw();
  }
  get visible() {
    const { host, whole } = this;
    return host.slot === "call.side" ? host.ui.panel.open : whole.localName === "details" ? whole.open : Boolean(this.list);
  }
  draw() {
    const { desk: { rows }, host, list, items, empty, whole } = this;
    if (this.visible) for (const row of rows) if (row.state !== "offered") row.seen = true;
    host.ui.badge(rows.filter(row => !row.mine && !row.seen).length);
    if (!list) return;
    for (const row of rows) {
      if (!items.has(row.key)) {
        items.set(row.key, new Item(this.desk, host, row));
        list.append(items.get(row.key).element);
      }
      items.get(row.key).draw();
    }
    list.hidden = !rows.length;
    if (empty) empty.hidden = rows.length > 0;
    if (host.slot === "call.after") whole.hidden = !rows.some(row => row.blob || row.mine);
  }
}

const made = (name, more) => Object.assign(document.createElement(name), more);

class Item {
  constructor(desk, host, row) {
    Object.assign(this, { desk, host, row, element: made("li", { tabIndex: -1 }) });
    const { text } = host, { stem, ending } = shown(row.name);
    this.name = made("span", { className: "files-name", dir: "ltr", title: row.name });
    this.name.append(made("bdi", { textContent: stem }), made("bdi", { textContent: ending }));
    this.about = made("p", { className: "files-about" });
    this.bar = made("progress", { max: 1, value: 0 });
    this.bar.setAttribute("aria-label", row.name);
    this.state = made("p", { className: "files-state" });
    this.sum = made("details", { className: "files-sum", hidden: true });
    this.code = made("code", {});
    this.sum.append(made("summary", { textContent: text("Checksum (SHA-256)") }), this.code);
    const acts = made("div", { className: "files-do" });
    this.acts = Object.fromEntries([
      ["save", text("Save"), () => desk.save(row)],
      ["accept", text("Receive"), () => desk.accept(row)],
      ["again", text("Send again"), () => desk.again(row)],
      ["cancel", text("Cancel"), () => desk.cancel(row)],
    ].map(([id, label, act]) => {
      const button = made("button", { type: "button", className: "link", textContent: label, hidden: true, onclick: act });
      button.setAttribute("aria-label", `${label}: ${row.name}`);
      acts.append(button);
      return [id, button];
    }));
    this.element.append(this.name, this.about, this.bar, this.state, acts, this.sum);
  }
  draw() {
    const { row, host, bar, state, sum, code, acts } = this, moving = ["going", "coming"].includes(row.state);
    this.element.dataset.state = state.dataset.state = row.state;
    bar.hidden = !moving;
    bar.value = row.size ? row.stored / row.size : 0;
    const words = said(host, row), whose = about(host, row);
    if (this.about.textContent !== whose) this.about.textContent = whose;
    if (state.textContent !== words) state.textContent = words;
    sum.hidden = !row.sha256;
    code.textContent = row.sha256;
    const over = host.slot === "call.after";
    const shows = { save: Boolean(row.blob), accept: row.state === "offered", again: row.mine && row.state === "failed" && !over, cancel: moving || ["queued", "offered"].includes(row.state) };
    const focused = Object.values(acts).find(each => each === document.activeElement);
    for (const [id, button] of Object.entries(acts)) button.hidden = !shows[id];
    if (focused?.hidden) (Object.values(acts).find(each => !each.hidden) ?? this.element).focus();
  }
}

function about({ text, visit }, { mine, who, size: n }) {
  const all = { name: who || visit.name, size: size(n) };
  if (!all.name) return mine ? text("Sent · {size}", all) : text("Received · {size}", all);
  return mine ? text("To {name} · {size}", all) : text("From {name} · {size}", all);
}

function said(host, row) {
  const { text } = host, { state, road, stored, size: n, speed } = row;
  if (state === "failed") return why(host, row);
  if (state === "done") return row.mine ? text("Delivered. The checksums agree.") : row.saved ? text("Saved.") : text("Arrived whole.");
  if (state === "queued") return later(host, row) ? text("It is large, and goes when the call begins.") : text("Waits for its turn.");
  if (state === "offered") return window.showSaveFilePicker ? text("Large. Choose where to save it.") : text("Large. It stays in this browser's memory until you save it.");
  if (road === "waiting" || (row.mine && !road)) return text("Waits until the other side is there.");
  const all = { percent: new Intl.NumberFormat(lang, { style: "percent" }).format(n ? stored / n : 0), speed: text("{size} a second", { size: size(speed) }) };
  return text("{percent} · {speed}", all);
}
