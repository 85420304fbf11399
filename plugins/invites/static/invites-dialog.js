// The dialogue: for whom, when and in which words; all ways by which it goes; and what became of what was sent.
// What is typed lives here until the page is closed, and goes to the server only with "Send".

import { size } from "housecall/segments.js";
import { compose, fill, mailto, moment, regional, sameClock, sms } from "./invites-say.js";
import { Fates } from "./invites-fates.js";

const SOON = 250; // ms after the last key until what was typed is read
const OWN = Intl.DateTimeFormat().resolvedOptions().timeZone;
const ORDER = new Intl.DateTimeFormat(navigator.language).formatToParts(0).find(({ type }) => type === "day" || type === "month").type === "month" ? "mdy" : "dmy";
const HERE = regional(document.documentElement.lang);
let draft = null; // what was typed when the dialogue was closed, and what we had filled in

// Our own answers: {status, body}; status 0 when the server was not reached.
async function asked(path) {
  const response = await fetch(`/-/invites/${path}`).catch(() => null);
  return { status: response?.status ?? 0, body: response?.ok ? await response.json() : {} };
}

const loaded = () => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("GET", "/-/invites/dialog");
  request.responseType = "document";
  request.onload = () => request.status === 200 && request.response?.querySelector(".invites") ? resolve(request.response.querySelector(".invites")) : reject(new Error(String(request.status)));
  request.onerror = () => reject(new Error("0"));
  request.send();
});

export async function invite(host) {
  const form = document.importNode(await loaded(), true);
  if (host.signal.aborted) return;
  const dialogue = new Dialogue(host, form);
  const done = host.ui.dialog({ title: host.text("Invite"), body: form, buttons: [{ value: "", label: host.text("Close") }] }, host.signal);
  form.closest("dialog").classList.add("invites-dialog");
  dialogue.begin();
  await done;
  dialogue.end();
}

class Dialogue {
  constructor(host, form) {
    this.host = host;
    this.form = form;
    this.known = JSON.parse(form.dataset.known);
    this.kind = "invitation";
    this.link = null;                                    // {id, url, check, opens, expires}
    this.at = null;
    this.device = null;
    this.filled = {};                                    // field -> the text that we have filled in
    this.asked = this.read = 0;
    this.fates = new Fates(host, this.part("fates"), (path, said) => this.ask(path, said));
  }

  ask(path, said) { return said ? this.host.post(path, said) : asked(path); }
  part(name) { return this.form.querySelector(`[data-part="${name}"]`); }
  field(name) { return this.form.querySelector(`#invites-${name}`); }
  value(name) { return this.field(name).value.trim(); }

  begin() {
    const { form, host, known } = this;
    const languages = [...new Set([...Object.keys(known.supplied), ...known.own.map(({ lang }) => lang)])];
    const names = new Intl.DisplayNames([document.documentElement.lang], { type: "language" });
    this.field("lang").append(...languages.map(lang => new Option(names.of(lang), lang)));
    this.field("lang").value = languages.find(lang => document.documentElement.lang.startsWith(lang)) ?? "en";
    this.choose("zone", OWN);
    for (const way of ["mail", "text"]) {
      form.querySelector(`[data-send="${way}"]`).hidden = !known.ways[way];
      this.part(`${way}-off`).hidden = known.ways[way];
    }
    form.addEventListener("submit", event => event.preventDefault());
    const on = (name, event, listener) => this.field(name).addEventListener(event, listener);
    on("room", "change", () => this.anew());
    on("when", "input", () => this.typed());
    on("zone", "change", () => this.show());
    on("lang", "change", () => this.wordings());
    on("wording", "change", () => this.reword());
    on("passes", "change", () => this.anew());
    on("device", "change", () => this.named());
    for (const name of ["mail", "phone", "subject", "text", "short"]) on(name, "input", () => this.draw());
    for (const button of form.querySelectorAll("[data-send]")) button.addEventListener("click", () => this.send(button.dataset.send, button));
    for (const way of form.querySelectorAll("[data-way]")) way.addEventListener("click", () => this.kept(way.dataset.way));
    for (const button of form.querySelectorAll("[data-do]")) button.addEventListener("click", () => this[button.dataset.do](button));
    this.part("sent").addEventListener("toggle", () => { if (this.part("sent").open) this.list(); });
    this.wordings();
    if (draft) this.restore();
    this.anew();
    this.field(this.field("room").options.length > 1 ? "room" : "when").focus();
    if (!this.field("room").options.length) this.problem(host.text("You serve no room yet. An owner or admin of the practice can make one for you."));
  }

