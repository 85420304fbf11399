// A form on the patient's page, from the request to the signed document; and on the provider's, to read it together.

import { clean, read } from "housecall/fields.js";
import { draw, load, sha256 } from "./teleconsent-form.js";
import { pad } from "./teleconsent-pad.js";

const PIECE = 9000;  // bytes of the document in one event: 12,000 letters
const NAMES = 200;   // characters of who has signed, in the word of it; the document has them whole
const AGAIN = 3000;  // ms until the server is told again of what did not reach it
export const DONE = ["signed", "withdrawn"]; // states that no mere look at the form changes

const base64 = bytes => {
  let letters = "";
  for (let i = 0; i < bytes.length; i += 4096) letters += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(letters);
};

// Two forms on one page have fields of one name: each is tied to its own labels.
function alone(form, mark) {
  for (const name of ["id", "for", "aria-describedby"]) {
    for (const element of form.querySelectorAll(`[${name}]`)) element.setAttribute(name, element.getAttribute(name).split(" ").map(id => id + mark).join(" "));
  }
  return form;
}

// Says how a paper stands, once: several parts of this page draw at the same time.
export function word(host, threads, data) {
  const last = threads.word.entries.filter(entry => entry.data.paper === data.paper).at(-1);
  if (last?.data.state === data.state) return Promise.resolve();
  return host.channel.send("word", data).catch(() => host.ui.notice(host.text("This could not be sent. Try again in a moment.")));
}

