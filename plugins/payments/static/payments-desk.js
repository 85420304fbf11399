// What is seen of a visit's payments: the list on both sides, the form of the provider, the patient's pop-up.

import { waits } from "./payments.js";

const make = (tag, properties = {}, ...inside) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...inside);
  return element;
};
const button = (label, kind, press) => make("button", { type: "button", className: `button ${kind}`, onclick: press }, label);
let number = 0;

function style() {
  const href = new URL("payments.css", import.meta.url).pathname;
  if (!document.querySelector(`link[href="${href}"]`)) document.head.append(make("link", { rel: "stylesheet", href }));
}

// An amount in the reader's way. minor: an integer; digits: how many decimals it stands for.
export function amount({ currency, digits }, minor) {
  const unit = 10 ** digits, exact = minor % unit ? { minimumFractionDigits: digits, maximumFractionDigits: digits } : {};
  return new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: currency.toUpperCase(), ...exact }).format(minor / unit);
}

// The same as a number that can be typed.
function typed({ digits }, minor) {
  const text = String(minor).padStart(digits + 1, "0"), whole = text.slice(0, text.length - digits);
  return digits ? `${whole}.${text.slice(-digits)}`.replace(/(\.\d\d)0$/, "$1") : whole;
}

const STATES = {
  making: ({ text }) => text("Being prepared"), requested: ({ text }) => text("Asked for"), opened: ({ text }) => text("Stripe's page is open"),
  pending: ({ text }) => text("On its way from the bank"), paid: ({ text }) => text("Paid"), failed: ({ text }) => text("Declined"),
  expired: ({ text }) => text("Expired"), cancelled: ({ text }) => text("Taken back"), refunded: ({ text }) => text("Given back"),
};

function troubled({ text }, { code, said }) {
  switch (code) {
    case "off": return text("Stripe is not connected. An owner or admin connects it on the page of the payments.");
    case "down": return text("Stripe does not answer. What was asked for is done as soon as it does; the visit goes on.");
    case "busy": return text("Stripe has too much to do. Try again in a minute.");
    case "key": return text("Stripe does not take the key. An owner or admin puts a new one into the settings.");
    case "permission": return text("The key may not do this. An owner or admin gives it the permission in Stripe's dashboard.");
    case "open": return text("A payment waits already. Take it back first.");
    case "stale": return text("Somebody else was faster. Look again, then decide.");
    case "closed": return text("This is over: nothing was changed.");
    default: return said ? text("Stripe refuses this: {said}", { said }) : text("Stripe refuses this.");
  }
}

function mistyped({ text }, code) {
  switch (code) {
    case "empty": return text("Write an amount, such as 50 or 12.50.");
    case "ambiguous": return text("This may mean two amounts. Write it without thousands, and with two decimals at most.");
    case "decimals": return text("This has more decimals than the currency.");
    case "currency": return text("This names another currency.");
    case "step": return text("In this currency no smaller amounts can be charged. Round it.");
    case "zero": return text("Write more than 0.");
    case "big": return text("This is more than Stripe charges at once.");
    case "more": return text("This is more than what is left.");
    default: return text("This is no amount. Write it as 50 or 12.50.");
  }
}

