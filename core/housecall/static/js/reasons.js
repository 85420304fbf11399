// The words for what a device check has found: short, for the provider's board and for the verdict.

import { text } from "./text.js";

const WHAT = {
  camera: () => text("No camera"),
  microphone: () => text("No microphone"),
  both: () => text("No camera, no microphone"),
};
const WHY = {
  denied: () => text("blocked in the browser"),
  dismissed: () => text("the browser's question has no answer yet"),
  system: () => text("the device does not let the browser use it"),
  missing: () => text("none was found"),
  busy: () => text("another program uses it"),
  broken: () => text("it could not be started"),
  unplugged: () => text("it was unplugged"),
  revoked: () => text("the permission was taken back"),
  interrupted: () => text("the device holds it back"),
  insecure: () => text("the browser gives none here"),
  skipped: () => text("turned off"),
};
const ELSE = {
  microphone_quiet: () => text("Nothing is heard from the microphone"),
  speaker_quiet: () => text("The test sound was not heard"),
  relay_blocked: () => text("The network may block the call"),
  relay_refused: () => text("The practice's relay does not work"),
};

// A code of the closed set in words, "" for none.
export function reason(code) {
  const [, device, why] = code.match(/^(camera|microphone|both)_(\w+)$/) ?? [];
  return ELSE[code]?.() ?? (WHY[why] ? text("{what}: {why}", { what: WHAT[device](), why: WHY[why]() }) : "");
}

// What a card says: {colour, reason} in words; green too, quietly. media: "video" or "audio".
export function readiness({ colour, reason: code }, media) {
  if (colour === "green") return media === "audio" ? text("Microphone works") : text("Camera and microphone work");
  return reason(code) || (colour === "red" ? text("No microphone") : text("No camera"));
}
