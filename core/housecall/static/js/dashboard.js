// The provider's page: the queue, the call, and what comes after, in one document that is never left.

import { arrived, badge } from "./alerts.js";
import { showAnswers } from "./answers.js";
import { Call } from "./call.js";
import { Channel } from "./channel.js";
import { Devices } from "./devices.js";
import { Ice } from "./ice.js";
import { Link } from "./link.js";
import { key } from "./keys.js";
import { late, page, part, say } from "./page.js";
import { behind, complete, follow, mount, rules, unmount } from "./parts.js";
import { Queue } from "./queue.js";
import { readiness } from "./reasons.js";
import { Stage } from "./stage.js";
import { closeSide, notice, unreached } from "./surface.js";
import { count, text } from "./text.js";
import { VisitState } from "./visit-state.js";

const UNDO = 6000; // ms in which "Remove" can be taken back
const FADES = 60_000; // ms after which what was said in a visit that has gone from our rooms is forgotten
const BACK = 43_200_000; // the same of one that we sent on: its ticket brings it back for so long
const clock = new Intl.DateTimeFormat(page.lang, { hour: "2-digit", minute: "2-digit" }); // made once: it takes 10 ms
const devices = new Devices();
const ice = new Ice();
const stage = new Stage({ devices, end: endVisit, loud: seat => call?.loud(seat) ?? 0 });
const main = part("main");
const rows = new Map(); // card id -> its element
const removing = new Map(); // card id -> timer
const talks = new Map(); // card id -> {channel, shown}: what its pages say to each other, and the visit as parts see it
const fading = new Map(); // card id -> timer, of what is kept of a visit that may come back
const watchers = new Map(); // room -> its open dashboards
const owed = new Set(); // visits that are over here, which the server has not heard yet
const rooms = new Map(page.rooms.map(room => [room.id, room]));
let call = null, visit = null, me = null, pass = null, offset = 0, starting = false, sending = "", heldVisit = null, orphaned = false, out = false;
let guests = null; // what is shown of guests, once there is one
let past = null; // what parts may know of the visit that has just ended
const left = new Set(); // guests who have said goodbye, which the server may not have heard

const queue = new Queue({
  gap: async room => {
    const ack = await link.ask("snapshot", { room });
    if (ack.ok) queue.snapshot({ ...ack, id: room });
  },
  changed: draw,
  arrived: (card, first) => {
    if (!first) {
      arrived(card.id);
      say(text("{name} is waiting", card));
    }
  },
});

const link = new Link({
  as: "dashboard",
  details: () => ({ pass }),
  heard: {
    welcome,
    delta: change => {
      const back = fading.has(change.put?.id);
      if (change.put) meet(change.put, change.room);
      else if (change.drop !== visit?.id) fade(change.drop);
      queue.delta(change);
      if (back && past?.visit?.id === change.put.id) closeAfter(); // its card shows all again
      if (orphaned && change.put?.id === visit?.id) reclaim();
      if (owed.has(change.put?.id)) settle(change.put.id);
    },
    moved: change => { if (change.visit === visit?.id) moved(change); },
    seats: ({ visit: id, seats, pass: next }) => {
      if (id !== visit?.id) return;
      visit.seats = seats;
      pass = next ?? pass;
      call?.seats(seats);
      stage.seats(seats, me);
      meet(visit, visit.room);
      goodbyes();
    },
    said: message => { talks.get(message.visit)?.channel.said(message); },
    watchers: ({ room, watchers: now }) => {
      watchers.set(room, now);
      for (const card of queue.cards()) if (card.room === room) meet(card, room);
    },
    parts: switched, status: () => {},
    signal: message => { if (message.visit === visit?.id) call?.signal(message); },
    taken: ({ visit: id }) => { if (id === visit?.id && id !== sending) elsewhere(visit); },
  },
  refused: code => {
    const [what, next] = page.messages[code] ?? page.messages.failed;
    part("refused-what").textContent = what;
    part("refused-next").textContent = next;
    out = true;                                        // a call goes on without the server
    if (!call) show("refused");
  },
  lost: () => {
    part("link-lost").hidden = false;
    for (const { channel } of talks.values()) channel.road();
  },
  found: () => { part("link-lost").hidden = true; },
});

