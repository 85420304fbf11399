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

const name = { field: part("name"), error: part("name-error") };
const asks = document.querySelector("#passcode-field"); // of a room with a passcode
const passcode = asks && { field: asks.querySelector("input"), error: asks.querySelector(".error") };
if (page.invite && asks) asks.hidden = true;           // most links need none; the server asks for it where one does

// An error beside its field; words "": none.
function wrong({ field, error }, words) {
  error.textContent = words;
  error.hidden = !words;
  field.toggleAttribute("aria-invalid", Boolean(words));
  field.setAttribute("aria-describedby", words ? `${field.id}-help ${field.id}-error` : `${field.id}-help`);
  if (words) field.focus();
}

// A link that opens nothing any more is forgotten: the room itself may be open.
function forget() {
  delete page.invite;
  history.replaceState(null, "", location.pathname);
  if (asks) asks.hidden = false;
}

const when = ms => new Intl.DateTimeFormat(page.lang, { dateStyle: "full", timeStyle: "short" }).format(ms);

part("check-in").addEventListener("submit", async event => {
  event.preventDefault();
  const { field } = name, button = event.submitter ?? part("check-in").querySelector("button");
  if (!field.value.trim()) return wrong(name, text("Please type a name, so that your provider knows who is waiting."));
  wrong(name, "");
  if (passcode) wrong(passcode, "");
  button.disabled = true;
  const given = field.value, typed = passcode?.field.value.trim(), { invite } = page;
  const asked = post(`/${room.slug}/${page.guest ? "join" : "check-in"}`, { name: given, lang: page.lang, ...page.guest && { link }, ...invite && { invite }, ...typed && { passcode: typed } });
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
  if (status === 410 && invite) forget();
  if (status === 0) wrong(name, text("The practice's server was not reached. Check your connection and try again."));
  else if (status === 403) wrong(name, text("This page has been open for too long. Reload it, then check in."));
  else if (body.fields?.passcode && passcode) {
    asks.hidden = false;
    wrong(passcode, body.fields.passcode);
  } else if (body.opens) wrong(name, `${body.message} ${text("It opens on {when}.", { when: when(body.opens) })}`);
  else wrong(name, body.message ?? page.messages.failed.join(" "));
});

// A guest's ticket may be of another link than the one that was opened here.
if (page.me) visit().then(({ connect, show }) => !link || link.split(".")[1] === page.me.seat ? connect() : show("welcome"));
else if (page.guest && !link) visit().then(({ refuse }) => refuse("over"));
part("main").dataset.ready = "";
setTimeout(() => {
  for (const href of page.modules) document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
  visit();
});