// What the patient sees of one form. It stands in one part after another, and keeps what was typed and drawn.
export class Signing {
  constructor({ paper, form, version }) {
    Object.assign(this, { paper, form, version, element: document.createElement("div"), was: "", loaded: null, busy: false, making: false, mark: `-${crypto.randomUUID().slice(0, 8)}` });
    this.element.className = "teleconsent-paper";
  }
  // host: of the part in which it stands now
  take(host, threads, each, file, tools) {
    if (this.host !== host) host.channel.on("show", ({ data }) => { if (data.paper === this.paper) this.point(data.n); });
    Object.assign(this, { host, threads, each, file, tools });
    const { state } = each, was = `${state} ${host.slot === "call.after"} ${state === "signed" && each.there}`;
    if (was === this.was) return;
    this.was = was;
    const focused = this.element.contains(document.activeElement);
    if (state === "opened" && host.slot !== "call.after") this.open(false);
    else this.said(state);
    if (focused) (this.element.querySelector("h3[tabindex], button") ?? this.element).focus();
  }
  said(state) {
    const { host, each, tools: { made, button } } = this, title = each.title ?? this.loaded?.said.title ?? "";
    const words = {
      asked: host.text("Your provider asks you to read and sign a form."),
      requested: host.text("Your provider asks you to read and sign a form."),
      signed: each.there ? host.text("You have signed “{title}”. Your provider has it too.", { title }) :
        host.slot === "call.after" ? host.text("You have signed “{title}”. Your provider does not have it: save it, and give it to the practice.", { title }) :
        host.text("You have signed “{title}”. Leave this page open until your provider has it: it is nowhere else.", { title }),
      declined: host.text("You have declined to sign “{title}”. Your provider sees that.", { title }),
      withdrawn: host.text("You have withdrawn “{title}”. Your provider sees that.", { title }),
    };
    const row = made("div", { className: "row" });
    if (state === "asked" || state === "requested") row.append(button(host.text("Read the form"), () => this.open(), "primary"), button(host.text("Decline"), () => this.say("declined")));
    if (state === "declined") row.append(button(host.text("Read it after all"), () => this.open(), "primary"));
    if (host.slot === "call.after") return this.kept(words[state], row, title);
    if (state === "withdrawn") row.append(button(host.text("Read it again"), () => this.open()));
    if (state === "signed") row.append(button(host.text("Withdraw"), () => this.withdraw()));
    this.kept(words[state], row, title);
  }
  // What is said of a form, and its document, if there is one.
  kept(words, row, title) {
    const { element, host, tools: { made, button, save } } = this;
    this.file().then(blob => blob && row.prepend(button(host.text("Download the signed form"), () => save(this.host, blob, title, this.paper), "primary")));
    element.replaceChildren(made("p", { className: "teleconsent-state", textContent: words }), row);
  }
  // The text, what is to be filled in, and who signs. focus: somebody here has asked for it.
  async open(focus = true) {
    const { host, element, tools: { made, button } } = this, { state } = this.each;
    if (this.busy) return;
    this.busy = true;
    if (!this.loaded) {
      element.replaceChildren(made("p", { className: "soft", textContent: host.text("Please wait, the form is on its way.") }));
      this.loaded = await load(this.form, this.each.version);
      this.sheet = null;
    }
    this.busy = false;
    if (this.each.state !== state && DONE.includes(this.each.state)) return; // we have heard of it meanwhile: that stands here
    if (!this.loaded) {
      element.replaceChildren(made("p", { className: "error", textContent: host.text("The form could not be loaded.") }), button(host.text("Try again"), () => this.open(), "primary"));
      return;
    }
    this.sheet ??= this.drawn(this.loaded.said);
    if (element.firstChild !== this.sheet[0]) {
      element.replaceChildren(...this.sheet);
      if (focus) this.sheet[0].focus();
    }
    this.say("opened");
  }
  drawn(said) {
    const { host, tools: { made, button } } = this;
    const title = made("h3", { className: "teleconsent-title", textContent: said.title, tabIndex: -1, dir: "auto" });
    this.text = draw(said, host.text);
    const region = made("div", { className: "teleconsent-scroll", tabIndex: 0 }, this.text);
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", said.title);
    this.form_ = alone(this.loaded.fields ?? made("form"), this.mark);
    this.form_.noValidate = true;
    this.form_.classList.add("teleconsent-fields");
    this.form_.addEventListener("submit", event => {
      event.preventDefault();
      this.sign();
    });
    this.pads = said.signers.map(signer => pad(signer, (words, values) => this.host.text(words, values)));
    this.form_.append(...this.pads.map(each => each.element));
    this.error = made("p", { className: "error", hidden: true });
    this.error.setAttribute("role", "alert");
    this.go = made("button", { className: "button primary", textContent: host.text("Sign") });
    this.decline = button(host.text("Decline"), () => this.say("declined"));
    this.form_.append(
      made("p", { className: "soft", textContent: host.text("When you press “Sign”, your browser makes the signed document. You and your provider can save it; the practice's server does not keep it.") }),
      this.error, made("div", { className: "row" }, this.go, this.decline));
    const lost = this.lost ? [made("p", { className: "notice", textContent: host.text("What you had signed was lost when this page was loaded anew: nobody has it. Please sign it again.") })] : [];
    return [title, ...lost, region, this.form_];
  }
  // Where the provider points.
  point(n) {
    const block = this.text?.querySelector(`[data-n="${n}"]`);
    if (!block || !block.isConnected) return;
    for (const before of this.text.querySelectorAll(".teleconsent-pointed")) before.classList.remove("teleconsent-pointed");
    block.classList.add("teleconsent-pointed");
    for (const folded of this.text.querySelectorAll("details")) folded.open = true;
    block.scrollIntoView({ block: "center" });
    this.host.ui.say(this.host.text("Your provider points at: {words}", { words: block.textContent }));
  }
  say(state) { return word(this.host, this.threads, this.stands(state)); }
  stands(state) {
    const { said } = this.loaded ?? {};
    return { paper: this.paper, form: this.form, state, ...said && { title: said.title, version: said.version, lang: said.lang, text: said.sha256 } };
  }
  // Goes to the server itself: until it answers, or the visit is over.
  async receipt(of) {
    const ack = await this.host.channel.send("receipt", of).catch(() => null);
    if (ack?.error === "failed") setTimeout(() => this.receipt(of), AGAIN);
  }
  async withdraw() {
    const { host } = this;
    if (!await host.ui.confirm(host.text("Withdraw what you have signed?"), { yes: host.text("Withdraw"), no: host.text("Keep it"), details: host.text("Your provider hears of it at once. What was done before stays done."), danger: true })) return;
    this.say("withdrawn");
    if (host.slot === "checkin.step") host.done(this.form, false);
  }
  // Beside each field what is wrong with it; answers the values, or null.
  async values() {
    const { said } = this.loaded, { host } = this, prefix = "teleconsent-";
    const { values, errors } = clean(said.fields, await read(this.form_, said.fields, prefix));
    for (const { id } of said.fields) {
      const input = this.form_.querySelector(`[name="${prefix}${id}"]`), place = input.closest("fieldset.field") ?? input.closest(".field");
      place.querySelector(":scope > .error")?.remove();
      place.classList.toggle("wrong", Boolean(errors[id]));
      input.toggleAttribute("aria-invalid", Boolean(errors[id]));
      if (!errors[id]) continue;
      const error = Object.assign(document.createElement("p"), { className: "error", id: `${prefix}${id}-error${this.mark}`, textContent: errors[id] === "required" ? host.text("This is needed.") : host.text("Please look at this again.") });
      place.append(error);
      input.setAttribute("aria-describedby", [...new Set([...(input.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean), error.id])].join(" "));
    }
    const first = said.fields.find(({ id }) => errors[id]);
    if (first) this.form_.querySelector(`[name="${prefix}${first.id}"]`).focus();
    return first ? null : values;
  }
  async sign() {
    if (this.busy) return;
    const values = await this.values();
    if (!values || this.pads.some(each => each.wrong())) return;
    const { host } = this, { said } = this.loaded;
    this.busy = this.making = this.go.disabled = this.decline.disabled = true;
    this.error.hidden = true;
    const progress = host.ui.progress(host.text("The signed document is made …"));
    try {
      const { make } = await host.load("./teleconsent-pdf.js");
      const shown = ({ id, type, choices }) => type === "bool" ? values[id] ? host.text("Yes") : host.text("No") :
        type === "choice" || type === "choices" ? [values[id] ?? []].flat().map(one => choices.find(([value]) => value === one)?.[1] ?? one).join("; ") : String(values[id] ?? "");
      const signers = this.pads.map(each => each.value()).filter(Boolean);
      const bytes = await make({
        said, signers, text: host.text, at: new Date(),
        answers: said.fields.map(field => [field.label, shown(field)]),
        providers: host.visit.seats.filter(seat => seat.role === "provider" && seat.name).map(seat => seat.name),
        progress: part => progress.value(part / 2),
      });
      const file = await sha256(bytes), letters = base64(bytes), pieces = Math.ceil(letters.length / (PIECE * 4 / 3));
      for (let n = 0; n < pieces; n++) {
        await host.channel.send("piece", { paper: this.paper, file, n, data: letters.slice(n * PIECE * 4 / 3, (n + 1) * PIECE * 4 / 3) });
        progress.value(.5 + n / pieces / 2);
      }
      const name = [...signers.map(each => each.name).join(", ")].slice(0, NAMES).join("");
      await host.channel.send("word", { ...this.stands("signed"), file, pieces, name });
      if (host.settings.receipts) this.receipt({ sha256: file, form: said.id, version: said.version });
      if (host.slot !== "checkin.step" || await host.done(this.form, true)) host.ui.say(host.text("Signed. Thank you."));
    } catch (error) {
      console.warn(`teleconsent: ${error}`);
      this.error.textContent = host.text("The document could not be made. Your signature is still here: try again.");
      this.error.hidden = false;
    }
    progress.done();
    this.busy = this.making = this.go.disabled = this.decline.disabled = false;
  }
}

