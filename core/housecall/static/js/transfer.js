// Large things from one page of a visit to another (docs/contracts.md §9): by a DataChannel of their own where the connection
// is up, else in sealed pieces by the server. Either road goes on from what the far page has, so that a break costs little.

import { sha256 } from "../vendor/hashes/sha2.js";
import { hex } from "./exchange.js";
import { passes, size as measured } from "./gate.js";
import { bytes, written } from "./keys.js";
import { page } from "./page.js";

const CHUNK = 64 * 1024;            // bytes of one message of a DataChannel, where the far side takes as much
const HIGH = 1024 * 1024;           // bytes that may lie in a DataChannel unsent; it is filled again below LOW
const LOW = 256 * 1024;
const SLAB = 1024 * 1024;           // bytes read, and sealed, at once
const WINDOW = 8 * SLAB;            // bytes ahead of what the far side has stored
const AHEAD = 3 * SLAB;             // the same by the server
const ACK = 512 * 1024;             // stored bytes that are told
const RELAYED = 100 * SLAB;         // bytes of what may go by the server
const WHOLE = 100 * SLAB;           // bytes up to which a checksum is made at once
const FOLD = 8 * SLAB;              // bytes after which what is collected is handed to the browser, which may keep it on disk
const HEAD = 4096;                  // bytes of a head's JSON
const AT_ONCE = 32;                 // that one page may have on its way here
const TRIES = 5;                    // for one piece
const PAUSE = 500;                  // ms until another road is looked for
const OFTEN = 200;                  // ms between two words on how far it is
const SPAN = 3000;                  // ms over which the speed is measured
const BULK = "core:transfer";
const LABEL = /^([a-z][a-z0-9_]{1,30}:[a-z][a-z0-9_-]{0,40}):(\w{8,40})$/;
const ID = /^\w{8,40}$/;
const BLOB = /^[\w-]{1,64}\.[\w-]{1,64}$/;
const CODES = ["cancelled", "too_big", "refused", "broken", "full", "unknown"];
const STATUS = { 403: "refused", 409: "refused", 413: "too_big", 507: "full" }; // of the server, where it takes no piece

class Interrupted extends Error {}  // this attempt goes no further; the next one goes on

const known = code => CODES.includes(code) ? code : "broken";
const failed = code => Object.assign(new Error(`transfer: ${code}`), { code: known(code) });
const whole = n => Number.isSafeInteger(n) && n >= 0;
const plain = value => value !== null && typeof value === "object" && !Array.isArray(value);
const pause = ms => new Promise(done => setTimeout(done, ms));
const about = (visit, name, id, at) => new TextEncoder().encode(JSON.stringify([visit, name, id, at]));
// The SHA-256 of what is not large, by the browser itself: ten times as fast as in pieces, which it cannot. One after another:
// each is in memory as a whole meanwhile.
let summing = Promise.resolve();
const summed = blob => summing = summing.catch(() => {}).then(async () => hex(new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()))));
const declared = name => page.parts[name.split(":", 1)[0]]?.transfers?.[name];

// What the far side said, without what nobody says.
function read(data) {
  try {
    const said = data.length <= 4 * HEAD && JSON.parse(data);
    return plain(said) ? said : {};
  } catch {
    return {};
  }
}

export class Transfers {
  // channel: the Channel of the visit; rule(name): the declaration of a transfer; atOnce: bytes up to which a checksum is so made
  constructor(channel, rule = declared, atOnce = WHOLE) {
    Object.assign(this, { channel, rule, atOnce, deliveries: new Map(), arrivals: new Map(), early: [] });
  }
  get closed() { return Boolean(this.channel.closed); }

