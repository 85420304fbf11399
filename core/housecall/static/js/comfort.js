// What makes a long call easier: how pictures are arranged, where one's own stands, full screen, a small window. Loaded when it is asked for.

import { arrange, choice, listen } from "./layout.js";
import { part, say } from "./page.js";
import { dialog, notice } from "./surface.js";
import { text } from "./text.js";

const MOVED = 6; // px after which a press is a drag
const own = part("self-stage"), tiles = part("tiles");
let asked = null; // ends the dialog with the call

const made = (name, more, ...inside) => {
  const element = Object.assign(document.createElement(name), more);
  element.append(...inside);
  return element;
};

// -- the dialog

// stage: a Stage; loud(seat): how loud somebody is.
export async function open(stage, loud) {
  if (!stage.timer) return;                              // the call is over
  listen(loud);
  stage.comfort ??= { close };
  const body = made("div", { className: "sheet view-sheet" });
  const layouts = [["", text("By itself")], ["grid", text("All the same size")], ["speaker", text("One large")], ["beside", text("Side by side")]];
  const corners = [["", text("Top right")], ["top-left", text("Top left")], ["bottom-left", text("Bottom left")], ["bottom-right", text("Bottom right")], ["hidden", text("Hidden")]];
  const all = [...tiles.children];
  const named = all.map((tile, i) => [String(i), tile.querySelector(".who").textContent]);
  const large = field("view-large", text("Large picture"), [["", text("By itself: a screen, or who speaks")], ...named], String(all.indexOf(choice.pinned)), value => {
    choice.pinned = all[value] ?? null;
    arrange();
  });
  const shown = () => { large.hidden = all.length < 2 || choice.layout === "grid"; };
  body.append(
    field("view-layout", text("Pictures"), layouts, choice.layout, value => {
      choice.layout = value;
      choice.alone = null;
      arrange();
      shown();
    }),
    large,
    field("view-own", text("Your own picture"), corners, own.dataset.corner ?? "", place),
  );
  shown();
  const whole = document.fullscreenElement ? text("Leave full screen") : text("Full screen"), main = part("main");
  const buttons = [{ value: "", label: text("Done"), kind: "primary" }];
  if (main.requestFullscreen) buttons.unshift({ value: "full", label: whole });
  if (small()) buttons.unshift({ value: "small", label: text("Small window") });
  const answer = await dialog({ title: text("View"), body, buttons }, (asked = new AbortController()).signal);
  try {
    if (answer === "full") await (document.fullscreenElement ? document.exitFullscreen() : main.requestFullscreen());
    if (answer === "small") await (small() === "document" ? apart(stage) : above());
  } catch {
    notice(text("Your browser did not allow that."));
  }
}

function field(id, label, options, value, pick) {
  const select = made("select", { id, onchange: () => pick(select.value) }, ...options.map(([key, words]) => made("option", { value: key, textContent: words })));
  if (options.some(([key]) => key === value)) select.value = value;
  return made("div", { className: "field" }, made("label", { htmlFor: id, textContent: label }), select);
}

// -- one's own picture

function place(corner) {
  if (corner) own.dataset.corner = corner;
  else delete own.dataset.corner;
}

// It is dragged to a corner; the dialog does the same by keyboard.
export function drag(start) {
  const from = { x: start.clientX, y: start.clientY };
  let moved = false;
  const move = ({ clientX, clientY, buttons }) => {
    if (!buttons) return end();                          // it was let go of before this module was here
    const [x, y] = [clientX - from.x, clientY - from.y];
    moved ||= Math.hypot(x, y) > MOVED;
    if (moved) own.style.translate = `${x}px ${y}px`;
  };
  const over = new AbortController(), { signal } = over;
  const end = () => {
    over.abort();
    if (!moved) return;
    const box = own.getBoundingClientRect(), around = part("stage").getBoundingClientRect();
    const left = box.left + box.width / 2 < around.left + around.width / 2, top = box.top + box.height / 2 < around.top + around.height / 2;
    own.style.translate = "";
    place(left || !top ? `${top ? "top" : "bottom"}-${left ? "left" : "right"}` : "");
    say(text("Your own picture is in another place."));
  };
  addEventListener("pointermove", move, { signal });
  addEventListener("pointerup", end, { signal });
  addEventListener("pointercancel", end, { signal });
}

// -- a small window over all others

const picture = () => tiles.querySelector("[data-large] video") ?? tiles.querySelector("video");
const small = () => globalThis.documentPictureInPicture ? "document" : document.pictureInPictureEnabled && HTMLVideoElement.prototype.requestPictureInPicture ? "video" : "";
let window_ = null;

// Whether something stands over a picture on its tile; the style sheet says when.
const covered = video => getComputedStyle(video.parentElement.querySelector(".quiet-face, .screen-tile > .why")).display !== "none";

// step: what is done at once and with each change of the tiles, until the window is gone.
function watch(step, signal) {
  const observer = new MutationObserver(step), attributeFilter = ["data-large", "data-state", "data-camera", "data-paused", "data-veiled"];
  observer.observe(tiles, { subtree: true, childList: true, attributeFilter });
  tiles.addEventListener("loadedmetadata", step, { signal, capture: true });
  signal.addEventListener("abort", () => observer.disconnect());
  step();
}

// The picture that is large, and a switch for the microphone: enough to listen and to answer while one writes elsewhere.
async function apart({ devices }) {
  window_ = await documentPictureInPicture.requestWindow({ width: 360, height: 270 });
  const { document: page } = window_, over = new AbortController(), { signal } = over;
  page.documentElement.lang = document.documentElement.lang;
  page.title = text("Visit");
  for (const { href } of document.querySelectorAll('link[rel="stylesheet"]')) page.head.append(made("link", { rel: "stylesheet", href }));
  const video = made("video", { muted: true, autoplay: true, playsInline: true }), why = made("p"), mute = made("button", { type: "button", className: "button quiet" });
  const follow = () => {
    const from = picture(), shown = from && !covered(from) ? from.srcObject : null;
    if (video.srcObject !== shown) video.srcObject = shown;
    why.textContent = from ? from.parentElement.querySelector(".why").textContent : "";
    mute.textContent = devices.muted ? text("Unmute") : text("Mute");
    mute.disabled = !devices.audio;
  };
  mute.onclick = () => devices.mute(!devices.muted);
  video.setAttribute("aria-label", text("The other side's picture"));
  page.body.className = "small-window";
  page.body.append(video, why, mute);
  devices.addEventListener("change", follow, { signal });
  watch(follow, signal);
  window_.addEventListener("pagehide", () => {
    over.abort();
    window_ = null;
  });
}

// Where there is no window for a page of ours, the browser shows the picture alone, and would go on with the last one: it ends when that is covered.
async function above() {
  const video = picture(), over = new AbortController();
  await video.requestPictureInPicture();
  video.addEventListener("leavepictureinpicture", () => over.abort(), { once: true });
  watch(() => {
    if (!video.isConnected || covered(video)) document.exitPictureInPicture().catch(() => {});
  }, over.signal);
}

// The call is over.
function close() {
  asked?.abort();
  window_?.close();
  if (document.pictureInPictureElement) document.exitPictureInPicture().catch(() => {});
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
}
