// Guests, as a provider sees them: who asks to join, the links that are out, who is in. Loaded when there is a first one.

import { arrived } from "./alerts.js";
import { called, kinds } from "./kinds.js";
import { part, say } from "./page.js";
import { notice } from "./surface.js";
import { text } from "./text.js";

const MOST = 4; // seats of a visit; one is kept for a provider

export class Guests {
  // link: the socket; rooms: id -> {link}; mine(): the id of the visit that we sit in; tell(words)
  constructor({ link, rooms, mine, tell }) {
    Object.assign(this, { link, rooms, mine, tell, cards: [], shown: null, known: new Set(), links: new Map() });
    for (const [kind, words] of Object.entries(kinds)) part("guest-kind").append(new Option(words, kind));
    part("guest-new").onsubmit = event => {
      event.preventDefault();
      this.invite(part("guest-kind").value);
    };
    part("guests-close").onclick = () => part("guests").close();
    part("guests").onclose = () => { this.shown = null; };
  }
  // cards: all that the queue shows, each with its room
  draw(cards) {
    this.cards = cards;
    this.knocks();
    if (!this.shown) return;
    if (cards.some(card => card.id === this.shown)) this.rows();
    else part("guests").close();
  }
  open(id) {
    this.shown = id;
    this.drawn = "";
    this.wrong("");
    this.rows();
    part("guests").showModal();
  }
  async ask(event, body) {
    const ack = await this.link.ask(event, body);
    this.wrong(ack.ok ? "" : ack.message);
    if (!ack.ok && !this.shown) this.tell(ack.message);
    return ack;
  }
  wrong(words) {
    part("guests-error").textContent = words;
    part("guests-error").hidden = !words;
  }

  // -- who asks

  knocks() {
    const asking = this.cards.flatMap(card => guestsOf(card).filter(knocks).map(seat => ({ card, seat })));
    const list = part("knocks"), ids = asking.map(({ seat }) => seat.id), fresh = asking.filter(({ seat }) => !this.known.has(seat.id));
    for (const row of [...list.children]) if (!ids.includes(row.dataset.seat)) {
      if (row.contains(document.activeElement)) part("main").focus();
      row.remove();
    }
    for (const { card, seat } of fresh) {
      const name = called(seat), patient = card.name || text("Name not given yet");
      const words = card.id === this.mine() ? text("{name} wants to join", { name }) : text("{name} wants to join the visit of {patient}", { name, patient });
      list.append(item(seat, words, [
        ["primary", text("Admit"), text("Admit {name}", { name }), () => this.ask("admit", { visit: card.id, seat: seat.id })],
        ["quiet", text("Refuse"), text("Refuse {name}", { name }), () => this.remove(card, seat)],
      ]));
      say(words);
      arrived(seat.id);
    }
    this.known = new Set(ids);
    list.hidden = !ids.length;
  }

  // -- one visit's guests

  rows() {
    const card = this.cards.find(each => each.id === this.shown), seats = guestsOf(card), list = part("guest-rows"), now = JSON.stringify(card.seats);
    if (now === this.drawn) return;
    this.drawn = now;
    const focused = document.activeElement?.closest?.("#guest-rows [data-act]"), again = focused && [focused.closest("li").dataset.seat, focused.dataset.act];
    list.replaceChildren(...seats.map(seat => this.row(card, seat)));
    if (again) (list.querySelector(`[data-seat="${again[0]}"] [data-act="${again[1]}"]`) ?? part("guests-close")).focus();
    list.hidden = !seats.length;
    const provided = card.seats.some(seat => seat.role === "provider"), full = card.seats.length + (provided ? 0 : 1) >= MOST;
    part("guest-new").hidden = full;
    part("guests-full").hidden = !full;
  }
  row(card, seat) {
    const name = called(seat), gone = ["quiet", text("Remove"), text("Remove {name}", { name }), () => this.remove(card, seat)];
    if (!seat.taken) {
      const row = item(seat, text("Link for: {kind}", { kind: kinds[seat.kind] }), [
        ["quiet", text("Copy link"), text("Copy link for: {kind}", { kind: kinds[seat.kind] }), button => this.copy(card, seat.id, button.closest("li"))],
        ["quiet", text("Take back"), text("Take back the link for: {kind}", { kind: kinds[seat.kind] }), () => this.remove(card, seat)],
      ]);
      if (this.links.has(seat.id)) row.append(shownLink(this.links.get(seat.id)));
      return row;
    }
    if (!seat.admitted) {
      const admit = ["primary", text("Admit"), text("Admit {name}", { name }), () => this.ask("admit", { visit: card.id, seat: seat.id })];
      return item(seat, knocks(seat) ? text("{name} wants to join", { name }) : text("{name} is away", { name }), [...knocks(seat) ? [admit] : [], gone]);
    }
    const words = seat.curtain ? text("Show picture") : text("Hide picture"), on = !seat.curtain;
    const label = seat.curtain ? text("Show picture to {name}", { name }) : text("Hide picture from {name}", { name });
    return item(seat, name, [["quiet", words, label, () => this.ask("curtain", { visit: card.id, seat: seat.id, on })], gone]);
  }
  async invite(kind) {
    const ack = await this.ask("invite", { visit: this.shown, kind });
    if (!ack.ok) return;
    const button = part("guest-rows").querySelector(`[data-seat="${ack.seat}"] button`);
    button?.focus();
    say(text("The link is ready to be copied."));
  }
  async copy(card, seat, row) {
    const ack = await this.ask("invite", { visit: card.id, seat });
    if (!ack.ok) return;
    const url = `${this.rooms.get(card.room)?.link ?? ""}/join#${ack.link}`, field = row.querySelector("input") ?? shownLink(url);
    this.links.set(seat, url);
    row.append(field);
    field.select();
    try {
      await navigator.clipboard.writeText(url);
      notice(text("Copied"));
    } catch { /* it stands selected, for Ctrl+C */ }
  }
  async remove(card, seat) {
    const ack = await this.ask("remove", { visit: card.id, seat: seat.id });
    if (ack.ok && seat.admitted) say(text("{name} has been let go", { name: called(seat) }));
  }
}

function shownLink(url) {
  const field = Object.assign(document.createElement("input"), { readOnly: true, className: "copied", value: url });
  field.dataset.act = "link";
  field.setAttribute("aria-label", text("Link"));
  return field;
}

const guestsOf = card => card.seats.filter(seat => seat.role === "guest");
const knocks = seat => seat.taken && seat.present && !seat.admitted;

// buttons: [kind, words, what screen readers say, what it does]
function item(seat, words, buttons) {
  const row = document.createElement("li"), acts = Object.assign(document.createElement("span"), { className: "row" });
  row.dataset.seat = seat.id;
  row.append(Object.assign(document.createElement("span"), { className: "guest", textContent: words }), acts);
  for (const [i, [kind, shown, label, act]] of buttons.entries()) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: `button ${kind}`, textContent: shown });
    button.dataset.act = i;
    button.setAttribute("aria-label", label);
    button.onclick = () => act(button);
    acts.append(button);
  }
  return row;
}
