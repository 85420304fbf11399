// The lines to the others: what is sent over each follows what it can carry, and both sides know of it. Loaded once there is a connection.

import { Ladder, RUNGS } from "./ladder.js";
import { VOICE } from "./peer.js";
import { CAUSES, LEVELS, judge, Meter, Verdict } from "./quality.js";

const PICTURES = [                                     // by rung; side: of the shorter one, in pixels
  { side: 720, maxFramerate: 30, maxBitrate: 1_500_000 },
  { side: 360, maxFramerate: 24, maxBitrate: 600_000 },
  { side: 180, maxFramerate: 12, maxBitrate: 120_000 },
];
const BESIDE = [                                       // of a camera beside a screen: both fit where the camera alone would
  { side: 360, maxFramerate: 24, maxBitrate: 350_000 },
  { side: 180, maxFramerate: 12, maxBitrate: 120_000 },
  { side: 180, maxFramerate: 5, maxBitrate: 30_000 },
];
const SHARP = [                                        // of a screen: fewer pictures rather than less to read
  { side: 1080, maxFramerate: 15, maxBitrate: 1_150_000 },
  { side: 1080, maxFramerate: 8, maxBitrate: 480_000 },
  { side: 720, maxFramerate: 3, maxBitrate: 90_000 },
];
const SMOOTH = [                                       // of one that moves (its track's contentHint is "motion")
  { side: 720, maxFramerate: 30, maxBitrate: 1_150_000 },
  { side: 540, maxFramerate: 24, maxBitrate: 480_000 },
  { side: 270, maxFramerate: 12, maxBitrate: 90_000 },
];
const SOUNDS = [32_000, 32_000, 16_000, 12_000, 8000]; // bit/s by rung; with what RED sends again three times as much
const CLINICAL = [96_000, 64_000, 32_000, 12_000, 8000];  // the same for unprocessed sound, of which every detail counts
const STILL = 3, MOVING = 8;                           // seconds; a trial lasts five, and is not spoken of
const FLIPPED = { ours: "theirs", theirs: "ours", busy: "busy there", slow: "slow" }; // a cause, as the other side says it

export class Lines {
  // call: a Call, whose peers and rows these are
  constructor(call) { Object.assign(this, { call, lines: new Map() }); }
  line(them) {
    if (!this.lines.has(them)) this.lines.set(them, { ladder: new Ladder(performance.now()), meter: new Meter(), verdict: new Verdict(), far: heard({}), asked: 0, relay: false, camera: null, screen: null, paused: false, moving: 0 });
    return this.lines.get(them);
  }
  // What `media` says of the line to one of them.
  quality(them) {
    const { ladder, verdict } = this.line(them);
    return { sent: RUNGS[ladder.told], got: LEVELS[verdict.level], causes: verdict.causes, number: this.call.on.number?.() ?? false };
  }
  // What their `media` said. Only a provider's page has a ceiling.
  heard(them, media) {
    const line = this.line(them), peer = this.call.peers.get(them);
    line.far = heard(media);
    line.asked = this.call.rows.get(them)?.role === "provider" ? Math.max(0, CEILINGS.indexOf(media.ceiling)) : 0;
    if (peer && peer.pc === line.pc) this.shape(line, peer);
    this.tell(them, line);
  }
  // Each second; rows: of getStats(), or null while the connection is away.
  take(them, peer, rows) {
    const line = this.line(them), at = performance.now(), { ladder, meter } = line, before = ladder.rung;
    if (!rows && !line.pc) return;                      // it has never been there
    if (line.pc !== peer.pc) {
      line.pc = peer.pc;
      line.paused = false;
      meter.forget(null);
      ladder.ease(at);
    }
    const [, camera, screen] = peer.pc.getTransceivers(), mean = meter.take(rows, screen?.mid);
    line.camera = camera?.sender.track ?? null;
    line.screen = screen?.sender.track ?? null;
    if (mean) ladder.take({ ...mean, at, camera: Boolean(line.camera ?? line.screen) });
    if (mean || !rows) line.verdict.take(at, judge(mean, ladder.fallen));
    if (mean) {
      line.relay = mean.relay > 0;
      line.moving = mean.last.pictures > 0 ? Math.max(line.moving, 0) + 1 : Math.min(line.moving, 0) - 1;
    }
    if (rows) this.shape(line, peer);
    if (ladder.rung !== before) meter.forget();         // what was is no measure of what is sent now
    this.tell(them, line);
  }
  get ceiling() { return Math.max(0, CEILINGS.indexOf(this.call.ceiling)); }

