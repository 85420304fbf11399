// Names of files that somebody else has chosen: made safe to save, and shown so that nobody is deceived. Pure.

const LONGEST = 120; // characters of a name
const SHOWN = 44;    // of one that is shown
const ENDING = /\.[^.\s]{1,11}$/u;
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i; // what Windows does not take for a file

// Without folders, control characters, text-direction tricks, what systems do not take, and endless lengths.
export function safe(given, instead = "file") {
  const last = (typeof given === "string" ? given : "").slice(-4096).split(/[/\\]/u).at(-1);
  const kept = last.normalize("NFC").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").replace(/[<>:"|?*]/gu, "_").replace(/\s+/gu, " ").replace(/^[. ]+|[. ]+$/gu, "");
  return cut(DEVICE.test(kept) ? `_${kept}` : kept, LONGEST) || instead;
}

// Its two parts, for the eye: what is long is shortened in the middle, what it claims to be stays whole.
export function shown(name) {
  const short = cut(name, SHOWN), [ending = ""] = short.match(ENDING) ?? [];
  return { stem: short.slice(0, short.length - ending.length), ending };
}

function cut(name, most) {
  const all = [...name];
  if (all.length <= most) return name;
  const ending = [...name.match(ENDING)?.[0] ?? ""], room = most - 1 - ending.length, tail = Math.floor(room / 3);
  const stem = all.slice(0, all.length - ending.length);
  return [...stem.slice(0, room - tail), "…", ...stem.slice(stem.length - tail), ...ending].join("");
}
