// Payments: what is known of a visit's, and the least that a page needs; what is seen comes when there is one (desk).

const ledgers = new Map();                             // visit -> Ledger, in this page's memory
const WAITING = ["making", "requested", "opened", "failed"];

export const waits = ({ state }) => WAITING.includes(state);

class Ledger extends EventTarget {
  constructor() {
    super();
    Object.assign(this, { payments: new Map(), terms: null, troubles: new Map(), told: new Set(), seen: new Set(), asked: 0, known: false });
  }
  get list() { return [...this.payments.values()].sort((a, b) => a.at - b.at); }
  // What the server knows; fresh: Stripe is asked, too.
  async look({ channel, signal }, fresh = false) {
    for (let wait = 1; !signal.aborted; wait *= 2) {
      const ack = await channel.send("look", { fresh }).catch(() => null);
      if (ack?.answer) return this.learn(ack.answer);
      if (ack?.error !== "slow_down") return;
      await new Promise(done => setTimeout(done, 500 * wait));
    }
  }
  learn({ payments, ...terms }) {
    this.terms = terms;
    this.payments = new Map(payments.map(each => [each.payment, each]));
    if (!this.known) for (const each of payments) this.told.add(said(each)); // what was before this page was there is not said
    this.known = true;
    this.dispatchEvent(new Event("change"));
  }
  take(row) {
    this.payments.set(row.payment, row);
    if (row.state !== "making") this.troubles.delete(row.payment);
    this.dispatchEvent(new Event("change"));
  }
  trouble({ payment, code, said: words }) {
    this.troubles.set(payment, { code, said: words });
    this.dispatchEvent(new Event("change"));
  }
  // Each change is said once, however many parts show it.
  news() {
    const fresh = this.list.filter(row => !this.told.has(said(row)));
    for (const row of fresh) this.told.add(said(row));
    return fresh;
  }
}
const said = ({ payment, state, refunded }) => `${payment} ${state} ${refunded}`;

function ledger({ visit }) {
  if (!ledgers.has(visit.id)) ledgers.set(visit.id, new Ledger());
  return ledgers.get(visit.id);
}

export function mount(host) {
  const { channel, root, signal, slot, ui, visit } = host, book = ledger(host), patient = host.me.role === "patient";
  let desk = null;
  const open = () => desk ??= host.load("./payments-desk.js").then(
    ({ sit }) => signal.aborted || sit(host, book),
    () => { desk = null; ui.notice(host.text("This could not be loaded. Try again in a moment.")); });
  const change = () => {
    const elsewhere = patient && book.terms?.elsewhere;
    if (book.payments.size || book.troubles.size || elsewhere) open();
    if (slot === "call.more") {
      const button = root.querySelector("button");
      button.hidden = patient && !book.payments.size && !elsewhere;
      ui.badge(book.list.filter(row => patient ? waits(row) && row.url : row.state === "paid" && !book.seen.has(row.payment)).length);
    }
  };
  book.addEventListener("change", change, { signal });
  if (slot !== "call.after") listen(host, book);
  if (slot === "call.more") root.querySelector("button").addEventListener("click", () => ui.panel.toggle(), { signal });
  if (slot === "call.side") root.addEventListener("shown", open, { signal });
  if (slot === "dashboard.card") root.querySelector("details").addEventListener("toggle", open, { signal });
  if (slot === "checkin.step") open();
  if (slot === "call.after") signal.addEventListener("abort", () => ledgers.delete(visit.id));
  change();
}

// The first part that is there asks; again when the line was away, and when the patient comes back from Stripe's page.
function listen(host, book) {
  const { channel, signal, slot, visit } = host;
  channel.on("stands", ({ data }) => book.take(data));
  channel.on("trouble", ({ data }) => book.trouble(data));
  const look = fresh => {
    if (Date.now() - book.asked < 1500 && !fresh) return;
    book.asked = Date.now();
    book.look(host, fresh);
  };
  visit.on("change", () => look(false));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && book.list.some(waits)) look(true);
  }, { signal });
  look(slot === "checkin.step");
}
