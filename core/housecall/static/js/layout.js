// How the tiles are arranged: all the same, one large, or a large one side by side with the rest. Loaded when there is a choice.

import { part } from "./page.js";

const LISTEN = 500;   // ms between two looks at who speaks
const CALM = 3;       // looks for which another must speak before they are shown large
const LOUD = 0.01;    // of a level of 0 to 1; below it nobody speaks

const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("../css/comfort.css", import.meta.url).href });
document.head.append(style);
await new Promise(done => { style.onload = style.onerror = done; });
const tiles = part("tiles");

// layout: "" (by itself), grid, speaker, beside; pinned: the tile that a person chose to be large; alone: the one that hides all others.
export const choice = { layout: "", pinned: null, alone: null };
let speaking = null, hear = null, timer = 0, next = null, seen = 0;

const there = tile => tile?.isConnected ? tile : null;

export function arrange() {
  const all = [...tiles.children], screens = all.filter(tile => tile.matches(".screen-tile"));
  choice.pinned = there(choice.pinned);
  choice.alone = there(choice.alone);
  const layout = choice.alone ? "alone" : all.length < 2 ? "grid" : choice.layout || (screens.length ? "speaker" : "grid");
  const large = layout === "grid" ? null : choice.alone ?? choice.pinned ?? screens[0] ?? there(speaking) ?? all[0];
  if (tiles.dataset.layout !== layout) tiles.dataset.layout = layout;
  for (const tile of all) {
    tile.toggleAttribute("data-large", tile === large);
    tile.querySelector("[aria-pressed]")?.setAttribute("aria-pressed", String(tile === choice.alone));
  }
  if (hear && layout === "speaker" && !choice.pinned && !screens.length) timer ||= setInterval(look, LISTEN);
  else timer = clearInterval(timer);
}

// One tile hides all others, or none.
export function only(tile) {
  choice.alone = tile;
  arrange();
}

// loud(seat): how loud somebody is now, 0 to 1. Listened to whenever who speaks is to be large, also in the calls that follow.
export function listen(loud) {
  hear = loud;
  arrange();
}

function look() {
  const [loudest] = [...tiles.querySelectorAll(".tile")].map(tile => ({ tile, level: hear(tile.dataset.seat) })).sort((a, b) => b.level - a.level);
  if (!loudest || loudest.level < LOUD) return;
  seen = loudest.tile === next ? seen + 1 : 1;
  next = loudest.tile;
  if (seen >= CALM && next !== speaking) {
    speaking = next;
    arrange();
  }
}

new MutationObserver(arrange).observe(tiles, { childList: true });