  // Answers the road by which the last of it went.
  async deliver(name, blob, options) {
    const delivery = new Delivery(this, name, blob, options);
    this.deliveries.set(delivery.id, delivery);
    try {
      return await delivery.run();
    } catch (error) {
      const told = CODES.includes(error.code) ? error : failed("broken"); // a file that cannot be read any more
      if (delivery.page && !delivery.stopped) this.stop(delivery.page, delivery.id, told.code);
      throw told;
    } finally {
      this.deliveries.delete(delivery.id);
    }
  }
  async say(to, body) {
    while (!this.closed && this.channel.far.has(to)) {
      try {
        return void await this.channel.send(BULK, body, { to });
      } catch (error) {
        if (error.code !== "slow_down") return;
        await pause(PAUSE / 5);
      }
    }
  }
  stop(to, id, code) { return this.say(to, { id, stop: code }); }

  // Why a page may give us this: nothing, or a code; "closed": not at the moment.
  refusal(name, party) {
    const rule = this.rule(name);
    if (!rule) return "unknown";
    if (!passes(rule, party.role, this.channel.role)) return "refused";
    return rule.states.includes(this.channel.state()) ? "" : "closed";
  }
  // A far page has opened a DataChannel.
  come(from, far) {
    const party = this.channel.far.get(from)?.party, [, name, id] = LABEL.exec(far.label) ?? [];
    if (!party && this.early.length < AT_ONCE) return void this.early.push([from, far]); // its seat is announced in a moment
    const code = party && name ? this.refusal(name, party) : "refused";
    if (code) {
      if (id && code !== "closed") this.stop(from, id, code);
      return far.close();
    }
    const say = body => { if (far.readyState === "open") far.send(JSON.stringify(body)); };
    const round = { road: "peer", say, close: () => far.close() };
    let arrival = null;
    far.binaryType = "arraybuffer";
    far.onmessage = ({ data }) => {
      if (typeof data !== "string" && arrival) return arrival.take(round, new Uint8Array(data));
      const { head, size, sha256: hash } = typeof data === "string" ? read(data) : {};
      if (arrival && typeof hash === "string") return arrival.tail(round, hash);
      if (!arrival && (arrival = this.begin(party, name, id, head, size, round))) return;
      arrival?.fail("broken");                            // nobody of ours says such a thing
      far.close();
    };
    if (far.readyState === "open") say({ ready: true });
    else far.onopen = () => say({ ready: true });
  }
  // What a far page said of a transfer, by whichever road words go.
  said(party, data) {
    const { id, round, stop } = data;
    if (typeof id !== "string" || !ID.test(id)) return;
    const delivery = this.deliveries.get(id);
    if (delivery?.page === party.page) return delivery.hear(data);
    const key = `${party.page} ${id}`;
    if (stop !== undefined) return this.arrivals.get(key)?.fail(known(stop), true);
    if (!whole(round)) return;
    if (data.name !== undefined) return this.sealed(party, data);
    const arrival = this.arrivals.get(key);
    const now = arrival?.round;                           // another one may have begun when its turn comes
    if (!now || now.number !== round) return;
    if (typeof data.sha256 === "string") arrival.line = arrival.line.then(() => arrival.tail(now, data.sha256));
    else if (whole(data.at) && BLOB.test(String(data.blob))) arrival.piece(now, data.at, data.blob);
  }
  // One that begins, or goes on, by the server.
  sealed(party, { id, round, name, head, size, key }) {
    if (typeof name !== "string" || typeof key !== "string" || key.length > 50) return;
    const code = this.refusal(name, party);
    if (code) return void this.stop(party.page, id, code === "closed" ? "refused" : code);
    const opened = crypto.subtle.importKey("raw", bytes(key), "AES-GCM", false, ["decrypt"]);
    opened.catch(() => {});
    this.begin(party, name, id, head, size, { road: "relay", number: round, key: opened, say: body => this.say(party.page, { id, round, ...body }), close() {} });
  }
  // A road to a page is there on which a transfer begins, or goes on. Null for what is none.
  begin(party, name, id, head, size, round) {
    if (!plain(head) || measured(head) > HEAD || !whole(size)) return null;
    const key = `${party.page} ${id}`;
    let arrival = this.arrivals.get(key);
    if (arrival && (arrival.name !== name || arrival.size !== size)) return null;
    const code = size > this.rule(name).size ? "too_big" : !arrival && this.busy(party.page) >= AT_ONCE ? "full" : "";
    if (code) {
      this.stop(party.page, id, code);
      return null;
    }
    if (!arrival) this.arrivals.set(key, arrival = new Arrival(this, party, { name, id, head, size }));
    arrival.begin(round);
    this.hand();
    return arrival;
  }
  busy(from) { return [...this.arrivals.values()].filter(({ party, ended }) => party.page === from && !ended).length; }
  // What has come goes to who takes it.
  hand() {
    for (const arrival of this.arrivals.values()) {
      const taker = [...this.channel.takers.get(arrival.name) ?? []].at(-1);
      if (!taker || arrival.given || arrival.ended) continue;
      arrival.given = true;
      Promise.resolve(taker(arrival.face)).catch(() => arrival.fail("refused"));
    }
  }
  // Pages, roads or takers have come or gone.
  stir() {
    if (!this.closed) {
      for (const [from, far] of this.early.splice(0)) this.come(from, far);
      this.hand();
    }
    for (const arrival of this.arrivals.values()) {
      if (this.closed || !this.channel.far.has(arrival.party.page)) arrival.fail("broken", true);
    }
    for (const delivery of this.deliveries.values()) delivery.round.stir();
  }
}

