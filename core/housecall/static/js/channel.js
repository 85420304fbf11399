// What the pages of one visit say to each other: by DataChannel where one is open, else sealed by the socket.
// Kept until the far page has it, resent by the other road, in order, never twice; replayed to a page that was reloaded.

import { Bucket, passes, receives, refusal, size } from "./gate.js";
import { key } from "./keys.js";
import { seal, unseal } from "./seal.js";
import { Stream } from "./stream.js";
import { Thread } from "./thread.js";

const BUFFER = 256 * 1024;  // bytes that may lie in a DataChannel unsent
const QUEUE = 50_000;       // messages of one plugin that may wait for one page
const AHEAD = 600_000;      // ms that a far page's clock may be before ours
const GRACE = 10_000;       // ms after a move in which what was said before it may still come
const LAG = 2000;           // ms for which we wait for the server to tell us of a move that a far page knows of already
const BULK = "core:transfer"; // of transfer.js
const HELD = 200;           // frames of one plugin that may wait here until their rate lets them in

export class Channel {
  // visit: its id; who: our seat or member id; role: ours; link: the socket; rules(): event -> its declaration
  // state(): of the visit; peer(page): the Peer to a page, or null; now(): the server's clock in ms; tick(): ours, which only goes on
  constructor({ visit, who, role, link, rules, state, peer = () => null, now = () => Date.now(), tick = () => performance.now() }) {
    Object.assign(this, { visit, who, role, link, rules, state, peer, now, tick, clock: 0, far: new Map(), threads: new Map(), listeners: new Map(), waiting: [], early: [], unheard: new Map(), buckets: new Map(), takers: new Map(), spoken: new Set(), was: "", is: state(), moved: -Infinity });
  }

  // -- who is there

  // The other pages of this visit: [{who, role, page, name, seat, since}]. since: a guest is told of nothing before it.
  parties(list) {
    this.noted();
    const pages = new Set(list.map(party => party.page)), fresh = [];
    for (const party of list) {
      const known = this.far.get(party.page);
      if (known) {
        Object.assign(known.party, party);
        if (!known.there) {
          known.there = true;
          for (const { stream } of known.lanes.values()) stream.road();
          this.hand(known);
        }
      } else {
        this.far.set(party.page, this.meet(party));
        fresh.push(party);
      }
    }
    for (const [page, { party, lanes }] of this.far) if (!pages.has(page)) {
      const again = fresh.find(other => other.who === party.who);
      this.far.get(page).there = false;
      if (!again) continue;                                // a page that was reloaded: what it never got goes to the new one
      for (const { stream } of lanes.values()) {
        for (const { event, item } of stream.out) if (!this.threads.has(event)) this.push(this.far.get(again.page), event, item);
      }
      this.leave(this.far.get(page));
      this.far.delete(page);
    }
    for (const party of fresh) this.greet(party);
    for (const message of this.early.splice(0)) message();
    this.stir();
  }
  meet(party) { return { party, there: true, lanes: new Map(), buckets: new Map() }; }
  leave({ lanes }) {
    for (const lane of lanes.values()) {
      lane.stream.close();
      clearTimeout(lane.timer);
      lane.held.length = 0;
    }
  }

  // Each plugin has a lane of its own to each page: one that floods holds up nobody else.
  lane(at, event) {
    const [plugin] = event.split(":", 1);
    if (!at.lanes.has(plugin)) at.lanes.set(plugin, { stream: this.stream(at), order: Promise.resolve(), held: [], timer: 0 });
    return at.lanes.get(plugin);
  }
  stream(at) {
    const { party } = at, road = (name, open, send, full = () => false) => ({ name, open, send, full });
    return new Stream({
      roads: [
        road("peer", () => this.open(party.page), frame => this.direct(party.page, frame), () => this.peer(party.page).channel.bufferedAmount > BUFFER),
        road("relay", event => at.there && this.link()?.connected && this.rules()[event]?.path === "best", frame => this.relay(at, frame)),
      ],
      budget: event => Math.min(this.rules()[event]?.size ?? 0, 14_000),
      deliver: frame => this.deliver(at.party, frame),
      acked: entries => this.mark(entries, "delivered"),
      refused: entries => this.mark(entries, "failed"),
    });
  }
  // What a page that has just come must know: what we have said, and from or to the patient all that was said.
  greet(party) {
    const at = this.far.get(party.page), { since = 0 } = party, witness = party.role === "patient" || this.role === "patient";
    for (const [event, thread] of this.threads) {
      for (const { mine, who, role, name, told, ...entry } of thread.entries) {
        if (entry.t < since) continue;
        const item = { id: entry.id, at: entry.at, t: entry.t, data: entry.data };
        if (mine && this.gives(event, party)) this.push(at, event, item);
        else if (witness) this.push(at, event, { ...item, by: { who, role, name } }, true);
      }
    }
    this.hand(at);
  }
  // What was said while nobody was there goes to who comes first.
  hand(at) {
    const still = [];
    for (const each of this.waiting) {
      if (each.item.t >= (at.party.since ?? 0) && this.chosen(each.event, each.to).includes(at)) this.push(at, each.event, each.item);
      else still.push(each);
    }
    this.waiting = still;
  }
  gives(event, party) { const rule = this.rules()[event]; return Boolean(rule) && rule.from.includes(this.role) && receives(rule, party.role); }
  open(page) { return this.peer(page)?.channel.readyState === "open"; }

