// The steps of a check-in: forms made of fields, or a plugin's own part. Answers go sealed to the provider's page.

import { clean, read } from "./fields.js";
import { page, part, say } from "./page.js";
import { text } from "./text.js";

// An error beside its field, tied to it.
function oops(named, name, code) {
  const inputs = named instanceof RadioNodeList ? [...named] : [named], place = inputs[0].closest(".field, fieldset"), id = `${name}-error`;
  document.getElementById(id)?.remove();
  place.classList.toggle("wrong", Boolean(code));
  if (code) place.append(Object.assign(document.createElement("p"), { className: "error", id, textContent: page.errors[code] ?? page.errors.invalid }));
  for (const input of inputs) {
    if (code) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    const tied = (input.getAttribute("aria-describedby") ?? "").split(" ").filter(each => each && each !== id);
    input.setAttribute("aria-describedby", [...tied, ...code ? [id] : []].join(" "));
  }
}

export class Steps {
  // link(), channel(), visit(): the present ones
  constructor({ link, channel, visit }) {
    Object.assign(this, { link, channel, visit, known: [], owed: new Map(), told: new Map(), of: "" });
  }
  // The section of the page that the server has made for this visit.
  show(known) {
    this.known = known;
    this.begin();
    for (const form of part("steps").querySelectorAll("form[data-step]")) {
      const { fields } = known.find(step => step.id === form.dataset.step);
      form.onsubmit = event => {
        event.preventDefault();
        this.submit(form, fields);
      };
    }
    this.mark();
  }
  // What was done for another visit counts for none.
  begin() {
    if (this.of === this.visit().id) return;
    this.of = this.visit().id;
    for (const said of [this.owed, this.told]) said.clear();
  }
  mark() {
    const { steps: states } = this.visit();
    for (const place of part("steps").querySelectorAll("li[data-step]")) place.dataset.state = states[place.dataset.step] ?? "open";
    const open = this.known.filter(step => step.required && states[step.id] === "open");
    part("steps-left").textContent = open.length ? text("Please do this first, then your place in line begins to move.") : "";
    // The line is back: what the server has not heard, and what a new one does not know, since our pass was older.
    for (const [step, is] of [...this.owed, ...[...this.told].filter(([each, was]) => was && states[each] === "open")]) this.done(step, is);
  }
  async submit(form, fields) {
    const prefix = `${form.dataset.step}-`, { values, errors } = clean(fields, await read(form, fields, prefix));
    for (const { id } of fields) oops(form.elements[prefix + id], prefix + id, errors[id]);
    const first = fields.find(({ id }) => errors[id]);
    if (first) return document.getElementById(prefix + first.id).focus();
    this.answer(form.dataset.step, values);
    await this.done(form.dataset.step, true);
  }
  // values: what the patient gave; shown to the provider with the labels of the fields.
  answer(step, values) {
    const { title, fields } = this.known.find(each => each.id === step) ?? { title: step, fields: [] };
    const rows = Object.entries(values).map(([id, value]) => {
      const field = fields.find(each => each.id === id);
      const shown = field?.choices?.length ? [value].flat().map(one => field.choices.find(([k]) => k === one)?.[1] ?? one).join(", ") : value;
      return [field?.label ?? id, shown === true ? text("Yes") : shown === false ? text("No") : String(shown ?? "")];
    });
    return this.channel().send("core:answers", { step, title, rows });
  }
  // Whether the server knows of it now; what did not reach it is said again when the line is back.
  async done(step, is) {
    this.begin();
    for (const said of [this.owed, this.told]) said.delete(step);
    const ack = await this.link().ask("step", { id: step, done: is });
    if (ack.error === "failed") this.owed.set(step, is);
    const visit = this.visit();
    if (ack.ok && visit) {
      visit.steps = ack.steps;
      this.told.set(step, is);
      this.mark();
    }
    say(ack.ok ? text("Done. Thank you.") : ack.message);
    return ack.ok === true;
  }
}