// One attempt to deliver: what the far page said of it, and a wait for its next word.
class Round {
  constructor(lost = () => false) { Object.assign(this, { lost, said: {} }); }
  hear(said) {
    Object.assign(this.said, said);
    this.stir();
  }
  stir() { this.wake?.(); }
  next() { return new Promise(wake => { this.wake = wake; }); }
}

class Delivery {
  constructor(all, name, blob, { to = null, head = {}, onprogress = () => {}, signal = null } = {}) {
    Object.assign(this, {
      all, name, blob, to, head, onprogress, signal, id: crypto.randomUUID().replaceAll("-", "").slice(0, 16), page: null, road: "waiting",
      stored: 0, sent: 0, hash: blob.size > all.atOnce ? sha256.create() : null, hashed: 0, sum: null, digest: "", stopped: "", rounds: 0, round: new Round(), marks: [], told: 0, strangers: new Set(),
    });
    signal?.addEventListener("abort", () => this.round.stir());
  }
  get rule() { return this.all.rule(this.name); }
  get size() { return this.blob.size; }
  async run() {
    const { channel } = this.all, { rule } = this;
    this.check();
    if (!rule.from.includes(channel.role) || !rule.states.includes(channel.state())) throw failed("refused");
    if (this.size > rule.size || measured(this.head) > HEAD) throw failed("too_big");
    if (!this.hash) (this.sum = summed(this.blob)).catch(() => {}); // while it goes
    for (;;) {
      this.check();
      const way = this.way();
      if (!way) {
        this.report("waiting");
        await this.round.next();
        continue;
      }
      try {
        await this[way.road](way.party);
        this.report(way.road, true);
        return way.road;
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        await pause(PAUSE);
      }
    }
  }
  takers() {
    const { channel } = this.all, mine = ({ party }) => !this.to || [party.who, party.seat].includes(this.to);
    return [...channel.far.values()].filter(at => mine(at) && passes(this.rule, channel.role, at.party.role) && !this.strangers.has(at.party.page));
  }
  // To whom it may go now, and how: the page that has a part of it first.
  way() {
    const { channel } = this.all, list = this.takers();
    if (!this.rule.states.includes(channel.state())) return null;
    list.sort((a, b) => (b.party.page === this.page) - (a.party.page === this.page));
    const direct = list.find(({ party }) => channel.open(party.page));
    if (direct) return { road: "peer", party: direct.party };
    const relayed = this.size <= RELAYED && channel.link()?.connected && list.find(at => at.there);
    return relayed ? { road: "relay", party: relayed.party } : null;
  }
  begin(party, road, lost) {
    this.page = party.page;
    this.to ??= party.who;
    this.round = new Round(lost);
    this.round.number = ++this.rounds;
    this.report(road);
    return this.round;
  }
  hear({ round, stop, ...said }) {
    if (stop === "unknown") this.strangers.add(this.page); // it waits for no such thing; another page of theirs may
    const another = stop === "unknown" && this.takers().some(at => this.all.channel.present(at));
    if (stop !== undefined && !another) this.stopped = known(stop);
    if (round === this.round.number) this.hears(this.round, said);
    this.round.stir();
  }
  // Only what makes sense is believed.
  hears(round, { ready, from, stored, done }) {
    if (round !== this.round) return;
    const possible = n => whole(n) && n <= this.sent;
    if (ready === true) round.said.ready = true;
    if (possible(from)) round.said.from = this.stored = from;
    if (possible(stored) && stored > this.stored) this.stored = stored;
    if (typeof done === "string") round.said.done = done;
    if (stored !== undefined) this.report(this.road);
    round.stir();
  }
  check() {
    if (this.signal?.aborted) throw failed("cancelled");
    if (this.all.closed) throw failed("broken");
    if (this.stopped) throw failed(this.stopped);
    if (!this.rule) throw failed("unknown");
  }
  async until(round, holds) {
    for (;;) {
      this.check();
      if (holds()) return;
      if (round.lost() || this.strangers.has(this.page)) throw new Interrupted();
      await round.next();
    }
  }
  // A part of it, which goes into the hash if it has not yet.
  async slab(at) {
    const data = new Uint8Array(await this.blob.slice(at, at + SLAB).arrayBuffer());
    if (this.hash && at <= this.hashed && at + data.length > this.hashed) {
      this.hash.update(data.subarray(this.hashed - at));
      this.hashed = at + data.length;
    }
    return data;
  }
  async own() {
    if (this.hash && this.hashed !== this.size) throw failed("broken");
    return this.digest ||= this.hash ? hex(this.hash.digest()) : await this.sum;
  }
  async agreed(round) {
    if (round.said.done !== await this.own()) throw failed("broken");
    this.stored = this.size;
  }
  moved(at) {
    this.sent = Math.max(this.sent, at);
    this.report(this.road);
  }

