// The load client: node client.mjs PLAN, where PLAN is JSON: {port, pid, house?, steps: [{do, …}]}. One line of JSON a step.
//
// It speaks to the floors (join, signal, checkin) or to Housecall (check-in by HTTP, ticket, `signal`, `say`, `ready`).
// Each handshake offers permessage-deflate, as browsers do. Where the server refuses it, frames are masked beforehand and
// sending one costs a copy and 15 XORs; where it accepts, the package `ws` compresses them. Loopback only.
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import readline from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const plan = JSON.parse(process.argv[2]);
const HOST = `localhost:${plan.port}`, ORIGIN = `http://${HOST}`;
const DIGITS = 15, MARK = Buffer.from("tick:"), BLANK = "tick:" + "0".repeat(DIGITS);
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let pid = plan.pid, lost = 0, pings = 0, WebSocket = null;
const now = () => Math.floor(performance.now() * 1000);         // µs
const say = row => console.log(JSON.stringify(row));

// -- frames

function frame(text) {                                          // masked, of text; where the tick stands in it
  const payload = Buffer.from(text), n = payload.length, mask = crypto.randomBytes(4), head = n < 126 ? 2 : n < 65536 ? 4 : 10;
  const buffer = Buffer.alloc(head + 4 + n), tick = payload.indexOf(MARK);
  buffer[0] = 0x81;
  buffer[1] = 0x80 | (head === 2 ? n : head === 4 ? 126 : 127);
  if (head === 4) buffer.writeUInt16BE(n, 2); else if (head === 10) buffer.writeBigUInt64BE(BigInt(n), 2);
  mask.copy(buffer, head);
  for (let i = 0; i < n; i++) buffer[head + 4 + i] = payload[i] ^ mask[i & 3];
  return { buffer, mask, text, start: head + 4, tick: tick < 0 ? -1 : tick + MARK.length };
}
function stamp(f, value) {                                      // writes a time into a frame, in place
  for (let i = DIGITS - 1; i >= 0; i--) {
    const digit = value % 10, at = f.tick + i;
    value = (value - digit) / 10;
    f.buffer[f.start + at] = (48 + digit) ^ f.mask[at & 3];
  }
}
const stamped = (text, value) => text.replace(BLANK, "tick:" + String(value).padStart(DIGITS, "0"));
function tickOf(data, from, to) {
  const at = data.indexOf(MARK, from);
  if (at < 0 || at + MARK.length + DIGITS > to) return -1;
  let value = 0;
  for (let i = at + MARK.length; i < at + MARK.length + DIGITS; i++) value = value * 10 + data[i] - 48;
  return value;
}
const PONG = frame("3").buffer;

class Socket {
  constructor({ cookie = "", auth = null } = {}) { Object.assign(this, { cookie, auth, asks: new Map(), heard: {}, next: 0, hot: null }); }