function welcome(hello) {
  offset = hello.now - Date.now();
  const served = hello.rooms.map(room => room.id);
  for (const id of rooms.keys()) if (!served.includes(id)) rooms.delete(id);
  for (const { id, name, slug } of hello.rooms) rooms.set(id, { id, name, link: `${location.origin}/${slug}` });
  queue.keep(served);
  for (const room of hello.rooms) {
    watchers.set(room.id, room.watchers);
    for (const card of room.cards) meet(card, room.id);
    queue.snapshot({ epoch: hello.epoch, ...room });
  }
  for (const { channel } of talks.values()) channel.road();
  switched(behind(hello.parts));
  for (const id of owed) settle(id);
  if (owed.has(hello.visit?.id)) return;
  if (hello.held) elsewhere(hello.visit);
  else if (hello.visit) join(hello.visit, hello.me.seat, hello.pass);
  else if (visit && hello.over) ended();
  else if (visit) {                                    // a new server, which the patient's page has not told yet
    orphaned = true;
    const card = queue.find(visit.id);
    if (card && card.orphan === undefined) reclaim();
  }
}

// The visit is known again: our seat in it, and with our pass its state.
async function reclaim() {
  orphaned = false;
  const ack = await link.ask("take", { visit: visit.id, pass });
  if (ack.ok) join(ack.visit, ack.seat, ack.pass);
  else ended();
}

// -- what is said, and parts

// Who else is there to talk to in a visit. row: a card, or the visit in the call with its seats.
function meet(row, room) {
  let talk = talks.get(row.id);
  if (!talk) {
    const shown = new VisitState(row);
    const channel = new Channel({
      visit: row.id, who: page.member.id, role: "provider", link: () => link, rules, state: () => shown.state,
      peer: far => row.id === visit?.id ? call?.peerAt(far) ?? null : null, now: () => Date.now() + offset,
    });
    channel.history("core:answers", { keep: 100 });
    talks.set(row.id, talk = { channel, shown });
  }
  clearTimeout(fading.get(row.id));
  fading.delete(row.id);
  const name = row.name || talk.shown.name, mine = row.id === visit?.id;
  const running = row.state === "in_call" || row.state === "paused";
  const inside = row.seats.filter(seat => seat.role !== "guest" || seat.admitted);
  const seats = inside.filter(seat => seat.key && seat.present && seat.key !== key && (running ? mine : seat.role !== "guest"))
    .map(({ id, role, member, key: far, name: called, admitted }) => ({ who: member ?? id, seat: id, role, page: far, name: role === "patient" ? name : called, since: admitted }));
  const boards = running ? [] : (watchers.get(room) ?? []).filter(board => board.key !== key)
    .map(({ id, key: far, name: called }) => ({ who: id, role: "provider", page: far, name: called }));
  talk.channel.parties([...new Map([...boards, ...seats].map(party => [party.page, party])).values()]);
  talk.shown.take({ ...row, name, seats: inside.map(seat => ({ name: "", ...seat })) });
}

const scope = (id, room) => ({
  me: { id: page.member.id, role: "provider", name: page.member.name }, visit: talks.get(id)?.shown ?? null, channel: talks.get(id)?.channel ?? null,
  call: () => id === visit?.id ? call : null, devices, room,
});

function switched(change) {
  if (change) follow(change, () => {
    const fresh = part("card").content.querySelector(".card-parts [data-slots]");
    for (const [id, row] of rows) {                    // cards that stand already get what a new card would have
      complete(row.querySelector(".card-parts [data-slots]"), fresh);
      mount(row, scope(id, queue.find(id)?.room));
    }
    standing();
    if (visit) mount(part("in-call"), scope(visit.id, visit.room));
    if (past) mount(part("after-parts"), past);
  });
}

// Parts of the page itself, which see no visit.
function standing() {
  for (const place of document.querySelectorAll(".standing")) mount(place, scope("", null));
}

// What was said in a visit that has ended. One that a new server has not heard of yet comes back, and its words with it.
function forget(id) {
  clearTimeout(fading.get(id));
  fading.delete(id);
  talks.get(id)?.channel.close();
  talks.delete(id);
}

