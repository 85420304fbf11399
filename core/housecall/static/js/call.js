// The call: one Peer for each other seat, made and renewed as seats, pages and lives come and go.

import { Peer } from "./peer.js";
import { sends } from "./sends.js";
import { side } from "./interrupted.js";

const APART = 10_000; // ms between two losses that have not one cause

export const certificate = RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" });
const STANDS = 1000; // ms of a connection after which its picture stands
const STEADY = 2000; // ms of a connection before what is sent over it follows the line
let made = null;
certificate.then(pass => { made = pass; });

export class Call extends EventTarget {
  // link: the socket; ice: an Ice; devices: a Devices; spare: a Spare, where there is one; on: {tile(seat), track(seat, kind, track), media(seat, state),
  // state(seat, state, whose), quality(seat, {level, …}: lines.js), gone(seat), bye(seat), left?(seat): of a guest, heard(page, type, body, id), bulk(page, channel), road(); ceiling?(), number?()}. Fires "change" for parts.
  constructor({ visit, me, link, ice, devices, spare, on }) {
    super();
    Object.assign(this, { visit, me, link, ice: ice.by(link), devices, spare, on, peers: new Map(), rows: new Map(), said: new Map(), early: [], screen: null });
    this.awake = () => { for (const peer of this.peers.values()) { peer.next = 0; peer.watch(); } };
    addEventListener("online", this.awake);
    document.addEventListener("visibilitychange", this.awake);
    this.sent = this.tracks;
    this.follow = () => this.replace();
    devices.addEventListener("change", this.follow);
  }
  // What goes out, in the order of the transceivers.
  get tracks() {
    const [audio, camera] = this.devices.tracks;
    return [audio, camera, this.screen];
  }
  get media() {
    const [audio, camera, screen] = this.tracks;
    return { mic: Boolean(audio) && !this.devices.muted, camera: Boolean(camera), screen: Boolean(screen), clinical: this.devices.clinical, ceiling: this.ceiling };
  }
  get ceiling() { return this.on.ceiling?.() ?? "hd"; }

  // Rows of `welcome`, `seats`: who sits here, by which page.
  seats(rows) { this.then(pass => this.sit(rows, pass)); }
  then(step) {                                        // at once where that can be, and in the order in which the server said it
    if (made && !this.order) return void (this.over || step(made));
    const order = this.order = Promise.all([certificate, this.order]).then(([pass]) => {
      if (this.order === order) this.order = null;
      return this.over || step(pass);
    });
  }
  sit(rows, pass) {
    this.own = rows.find(row => row.id === this.me) ?? this.own ?? {};
    for (const row of rows) {
      if (row.id === this.me) continue;
      const peer = this.peers.get(row.id), known = this.rows.get(row.id);
      this.rows.set(row.id, row);
      if (!known) this.on.tile(row);
      peer?.allow(sends(this.own, row));
      if (!row.key) continue;
      if (!peer || peer.page !== row.key) {
        if (row.present) this.make(row.id, row.key, 0, pass);
      } else if (!row.present) {
        peer.there = false;
      } else if (peer.pc.connectionState !== "connected") {
        peer.there = true;
        peer.next = 0;
        peer.watch();
      } else {
        peer.there = true;
      }
    }
    for (const id of [...this.rows.keys()]) if (!rows.some(row => row.id === id)) this.drop(id);
    for (const message of this.early.splice(0)) this.hear(message, pass);
  }
  make(them, page, life, pass) {
    const before = this.peers.get(them), row = this.rows.get(them);
    if (before?.page !== page) this.said.delete(them);
    before?.close(); // the spare holds an offer: for a provider to whom we are to make one
    const spare = life === 0 && this.me < them && row.role === "provider" ? this.spare?.take() : null;
    const peer = new Peer({
      visit: this.visit, me: this.me, them, page, life, link: this.link, ice: this.ice, certificate: pass,
      tracks: this.tracks, may: sends(this.own, row), veiled: !(sends(this.own, row)[1] && sends(row, this.own)[1]), spare,
      media: () => ({ ...this.media, screen: Boolean(peer.sent[2]), quality: this.lines?.quality(them) ?? "" }),
      ontrack: (kind, track) => this.on.track(them, kind, track),
      onmessage: (type, body, id) => type === "safety" ? this.safe(peer, body) : this.heard(them, page, type, body, id),
      onbulk: channel => this.on.bulk(page, channel),
      onroad: () => this.on.road(),
      onstate: state => {
        this.on.state(them, state, this.whose(peer, state));
        this.look();
        if (state === "connected" && peer.channel.readyState === "open" && performance.now() - peer.since > STANDS) this.safe(peer);
      },
      onstats: rows => this.tend(them, peer, rows),
      renew: next => this.make(them, page, next, pass),
      report: error => console.warn("call:", error.name),
    });
    if (life && before) Object.assign(peer, { called: before.called, well: before.well }); // whose side it is does not change because we begin anew
    this.peers.set(them, peer);
  }
  // What is sent follows the line, once there is one: nothing of it delays the first picture.
  tend(them, peer, rows) {
    if (rows && performance.now() - peer.since < STEADY) return;
    if (this.lines) this.lines.take(them, peer, rows);
    else if (rows) import("./lines.js").then(({ Lines }) => {
      this.lines ??= new Lines(this);
      this.tend(them, peer, rows);
    }, () => {});                                       // or in the next second
  }
  // On whose side it is interrupted. A line that was gone while the other side still came through tells nothing of us.
  whose(peer, state) {
    const { link } = this;
    if (state === "connected") peer.well = performance.now();
    const linked = link.answers || (link.gone > 0 && peer.well - link.gone > APART);
    return side({ online: navigator.onLine, linked, there: peer.answers });
  }
  signal(message) { this.then(pass => this.hear(message, pass)); }
  hear(message, pass) {
    const row = this.rows.get(message.from);
    if (!row?.key) return void (this.early.length < 200 && this.early.push(message)); // its seat is announced in a moment
    const peer = this.peers.get(message.from);
    if (message.page !== row.key || !peer || message.life < peer.life) return;
    if (message.life > peer.life) this.make(message.from, row.key, message.life, pass);
    this.peers.get(message.from).take(message);
  }
  heard(them, page, type, body, id) {
    if (type === "media" && body && typeof body === "object") {
      this.said.set(them, { mic: body.mic !== false, camera: body.camera !== false, screen: body.screen === true });
      this.on.media(them, body);
      this.lines?.heard(them, body);
      this.look();
    }
    const role = this.rows.get(them)?.role;             // none: the server has said already that they left
    if (type === "bye" && role === "guest") {
      this.drop(them);
      this.on.left?.(them);
    } else if (type === "bye" && role) this.on.bye(them);
    if (type === "say" || type === "ack") this.on.heard(page, type, body, id);
  }
  // Whether anybody is in between is looked at once the picture stands (safety.js). Nothing waits for it.
  safe(peer, body) {
    if (!this.safety && !this.link.connected) return;
    this.safety ??= import("./safety.js").then(({ Safety }) => new Safety(this), () => { this.safety = null; });
    this.safety.then(safety => this.peers.get(peer.them) === peer && safety?.take(peer, body)).catch(error => console.warn("safety:", error.name));
  }
  // The connection to a page, for what is said there.
  peerAt(page) { return [...this.peers.values()].find(peer => peer.page === page) ?? null; }