export function sit(host, book) {
  const { me, root, signal, slot } = host, patient = me.role === "patient";
  style();
  if (slot === "call.more") return;
  const place = root.querySelector(".payments > div") ?? root.querySelector(".payments");
  const list = place ? make("ul", { className: "payments-list" }) : null, form = place && !patient && slot !== "call.after" ? asking(host, book) : null;
  const none = make("p", { className: "soft" }, host.text("Nothing is to be paid.")), books = make("p", { className: "soft" }, host.text("The practice keeps the amount for its books, without your name."));
  if (place) place.replaceChildren(...slot === "call.after" || slot === "waiting.main" ? [make("h2", {}, host.text("Payments"))] : [], list, ...patient && slot === "call.side" ? [none] : [], ...patient && slot === "call.after" ? [books] : [], ...form ? [form.element] : []);
  const draw = () => {
    if (signal.aborted) return;
    announce(host, book);
    const rows = book.list.filter(row => slot === "checkin.step" ? row.before : slot !== "waiting.main" || !row.before || !waits(row));
    const url = patient && slot !== "checkin.step" && book.terms?.elsewhere;
    if (place) {
      show(host, book, list, rows);
      if (url && !place.querySelector(".payments-elsewhere")) place.append(elsewhere(host, url));
      none.hidden = rows.length > 0 || Boolean(url);
      books.hidden = !rows.length;
      if (slot === "waiting.main" || slot === "call.after") place.hidden = !rows.length && !url;
      if (slot === "checkin.step") step(host, book, place, rows);
    }
    form?.draw();
    if (slot === "call.side" && host.ui.panel.open) for (const { payment } of rows) book.seen.add(payment);
    if (slot === "dashboard.card") {
      const shown = root.querySelector("details").open;
      if (shown) for (const { payment } of rows) book.seen.add(payment);
      host.ui.badge(rows.filter(row => row.state === "paid" && !book.seen.has(row.payment)).length);
    }
    if (patient && (slot === "waiting.main" || slot === "call.stage")) offer(host, book);
  };
  book.addEventListener("change", draw, { signal });
  root.addEventListener("shown", draw, { signal });
  draw();
}

function announce(host, book) {
  const { me, text, ui } = host, patient = me.role === "patient";
  for (const row of book.news()) {
    const money = amount(row, row.amount);
    if (row.state === "paid" && row.refunded) ui.notice(text("{amount} was given back.", { amount: amount(row, row.refunded) }));
    else if (row.state === "refunded") ui.notice(text("{amount} was given back.", { amount: money }));
    else if (row.state === "paid") ui.notice(patient ? text("Paid: {amount}. Thank you.", { amount: money }) : text("Paid: {amount}", { amount: money }));
    else if (row.state === "failed") ui.notice(patient ? text("The card was declined. You can try again, or with another one.") : text("The card was declined. The patient can try again."));
    else if (row.state === "cancelled" && patient) ui.notice(text("Your provider has taken the request for a payment back."));
    else if (row.state === "expired") ui.notice(text("The payment page has expired."));
    else if (row.state === "opened" && !patient) ui.say(text("The patient has opened Stripe's page."));
  }
}

// One line for each payment; what has not changed is not touched, since it may have the focus.
function show(host, book, list, rows) {
  const kept = new Map([...list.children].map(item => [item.dataset.payment, item]));
  for (const [payment, item] of kept) if (!rows.some(row => row.payment === payment)) item.remove();
  for (const row of rows) {
    const trouble = book.troubles.get(row.payment), drawn = JSON.stringify([row, trouble]);
    let item = kept.get(row.payment);
    if (item?.dataset.drawn === drawn) continue;
    if (!item) list.append(item = make("li"));
    const focused = item.contains(document.activeElement);
    Object.assign(item.dataset, { payment: row.payment, state: row.state, drawn });
    item.replaceChildren(...line(host, book, row, trouble));
    if (focused) (item.querySelector("a, button") ?? list.parentElement.querySelector("input, button"))?.focus();
  }
}

function line(host, book, row, trouble) {
  const { me, text } = host, patient = me.role === "patient", does = make("div", { className: "row" });
  const parts = [make("strong", {}, amount(row, row.amount)), make("span", { className: "tag payments-state" }, STATES[row.state](host))];
  parts[1].dataset.state = row.state;
  if (!row.live) parts.push(make("span", { className: "tag" }, text("Test: no real money")));
  if (row.line) parts.push(make("span", { className: "soft" }, row.line));
  if (row.refunded && row.state === "paid") parts.push(make("span", { className: "soft" }, text("{amount} given back", { amount: amount(row, row.refunded) })));
  if (row.refunding) parts.push(make("span", { className: "soft" }, text("{amount} is being given back …", { amount: amount(row, row.refunding) })));
  if (trouble) parts.push(make("p", { className: "payments-trouble" }, patient ? text("The payment page cannot be opened now. It is tried again by itself; your visit goes on.") : troubled(host, trouble)));
  if (patient) {
    const link = pay(host, row);
    if (link) does.append(link);
  } else if (host.slot !== "call.after") {
    if (waits(row)) does.append(button(text("Take back"), "quiet", () => tell(host, book, "cancel", { payment: row.payment })));
    if (row.state === "paid" && !row.refunding) does.append(button(text("Give back …"), "quiet", () => giveBack(host, book, row)));
    if (waits(row) || row.state === "pending") does.append(button(text("Ask Stripe"), "quiet", async () => {
      await book.look(host, true);
      host.ui.say(text("Stripe was asked."));
    }));
  }
  if (does.childElementCount) parts.push(does);
  return parts;
}