// A visit goes from our rooms: it has ended, or was sent on. Should it come back, its pages count on from what they have said.
function fade(id, ms = FADES) {
  if (!talks.has(id)) return;
  talks.get(id).channel.parties([]);
  clearTimeout(fading.get(id));
  fading.set(id, setTimeout(forget, ms, id));
}

// -- the queue

function show(state) {
  if (main.dataset.state === state) return;
  main.dataset.state = state;
  part("in-call").hidden = state !== "call";
  part("refused").hidden = state !== "refused";
  part("queue").hidden = state === "refused";
  (state === "call" ? part("call-title") : state === "refused" ? part("refused-what") : part("queue-title")).focus();
}

function draw() {
  const cards = queue.cards(), list = part("cards"), waiting = cards.filter(card => card.state === "waiting");
  const kept = new Set(cards.map(card => card.id));
  for (const [id, row] of rows) if (!kept.has(id)) {
    if (row.contains(document.activeElement)) part("queue-title").focus();
    unmount(row);
    row.remove();
    rows.delete(id);
    clearTimeout(removing.get(id));
    removing.delete(id);
  }
  for (const card of cards) {
    if (!talks.has(card.id)) meet(card, card.room);
    if (!rows.has(card.id)) rows.set(card.id, made(card));
    fill(rows.get(card.id), card);
  }
  const order = cards.map(card => rows.get(card.id));
  order.forEach((row, i) => { if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null); });
  part("count").textContent = waiting.length ? count(waiting.length, "1 person is waiting", "{n} people are waiting") : "";
  part("empty").hidden = cards.length > 0;
  part("elsewhere").hidden = !cards.some(({ id, state }) => id === heldVisit?.id && state !== "waiting"); // until it ends, or is sent on
  badge(waiting.length);
  if (guests || cards.some(({ seats }) => seats.some(({ role }) => role === "guest"))) withGuests(each => each.draw(queue.cards()));
}

function withGuests(step, failed = () => {}) {
  guests ??= late("./guests.js").then(({ Guests }) => new Guests({ link, rooms, tell, mine: () => visit?.id }));
  guests.then(step, () => {                            // without the server: with the next press, or when there is something to draw
    guests = null;
    failed();
  });
}
const showGuests = id => withGuests(each => {
  each.draw(queue.cards());
  each.open(id);
}, unreached);
part("people").onclick = () => showGuests(visit.id);

function made(card) {
  const row = part("card").content.firstElementChild.cloneNode(true);
  row.dataset.visit = card.id;
  row.querySelector(".start").onclick = () => start(card.id);
  row.querySelector(".admit").onclick = () => admit(card.id);
  row.querySelector(".people").onclick = () => showGuests(card.id);
  row.querySelector(".remove").onclick = () => remove(card.id);
  row.querySelector(".undo").onclick = () => undo(card.id);
  row.querySelector(".send-on")?.addEventListener("click", () => sendOn(card.id));
  const answers = talks.get(card.id).channel.history("core:answers");
  answers.addEventListener("add", () => showAnswers(row.querySelector(".answers"), answers));
  showAnswers(row.querySelector(".answers"), answers);
  mount(row, scope(card.id, card.room));
  return row;
}

function fill(row, card) {
  const part = name => row.querySelector(name), mine = card.id === visit?.id;
  const name = card.name || text("Name not given yet");
  part(".name").textContent = name;
  part(".since").textContent = since(card);
  part(".since").title = clock.format(card.arrived);
  part(".room-name").hidden = rooms.size < 2;
  part(".room-name").textContent = rooms.get(card.room)?.name ?? "";
  part(".media").hidden = card.media !== "audio";
  part(".sent").hidden = !card.note;
  part(".sent").textContent = card.note ? text("Sent by {name}", { name: card.note }) : "";
  part(".away").hidden = card.lost === null;
  row.classList.toggle("dim", card.lost !== null);
  part(".state").hidden = card.state === "waiting";
  part(".state").textContent = mine ? text("In your call") : card.state === "paused" ? text("Paused") : card.state === "arriving" ? text("Answering questions") : text("In a call");
  const ready = part(".ready") ?? Object.assign(document.createElement("span"), { className: "tag ready" });
  if (!ready.isConnected) part(".tags").append(ready);
  ready.hidden = !card.ready || card.state === "in_call";
  ready.dataset.colour = card.ready?.colour ?? "";
  ready.textContent = card.ready ? readiness(card.ready, card.media) : "";
  const startable = card.state === "waiting";
  part(".start").hidden = part(".remove").hidden = !startable || removing.has(card.id);
  part(".start").disabled = Boolean(visit) || starting || card.orphan !== undefined;
  part(".start").title = visit ? text("End your present visit first") : "";
  part(".start").setAttribute("aria-label", text("Start visit with {name}", { name }));
  part(".remove").setAttribute("aria-label", text("Remove {name}", { name }));
  part(".undoing").hidden = !removing.has(card.id);
  part(".admit").hidden = card.state !== "arriving";
  if (part(".send-on")) {
    part(".send-on").hidden = part(".start").hidden;
    part(".send-on").setAttribute("aria-label", text("Send on {name}", { name }));
  }
  part(".people").setAttribute("aria-label", text("Guests of {name}", { name }));
  part(".people").hidden = card.orphan !== undefined;
  part(".admit").setAttribute("aria-label", text("Admit {name} anyway", { name }));
}

