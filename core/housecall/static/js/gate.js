// The rules of an event, as every page applies them to what it sends and to what it receives: those of the server's gate.

import { clean } from "./fields.js";

const encoder = new TextEncoder();

export const size = value => encoder.encode(JSON.stringify(value) ?? "").length;
export const receives = (rule, role) => ["others", "all", "one"].includes(rule.to) || rule.to === role;

// Why `data` of this event may not go from a page of role `from` to one of role `to`: an ack's code, or "".
export function refusal(rule, from, to, data) {
  if (!rule) return "unknown";
  if (!rule.from.includes(from) || (to && !receives(rule, to))) return "forbidden";
  if (data === undefined || size(data) > rule.size) return "too_big";
  if (rule.fields.length && Object.keys(clean(rule.fields, data).errors).length) return "invalid";
  return "";
}