  // A choice that the list may not have.
  choose(name, value) {
    const field = this.field(name);
    if (![...field.options].some(option => option.value === value)) field.append(new Option(value.replaceAll("_", " "), value));
    field.value = value;
  }

  // What was typed is there again when the dialogue is opened again.
  end() {
    clearTimeout(this.timer);
    this.closed = true;
    const values = {};
    for (const name of ["room", "when", "zone", "lang", "wording", "mail", "phone", "subject", "text", "short"]) values[name] = this.field(name).value;
    draft = this.kind === "invitation" && !this.gone ? { values, filled: this.filled, before: this.before, link: this.link } : null;
  }

  restore() {
    const { values, filled, before, link } = draft;
    for (const name of ["room", "zone", "lang"]) this.choose(name, values[name]);
    this.wordings(values.wording);
    for (const name of ["when", "mail", "phone", "subject", "text", "short"]) this.field(name).value = values[name];
    Object.assign(this, { filled, before, link });
    if (values.when.trim()) this.typed();
  }

  // -- when

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.understand(), SOON);
  }

  async understand() {
    const { host } = this, typed = this.value("when"), turn = ++this.read, line = this.field("understood");
    if (!typed) {
      this.at = null;
      line.textContent = "";
      return this.anew();
    }
    const { status, body } = await this.ask("when", { text: typed, zone: OWN, order: ORDER });
    if (turn !== this.read || this.closed) return;
    this.at = status === 200 ? body.at : null;
    this.doubt = body.doubt ?? "";
    line.classList.toggle("error", status !== 200);
    this.field("when").toggleAttribute("aria-invalid", status !== 200);
    if (status === 422) line.textContent = NOT[body.code]?.(host, body.word) ?? NOT.word(host, typed);
    else if (status !== 200) line.textContent = host.text("The practice's server was not reached. Check your connection and try again.");
    else await this.anew();
  }

  // Back in words what was understood, by both clocks where they differ.
  show() {
    const { at, host } = this, line = this.field("understood"), lang = HERE, zone = this.value("zone");
    if (at) {
      const differ = !sameClock(at, OWN, zone);
      const parts = [differ ? host.text("{when}. For the patient: {theirs}.", { when: moment(at, lang, OWN, true), theirs: moment(at, lang, zone, true) }) : host.text("{when}.", { when: moment(at, lang, OWN, true) })];
      if (this.doubt === "night") parts.push(host.text("That is at night. Write pm if you mean the afternoon."));
      if (this.doubt === "twice") parts.push(host.text("The clocks are set back then; this is the first of the two."));
      line.textContent = parts.join(" ");
    }
    const reminds = at && this.kind !== "cancelled" && (this.known.ways.mail || this.known.ways.text);
    this.part("reminders").hidden = this.part("remind-help").hidden = !reminds;
    this.part("calendars").hidden = !at;
    this.part("no-time").hidden = Boolean(at);
    this.refill();
  }

  // -- the link

  given() {
    const expires = this.link?.at === null ? this.link.expires : 0; // one without a time stays the same link
    return { id: this.link?.id ?? "", room: this.value("room"), at: this.at, expires, passes: this.passes, lang: this.value("lang"), device: this.device ?? "" };
  }
  get passes() { return this.field("passes").checked && "passcode" in (this.field("room").selectedOptions[0]?.dataset ?? {}); }
  get url() { return this.link && this.kind !== "cancelled" ? this.link.url + (this.device ? `&k=${this.device}` : "") : ""; }

  async anew() {
    const { host } = this, turn = ++this.asked;
    if (!this.value("room") || (this.kind === "moved" && !this.at)) return;
    this.part("passes").hidden = !("passcode" in this.field("room").selectedOptions[0].dataset);
    const { status, body } = await this.ask("link", this.given());
    if (turn !== this.asked || this.closed) return;
    if (status !== 200) return this.problem(this.why(status, body));
    this.problem("");
    this.link = body;
    this.field("url").value = this.url;
    this.part("qr").hidden = true;
    this.form.querySelector('[data-do="qr"]').setAttribute("aria-expanded", "false");
    const until = moment(body.expires, HERE, OWN, false);
    this.field("url-help").textContent = body.opens > Date.now()
      ? host.text("It opens on {from}, and for one visit only. Opening it uses nothing up. It ends on {until}.", { from: moment(body.opens, HERE, OWN, false), until })
      : host.text("It is for one visit. Opening it uses nothing up; it is used when somebody who checked in with it was called. It ends on {until}.", { until });
    this.show();
  }

  async named() {
    const tick = this.field("device");
    this.device = tick.checked ? await this.host.device() : null;
    if (tick.checked && !this.device) {
      tick.checked = false;
      this.host.ui.notice(this.host.text("This browser keeps no keys, perhaps because the window is a private one."));
    }
    this.field("url").value = this.url;
    this.refill();
  }

  // -- the words

  wordings(chosen = "") {
    const lang = this.value("lang"), own = this.known.own.filter(each => each.lang === lang);
    const supplied = lang in this.known.supplied ? [new Option(this.host.text("Invitation"), "")] : [];
    this.field("wording").replaceChildren(...supplied, ...own.map(({ id, name }) => new Option(name, id)));
    if (chosen) this.field("wording").value = chosen;
    this.part("wordings").hidden = !own.length || this.kind !== "invitation";
    this.last = this.field("wording").value;
    this.reword(true);
  }

  get words() {
    const own = this.kind === "invitation" && this.known.own.find(({ id }) => id === this.value("wording"));
    const { supplied } = this.known, lang = this.value("lang");
    return own || (supplied[lang] ?? supplied[lang.split("-")[0]] ?? supplied.en)[this.kind];
  }

  values() {
    const zone = this.value("zone"), room = this.field("room").selectedOptions[0]?.textContent ?? "";
    const when = this.at && moment(this.at, regional(this.value("lang")), zone, !sameClock(this.at, OWN, zone) || this.kind !== "invitation");
    return { practice: this.known.practice, room, when: when ?? "", link: this.url, check: this.link?.check ?? "" };
  }

  // Another text. What somebody has changed is not lost unasked.
  async reword(sure = false) {
    const changed = ["subject", "text", "short"].some(name => this.field(name).value && this.field(name).value !== this.filled[name]);
    if (changed && !await this.host.ui.confirm(this.host.text("Replace what you have changed in the message?"), { yes: this.host.text("Replace it"), no: this.host.text("Keep mine") })) {
      if (!sure) this.field("wording").value = this.last;
      return;
    }
    this.last = this.field("wording").value;
    this.filled = {};
    for (const name of ["subject", "text", "short"]) this.field(name).value = "";
    this.refill();
  }

  // Link and time in the texts are those of now; what somebody has written around them stays.
  refill() {
    const values = this.values(), before = this.before ?? values;
    for (const name of ["subject", "text", "short"]) {
      const field = this.field(name), made = fill(this.words[name], values), typed = field.value;
      if (!typed || typed === this.filled[name]) field.value = this.filled[name] = made;
      else for (const place of ["link", "when", "check"]) if (before[place] && before[place] !== values[place]) field.value = field.value.replaceAll(before[place], values[place]);
    }
    this.before = values;
    this.draw();
  }

  // Everything that depends on the texts and the addresses.
  draw() {
    const { form, host } = this, [subject, text, short, mail, phone] = ["subject", "text", "short", "mail", "phone"].map(name => this.value(name));
    const href = (way, url) => { form.querySelector(`[data-way="${way}"]`).href = url; };
    const base = way => form.querySelector(`[data-way="${way}"]`).dataset.base ??= form.querySelector(`[data-way="${way}"]`).getAttribute("href");
    href("mailto", mailto(mail, subject, text));
    href("gmail", compose(base("gmail"), { to: mail, su: subject, body: text }));
    href("outlook", compose(base("outlook"), { to: mail, subject, body: text }));
    href("office", compose(base("office"), { to: mail, subject, body: text }));
    href("sms", sms(phone, short));
    const { units, parts, strange: [odd] } = size(short);
    const counted = parts === 1 ? host.text("{units} characters, 1 text message", { units }) : host.text("{units} characters, {parts} text messages", { units, parts });
    this.field("count").textContent = odd ? `${counted}. ${host.text("With “{odd}” fewer fit into each.", { odd })}` : `${counted}.`;
    this.calendar();
  }

  // What opens a new entry in a calendar on the web.
  calendar() {
    if (!this.at || !this.link?.minutes) return;
    const start = new Date(this.at), end = new Date(this.at + this.link.minutes * 60_000), iso = date => date.toISOString().replace(/\.\d+/, "");
    const event = (this.known.supplied[this.value("lang")] ?? this.known.supplied.en).event, body = `${this.known.practice}\n${this.url}`;
    const put = (way, values) => {
      const link = this.form.querySelector(`[data-way="${way}"]`);
      link.href = compose(link.dataset.base ??= link.getAttribute("href"), values);
    };
    put("google", { action: "TEMPLATE", text: event, dates: `${iso(start).replace(/[-:]/g, "")}/${iso(end).replace(/[-:]/g, "")}`, details: body, location: this.url });
    const outlook = { path: "/calendar/action/compose", rru: "addevent", subject: event, startdt: iso(start), enddt: iso(end), body, location: this.url };
    put("outlook-calendar", outlook);
    put("office-calendar", outlook);
  }

  // -- ways

  async send(way, button) {
    const { host } = this, to = this.value(way === "mail" ? "mail" : "phone");
    const remind = this.at && this.kind !== "cancelled" ? Number(this.value("remind")) : 0;
    const lang = this.value("lang"), reminder = (this.known.supplied[lang] ?? this.known.supplied.en).reminder, values = this.values();
    button.disabled = true;
    const { status, body } = await this.ask("send", {
      ...this.given(), way, kind: this.kind, to, subject: this.value("subject"), text: this.value(way === "mail" ? "text" : "short"),
      remind, ...remind && { remind_subject: fill(reminder.subject, values), remind_text: fill(way === "mail" ? reminder.text : reminder.short, values) },
    });
    button.disabled = false;
    if (status !== 200) return this.problem(this.why(status, body), Object.keys(body.fields ?? {})[0] === "to" ? way === "mail" ? "mail" : "phone" : Object.keys(body.fields ?? {})[0]);
    this.problem("");
    this.fates.add(body.post, way === "mail" ? host.text("E-mail to {to}", { to }) : host.text("Text message to {to}", { to }));
    this.after();
  }

  // Something has gone: the next one is for somebody else.
  after() {
    this.gone = true;
    this.part("another").hidden = false;
    if (this.part("sent").open) this.list();
  }

  async kept(way) {
    if (!this.link || this.kind === "cancelled") return;
    if (["google", "outlook-calendar", "office-calendar"].includes(way)) this.host.ui.say(this.host.text("It opens in a new tab."));
    await this.ask("kept", this.given());
    this.after();
  }

  async copy(button) { await this.put(this.field("url"), button); }
  async message(button) { await this.put(this.field("text"), button); }
  async put(field, button) {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      const before = button.textContent;
      button.textContent = this.host.text("Copied");
      this.host.ui.say(this.host.text("Copied"));
      setTimeout(() => { button.textContent = before; }, 2000);
    } catch {
      this.host.ui.say(this.host.text("It stands selected: copy it with Ctrl+C."));
    }
    await this.kept("copy");
  }

  async qr(button) {
    const place = this.part("qr");
    if (!place.hidden) {
      place.hidden = true;
      return button.setAttribute("aria-expanded", "false");
    }
    const { status, body } = await this.ask("qr", { url: this.url });
    if (status !== 200) return this.problem(this.why(status, body));
    place.querySelector("img").src = `data:image/svg+xml,${encodeURIComponent(body.svg)}`;
    place.hidden = false;
    button.setAttribute("aria-expanded", "true");
    await this.kept("qr");
  }

  async ics() {
    const { status, body } = await this.ask("entry", this.given());
    if (status !== 200) return this.problem(this.why(status, body));
    this.host.ui.download("invitation.ics", new Blob([body.ics], { type: "text/calendar" }));
    this.after();
  }

  // -- those that were sent

  async list() {
    const { host } = this, place = this.part("sent").querySelector("ul"), { status, body } = await this.ask("sent");
    if (this.closed) return;
    if (status !== 200) return place.replaceChildren(made("li", host.text("The list could not be loaded. Try again when the line is back.")));
    if (!body.sent.length) return place.replaceChildren(made("li", host.text("None is still to come.")));
    place.replaceChildren(...body.sent.map(row => {
      const room = [...this.field("room").options].find(({ value }) => value === row.room)?.textContent ?? "";
      const when = row.at ? moment(row.at, HERE, OWN, false) : host.text("at any time until {until}", { until: moment(row.expires, HERE, OWN, false) });
      const item = made("li", ""), words = made("span", `${when} · ${room}`);
      item.append(words);
      if (row.cancelled) item.append(made("span", host.text("Cancelled"), "tag"));
      if (row.reminder && !row.cancelled) item.append(made("span", host.text("With a reminder"), "tag"));
      if (!row.cancelled) {
        const move = made("button", host.text("Move"), "button quiet"), cancel = made("button", host.text("Cancel it"), "button quiet");
        for (const button of [move, cancel]) button.type = "button";
        move.setAttribute("aria-label", host.text("Move: {when}", { when }));
        cancel.setAttribute("aria-label", host.text("Cancel: {when}", { when }));
        move.addEventListener("click", () => this.turn("moved", row, when));
        cancel.addEventListener("click", () => this.cancel(row, when));
        item.append(move, cancel);
      }
      return item;
    }));
  }

  async cancel(row, when) {
    const { host } = this;
    const sure = await host.ui.confirm(host.text("Cancel the appointment of {when}?", { when }), {
      yes: host.text("Cancel it"), no: host.text("Keep it"), danger: true, details: host.text("Its link opens nothing any more. You tell the person in the next step."),
    });
    if (!sure) return;
    const { status, body } = await this.ask("cancel", { id: row.id });
    if (status !== 200) return this.problem(this.why(status, body));
    await this.turn("cancelled", row, when);
  }

  // The dialogue is about one that was sent before.
  async turn(kind, row, when) {
    const { host } = this, mode = this.part("mode");
    this.kind = kind;
    this.at = kind === "cancelled" ? row.at : null;
    this.doubt = "";
    this.link = { id: row.id };
    this.gone = true;
    this.choose("room", row.room);
    this.field("passes").checked = row.passes;
    this.field("when").value = "";
    this.field("understood").textContent = "";
    for (const name of ["room", "when"]) this.field(name).disabled = kind === "cancelled" || name === "room";
    this.part("links").hidden = kind === "cancelled";
    mode.textContent = kind === "moved"
      ? host.text("You move the appointment of {when}. Say when it is now, and type the address again: this server has not kept it.", { when })
      : host.text("The appointment of {when} is cancelled, and its link opens nothing any more. Type the address again to tell the person: this server has not kept it.", { when });
    mode.hidden = this.part("another").hidden = false;
    this.part("sent").open = false;
    for (const name of ["subject", "text", "short", "mail", "phone"]) this.field(name).value = "";
    this.filled = {};
    this.wordings();
    await this.anew();
    mode.tabIndex = -1;
    mode.focus();
  }

  // An empty form, for somebody else.
  another() {
    this.kind = "invitation";
    this.at = this.link = null;
    this.gone = false;
    for (const name of ["room", "when"]) this.field(name).disabled = false;
    for (const name of ["when", "mail", "phone", "subject", "text", "short"]) this.field(name).value = "";
    this.field("understood").textContent = "";
    this.field("remind").value = "0";
    this.part("mode").hidden = this.part("another").hidden = true;
    this.part("links").hidden = false;
    this.filled = {};
    this.problem("");
    this.wordings();
    this.anew();
    this.field("when").focus();
  }

  // -- what went wrong

  problem(words, name = "") {
    const line = this.part("error");
    for (const field of this.form.querySelectorAll("[aria-invalid]:not(#invites-when)")) field.removeAttribute("aria-invalid");
    line.textContent = words;
    line.hidden = !words;
    const field = name && this.field(name);
    if (!words || !field) return;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  why(status, { fields = {} }) {
    const { host } = this, [code] = Object.values(fields);
    if (status === 0) return host.text("The practice's server was not reached. Check your connection and try again.");
    if (status === 403) return host.text("This page has been open for too long. Reload it, then try again.");
    return WRONG[code]?.(host) ?? host.text("Something went wrong on our side. Try again.");
  }
}