  async peer(party) {
    const { channel } = this.all, { pc } = channel.peer(party.page);
    const far = pc.createDataChannel(`${this.name}:${this.id}`);
    const round = this.begin(party, "peer", () => ["closing", "closed"].includes(far.readyState) || channel.peer(party.page)?.pc !== pc);
    Object.assign(far, { binaryType: "arraybuffer", bufferedAmountLowThreshold: LOW });
    far.onmessage = ({ data }) => typeof data === "string" && this.hears(round, read(data));
    far.onbufferedamountlow = far.onopen = far.onclose = () => round.stir();
    const say = body => far.send(JSON.stringify(body)), chunk = Math.min(CHUNK, pc.sctp?.maxMessageSize ?? CHUNK);
    try {
      await this.until(round, () => round.said.ready && far.readyState === "open"); // a browser may tell us of its word first
      say({ head: this.head, size: this.size });
      await this.until(round, () => round.said.from !== undefined || round.said.done);
      let at = round.said.done ? this.size : round.said.from, next = this.slab(at);
      while (at < this.size) {
        const data = await next;
        next = this.slab(at + data.length);               // read while this one goes
        next.catch(() => {});
        for (let i = 0; i < data.length; i += chunk) {
          await this.until(round, () => far.bufferedAmount <= HIGH && at + i - this.stored < WINDOW);
          const part = data.subarray(i, i + chunk);
          far.send(part);
          this.moved(at + i + part.length);
        }
        at += data.length;
      }
      say({ sha256: await this.own() });
      await this.until(round, () => round.said.done);
      await this.agreed(round);
    } catch (error) {
      throw error.name === "InvalidStateError" ? new Interrupted() : error; // it closed in this moment
    } finally {
      far.close();
    }
  }