  open() {
    return new Promise((done, failed) => {
      this.done = done;
      this.failed = failed;
      const path = "/socket.io/?EIO=4&transport=websocket";
      if (WebSocket) {
        this.ws = new WebSocket(`ws://127.0.0.1:${plan.port}${path}`, { perMessageDeflate: { threshold: 0 }, headers: { Host: HOST, Origin: ORIGIN, Cookie: this.cookie } });
        this.ws.on("message", data => this.take(data, 0, data.length));
        this.ws.on("close", () => this.closed());
        this.ws.on("error", failed);
        return;
      }
      this.up = false;
      this.rest = null;
      this.tcp = net.connect({ host: "127.0.0.1", port: plan.port, noDelay: true });
      this.tcp.on("connect", () => this.tcp.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: ${ORIGIN}\r\n` +
        `Sec-WebSocket-Key: ${crypto.randomBytes(16).toString("base64")}\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n${this.cookie && `Cookie: ${this.cookie}\r\n`}\r\n`));
      this.tcp.on("data", data => this.data(data));
      this.tcp.on("error", failed);
      this.tcp.on("close", () => this.closed());
    });
  }
  closed() {
    if (this.sid && !this.ending) lost++;
    this.sid = null;
    this.failed?.(new Error("the server closed the line"));
  }
  data(data) {
    if (this.rest) data = Buffer.concat([this.rest, data]);
    this.rest = null;
    let at = 0;
    if (!this.up) {
      const end = data.indexOf("\r\n\r\n");
      if (end < 0) { this.rest = data; return; }
      const head = data.toString("latin1", 0, end);
      this.compressed = /sec-websocket-extensions:.*permessage-deflate/i.test(head);
      if (!head.startsWith("HTTP/1.1 101")) { this.failed(new Error(head.split("\r\n")[0])); this.tcp.destroy(); return; }
      this.up = true;
      at = end + 4;
      if (this.probe) { this.done(this); return; }
    }
    while (at + 2 <= data.length) {
      let length = data[at + 1] & 127, head = 2;
      if (length === 126) { if (at + 4 > data.length) break; length = data.readUInt16BE(at + 2); head = 4; }
      else if (length === 127) { if (at + 10 > data.length) break; length = Number(data.readBigUInt64BE(at + 2)); head = 10; }
      if (at + head + length > data.length) break;
      if ((data[at] & 15) === 1) this.take(data, at + head, length);
      else if ((data[at] & 15) === 8) this.tcp.end();
      at += head + length;
    }
    if (at < data.length) this.rest = data.subarray(at);
  }
  take(data, from, length) {                                    // one Engine.IO packet
    if (data[from] === 0x32) { pings++; if (this.ws) this.ws.send("3"); else this.tcp.write(PONG); return; }
    if (data[from] === 0x30) { this.send("40" + (this.auth ? JSON.stringify(this.auth) : "")); return; }
    if (data[from] !== 0x34) return;
    const kind = data[from + 1];
    if (kind === 0x32) {
      if (this.hot) this.hot(data, from, from + length);
      else { const [event, body] = JSON.parse(data.toString("utf8", from + 2, from + length)); (this.heard[event] ??= []).push(body); this.came?.(); }
    } else if (kind === 0x33) {
      if (this.asks.size === 0) return;
      const text = data.toString("utf8", from + 2, from + length), id = parseInt(text, 10), asked = this.asks.get(id);
      if (asked) { this.asks.delete(id); asked(JSON.parse(text.slice(String(id).length))[0]); }
    } else if (kind === 0x30) { this.sid = JSON.parse(data.toString("utf8", from + 2, from + length)).sid; this.done(this); }
    else if (kind === 0x34) this.failed(new Error("refused: " + data.toString("utf8", from, from + length)));
  }
  send(text) { if (this.ws) this.ws.send(text); else this.tcp.write(frame(text).buffer); }
  fire(made, value) { if (this.ws) this.ws.send(stamped(made.text, value)); else { stamp(made, value); this.tcp.write(made.buffer); } }
  ask(event, body) {
    const id = 1000 + this.next++;                              // ids below 1000 are those of ready-made frames
    return new Promise(answer => { this.asks.set(id, answer); this.send(`42${id}${JSON.stringify([event, body])}`); });
  }
  async hear(event) {
    while (!this.heard[event]?.length) await new Promise(came => { this.came = came; });
    return this.heard[event].shift();
  }
  end() { this.ending = true; if (this.ws) this.ws.terminate(); else this.tcp?.destroy(); }
}

async function each(list, work, at_once = 32) {
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(at_once, list.length) }, async () => { while (next < list.length) await work(list[next++]); }));
}

// -- the two protocols: a waiting patient, a pair of peers, a dashboard, and what they say

// Text with the lines of a real Chrome offer, so that a parser has as many escapes and a compressor as little to gain.
function offer(length) {
  let text = `v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\na=${BLANK}\r\n`;
  for (let n = 96; JSON.stringify(text).length < length; n++)
    text += `a=rtpmap:${n} VP8/90000\r\na=ssrc:${crypto.randomInt(1e9)} cname:${crypto.randomBytes(8).toString("hex")}\r\na=ice-pwd:${crypto.randomBytes(12).toString("hex")}\r\n`;
  while (JSON.stringify(text).length > length + 2) text = text.slice(0, -1);
  return text;
}
function body(size, around) {                                   // a candidate or an offer that fills `size` bytes of a frame
  const fill = length => size < 500 ? { candidate: { candidate: `candidate:1 1 udp 1 192.168.0.7 46243 typ host ${BLANK}`.slice(size < 200 ? -BLANK.length : 0).padEnd(length, "x"), sdpMid: "0" } }
    : { description: { type: "offer", sdp: offer(length) } };
  const empty = Buffer.byteLength(around(fill(size)));
  return around(fill(Math.max(BLANK.length, size - (empty - size))));
}

const floor = {
  async prepare() {},
  async patient(room = "hall") { const socket = await new Socket().open(); socket.send(`42${JSON.stringify(["join", { room }])}`); return { socket }; },
  async pair(number) {
    const [a, b] = await Promise.all([floor.patient("pair" + number), floor.patient("pair" + number)]), room = "pair" + number;
    return [a, b].map(({ socket }) => ({ socket, says: size => body(size, more => `42${JSON.stringify(["signal", { room, life: 1, ...more }])}`) }));
  },
  async board() { const socket = await new Socket().open(); socket.send('42["dash",{}]'); return socket; },
  change: patient => `42${JSON.stringify(["checkin", { id: patient.number, name: BLANK + " ".repeat(60) }])}`,
  async checkIn(patient, value) { patient.socket.send(stamped(floor.change(patient), value)); },
  change_is: '42["checkin"', signal_is: '42["signal"', said_is: '42["signal"',
};

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
let visitors = 0;
function fetch_({ path, method = "GET", headers = {}, data }) {   // each from an address of its own, as said by a proxy
  const from = `10.${(++visitors >> 16) & 255}.${(visitors >> 8) & 255}.${visitors & 255}`;
  return new Promise((done, failed) => {
    const request = http.request({ host: "127.0.0.1", port: plan.port, path, method, agent, headers: { Host: HOST, Origin: ORIGIN, "X-Forwarded-For": from, ...headers } }, response => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", part => { text += part; });
      response.on("end", () => done({ status: response.statusCode, headers: response.headers, text }));
    });
    request.on("error", failed);
    request.end(data);
  });
}

const house = {
  async prepare() {
    const page = await fetch_({ path: `/${plan.house.hall.slug}` });
    house.token = /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? /"token": "([^"]+)"/.exec(page.text)[1];
  },
  async arrive(room, name) {
    const data = JSON.stringify({ name, lang: "en" });
    const answer = await fetch_({ path: `/${room.slug}/check-in`, method: "POST", data,
      headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(data), "X-Form-Token": house.token } });
    if (answer.status !== 201) throw new Error(`check-in: ${answer.status} ${answer.text.slice(0, 200)}`);
    return { visit: JSON.parse(answer.text).visit, cookie: answer.headers["set-cookie"][0].split(";")[0] };
  },
  async patient(room = plan.house.hall) {
    const name = "Grace " + visitors, { visit, cookie } = await house.arrive(room, name);
    return house.sit({ name, visit, cookie, room, key: crypto.randomBytes(24).toString("base64url") });
  },
  async sit(patient) {                                          // comes, or comes back, to the seat
    const { cookie, room, key, name, pass } = patient;
    patient.socket = await new Socket({ cookie, auth: { v: 1, as: "seat", room: room.id, key, name, ...(pass && { pass }) } }).open();
    const welcome = await patient.socket.hear("welcome");
    return Object.assign(patient, { seat: welcome.me.id, pass: welcome.pass });
  },
  async pair(number) {
    const room = plan.house.pairs[number], patient = await house.patient(room), board = await house.board(room.login);
    const { seat, error } = await board.ask("move", { visit: patient.visit, to: "in_call" });
    if (error) throw new Error("move: " + error);
    const says = to => size => body(size, more => `421${JSON.stringify(["signal", { visit: patient.visit, to, life: 1, ...more }])}`);
    const chats = (to, page) => size => `421${JSON.stringify(["say", { event: "chat:message", visit: patient.visit, to, id: "1",
      sealed: { iv: "A".repeat(16), data: BLANK.padEnd(Math.max(BLANK.length, size - 250), "x"), keys: { [page]: "A".repeat(32) } } }])}`;
    return [{ socket: board, says: says(patient.seat), chats: chats(patient.seat, patient.key) },
      { socket: patient.socket, says: says(seat), chats: chats(seat, board.auth.key) }];
  },
  async board(login = plan.house.hall.login) {
    const socket = await new Socket({ cookie: `hc-login=${login}`, auth: { v: 1, as: "dashboard", key: crypto.randomBytes(24).toString("base64url") } }).open();
    socket.welcome = await socket.hear("welcome");
    return socket;
  },
  change: () => `421${JSON.stringify(["ready", { colour: "green", reason: BLANK }])}`,
  checkIn: (patient, value) => house.arrive(plan.house.hall, "tick:" + String(value).padStart(DIGITS, "0")),
  change_is: '42["delta"', signal_is: '42["signal"', said_is: '42["said"',
};
const speak = plan.house ? house : floor;

// -- figures

function server() {                                             // CPU of all its threads (µs), resident memory, wait for a core (µs)
  let cpu = 0;
  for (const task of fs.readdirSync(`/proc/${pid}/task`)) {
    try { cpu += +fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0] / 1000; } catch { /* it has ended */ }
  }
  return { cpu, waited: +fs.readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1] / 1000,
    rss: +/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1] };
}
const round = (value, digits = 2) => +value.toFixed(digits);
function spread(times) {                                        // of ms
  if (!times.length) return { n: 0 };
  const sorted = Float64Array.from(times).sort(), at = share => round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))], 3);
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
function pace(rate, work) {
  const began = performance.now();
  let done = 0;
  return setInterval(() => { for (const due = Math.floor((performance.now() - began) * rate / 1000); done < due; done++) work(done); }, 1);
}
async function watch(step, count) {                             // lets a load run, warm first; the CPU of the window and what it did
  const { warm = 1, secs = 3 } = step;
  await sleep(warm * 1000);
  const before = server(), own = process.cpuUsage(), began = performance.now();
  count.on = true;
  await sleep(secs * 1000);
  count.on = false;
  const after = server(), took = (performance.now() - began) / 1000, spent = process.cpuUsage(own);
  return { per_s: round(count.n / took, 1), us: count.n ? round((after.cpu - before.cpu) / count.n) : null, cpu_pct: round((after.cpu - before.cpu) / took / 1e4, 1),
    waited_pct: round((after.waited - before.waited) / took / 1e4, 1), client_pct: round((spent.user + spent.system) / took / 1e4, 1), lost };
}

// -- steps

const patients = [], pairs = [], boards = [], half = {};
let base = 0, due = new Map(), times = [], counted = { n: 0 };
const is = (data, from, text) => { for (let i = 4; i < text.length; i++) if (data[from + i] !== text.charCodeAt(i)) return false; return true; };

function hears_changes(data, from, to) {                        // a change counts once a dashboard, by its tick
  if (!is(data, from, speak.change_is)) return;
  const tick = tickOf(data, from, to), left = due.get(tick);
  if (!left) return;
  if (left === 1) { due.delete(tick); if (counted.on) counted.n++; } else due.set(tick, left - 1);
  if (counted.on) times.push((now() - tick) / 1000);
}
async function changing(step, work) {
  for (const socket of boards) socket.hot = hears_changes;
  due = new Map();
  times = [];
  counted = { n: 0 };
  let failed = 0;
  const idle = step.idle ? (await watch({ warm: 0, secs: step.idle }, { n: 0 })).cpu_pct : 0; // pings of those who wait
  const timer = pace(step.rate, number => {
    let tick = now();
    while (due.has(tick)) tick++;
    due.set(tick, boards.length);
    Promise.resolve(work(number, tick)).catch(() => { failed++; due.delete(tick); });
  });
  const seen = await watch(step, counted);
  clearInterval(timer);
  await sleep(500);
  return { waiting: patients.length, boards: boards.length, rate: step.rate, ...seen, idle_pct: idle, alone_us: round(seen.us - idle * 1e4 / seen.per_s), failed, unheard: due.size, ...spread(times) };
}

const steps = {
  async wait({ n, hold = 3 }) {                                 // brings the number of waiting patients to n
    const before = server(), fresh = Array.from({ length: n - patients.length }, () => 0), from = patients.length;
    await each(fresh, async () => { const patient = await speak.patient(); patient.number = patients.length; patients.push(patient); });
    const connected = server();
    await sleep(hold * 1000);
    const { rss } = server();
    return { waiting: n, mib: round(rss / 1024), kib: round((rss - base) / n), connect_us: round((connected.cpu - before.cpu) / Math.max(1, n - from), 0), lost };
  },
  async pairs({ n }) {
    await each(Array.from({ length: n }, (_, number) => number), async number => { pairs.push(await speak.pair(number)); }, 8);
    for (const [a, b] of pairs) [a.peer, b.peer] = [b, a];
    await sleep(500);
    return { pairs: n };
  },
  async relay(step) {                                           // closed loop, or `rate` a second ("half": of what the same size came to)
    const { size, window = 4, say: chat = false } = step, rate = step.rate === "half" ? Math.round(half[size] / 2) : step.rate;
    const count = { n: 0 }, late = [], peers = pairs.flat(), text = chat ? speak.said_is : speak.signal_is;
    let open = true, bytes = 0;
    for (const peer of peers) {
      const made = Array.from({ length: window + 2 }, () => frame((chat && peer.chats || peer.says)(size)));
      let turn = 0;
      bytes = made[0].text.length;
      peer.fire = () => { peer.socket.fire(made[turn++ % made.length], now()); };
      peer.socket.hot = (data, from, to) => {
        if (!is(data, from, text)) return;
        if (count.on) { count.n++; late.push((now() - tickOf(data, from, to)) / 1000); }
        if (!rate && open) peer.peer.fire();
      };
    }
    let timer;
    if (rate) timer = pace(rate, number => peers[number % peers.length].fire());
    else for (const peer of peers) for (let i = 0; i < window; i++) peer.fire();
    const seen = await watch(step, count);
    open = false;
    clearInterval(timer);
    await sleep(300);
    if (!rate) half[size] = seen.per_s;
    return { what: chat ? "say" : "signal", size, bytes, pairs: pairs.length, rate: rate ?? null, ...seen, ...(rate ? spread(late) : {}) };
  },
  async boards({ n }) { while (boards.length < n) boards.push(await speak.board()); await sleep(300); return { boards: n }; },
  changes(step) {                                               // patients who wait change something that dashboards show
    const made = patients.map(patient => frame(speak.change(patient)));
    return changing(step, (number, tick) => { const i = number % patients.length; patients[i].socket.fire(made[i], tick); });
  },
  checkins(step) { return changing(step, (number, tick) => speak.checkIn(patients[number % patients.length], tick)); },
  async trouble({ secs, sign_ins, frames, pages, first = false }) {            // what may hold the loop: hashes, big frames, pages of the history
    const big = frame(`421${JSON.stringify(["signal", { visit: "x", to: "x", life: 1, description: { sdp: "x".repeat(65000 - 100) } }])}`), late = [];
    const done = { signed_in: 0, pages: 0, frames: 0, failed: 0 }, members = [plan.house.hall, ...plan.house.pairs];
    const tally = (key, good, answer) => { if (good(answer)) done[key]++; else done.failed++; };
    const timers = [
      pace(sign_ins, number => { const { email } = members[number % members.length];
        const data = new URLSearchParams({ token: house.token, email, password: plan.house.password }).toString();
        fetch_({ path: "/sign-in", method: "POST", data, headers: { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": data.length } })
          .then(answer => tally("signed_in", ({ status }) => status === 303, answer)).catch(() => done.failed++); }),
      pace(pages, () => { const began = performance.now();
        fetch_({ path: "/dashboard/history", headers: { Cookie: `hc-login=${plan.house.hall.login}` } })
          .then(answer => { late.push(performance.now() - began); tally("pages", ({ status }) => status === 200, answer); }).catch(() => done.failed++); }),
      pace(frames, number => { const { socket } = pairs.flat()[number % (2 * pairs.length)]; if (socket.sid) { socket.ws ? socket.ws.send(big.text) : socket.tcp.write(big.buffer); done.frames++; } }),
    ];
    const seen = await watch({ warm: 0, secs }, { n: 0 });
    timers.forEach(clearInterval);
    await sleep(1000);
    const { p50, p99 } = spread(late);
    return { first, waiting: patients.length, secs, ...done, cpu_pct: seen.cpu_pct, waited_pct: seen.waited_pct, lost, page_p50: p50, page_p99: p99 };
  },
  async pause() {                                               // the server is restarted meanwhile; its new process is said on stdin
    const board = await speak.board();
    steps.order = board.welcome.rooms.find(room => room.id === plan.house.hall.id).cards.map(card => card.id);
    board.ending = true;
    for (const { socket } of patients) socket.ending = true;
    say({ do: "paused" });
    pid = +(await lines.next()).value;
    agent.destroy();
    return { patients: patients.length };
  },
  async back() {                                                // all come back at once
    const before = server(), began = performance.now();
    await each(patients, patient => house.sit(patient), 256);
    const took = performance.now() - began, after = server(), board = await speak.board();
    const order = board.welcome.rooms.find(room => room.id === plan.house.hall.id).cards.map(card => card.id);
    return { waiting: patients.length, cpu_ms: round((after.cpu - before.cpu) / 1000, 0), took_ms: round(took, 0), back: order.length,
      in_order: order.length === steps.order.length && order.every((id, i) => id === steps.order[i]) };
  },
};

const probe = new Socket();
probe.probe = true;
await probe.open().catch(error => { throw new Error(`no websocket: ${error.message}`); });
if (probe.compressed) ({ default: WebSocket } = await import("ws"));
probe.end();
await speak.prepare();
if (plan.house) (await house.patient(plan.house.spare)).socket.end(); else (await floor.patient()).socket.end();
await sleep(300);
base = server().rss;
say({ do: "begin", idle_mib: round(base / 1024), compressed: Boolean(probe.compressed) });
for (const step of plan.steps) say({ do: step.do, ...await steps[step.do](step) });
process.exit(0);