  shape(line, peer) {
    const { ladder } = line;
    ladder.allow(performance.now(), Math.max(this.ceiling, line.asked), this.call.peers.size);
    const { camera, screen } = line, paused = ladder.rung >= PICTURES.length, pauses = paused && !line.paused;
    line.paused = paused;
    peer.shape(0, { ...VOICE, maxBitrate: (this.call.devices.clinical ? CLINICAL : SOUNDS)[ladder.rung] });
    for (const [i, track, pictures] of [[1, camera, screen ? BESIDE : PICTURES], [2, screen, screen?.contentHint === "motion" ? SMOOTH : SHARP]]) {
      if (!paused) peer.shape(i, picture(track, pictures[ladder.rung]));
      else peer.shape(i, { active: false, ...pauses && (i === 1 || track) && { codec: another(peer.pc.getTransceivers()[i].sender) } });
    }
  }
  // To our own page, when it has changed.
  tell(them, line) {
    const { ladder, verdict, far } = line, level = Math.max(verdict.level, far.level);
    const ceiling = Math.max(this.ceiling, line.asked);
    const rung = (name, camera) => camera || name === "text" ? name : "";
    const told = {
      level: LEVELS[level], causes: [...new Set([...verdict.causes, ...far.causes.map(cause => FLIPPED[cause])])], relay: line.relay,
      ours: rung(RUNGS[ladder.told], line.camera ?? line.screen), theirs: rung(seen(line), far.picture), number: far.number,
      ceiling: RUNGS[ceiling], mine: ceiling > 0 && ceiling === this.ceiling,
    };
    const words = JSON.stringify(told);
    if (words !== line.words) this.call.on.quality(them, told);
    line.words = words;
  }
}

// The parameters of a picture; it is sent at its size where that is no larger than wanted.
function picture(track, { side, maxFramerate, maxBitrate }) {
  const { width = 1280, height = 720 } = track?.getSettings() ?? {};
  return { active: true, codec: undefined, maxFramerate, maxBitrate, scaleResolutionDownBy: Math.max(1, Math.min(width, height) / side) };
}

// What they send: as they say, but words go astray on a line that is bad (the channel may be silent for a minute), and then by what comes.
// moving: for how many seconds pictures come, or, below zero, do not
function seen({ far: { sent }, moving, verdict }) {
  const pauses = RUNGS.indexOf(sent) >= PICTURES.length;
  if (!pauses && moving <= -STILL && verdict.level) return "sound";
  return pauses && moving >= MOVING ? "low" : sent;
}

// A sender that pauses would go on to send again what was lost, for half a minute, and drown the sound in it (seen in Chromium).
// One that is given another codec has forgotten all of that; nothing is negotiated for it.
function another(sender) {
  const [used, ...others] = sender.getParameters().codecs.filter(({ mimeType }) => !/rtx|red|fec/.test(mimeType));
  return others.find(({ mimeType }) => mimeType !== used.mimeType);
}

const CEILINGS = RUNGS.slice(0, -1);

// What another page says of the line, as far as it can be understood.
function heard({ quality, camera, screen }) {
  const { sent, got, causes, number } = Object(quality);
  return {
    sent: RUNGS.includes(sent) ? sent : "", level: Math.max(0, LEVELS.indexOf(got)),
    causes: CAUSES.filter(cause => Array.isArray(causes) && causes.includes(cause)), number: number === true, picture: camera === true || screen === true,
  };
}