  // The socket or a DataChannel has come or gone.
  road() {
    for (const { lanes } of this.far.values()) for (const { stream } of lanes.values()) stream.road();
    this.stir();
  }
  close() {
    this.closed = true;
    for (const at of this.far.values()) this.leave(at);
    this.far.clear();
    this.listeners.clear();
    this.stir();
  }

  // -- saying

  chosen(event, to) {
    const rule = this.rules()[event];
    return [...this.far.values()].filter(({ party }) => receives(rule, party.role) && (!to || [party.who, party.seat, party.page].includes(to)));
  }
  present({ there, party }) { return there || this.open(party.page); }
  // Answers "peer", "relay" or "waiting"; for path "server" the ack. Throws an Error whose code is that of an ack.
  async send(event, data = {}, { to } = {}) {
    const rule = this.rules()[event];
    const code = refusal(rule, this.role, data) || (rule.states.includes(this.state()) ? "" : "closed") || (rule.to === "one" && !to ? "invalid" : "");
    if (code || this.closed) throw refused(event, code || "closed");
    if (!this.threads.has(event) && !this.rate(event, rule.rate)) throw refused(event, "slow_down");
    const id = fresh();
    if (rule.path === "server") return this.link().ask("say", { event, visit: this.visit, id, body: data, ...to && { to } });
    const t = Math.round(this.now());
    this.clock = Math.max(this.clock + 1, t);              // a hybrid clock: a page that was reloaded goes on after what it said
    const item = { id, at: this.clock, t, data }, parties = this.chosen(event, to), present = parties.filter(at => this.present(at));
    this.spoken.add(event);
    this.threads.get(event)?.add({ ...item, mine: true, who: this.who, role: this.role, name: "", state: "waiting" });
    if (rule.to === "all") this.tell(event, { data, from: this.who, id });
    // Also to a page that is away for a moment: its stream keeps it. A thread is given whole to who comes anew.
    if (present.length || this.threads.has(event)) for (const at of parties) this.push(at, event, item);
    else this.waiting.push({ event, item, to });
    return present.some(({ party }) => this.open(party.page)) ? "peer" : present.length && this.link()?.connected ? "relay" : "waiting";
  }
  push(at, event, item, replay = false) {
    const { stream } = this.lane(at, event);
    if (stream.out.length >= QUEUE) throw refused(event, "slow_down");
    stream.push(event, item, { bytes: size(item) + 20, replay });
  }
  // Whether one more may go now.
  rate(event, rate) {
    const bucket = this.bucket(this.buckets, event), room = bucket.room(rate, this.tick());
    if (room) bucket.take();
    return room > 0;
  }
  bucket(buckets, event) {
    if (!buckets.has(event)) buckets.set(event, new Bucket(this.tick()));
    return buckets.get(event);
  }

  direct(page, { event, after, n, replay, items }) {
    if (!this.timely(this.rules()[event])) return "closed"; // as the server says on the other road
    this.peer(page).say("say", { event, after, items, ...replay && { replay } }, n);
    return "";
  }
  async relay({ party }, { event, after, n, replay, items }) {
    const sealed = await seal({ after, items }, [party.page], [this.visit, event, key, n]);
    const ack = await this.link()?.ask("say", { event, visit: this.visit, to: party.who, id: String(n), sealed, ...replay && { replay } });
    if (ack?.ok) return ack.reached ? "" : "lost";
    if (!ack || ack.error === "failed" || (ack.error === "unknown" && this.rules()[event])) return "lost"; // a new server, which knows us in a moment
    return ack.error;
  }
  mark(entries, state) { for (const { event, item } of entries) this.threads.get(event)?.mark(item.id, state); }

