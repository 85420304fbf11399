// The rules of an event, as every page applies them to what it sends and to what it receives: those of the server's gate.

import { clean } from "./fields.js";

const encoder = new TextEncoder();

export const size = value => encoder.encode(JSON.stringify(value) ?? "").length;
export const receives = (rule, role) => ["others", "all", "one"].includes(rule.to) || rule.to === role;

// Why `data` of this event may not go from a page of role `from`: an ack's code, or "".
export function refusal(rule, from, data) {
  if (!rule) return "unknown";
  if (!rule.from.includes(from)) return "forbidden";
  if (size(data) > rule.size) return "too_big";
  if (data === null || typeof data !== "object" || Array.isArray(data)) return "invalid";
  if (rule.fields.length && Object.keys(clean(rule.fields, data).errors).length) return "invalid";
  return "";
}

// Whether a page of role `from` may give this event to one of role `to`. replay: what was said before, told to a page
// that came anew; then either may be who receives it, and one of the two is the patient.
export function passes(rule, from, to, replay) {
  if (!rule || rule.path === "server") return false;
  if (!replay) return rule.from.includes(from) && receives(rule, to);
  const takesPart = role => rule.from.includes(role) || receives(rule, role);
  return [from, to].includes("patient") && takesPart(from) && takesPart(to);
}

// How many of an event may come now: `rate` a second, three times as many at once, or as many as `most` says.
export class Bucket {
  constructor(now) { Object.assign(this, { used: 0, at: now }); }
  room(rate, now, most = 0) {
    this.used = Math.max(0, this.used - (now - this.at) / 1000 * rate);
    this.at = now;
    return Math.max(0, Math.floor(Math.max(3, rate * 3, most) - this.used));
  }
  take(n = 1) { this.used += n; }
}
