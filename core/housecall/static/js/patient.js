// The patient's page until "Check in": the least that its form needs. All that follows (visit.js) comes meanwhile.

import { Chime } from "./chime.js";
import { Devices } from "./devices.js";
import { page, part } from "./page.js";
import { post } from "./post.js";
import { text } from "./text.js";

const SOON = 500; // ms: opening the sound takes a while, in which the visit could begin
const room = page.room;
export const devices = new Devices({ camera: room.media === "video" });
export const chime = new Chime();
let follows = null;
const visit = () => follows ??= import("./visit.js");
const link = page.guest ? location.hash.slice(1) : "";  // of a guest: it opens one seat

const asks = document.querySelector("#passcode-field"); // of a room with a passcode; most one-visit links need none
if (asks) asks.hidden = Boolean(page.invite);

part("check-in").addEventListener("submit", async event => {
  event.preventDefault();
  const field = part("name"), error = part("name-error"), button = event.submitter ?? part("check-in").querySelector("button");
  const wrong = words => {
    error.textContent = words;
    error.hidden = !words;
    field.toggleAttribute("aria-invalid", Boolean(words));
    field.setAttribute("aria-describedby", words ? "name-help name-error" : "name-help");
    if (words) field.focus();
  };
  if (!field.value.trim()) return wrong(text("Please type a name, so that your provider knows who is waiting."));
  wrong("");
  button.disabled = true;
  const given = field.value, asked = post(`/${room.slug}/${page.guest ? "join" : "check-in"}`, { name: given, lang: page.lang, ...page.guest ? { link } : { invite: page.invite, passcode: asks?.querySelector("input").value } });
  devices.restart();
  if (!page.guest) devices.ask();                      // what a guest comes as decides
  chime.soon(SOON);                                    // it is to be heard when the visit starts
  const { status, body } = await asked;
  button.disabled = false;
  if (status === 201) {
    field.value = "";
    if (link) history.replaceState(null, "", location.pathname);
    return (await visit()).arrive(given);
  }
  devices.stop();
  if (status === 0) wrong(text("The practice's server was not reached. Check your connection and try again."));
  else (await import("./declined.js")).declined(status, body, wrong, asks);
});

// A guest's ticket may be of another link than the one that was opened here.
if (page.me) visit().then(({ connect, show }) => !link || link.split(".")[1] === page.me.seat ? connect() : show("welcome"));
else if (page.guest && !link) visit().then(({ refuse }) => refuse("over"));
// Until now the form would have sent itself, with the name in its address: its button was disabled.
part("check-in").querySelector("button").disabled = false;
part("main").dataset.ready = "";
setTimeout(() => {
  for (const href of page.modules) document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
  visit();
});
