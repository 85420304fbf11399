// What we say to one other page and what it says to us: numbered, kept until acknowledged, in order, and never twice.
// Pure: it knows no socket and no connection, only roads.

const UNDERWAY = 64;     // frames sent and not acknowledged
const PATIENCE = 4000;   // ms without progress until all is sent again, by another road if there is one
const BREATH = 400;      // ms after "slow_down"

export class Stream {
  // roads: in order of preference, each {name, open(event), full(), async send(frame)}: send answers "" or an error
  // budget(event): bytes of a frame; deliver(frame), once each and in order; acked(items), refused(items, error)
  constructor({ roads, budget, deliver, acked, refused, now = () => performance.now() }) {
    Object.assign(this, { roads, budget, deliver, acked, refused, now, out: [], n: 0, sent: 0, got: 0, last: 0, frames: [], avoid: "", tries: 0 });
  }
  push(event, item, { bytes = 200, replay = false } = {}) {
    this.out.push({ n: ++this.n, event, item, bytes, replay });
    this.flush();
  }
  get idle() { return !this.out.length; }

  // A road has opened or closed: what is not acknowledged goes again.
  road() {
    this.again();
    this.flush();
  }
  again() {
    this.sent = this.got;
    this.frames = [];
  }
  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }

  async flush() {
    this.wanted = true;
    if (this.running) return;
    this.running = true;
    while (this.wanted && !this.closed) {
      this.wanted = false;
      await this.run();
    }
    this.running = false;
    this.watch();
  }
  async run() {
    let at = this.out.findIndex(entry => entry.n > this.sent);
    while (!this.closed && at >= 0 && at < this.out.length && this.frames.length < UNDERWAY) {
      const { event, replay } = this.out[at];
      const open = this.roads.filter(road => road.open(event));
      const road = open.find(each => each.name !== this.avoid) ?? open[0];
      if (!road || road.full()) return;
      const entries = [];
      let bytes = 0;
      for (let i = at; i < this.out.length; i++) {
        const entry = this.out[i];
        if (entry.event !== event || entry.replay !== replay || (entries.length && bytes + entry.bytes > this.budget(event))) break;
        entries.push(entry);
        bytes += entry.bytes;
      }
      const after = at ? this.out[at - 1].n : this.got, n = entries.at(-1).n;
      this.sent = n;
      this.frames.push(n);
      this.progress ??= this.now();
      const error = await road.send({ event, after, n, replay, items: entries.map(entry => ({ n: entry.n, ...entry.item })) });
      if (error && !await this.failed(error, after, entries)) return;
      at = this.out.findIndex(entry => entry.n > this.sent);
    }
  }
  // Whether to go on at once.
  async failed(error, after, entries) {
    this.sent = Math.max(this.got, Math.min(this.sent, after));
    this.frames = this.frames.filter(n => n <= this.sent);
    if (error === "slow_down") {
      await new Promise(resolve => setTimeout(resolve, BREATH));
      return true;
    }
    if (error === "lost") return false;                 // nobody there, or no line: the next try is watch()'s or road()'s
    const gone = new Set(entries.map(entry => entry.n));
    this.out = this.out.filter(entry => !gone.has(entry.n));
    this.refused(entries, error);
    return true;
  }
  // The far page has everything up to n.
  ack(n) {
    if (!Number.isSafeInteger(n) || n <= this.got || n > this.n) return;
    const done = [];
    while (this.out.length && this.out[0].n <= n) done.push(this.out.shift());
    this.got = n;
    this.sent = Math.max(this.sent, n);
    this.frames = this.frames.filter(frame => frame > n);
    this.progress = this.out.length ? this.now() : null;
    this.avoid = "";
    this.tries = 0;
    this.acked(done);
    this.flush();
  }
  watch() {
    clearTimeout(this.timer);
    if (this.closed || !this.out.length) return;
    this.timer = setTimeout(() => {
      const waited = this.now() - (this.progress ?? this.now());
      if (this.sent > this.got && waited > PATIENCE * Math.min(8, 2 ** this.tries)) {
        const open = this.roads.filter(road => road.open(this.out[0].event));
        this.avoid = open.length > 1 && this.avoid === "" ? open[0].name : "";
        this.tries += 1;
        this.progress = this.now();
        this.again();
      }
      this.flush();
    }, 1000);
  }

  // Whether a frame from the far page follows what we have, and brings more.
  follows(frame) { return frame.n > this.last && frame.after <= this.last; }
  // Takes a frame, or its first `most` new items; answers what to acknowledge.
  receive(frame, most = Infinity) {
    if (this.follows(frame)) {
      const fresh = frame.items.filter(item => item.n > this.last).slice(0, most);
      this.last = fresh.at(-1)?.n ?? this.last;
      if (fresh.length) this.deliver({ ...frame, items: fresh });
    }
    return this.last;
  }
}