function since(card) {
  const minutes = Math.max(0, Math.floor((Date.now() + offset - card.arrived) / 60000));
  return minutes < 1 ? text("arrived just now") : count(minutes, "waiting for 1 minute", "waiting for {n} minutes");
}

setInterval(() => { queue.prune(); draw(); }, 15000); // the minutes go on without anybody's message

function remove(id) {
  const row = rows.get(id);
  removing.set(id, setTimeout(async () => {
    removing.delete(id);
    const card = queue.find(id);
    if (card) await retried({ visit: id, to: "ended", rev: card.rev }, card.state);
    draw();
  }, UNDO));
  draw();
  row.querySelector(".undo").focus();
  say(text("Removed. You can undo this for a few seconds."));
}

function undo(id) {
  clearTimeout(removing.get(id));
  removing.delete(id);
  draw();
  rows.get(id)?.querySelector(".remove").focus();
}

// A move; again when only something small has changed since we looked: a patient's page tells of its devices meanwhile.
async function retried(move, state, event = "move") {
  let ack = await link.ask(event, move);
  for (let tries = 0; tries < 3 && ack.error === "stale" && ack.state === state; tries++) ack = await link.ask(event, { ...move, rev: ack.rev });
  return ack;
}

// From the queue, or out of the call, which ends by it; the visit does not.
async function sendOn(id) {
  const { whither } = await late("./send-on.js").catch(unreached) ?? {};
  if (!whither) return;
  const name = talks.get(id).shown.name || text("Patient"), { room, rev, state } = queue.find(id) ?? visit;
  const to = await whither(name, room, id);
  if (!to) return;
  sending = id;
  const ack = await retried({ visit: id, room: to.id, rev }, state, "transfer");
  if (ack.ok && visit?.id === id) {
    if (queue.find(id)) close();                       // into another room of ours: its card goes on
    else leave();
    show("queue");
  }
  if (ack.ok && !queue.find(id)) fade(id, BACK);
  sending = "";
  if (ack.ok) tell(text("{name} waits in the room of {room} now.", { name, room: to.name }), true);
  else tell(ack.reasons?.join(" ") || ack.message);
  draw();
}

async function admit(id) {
  const card = queue.find(id), ack = await retried({ visit: id, to: "waiting", rev: card.rev }, "arriving");
  if (!ack.ok) tell(ack.reasons?.join(" ") || ack.message);
}

// -- the call

async function start(id) {
  const card = queue.find(id);
  if (!card || visit || starting) return;
  starting = true;
  part("ended").hidden = true;
  draw();
  readyDevices(card.media);
  const ack = await retried({ visit: id, to: "in_call", rev: card.rev }, "waiting");
  starting = false;
  if (ack.ok) join(ack.visit, ack.seat, ack.pass);
  else {
    devices.stop(true);
    tell(ack.reasons?.join(" ") || ack.message);
  }
  draw();
}

function tell(words, good = false) {
  if (main.dataset.state === "call") return notice(words); // the queue may be out of sight
  part("ended").classList.toggle("good", good);
  part("ended").textContent = words;
  part("ended").hidden = false;
}

function readyDevices(media) {
  devices.restart();
  devices.wanted = media === "video";
  devices.cameraOff = media !== "video" || devices.withheld;
  if (!devices.audio) devices.ask();
}