  // What parts may know of the call.
  get state() {
    const states = [...this.peers.values()].map(peer => peer.pc.connectionState);
    return !states.length || states.includes("new") || states.includes("connecting") ? "connecting" : states.every(state => state === "connected") ? "connected" : "broken";
  }
  get local() {
    const [audio, camera, screen] = this.tracks;
    return { audio, camera, screen };
  }
  remote(seat) {
    const peer = this.peers.get(seat);
    if (!peer) return null;
    const [audio, camera, screen] = peer.pc.getTransceivers().map(({ receiver }) => receiver.track);
    return { audio, camera, screen };
  }
  // How loud they are now, 0 to 1.
  loud(seat) { return this.peers.get(seat)?.pc.getReceivers()[0]?.getSynchronizationSources?.()[0]?.audioLevel ?? 0; }
  // What they say that they send: {mic, camera, screen}.
  shows(seat) { return this.said.get(seat) ?? null; }
  // Tells parts when any of it is something else.
  look() {
    const now = JSON.stringify([this.state, this.media, [...this.said]]);
    if (now !== this.looked) this.dispatchEvent(new Event("change"));
    this.looked = now;
  }
  // One more track, for a purpose: {replace(track), remove()}. There is a place for one screen; it goes where sends.js lets
  // it, over every connection that comes. One that ends is removed; signal: removed and stopped. Throws `unknown`, `full`.
  add(purpose, track, signal) {
    if (purpose !== "screen") throw coded("unknown", `nothing is added as ${purpose}`);
    if (this.screen) throw coded("full", "there is a screen already");
    let held = track;
    const put = async next => {
      if (!held) return;
      held = this.screen = next;
      next?.addEventListener("ended", () => { if (held === next) put(null); });
      await this.replace();
    };
    signal?.addEventListener("abort", () => {
      held?.stop();
      put(null);
    });
    put(track);
    return Object.freeze({ replace: put, remove: () => put(null) });
  }
  async stats(seat) { return this.peers.get(seat)?.pc.getStats() ?? null; }
  async replace() {
    const { tracks } = this;
    for (const [i, track] of tracks.entries()) {
      if (track === this.sent[i]) continue;
      for (const peer of this.peers.values()) await peer.replace(i, track);
    }
    this.sent = tracks;
    this.tell();
    this.look();
  }
  tell() { for (const peer of this.peers.values()) peer.say("media", peer.media()); }
  drop(id) {
    this.rows.delete(id);
    this.said.delete(id);
    this.peers.get(id)?.close();
    this.peers.delete(id);
    this.on.gone(id);
    this.look();
  }
  bye() { for (const peer of this.peers.values()) peer.say("bye", { reason: "ended" }); }
  close() {
    this.over = true;
    removeEventListener("online", this.awake);
    document.removeEventListener("visibilitychange", this.awake);
    this.devices.removeEventListener("change", this.follow);
    for (const peer of this.peers.values()) peer.close();
    this.peers.clear();
    this.safety?.then(safety => safety?.close());
    this.on.road();
  }
}

const coded = (code, words) => Object.assign(new Error(words), { code });
