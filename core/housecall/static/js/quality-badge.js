// What people see and hear of a line: the badge on a tile, the calm line, and the practice's number before the call breaks.

import { part, say } from "./page.js";
import { text } from "./text.js";

const LEVELS = { good: () => text("Good line"), weak: () => text("Weak line"), lost: () => text("Line lost") };
const CAUSES = {
  ours: () => text("The cause is your line."),
  theirs: at => text("The cause is {name}'s line.", at),
  busy: () => text("This computer is busy."),
  "busy there": at => text("{name}'s computer is busy.", at),
  slow: () => text("What you say takes long to arrive."),
};
const RUNGS = { hd: () => text("HD"), sd: () => text("SD"), low: () => text("small picture"), sound: () => text("sound only"), text: () => text("sound only") };
const ORDER = Object.keys(RUNGS);
const off = rung => rung === "sound" || rung === "text";

// stage: a Stage; at: its tile; now: what lines.js tells of the line.
export function show(stage, at, now) {
  const before = at.line ?? { level: "good", ours: "", theirs: "", ceiling: "hd" };
  at.line = now;
  at.paused = off(now.theirs) ? paused(at, now, text("{name}'s video is paused to keep the sound. It comes back by itself.", at)) : "";
  at.calm = weakest(now) ? veryWeak(at, now) : off(now.ours) ? paused(at, now, text("Your video is paused to keep the sound. It comes back by itself.")) : "";
  if (at.calm === at.paused) at.calm = "";              // it stands on the tile
  at.tile.toggleAttribute("data-paused", Boolean(at.paused));
  stage.why(at);
  badge(at, now);
  stage.lines = () => lines(stage);
  const aloud = [...changes(at, before, now), ...stage.lines()];
  if (aloud.length) say(aloud.join(" "));
}

// What stands below and above the tiles, for all of them; what is to be said of it.
function lines({ tiles }) {
  const all = [...tiles.values()], calm = all.find(each => each.calm)?.calm ?? "", shown = all.some(({ line }) => line && weakest(line));
  part("calm").hidden = !calm;
  part("calm").textContent = calm;
  const instead = part("instead"), fresh = shown && instead?.hidden;
  if (instead) instead.hidden = !shown;
  return fresh ? [instead.textContent.replace(/\s+/g, " ").trim()] : [];
}

const weakest = ({ level, ours, theirs, number }) => level === "lost" || ours === "text" || theirs === "text" || number;

function veryWeak(at, { number }) {
  if (part("instead")) return "";                      // the patient's page says so itself
  return number ? text("The line is very weak. {name} sees the practice's telephone number.", at) : text("The line to {name} is very weak.", at);
}

// Why there is no video: a person chose so, or the line cannot carry it.
function paused(at, { ceiling, mine }, words) {
  if (ceiling !== "sound") return words;
  return mine ? text("You chose sound only. Video comes back when you choose it again.") : text("{name} chose sound only for this visit.", at);
}

function badge(at, { level, causes, relay, ours, theirs, ceiling, mine }) {
  const button = at.tile.querySelector(".quality"), why = at.tile.querySelector(".cause");
  if (button.hidden) {
    why.id = `cause-${at.tile.dataset.seat}`;
    button.setAttribute("aria-controls", why.id);
    button.setAttribute("aria-describedby", why.id);
    button.onclick = () => button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") === "false"));
    button.onblur = () => button.setAttribute("aria-expanded", "false");
    button.hidden = why.hidden = false;
  }
  button.dataset.level = level;
  button.lastElementChild.textContent = LEVELS[level]();
  const lines = causes.map(cause => CAUSES[cause](at));
  if (relay) lines.push(text("It goes through a relay."));
  if (ours) lines.push(text("You send: {picture}.", { picture: RUNGS[ours]() }));
  if (theirs) lines.push(text("You get: {picture}.", { picture: RUNGS[theirs]() }));
  if (ceiling !== "hd") lines.push(limit(at, ceiling, mine));
  why.replaceChildren(...lines.flatMap(words => [Object.assign(document.createElement("span"), { textContent: words }), " "]));
}

const limit = (at, ceiling, mine) => mine
  ? text("You chose at most: {picture}.", { picture: RUNGS[ceiling]() })
  : text("{name} chose at most: {picture}.", { ...at, picture: RUNGS[ceiling]() });

// The sentences for those who listen.
function changes(at, before, now) {
  const aloud = [];
  if (now.ceiling !== before.ceiling) aloud.push(limit(at, now.ceiling, now.mine || (now.ceiling === "hd" && before.mine)));
  else {
    if (off(now.ours) && !off(before.ours)) aloud.push(paused(at, now, text("Your video is paused to keep the sound. It comes back by itself.")));
    else if (now.ours && before.ours) aloud.push(...step(before.ours, now.ours, text("Your video is back."), text("Your picture is smaller now, to keep the sound."), text("Your picture is larger again.")));
    if (off(now.theirs) && !off(before.theirs)) aloud.push(at.paused);
    else if (now.theirs && before.theirs) aloud.push(...step(before.theirs, now.theirs, text("{name}'s video is back.", at), text("{name}'s picture is smaller now, to keep the sound.", at), text("{name}'s picture is larger again.", at)));
  }
  if (now.level !== before.level) {
    aloud.push(now.level === "good" ? text("The line to {name} is good again.", at) : now.level === "weak" ? text("The line to {name} is weak.", at) : text("The line to {name} is very weak.", at));
    aloud.push(...now.causes.map(cause => CAUSES[cause](at)));
  }
  return aloud;
}

function step(before, now, back, smaller, larger) {
  if (before === now || off(now)) return [];
  return [off(before) ? back : ORDER.indexOf(now) > ORDER.indexOf(before) ? smaller : larger];
}