  // -- hearing

  // What came by the socket.
  async said(message) {
    const { event, page, id } = message;
    if (this.rules()[event]?.path === "server") return this.tell(event, { data: message.body, from: message.from, id });
    const at = this.far.get(page);
    if (!at) return void (this.early.length < 200 && this.early.push(() => this.said(message)));
    if (message.ack) return this.acked(at, event, Number(id));
    const lane = this.lane(at, event);
    lane.order = lane.order.then(async () => {                 // opening takes time; the order stays
      const n = Number(id), { after, items } = await unseal(message.sealed, key, page, [this.visit, event, page, n]);
      this.take(at, { event, after, n, items, replay: message.replay === true }, got =>
        this.link()?.emit("say", { event, visit: this.visit, to: at.party.who, id: String(got), ack: true }, () => {}));
    }).catch(error => console.warn(`a sealed message was not for this page: ${error.name}`));
  }
  // What came by a DataChannel.
  heard(page, type, body, id) {
    const at = this.far.get(page);
    if (!at) return void (this.early.length < 200 && this.early.push(() => this.heard(page, type, body, id)));
    const event = body?.event;
    if (!short(event)) return;
    if (type === "ack") return this.acked(at, event, id);
    this.take(at, { event, after: body.after, n: id, items: body.items, replay: body.replay === true }, got => this.peer(page)?.say("ack", { event }, got), true);
  }
  acked(at, event, n) { at.lanes.get(event.split(":", 1)[0])?.stream.ack(n); }
  // What the gate keeps out is not acknowledged; what comes faster than declared waits, and so does its acknowledgement.
  take(at, frame, answer, direct = false) {
    if (!shaped(frame) || !passes(this.rules()[frame.event], at.party.role, this.role, frame.replay)) return;
    const lane = this.lane(at, frame.event), { held, stream } = lane;
    if (frame.n <= stream.last || (!held.length && !stream.follows(frame))) return answer(stream.last);
    if (held.length >= HELD || held.some(each => each.frame.n === frame.n)) return;
    held.push({ frame, answer, direct, since: this.tick() });
    if (held.length === 1) this.admit(at, lane);
  }
  admit(at, lane) {
    const { held, stream } = lane, later = ms => { lane.timer = setTimeout(() => this.admit(at, lane), ms); };
    while (held.length) {
      const [{ frame, answer, direct, since }] = held, { event } = frame, rule = this.rules()[event], now = this.tick();
      if (rule && (!direct || this.timely(rule))) {        // the server has seen to the state of what it relays
        const bucket = this.bucket(at.buckets, event), fresh = stream.follows(frame) ? frame.items.filter(item => item.n > stream.last).length : 0;
        // A thread is told anew to a page that comes: as much at once as it keeps.
        const room = Math.min(fresh, bucket.room(rule.rate, now, this.threads.get(event)?.keep));
        bucket.take(room);
        if (room || !fresh) answer(stream.receive(frame, room));
        if (room < fresh) return later(Math.max(50, 1000 / rule.rate));
      } else if (rule && now - since < LAG) return later(50);
      held.shift();
    }
  }
  // Whether the state of the visit lets an event come, or let it until a moment ago.
  timely(rule) {
    this.noted();
    const states = rule?.states ?? [];
    return states.includes(this.is) || (states.includes(this.was) && this.tick() - this.moved < GRACE);
  }
  noted() {
    const state = this.state();
    if (state !== this.is) Object.assign(this, { was: this.is, is: state, moved: this.tick() });
  }
  deliver(party, { event, items, replay }) {
    for (const item of items) {
      try {
        this.one(party, event, item, replay);
      } catch (error) {
        console.warn(`${event}: ${error}`);
      }
    }
  }
  one(party, event, { id, at, t, data, by }, replay) {
    const rule = this.rules()[event], thread = this.threads.get(event), now = this.now();
    if (!short(id) || !whole(at) || !whole(t) || at > Math.max(this.clock, now) + AHEAD || t > now + AHEAD) return;
    const author = replay && by ? this.author(party, event, by) : { ...party, mine: false, told: false };
    if (!author || refusal(rule, author.role, data)) return;
    this.clock = Math.max(this.clock, at);
    if (event === BULK) return void (replay || this.bulk().then(all => all.said(party, data)).catch(error => console.warn(`${event}: ${error}`)));
    const { mine, told, who, role, name } = author;
    const entry = { id, at, t, data, mine, told, who, role, name: String(name ?? ""), state: "delivered" };
    const message = { data, from: party.seat ?? party.who, id };
    if (!thread && !this.listeners.get(event)?.size) this.keep(event, { entry, message: replay ? null : message });
    else if ((!thread || thread.add(entry)) && !replay) this.tell(event, message);
  }
  // Who wrote what `party` tells anew. Its word alone makes nothing ours once we have said something ourselves, and
  // whoever reads it is told from whom it comes.
  author(party, event, { who, role, name }) {
    if (!short(who) || !short(role) || (name !== undefined && !short(name))) return null;
    if (who === party.who) return { ...party, mine: false, told: false };
    const known = who === this.who ? { role: this.role, name: "" } : [...this.far.values()].find(each => each.party.who === who)?.party;
    return { who, role: known?.role ?? role, name: known?.name ?? name, mine: who === this.who && !this.spoken.has(event), told: true };
  }