const made = (name, textContent, className = "") => Object.assign(document.createElement(name), { textContent, className });

// Why a time was not understood.
const NOT = {
  word: (host, word) => host.text("“{word}” was not understood. Write the day and the time, such as 3 December 14:00.", { word }),
  empty: host => host.text("Write the day and the time, such as 3 December 14:00."),
  no_time: host => host.text("At what time? Add it, such as 14:00 or 2pm."),
  time: (host, word) => host.text("{word} is no time of day.", { word }),
  date: (host, word) => host.text("{word} is no day of the calendar.", { word }),
  weekday: host => host.text("That date is another day of the week. Leave one of the two out."),
  midnight: host => host.text("Midnight belongs to two days. Write 0:00 with its day, or 23:59."),
  zone: (host, word) => host.text("There is no time zone {word}.", { word }),
  gap: host => host.text("There is no such time on that day: the clocks are set forward."),
  past: host => host.text("That is in the past."),
  far: host => host.text("That is more than a year away."),
};

// Why something could not be sent.
const WRONG = {
  required: host => host.text("This is empty. Please fill it in."),
  email: host => host.text("This is not an e-mail address. It looks like name@example.org."),
  phone: host => host.text("This is not a mobile number with its country. It looks like +1 555 010 0123."),
  long: host => host.text("This is too long. Please shorten it."),
  link: host => host.text("The link is missing in the message. Without it, nobody can come."),
  past: host => host.text("That is in the past."),
  no_time: host => host.text("At what time? Add it, such as 14:00 or 2pm."),
  begun: host => host.text("That visit has begun already. Invite anew."),
  unknown: host => host.text("This room is not yours any more. Reload the page."),
  off: host => host.text("This server cannot send that at the moment. Use another way."),
  many: host => host.text("That were too many messages for today, or for this invitation. Use your own program."),
};
