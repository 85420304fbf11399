// How much is sent to one other page: soon less when the line is bad, late more when it is fine. Knows neither page nor connection.

export const RUNGS = ["hd", "sd", "low", "sound", "text"]; // on "text" sound goes on, and the practice's telephone number is shown
const SOUND = 3, TEXT = 4;
const NEEDS = [1_800_000, 750_000, 200_000, 0, 0];         // bit/s
const DOWN = 3000, UP = 10_000, LONGEST = 60_000;          // ms of bad and of fine seconds; of the longest wait
const TRIAL = 5000, HELD = 30_000;                         // ms: what is tried for so long is kept; what falls within the second was no good idea
const FULL = 0.8;                                          // of the room in use; below it nobody knows how much there is: estimates rise to 1.5 times of what is sent

// Whether so much of the room is in use that its size is known.
const full = (room, rate) => room !== null && rate > FULL * room;

export class Ladder {
  // own: the rung of the line; top: the highest that is allowed; from: the rung below the one that is being tried, or null
  constructor(at) {
    Object.assign(this, { own: 0, top: 0, from: null, raised: null, eased: at, bad: null, fine: null, wait: UP });
  }
  get rung() { return Math.max(this.own, this.top); }
  // What is said of it: nothing of a trial until it is over.
  get told() { return Math.max(this.from ?? this.own, this.top); }
  get fallen() { return this.told > Math.max(this.top, 1); }

  // The highest rung that a person chose, and how many others share what we send.
  allow(at, ceiling, peers) {
    const before = this.rung;
    this.top = Math.max(ceiling, Math.min(peers - 1, 2));
    if (this.rung < before) this.ease(at);
  }
  // A line that has just been given more to carry does not yet know how much room it has.
  ease(at) {
    this.eased = at;
    this.bad = null;
  }
  // One second: {at, loss, trip, room, rate, camera}; loss a share, trip in s, room and rate in bit/s; what is not known is null.
  // A long way alone is no reason to send less, and the queue in it may be on the other side's way to us: it counts where no room is known.
  take(sample) {
    const { at } = sample, bad = this.#bad(sample), known = sample.loss !== null || this.fine !== null, fine = !bad && known && this.#fine(sample);
    this.bad = bad ? this.bad ?? at : null;
    this.fine = fine ? this.fine ?? at : null;
    if (this.raised !== null && at - this.raised >= HELD) [this.raised, this.wait] = [null, UP];
    const tried = this.from !== null && at - this.raised >= TRIAL;
    if (bad && (tried || at - this.bad >= DOWN)) this.#fall(sample);
    else if (tried) this.from = null;
    else if (fine && this.from === null && this.own > this.top && at - this.fine >= this.wait) this.#raise(sample);
    return this.rung;
  }
  #bad({ at, loss, trip, room, rate }) {
    const settled = at - this.eased >= TRIAL;
    if (this.rung >= SOUND) return settled && (loss > 0.25 || trip > 1.5);
    return loss > 0.08 || (room === null ? trip > 0.6 : settled && full(room, rate) && room < NEEDS[this.rung]);
  }
  #fine({ loss, trip, room, rate }) {
    if (this.own === TEXT) return loss < 0.15 && trip < 1;
    const short = full(room, rate) && room < 1.3 * NEEDS[Math.max(this.own - 1, 0)];
    return loss < 0.03 && (room === null ? trip < 0.3 : this.own === SOUND || !short); // by sound alone no estimate rises
  }
  #fall({ at, room, rate }) {
    const fits = this.rung < SOUND && full(room, rate) ? NEEDS.findIndex(need => need <= room) : 0;
    this.own = this.from ?? Math.min(Math.max(this.rung + 1, fits), TEXT);
    if (this.raised !== null) this.wait = Math.min(2 * this.wait, LONGEST);
    this.from = this.raised = this.bad = this.fine = null;
    if (this.own >= SOUND) this.ease(at);                  // reports of sound come every five seconds: the next may be of what was before
  }
  #raise({ at, camera }) {
    if (!camera && this.own <= SOUND) return;              // there is nothing to try it with
    this.from = this.own;
    this.own -= 1;
    this.raised = at;
    this.fine = null;
    this.ease(at);
  }
}