  // -- what is large: transfer.js, which is loaded when it comes or goes

  bulk() {
    return this.bulky ??= import("./transfer.js").then(({ Transfers }) => new Transfers(this), error => {
      this.bulky = null;                                   // without the server: the next one tries again
      throw error;
    });
  }
  async bring(name, blob, options) { return (await this.bulk()).deliver(name, blob, options); }
  incoming(name, taker, signal) {
    if (!this.takers.has(name)) this.takers.set(name, new Set());
    this.takers.get(name).add(taker);
    signal?.addEventListener("abort", () => this.takers.get(name).delete(taker));
    this.stir();
  }
  others() { return [...this.far.values()].filter(at => this.present(at)).map(({ party: { who, seat, role, name } }) => ({ who, seat, role, name })); }
  // A far page has opened a DataChannel.
  come(page, far) { this.bulk().then(all => all.come(page, far), () => far.close()); }
  stir() { this.bulky?.then(all => all.stir(), () => {}); }

  // -- listening

  // Nobody listens yet: a part is still on its way.
  keep(event, heard) {
    if (!this.unheard.has(event)) this.unheard.set(event, []);
    const kept = this.unheard.get(event);
    if (kept.length < 1000) kept.push(heard);
  }
  on(event, listener, signal) {
    if (!this.listeners.has(event)) this.listeners.set(event, new Set());
    this.listeners.get(event).add(listener);
    for (const each of this.unheard.get(event) ?? []) {
      if (each.message) queueMicrotask(this.tell.bind(this, event, each.message));
      each.message = null;                                 // told once; a thread may still want the entry
    }
    if (this.threads.has(event)) this.unheard.delete(event);
    signal?.addEventListener("abort", () => this.listeners.get(event)?.delete(listener));
  }
  tell(event, message) {
    for (const listener of this.listeners.get(event) ?? []) {
      try {
        listener(message);
      } catch (error) {
        console.warn(`${event}: ${error}`);
      }
    }
  }
  // The thread of an event: one for all who ask, begun by the first.
  history(event, options) {
    if (!this.threads.has(event)) {
      const thread = new Thread(options);
      this.threads.set(event, thread);
      for (const { entry } of this.unheard.get(event) ?? []) thread.add(entry);
      if (this.listeners.get(event)?.size) this.unheard.delete(event);
    }
    return this.threads.get(event);
  }
}

const refused = (event, code) => Object.assign(new Error(`${event}: ${code}`), { code });
const fresh = () => crypto.randomUUID().replaceAll("-", "").slice(0, 16);
const whole = n => Number.isSafeInteger(n) && n >= 0;
const short = text => typeof text === "string" && text.length <= 80;

function shaped({ event, after, n, items }) {
  return short(event) && whole(after) && whole(n) && Array.isArray(items) && items.length > 0 && items.at(-1)?.n === n &&
    items.every((item, i) => item && typeof item === "object" && whole(item.n) && item.n > (i ? items[i - 1].n : 0));
}