  async relay(party) {
    const { channel } = this.all;
    const round = this.begin(party, "relay", () => !channel.far.get(party.page)?.there || !channel.link()?.connected || channel.open(party.page));
    const say = body => this.all.say(party.page, { id: this.id, round: round.number, ...body });
    this.key ??= await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
    const key = written(new Uint8Array(await crypto.subtle.exportKey("raw", this.key)));
    await say({ name: this.name, head: this.head, size: this.size, key });
    let at = null, tail = false;                          // null: the far side has not said yet where to begin
    for (;;) {
      const may = () => at !== null && !tail && (at === this.size || at - this.stored < AHEAD);
      await this.until(round, () => round.said.done || round.said.from !== undefined || may());
      if (round.said.done) break;
      if (round.said.from !== undefined) {                // to begin, or to begin again
        at = round.said.from;
        tail = false;
        delete round.said.from;
      } else if (at < this.size) {
        const data = await this.slab(at), blob = await this.put(data, at);
        if (round.said.from !== undefined) continue;
        this.moved(at + data.length);
        await say({ at, blob });
        at += data.length;
      } else {
        tail = true;
        await say({ sha256: await this.own() });
      }
    }
    await this.agreed(round);
  }
  // One sealed piece on the server: its name there.
  async put(data, at) {
    const iv = crypto.getRandomValues(new Uint8Array(12)), { visit } = this.all.channel;
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: about(visit, this.name, this.id, at) }, this.key, data);
    const headers = { "Content-Type": "application/octet-stream", "X-Form-Token": page.token };
    const asked = fetch(`/-/blob?${new URLSearchParams({ visit, transfer: this.name })}`, { method: "POST", headers, body: new Blob([iv, sealed]), signal: this.signal });
    const answer = await asked.catch(() => null);
    this.check();
    if (answer && STATUS[answer.status]) throw failed(STATUS[answer.status]);
    const { id } = answer?.status === 201 ? await answer.json().catch(() => ({})) : {};
    if (!id) throw new Interrupted();
    return id;
  }

  // Says how far it is: now and then, and when the road changes.
  report(road, last = false) {
    const now = performance.now(), other = road !== this.road;
    this.road = road;
    if (!last && !other && now - this.told < OFTEN) return;
    this.told = now;
    this.onprogress({ road, sent: this.sent, stored: this.stored, size: this.size, bytesPerSecond: speed(this.marks, now, this.stored), sha256: last ? this.digest : "", to: this.to, page: this.page });
  }
}

// Bytes a second over the last seconds. marks: [ms, bytes], kept by the caller
function speed(marks, now, n) {
  marks.push([now, n]);
  while (marks.length > 2 && now - marks[0][0] > SPAN) marks.shift();
  const [at, before] = marks[0];
  return now > at ? Math.max(0, (n - before) / (now - at) * 1000) : 0;
}