// The way to Stripe's page, in a tab of its own that knows nothing of this one.
function pay(host, row, pressed = () => {}) {
  if (!row.url || !waits(row)) return null;
  const link = tab(host, row.url, row.state === "requested" ? host.text("Pay") : host.text("Open the payment page again"));
  link.addEventListener("click", () => {
    host.channel?.send("opened", { payment: row.payment }).catch(() => {});
    pressed();
  });
  return link;
}

function tab({ text }, href, words) {
  const link = make("a", { className: "button primary", target: "_blank", rel: "noopener noreferrer", href }, words);
  link.append(make("span", { className: "sr" }, ` ${text("(opens a new tab)")}`));
  return link;
}

// The practice's own payment page, of another service than Stripe.
function elsewhere(host, url) {
  const words = host.text("The practice takes payments on a page of its own. What becomes of it there is not shown here; your visit goes on.");
  return make("div", { className: "payments-elsewhere" }, tab(host, url, host.text("Pay")), make("p", { className: "soft" }, words));
}

async function tell(host, book, event, data) {
  const ack = await host.channel.send(event, data).catch(() => null), errors = ack?.answer?.errors;
  if (ack?.ok && !errors) return true;
  host.ui.notice(errors?.amount ? mistyped(host, errors.amount) : errors ? troubled(host, { code: errors[""] }) : host.text("This could not be sent. Try again in a moment."));
  book.look(host);
  return false;
}

async function giveBack(host, book, row) {
  const { text } = host, id = `payments-back-${number += 1}`, left = row.amount - row.refunded;
  const input = make("input", { id, inputMode: "decimal", autocomplete: "off", maxLength: 60, value: typed(row, left) });
  input.setAttribute("autofocus", "");
  const body = make("div", { className: "field" }, make("label", { htmlFor: id }, text("Amount, in {currency}", { currency: row.currency.toUpperCase() })), input,
    make("p", { className: "help" }, text("It goes to the card that was used. This cannot be undone.")));
  const answer = await host.ui.dialog({ title: text("Give money back?"), body, buttons: [{ value: "", label: text("No") }, { value: "back", label: text("Give it back"), kind: "danger" }] });
  if (answer !== "back") return;
  if (await tell(host, book, "refund", { payment: row.payment, amount: input.value, seen: row.refunded })) host.ui.say(text("The money is being given back."));
}

// -- the provider's form