// What the provider sees of the text that the patient reads, with a pointer.
export class Reading {
  constructor(host, { paper, form, version, lang, text, title }) {
    Object.assign(this, { host, paper, form, version, lang, sha: text, element: document.createElement("div") });
    this.element.className = "teleconsent-reading teleconsent-scroll";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "region");
    this.element.setAttribute("aria-label", title);
  }
  async load() {
    const { element, host } = this, loaded = await load(this.form, this.version, this.lang);
    if (!loaded || loaded.said.sha256 !== this.sha) {
      element.append(Object.assign(document.createElement("p"), { className: "error", textContent: loaded ? host.text("The patient reads another version of this text. Take the form back and ask again.") : host.text("The form could not be loaded.") }));
      return;
    }
    const text = draw(loaded.said, host.text, 3), blocks = [...text.querySelectorAll("[data-n]")];
    const points = blocks.map((block, i) => {
      const point = Object.assign(document.createElement("button"), { type: "button", className: "teleconsent-point", tabIndex: i ? -1 : 0 });
      point.setAttribute("aria-label", host.text("Point at this passage: {words}", { words: block.textContent.slice(0, 60) }));
      point.textContent = "☞";
      block.prepend(point);
      block.addEventListener("click", () => this.show(blocks, i));
      return point;
    });
    // One stop for Tab; the arrows go from passage to passage.
    text.addEventListener("keydown", event => {
      const i = points.indexOf(event.target), to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: points.length - 1 }[event.key];
      if (i < 0 || !points[to]) return;
      event.preventDefault();
      points[i].tabIndex = -1;
      points[to].tabIndex = 0;
      points[to].focus();
    });
    element.append(Object.assign(document.createElement("p"), { className: "soft", textContent: host.text("Press a passage: the patient's page goes there and marks it.") }), text);
  }
  show(blocks, n) {
    for (const [i, block] of blocks.entries()) block.classList.toggle("teleconsent-pointed", i === n);
    this.host.channel.send("show", { paper: this.paper, n }).catch(() => this.host.ui.notice(this.host.text("This could not be sent. Try again in a moment.")));
  }
}