// Something that comes. It begins on a road, and again on another; what is stored stays.
class Arrival {
  constructor(all, party, { name, id, head, size }) {
    Object.assign(this, {
      all, party, name, id, head, size, round: null, given: false, ended: "", received: 0, stored: 0, acked: 0, misses: 0, hash: null, digest: "",
      parts: [], folded: 0, disk: Promise.resolve(), line: Promise.resolve(), over: new AbortController(), marks: [], told: 0,
    });
    this.face = this.shown();
  }
  // What the taker sees of it.
  shown() {
    const { party, id, size, over } = this, head = structuredClone(this.head), arrival = this;
    return Object.freeze({
      from: party.seat ?? party.who, role: party.role, name: party.name, id, head, size, signal: over.signal,
      get road() { return arrival.round.road; },
      get sha256() { return arrival.digest; },
      cancel: reason => this.fail(CODES.includes(reason) ? reason : "refused"),
      save: (writable, onprogress) => this.save(writable, onprogress),
    });
  }
  begin(round) {
    if (this.round !== round) this.round?.close();
    this.round = round;
    if (this.ended === "closing") return;                 // whether it is done is said on this road, once that is known
    if (this.digest && this.ended === "done") round.say({ done: this.digest });
    else if (this.ended) this.all.stop(this.party.page, this.id, this.ended);
    else if (this.saving) round.say({ from: this.received });
  }
  save(writable = null, onprogress = () => {}) {
    if (this.saving) return this.saving;
    this.saving = new Promise((...ends) => { [this.resolve, this.reject] = ends; });
    this.saving.catch(() => {});
    if (this.ended) this.reject(failed(this.ended));
    else {
      this.writer = writable?.getWriter();
      if (writable || this.size > this.all.atOnce) this.hash = sha256.create();
      this.onprogress = onprogress;
      this.round.say({ from: 0 });
    }
    return this.saving;
  }
  take(round, data) {
    if (round !== this.round || this.ended) return;
    if (!this.saving || this.received + data.length > this.size) return this.fail("broken");
    if (!this.all.rule(this.name)) return this.fail("unknown");
    this.received += data.length;
    this.hash?.update(data);
    this.disk = this.disk.then(() => this.store(data)).catch(error => this.fail(error.name === "QuotaExceededError" ? "full" : "broken"));
  }
  async store(data) {
    if (this.ended) return;
    if (this.writer) await this.writer.write(data);
    else {
      this.parts.push(data);
      this.folded += data.length;
      if (this.folded >= FOLD) {
        this.parts = [new Blob(this.parts)];
        this.folded = 0;
      }
    }
    this.stored += data.length;
    if (this.stored - this.acked >= ACK || this.stored === this.size) {
      this.acked = this.stored;
      this.round.say({ stored: this.stored });
    }
    this.report();
  }
  // A sealed piece lies on the server. One after another; what does not follow is left, and asked for again.
  piece(round, at, blob) {
    this.line = this.line.then(async () => {
      const wanted = () => this.round === round && !this.ended && at === this.received;
      if (!wanted()) return;
      try {
        const data = await this.fetched(round, at, blob);
        if (wanted()) this.take(round, data);
        this.misses = 0;
      } catch {
        if (++this.misses > TRIES) return this.fail("broken");
        await pause(PAUSE);
        if (wanted()) round.say({ from: this.received });
      }
    });
  }
  async fetched(round, at, blob) {
    const answer = await fetch(`/-/blob/${blob}`, { signal: this.over.signal });
    if (!answer.ok) throw new Interrupted();
    const sealed = new Uint8Array(await answer.arrayBuffer()), { visit } = this.all.channel;
    const cipher = { name: "AES-GCM", iv: sealed.subarray(0, 12), additionalData: about(visit, this.name, this.id, at) };
    return new Uint8Array(await crypto.subtle.decrypt(cipher, await round.key, sealed.subarray(12)));
  }
  // All was sent: whether it is here, and the same.
  async tail(round, theirs) {
    await this.disk;
    if (round !== this.round || this.ended) return;
    if (this.received !== this.size) return round.road === "relay" ? undefined : this.fail("broken"); // by the server: a piece was asked for again
    const all = this.writer ? undefined : new Blob(this.parts);
    const own = this.hash ? hex(this.hash.digest()) : await summed(all).catch(() => "");
    if (round !== this.round || this.ended) return;
    if (own !== theirs) return this.fail("broken");
    this.ended = "closing";
    try {
      await this.writer?.close();
    } catch (error) {
      this.ended = "";
      return this.fail(error.name === "QuotaExceededError" ? "full" : "broken");
    }
    Object.assign(this, { ended: "done", digest: own });
    this.round.say({ done: own });
    this.report(true);
    this.resolve(all);
    this.parts = [];
  }
  report(last = false) {
    const now = performance.now();
    if (!last && now - this.told < OFTEN) return;
    this.told = now;
    this.onprogress({ road: this.round.road, stored: this.stored, size: this.size, bytesPerSecond: speed(this.marks, now, this.stored) });
  }
  // quiet: the far side knows
  fail(code, quiet = false) {
    if (this.ended) return;
    this.ended = code;
    if (!quiet) this.all.stop(this.party.page, this.id, code);
    this.writer?.abort(failed(code)).catch(() => {});
    this.parts = [];
    this.reject?.(failed(code));
    this.over.abort(failed(code));
  }
}
