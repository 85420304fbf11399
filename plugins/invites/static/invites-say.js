// What an invitation says: places filled in, times written out.

const LINE = /^.*\{when\}.*$\n?/gm;
const plain = words => words.replace(/[\u00a0\u202f\u2009]/g, " "); // narrow spaces alone would double a text message

// A text with its places filled in. Without a time, lines that name one are left out.
export function fill(text, values) {
  const whole = values.when ? text : text.replace(LINE, "");
  return whole.replace(/\{(practice|room|when|link|check)\}/g, (all, name) => values[name] ?? all).replace(/\n{3,}/g, "\n\n").trim();
}

// A language as this reader's region writes it: of "en", "en-GB" where the browser says so.
export const regional = lang => navigator.languages.find(each => each.split("-")[0] === lang) ?? lang;

// A moment in words. named: whether the zone is said, too.
export function moment(ms, lang, zone, named) {
  const words = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "short", timeZone: zone }).format(ms);
  return plain(named ? `${words} (${zoneName(ms, lang, zone)})` : words);
}

export function zoneName(ms, lang, zone) {
  const parts = new Intl.DateTimeFormat(lang, { timeZone: zone, timeZoneName: "long" }).formatToParts(ms);
  return plain(parts.find(({ type }) => type === "timeZoneName").value);
}

// Whether two zones show the same clock at a moment.
export function sameClock(ms, one, other) {
  const read = zone => new Intl.DateTimeFormat("en", { dateStyle: "short", timeStyle: "short", timeZone: zone }).format(ms);
  return read(one) === read(other);
}

const lines = text => text.replace(/\r?\n/g, "\r\n");
const query = values => Object.entries(values).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
const address = to => encodeURIComponent(to).replace(/%40/g, "@");

// Addresses that open a message in somebody's own program (RFC 6068, RFC 5724) or on the web.
export const mailto = (to, subject, body) => `mailto:${address(to)}?${query({ subject, body: lines(body) })}`;
export const sms = (to, body) => `sms:${to.replace(/[^+\d]/g, "")}?&${query({ body })}`; // iOS wants the &, Android passes over it

// base: as the page has it.
export function compose(base, values) {
  const url = new URL(base);
  for (const [name, value] of Object.entries(values)) if (value) url.searchParams.set(name, value);
  return url.href.replace(/\+/g, "%20");                // Outlook shows a + as one
}