function asking(host, book) {
  const { text } = host, n = number += 1, id = name => `payments-${name}-${n}`;
  const input = (name, more) => make("input", { id: id(name), autocomplete: "off", ...more });
  const money = input("amount", { inputMode: "decimal", maxLength: 60 }), currency = input("currency", { maxLength: 3, className: "payments-currency" }), words = input("line", { maxLength: 120 });
  const error = make("p", { className: "error", id: id("error"), hidden: true }), presets = make("div", { className: "row payments-presets" });
  const field = (label, element, ...more) => make("div", { className: "field" }, make("label", { htmlFor: element.id }, label), element, ...more);
  const help = make("p", { className: "help" }, text("Stands on Stripe's page. No name, and nothing about health."));
  const form = make("form", { className: "payments-ask", noValidate: true }, presets,
    make("div", { className: "payments-money" }, field(text("Amount"), money), field(text("Currency"), currency)), error,
    field(text("For what"), words, help), make("button", { className: "button primary" }, text("Ask for this payment")));
  const off = make("p"), busy = make("p", { className: "soft" }, text("One payment is asked for at a time."));
  const element = make("div", {}, off, busy, form);
  let filled = "";
  const wrong = (what, at = money) => {
    for (const each of [money, currency]) each.removeAttribute("aria-invalid");
    error.hidden = !what;
    error.textContent = what ?? "";
    if (!what) return;
    at.setAttribute("aria-invalid", "true");
    at.setAttribute("aria-describedby", error.id);
    at.focus();
  };
  form.addEventListener("submit", async event => {
    event.preventDefault();
    wrong();
    const data = { amount: money.value, currency: currency.value.trim().toLowerCase(), line: words.value };
    if (!data.amount.trim()) return wrong(mistyped(host, "empty"));
    const ack = await host.channel.send("ask", data).catch(() => null), errors = ack?.answer?.errors;
    if (!ack?.ok) return wrong(host.text("This could not be sent. Try again in a moment."));
    if (errors?.currency) return wrong(text("This is no currency of Stripe's. Write its three letters, such as EUR."), currency);
    if (errors?.amount) return wrong(mistyped(host, errors.amount));
    if (errors) return wrong(troubled(host, { code: errors[""] }));
    money.value = "";
    host.ui.say(text("The patient is asked."));
  }, { signal: host.signal });
  const draw = () => {
    const { terms } = book, ready = terms?.ready !== false && !terms?.elsewhere, waiting = book.list.some(row => waits(row));
    off.hidden = ready;
    off.className = terms?.elsewhere ? "soft" : "notice";
    off.textContent = terms?.elsewhere ? text("Patients have a button to the practice's own payment page. What becomes of it there is not shown here.") :
      text("Stripe is not connected yet. An owner or admin connects it: Practice, Payments.");
    busy.hidden = !ready || !waiting;
    form.hidden = !ready || waiting || !terms;
    if (!terms?.currency || filled === JSON.stringify(terms)) return;
    filled = JSON.stringify(terms);
    currency.value ||= terms.currency.toUpperCase();
    words.value ||= terms.line ?? "";
    presets.replaceChildren(...terms.presets.map(([label, sum]) => button(`${label}: ${sum}`, "quiet", () => {
      Object.assign(money, { value: sum });
      currency.value = terms.currency.toUpperCase();
      words.value = label;
      money.focus();
    })));
    presets.hidden = !terms.presets.length;
  };
  return { element, draw };
}

// -- the patient's side

// The payment before the visit: what is missing, and another try.
function step(host, book, place, rows) {
  let line_ = place.querySelector(".payments-step");
  if (!line_) place.prepend(line_ = make("p", { className: "payments-step" }));
  const live = rows.some(row => waits(row) && row.url), paid = rows.some(row => row.state === "paid");
  line_.textContent = paid ? host.text("Paid. Thank you.") : live ? host.text("This is to be paid before the visit, on Stripe's page. Come back to this tab afterwards.") :
    host.text("The payment is being prepared. If this takes long, your provider may let you in without it.");
  place.querySelector(".payments-again")?.remove();
  if (!paid && !live) place.append(Object.assign(button(host.text("Try again"), "quiet payments-again", () => book.look(host, true))));
}

async function offer(host, book) {
  const { text } = host;
  const open = book.dialog && !book.dialog.host.signal.aborted;
  if (open) {
    const now = book.payments.get(book.dialog.payment);
    if (!now || !waits(now)) book.dialog.body.closest("dialog")?.close("gone");
    return;
  }
  const row = book.list.find(each => each.state === "requested" && each.url && !each.before && !book.seen.has(each.payment));
  if (!row) return;
  const body = make("div", { className: "payments-offer" }), dialog = book.dialog = { host, body, payment: row.payment };
  const link = pay(host, row, () => body.closest("dialog")?.close("paid"));
  link.setAttribute("autofocus", "");
  body.append(make("p", { className: "payments-sum" }, amount(row, row.amount)), ...row.line ? [make("p", {}, row.line)] : [],
    make("p", { className: "soft" }, text("You pay on Stripe's page, in a tab of its own. This server never sees your card. The visit goes on here.")), make("div", { className: "row" }, button(text("Not now"), "quiet", () => body.closest("dialog").close("later")), link));
  host.ui.say(text("Your provider asks for a payment"));
  await host.ui.dialog({ title: text("Your provider asks for a payment"), body, buttons: [] });
  if (book.dialog === dialog) book.dialog = null;
  if (!host.signal.aborted) book.seen.add(row.payment);  // else another part of the page offers it again
}