function join(running, seat, next) {
  visit = running;
  me = seat;
  pass = next;
  heldVisit = null;
  orphaned = false;
  if (devices.state === "off") readyDevices(visit.media);
  devices.withheld = false;
  stage.open({ media: visit.media, started: visit.started, now: Date.now() + offset });
  call ??= new Call({
    visit: visit.id, me, link, ice, devices,
    on: {
      tile: row => stage.tile(row), track: (id, kind, track) => stage.track(id, kind, track),
      media: (id, media) => stage.media(id, media), state: (...told) => stage.state(...told), quality: (id, line) => stage.quality(id, line),
      ceiling: () => part("ceiling").value,
      gone: id => stage.gone(id),
      heard: (...heard) => talks.get(running.id)?.channel.heard(...heard), bulk: (...come) => talks.get(running.id)?.channel.come(...come), road: () => talks.get(running.id)?.channel.road(),
      bye: () => { link.soon(settle(running.id)).then(() => ended(running.id)); },
      left: seat => {
        left.add(seat);
        goodbyes();
      },
    },
  });
  call.seats(visit.seats);
  stage.seats(visit.seats, me);
  show("call");
  closeAfter();
  meet(visit, visit.room);
  mount(part("in-call"), scope(visit.id, visit.room));
  goodbyes();
  draw();
}

// A guest who left while the server was away is still in the visit that was rebuilt.
function goodbyes() {
  for (const { id } of visit?.seats ?? []) if (left.has(id)) link.ask("remove", { visit: visit.id, seat: id });
}

function moved({ state, rev, pass: next }) {
  Object.assign(visit, { state, rev });
  pass = next ?? pass;
  if (state === "ended") ended();
  else meet(visit, visit.room);
}

async function endVisit() {
  if (!visit) return;
  call.bye();
  const { id } = visit, told = settle(id);
  await link.soon(told);
  ended(id);
  const ack = await told;
  if (ack.error && ack.error !== "unknown" && ack.error !== "failed") tell(ack.message);
}

// The server hears of the end from each side that reaches it; from this one, if not now, when the line is back.
async function settle(id) {
  owed.add(id);
  const ack = await link.ask("move", { visit: id, to: "ended", rev: null });
  if (ack.ok) owed.delete(id);
  return ack;
}

function ended(id = visit?.id) {
  if (!visit || visit.id !== id) return;
  const minutes = Math.max(1, Math.round((Date.now() + offset - visit.started) / 60000));
  leave();
  forget(id);
  queue.drop(id);
  show("queue");
  part("refused").hidden = !out;
  tell(count(minutes, "The visit has ended after 1 minute.", "The visit has ended after {n} minutes."), true);
  draw();
}

// Out of a visit that is over here. What came in it can still be looked at, and saved.
function leave() {
  const { id, room } = visit;
  talks.get(id)?.shown.take({ ...visit, state: "ended" });
  past = scope(id, room);
  close();
  part("after").hidden = false;
  mount(part("after-parts"), past);
}

function closeAfter() {
  if (part("after").contains(document.activeElement)) part("queue-title").focus();
  past = null;
  unmount(part("after-parts"));
  part("after").hidden = true;
}

function elsewhere(running) {
  close(true);
  heldVisit = running;
  show("queue");
  draw();
}

function close(keep) {
  const asked = document.querySelector("#sending[open]"); // not of every page
  if (asked && asked.dataset.visit === visit?.id) asked.close("");
  closeSide();
  unmount(part("in-call"));
  call?.close();
  call = visit = me = pass = null;
  stage.close();
  devices.stop(keep);
}

part("take").onclick = async () => {
  const ack = await link.ask("take", { visit: heldVisit.id });
  if (ack.ok) join(ack.visit, ack.seat, ack.pass);
  else tell(ack.message);
};
part("send-on")?.addEventListener("click", () => sendOn(visit.id));
part("ceiling").onchange = () => call?.tell();
part("side-close").onclick = closeSide;
part("after-close").onclick = () => {
  closeAfter();
  part("queue-title").focus();                         // also where a press gives a button no focus
};
standing();
part("reload").onclick = () => location.reload();
main.dataset.ready = "";
