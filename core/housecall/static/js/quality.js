// What readings of getStats() say of a line. Knows neither page nor connection; needs nothing that only one browser tells.

const WINDOW = 5000; // ms over which seconds are evened out, and for which a line is bad before that is shown
const KEPT = 10_000; // ms for which the newest word of the other side on our loss counts: for sound it comes every five seconds, if it comes
export const LEVELS = ["good", "weak", "lost"];
export const CAUSES = ["ours", "theirs", "busy", "slow"];

// The few figures that count, of the rows of one reading. still: mid of a picture that may stand still for as long as it likes.
export function reading(rows, still = "") {
  const all = [...rows.values()], of = (type, kind) => all.filter(row => row.type === type && (!kind || row.kind === kind));
  const sum = (list, name) => list.reduce((total, row) => total + (row[name] ?? 0), 0);
  const pair = rows.get(of("transport")[0]?.selectedCandidatePairId) ?? of("candidate-pair").find(row => row.selected || (row.nominated && row.state === "succeeded")) ?? {};
  const came = of("inbound-rtp"), sound = of("inbound-rtp", "audio"), reports = of("remote-inbound-rtp");
  return {
    at: Math.max(...all.map(row => row.timestamp)),
    sent: pair.bytesSent ?? 0,
    room: pair.availableOutgoingBitrate ?? null,
    trip: pair.currentRoundTripTime ?? null,
    relay: [pair.localCandidateId, pair.remoteCandidateId].some(id => rows.get(id)?.candidateType === "relay"),
    streams: new Map(of("outbound-rtp").map(row => [row.ssrc, row.packetsSent ?? 0])),
    reports: new Map(reports.map(row => [row.ssrc, { at: row.timestamp, lost: row.fractionLost ?? 0, trip: row.roundTripTime ?? null }])),
    busy: of("outbound-rtp").some(row => row.active !== false && row.qualityLimitationReason === "cpu"),
    came: sum(came, "packetsReceived"), missing: sum(came, "packetsLost"),
    pictures: sum(of("inbound-rtp", "video"), "packetsReceived"),
    samples: sum(sound, "totalSamplesReceived"), made: sum(sound, "concealedSamples") - sum(sound, "silentConcealedSamples"),
    frozen: sum(of("inbound-rtp", "video").filter(row => !still || row.mid !== still), "totalFreezesDuration"),
  };
}

// What happened between two readings; null where they are too near to each other. since: when what is sent last changed;
// a report of the other side counts if it is new, and about nothing that was before.
export function sample(before, now, since = 0) {
  const span = (now.at - before.at) / 1000;
  if (span < 0.5) return null;
  const share = (part, whole) => whole > 0 ? Math.min(Math.max(part / whole, 0), 1) : 0;
  let packets = 0, lost = 0, trip = null;
  for (const [ssrc, report] of now.reports) {
    const count = now.streams.get(ssrc) - before.streams.get(ssrc), last = before.reports.get(ssrc)?.at ?? since;
    if (!(count > 0) || report.at === last || last < since) continue;
    [packets, lost, trip] = [packets + count, lost + count * report.lost, report.trip ?? trip];
  }
  const came = now.came - before.came, missing = Math.max(now.missing - before.missing, 0), frozen = now.frozen - before.frozen;
  return {
    loss: packets ? lost / packets : null, trip: trip ?? now.trip, room: now.room, rate: 8 * (now.sent - before.sent) / span,
    came, pictures: now.pictures - before.pictures, missing: share(missing, came + missing), made: share(now.made - before.made, now.samples - before.samples),
    frozen: frozen <= span ? share(frozen, span) : 0,   // one that began before was a pause
    busy: Number(now.busy), relay: Number(now.relay),
  };
}

// The mean of the last seconds; of the room, which the browser has evened out already, the newest.
export class Meter {
  constructor() { this.forget(null); }
  // before: the reading from which we begin anew
  forget(before = this.before) { Object.assign(this, { before, recent: [], since: before?.at ?? 0, heard: null }); }
  // rows of getStats(), or null while there is no connection; the answer is null until it is known
  take(rows, still) {
    if (!rows) return this.forget(null), null;
    const now = reading(rows, still ?? ""), fresh = this.before ? sample(this.before, now, this.since) : null;
    if (fresh) this.recent.push({ at: now.at, ...fresh });
    if (fresh || !this.before) this.before = now;
    this.recent = this.recent.filter(each => now.at - each.at < WINDOW);
    if (!this.recent.length) return null;
    const means = Object.fromEntries(Object.keys(this.recent[0]).map(name => [name, mean(this.recent.map(each => each[name]))]));
    if (fresh && fresh.loss !== null) this.heard = { at: now.at, loss: means.loss };
    return { ...means, last: this.recent.at(-1), room: now.room, loss: this.heard && now.at - this.heard.at < KEPT ? this.heard.loss : null };
  }
}

function mean(values) {
  const known = values.filter(value => value !== null);
  return known.length ? known.reduce((total, value) => total + value, 0) / known.length : null;
}

// How good a line is, and why not better; mean: null where nothing comes; fallen: we send less than we may, because of it.
export function judge(mean, fallen = false) {
  if (!mean?.came) return { level: 2, causes: [] };
  const causes = [];
  if (mean.loss > 0.08 || fallen) causes.push("ours");
  if (mean.missing > 0.08 || mean.made > 0.05 || mean.frozen > 0.2) causes.push("theirs");
  if (mean.busy > 0.5) causes.push("busy");
  if (!causes.length && mean.trip > 0.6) causes.push("slow");
  return { level: mean.loss > 0.3 || mean.missing > 0.3 || mean.made > 0.25 ? 2 : causes.length ? 1 : 0, causes };
}

// A verdict that counts once it has lasted.
export class Verdict {
  constructor() { Object.assign(this, { level: 0, causes: [], since: [null, null, null] }); }
  take(at, { level, causes }) {
    for (const each of [1, 2]) this.since[each] = level >= each ? this.since[each] ?? at : null;
    this.level = [2, 1].find(each => this.since[each] !== null && at - this.since[each] >= WINDOW) ?? 0;
    this.causes = this.level ? causes.length ? causes : this.causes : [];
  }
}
