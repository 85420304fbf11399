// The screens that others show: a tile for each, which can be enlarged. Loaded with the first one.

import { arrange, only } from "./layout.js";
import { part, say } from "./page.js";
import { notice } from "./surface.js";
import { text } from "./text.js";

const made = (name, more, ...inside) => {
  const element = Object.assign(document.createElement(name), more);
  element.append(...inside);
  return element;
};

// stage: a Stage; at: the tile of who shows it or shows it no more.
export function show(stage, at) {
  if (!at.media.screen || !at.screen) return at.shown && drop(at);
  const video = (at.shown ??= begin(at)).querySelector("video");
  if (video.srcObject?.getVideoTracks()[0] !== at.screen) { // also that of a fresh connection
    video.srcObject = new MediaStream([at.screen]);
    stage.start(video);
  }
  const why = at.shown.querySelector(".why"), words = at.tile.dataset.state === "broken" ? text("Reconnecting to {name} …", at) : at.paused ?? "";
  if (why.textContent !== words) why.textContent = words;
}

function begin(at) {
  const video = made("video", { muted: true, playsInline: true, autoplay: true });
  const name = made("span", { className: "who", textContent: text("{name}'s screen", at) });
  const large = button(text("Enlarge"), () => {
    const on = large.getAttribute("aria-pressed") !== "true";
    only(on ? tile : null);
  });
  const tile = made("figure", { className: "screen-tile" }, video, made("p", { className: "why" }), made("figcaption", {}, name, large));
  const whole = () => (document.fullscreenElement === tile ? document.exitFullscreen() : tile.requestFullscreen()).catch(() => notice(text("Your browser did not allow that.")));
  const full = tile.requestFullscreen ? whole : video.webkitEnterFullscreen && (() => video.webkitEnterFullscreen());
  if (full) tile.querySelector("figcaption").append(button(text("Full screen"), full));
  large.setAttribute("aria-pressed", "false");
  video.setAttribute("aria-label", name.textContent);
  part("tiles").prepend(tile);
  arrange();
  say(text("{name} shows you a screen.", at));
  return tile;
}

const button = (words, press) => made("button", { type: "button", className: "flag", textContent: words, onclick: press });

function drop(at) {
  const focused = at.shown.contains(document.activeElement);
  at.shown.querySelector("video").srcObject = null;
  at.shown.remove();
  at.shown = null;
  if (focused) part("mute").focus();
  say(text("{name} shows no screen any more.", at));
}
