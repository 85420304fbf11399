// What follows "Check in" on the patient's page: waiting, the call and what comes after. Loaded while the name is typed.

import { stayAwake } from "./awake.js";
import { Call, certificate } from "./call.js";
import { Channel } from "./channel.js";
import { words } from "./devices.js";
import { Ice } from "./ice.js";
import { key } from "./keys.js";
import { Link } from "./link.js";
import { ask, late, page, part, say } from "./page.js";
import { behind, follow, mount, rules, unmount } from "./parts.js";
import { chime, devices } from "./patient.js";
import { beacon } from "./post.js";
import { ready } from "./ready.js";
import { speaks } from "./sends.js";
import { Spare } from "./spare.js";
import { Stage } from "./stage.js";
import { closeSide, unreached } from "./surface.js";
import { count, text } from "./text.js";
import { VisitState } from "./visit-state.js";

const LEISURE = 4000; // ms of waiting until the relay is tried
const room = page.room;
const role = page.guest ? "guest" : "patient";
const ice = new Ice();
const spare = new Spare({ ice: { current: () => link ? ice.by(link).current() : ice.current() }, certificate });
const title = document.title;
const stage = new Stage({ devices, end: () => leave("ended"), loud: seat => call?.loud(seat) ?? 0 });
const main = part("main");
let link = null, call = null, visit = null, me = null, kind = "", pass = null, offset = 0;
let channel = null, shown = null, watchers = [], steps = null; // what the pages of this visit say; the visit as parts see it
let scope = null;                                         // what parts may know; after the visit, as it was
let name = "";                                            // lives here and nowhere else in this browser
let found = "", relay = null;                             // what a check found beside the devices (ready.js); the try of the relay
let owed = null;                                          // a visit that is over here, which the server has not heard yet

// -- what is shown

export function show(state) {
  if (main.dataset.state === state) return;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close(""); // nothing could be pressed behind one
  main.dataset.state = state;
  for (const section of main.querySelectorAll("[data-when]")) section.hidden = section.dataset.when !== state;
  main.querySelector(`[data-when="${state}"] h1`)?.focus();
  stayAwake(state === "waiting" || state === "arriving" || state === "call");
  place();
}

// Parts live in the section that is shown.
function place() {
  for (const section of main.querySelectorAll("[data-when]")) if (section.dataset.when !== main.dataset.state) unmount(section);
  const section = main.querySelector(`[data-when="${main.dataset.state}"]`);
  if (visit && shown) scope = { me: { id: me, role, kind }, visit: shown, channel, call: () => call, devices, room: room.id };
  else if (main.dataset.state !== "after") scope = main.dataset.state === "welcome" ? { me: { role }, visit: null, room: room.id } : null;
  if (scope && section) mount(section, scope, forms);
}

// Who else is there to talk to.
function meet() {
  if (!channel) return;
  const running = visit.state === "in_call" || visit.state === "paused";
  const seats = visit.seats.filter(seat => seat.id !== me && seat.key && seat.present && (running || seat.role !== "guest"))
    .map(({ id, role, member, key: far, name: called, admitted }) => ({ who: member ?? id, seat: id, role, page: far, name: called, since: admitted }));
  const boards = running ? [] : watchers.map(({ id, key: far, name: called }) => ({ who: id, role: "provider", page: far, name: called }));
  channel.parties([...new Map([...boards, ...seats].map(party => [party.page, party])).values()]);
}

export function refuse(code) {
  if (code === "old_page" && call) return;               // a new version of the server: a call that goes on can do without it
  const [what, next] = page.messages[code] ?? page.messages.failed;
  part("refused-what").textContent = what;
  part("refused-next").textContent = next;
  part("reload").hidden = !["old_page", "failed", "flood"].includes(code);
  finish();
  show("refused");
}

const STATUS = {
  online: () => text("Your provider is here and will call you."),
  busy: () => text("Your provider is with another patient."),
  away: () => text("Your provider is not here yet."),
};

function showStatus({ provider }) {
  for (const line of document.querySelectorAll(".provider-status")) {
    line.dataset.status = provider;
    line.querySelector(".provider-words").textContent = STATUS[provider]?.() ?? "";
  }
  if (main.dataset.state === "waiting") say(STATUS[provider]?.() ?? "");
}

function showPlace({ ahead }) {
  spare.want(ahead === 0);                               // whoever is next gets ready
  const words = ahead === 0 ? text("You are next.") : count(ahead, "1 person is before you.", "{n} people are before you.");
  part("place").textContent = words;
  say(words);
}

function showDevices() {
  const { state, problem } = devices, failed = state === "failed" || state === "partly";
  part("devices").dataset.devices = state;
  part("devices-words").textContent =
    state === "asking" ? (room.media === "video" ? text("Your browser now asks for camera and microphone. Press “Allow”, so that your provider can see and hear you.") : text("Your browser now asks for the microphone. Press “Allow”, so that your provider can hear you.")) :
    problem ? words(problem) :
    found === "relay_blocked" ? text("This network may block the call. If it does, use another one, for example mobile data.") :
    state === "on" && devices.video ? text("Your camera and microphone work.") :
    state === "on" ? text("Your microphone works.") : "";
  part("try-devices").hidden = !failed;
  part("no-camera").hidden = room.media !== "video" || devices.cameraOff || !(state === "asking" || (failed && problem?.device !== "microphone"));
  part("mute-waiting").hidden = !devices.audio;
  part("camera-waiting").hidden = room.media !== "video" || !(devices.video || devices.cameraOff);
  part("self-waiting").hidden = room.media !== "video";
  if (link?.connected && visit) {
    const now = ready(devices, found);
    if (now && `${now.colour} ${now.reason}` !== showDevices.said) {
      showDevices.said = `${now.colour} ${now.reason}`;
      link.ask("ready", now);
    }
  }
}

// After a restart of the server, a page that was reloaded meanwhile has no name to bring.
part("again-name").addEventListener("submit", event => {
  event.preventDefault();
  name = part("name-again").value.trim();
  if (name) connect();
});

// The server has given a place in line to this name.
export function arrive(given) {
  owed = null;
  name = given;
  spare.want(!page.guest);                              // perhaps nobody is before us
  connect();
}

for (const button of document.querySelectorAll(".again")) button.onclick = () => {
  show("welcome");
  part("name").focus();
};

// -- the line to the practice

export function connect() {
  link?.close();
  link = new Link({
    as: page.guest ? "guest" : "seat",
    details: () => ({ room: room.id, pass, name: name || undefined }),
    heard: {
      welcome, place: change => { if (visit) showPlace(change); }, status: showStatus,
      moved: change => { if (change.visit === visit?.id) moved(change); },
      seats: ({ visit: id, seats, pass: next }) => {
        if (id !== visit?.id) return;
        visit.seats = seats;
        pass = next ?? pass;
        if (page.guest) return stand();
        call?.seats(seats);
        stage.seats(seats, me);
        meet();
        shown?.take(visit);
      },
      said: message => { if (message.visit === visit?.id) channel?.said(message); },
      watchers: ({ watchers: now }) => {
        watchers = now;
        if (visit) meet();
      },
      parts: switched,
      signal: message => { if (message.visit === visit?.id) call?.signal(message); },
      taken: () => { if (owed) return hangUp(); spare.want(false); endCall(); devices.stop(true); letGo(); show("taken"); },
    },
    refused: code => owed ? hangUp() : code === "no_ticket" || (code === "over" && main.dataset.state === "coming") ? goneBefore(code) : refuse(code),
    lost: () => { channel?.road(); part("link-lost").hidden = main.dataset.state === "call" || main.dataset.state === "after"; },
    found: () => { part("link-lost").hidden = true; },
  });
}

function switched(change) {
  if (change) follow(change, place);
}

function letGo() {
  channel?.close();
  channel = shown = null;
}

// A reload with a ticket that opens nothing any more: simply the beginning.
function goneBefore(code) {
  if (main.dataset.state === "coming" && (!page.guest || location.hash)) {
    finish();
    show("welcome");
  } else refuse(code);
}

function welcome(hello) {
  if (owed) return settle(owed);
  visit = { ...hello.visit, started: hello.visit.started ?? visit?.started };
  ({ id: me, kind } = hello.me);
  pass = hello.pass;
  name ||= visit.name || own().name;
  part("devices").hidden = !speaks(hello.me);
  part("again-name").hidden = Boolean(name);
  offset = hello.now - Date.now();
  const reloaded = main.dataset.state === "coming" || main.dataset.state === "taken";
  if ((reloaded || page.guest) && devices.state === "off" && speaks(hello.me)) {
    devices.restart();
    devices.ask();
  }
  showDevices.said = "";
  if (channel?.visit !== visit.id) {
    letGo();
    channel = new Channel({
      visit: visit.id, who: me, role, link: () => link, rules, state: () => visit?.state,
      peer: far => call?.peerAt(far) ?? null, now: () => Date.now() + offset,
    });
    channel.history("core:answers", { keep: 100 });
    shown = new VisitState(visit);
  } else channel.road();
  watchers = hello.watchers;
  switched(behind(hello.parts));
  meet();
  shown.take(page.guest ? visit : { ...visit, name });
  if (part("sent-on")) {
    part("sent-on").hidden = !visit.sent_to;
    part("sent-on").textContent = visit.sent_to ? text("You were sent on to {room}. You keep your place: nothing is left for you to do.", { room: visit.sent_to }) : "";
  }
  stands();
  showDevices();
}

function stands() {
  if (visit.state === "ended") ended();
  else if (page.guest) stand();
  else if (visit.state === "in_call") startCall();
  else if (visit.state === "arriving") arriving();
  else wait();
}

function wait() {
  endCall();
  show("waiting");
  setTimeout(tryRelay, LEISURE);
}

// Once a visit, while nobody needs the network for more: could a call go through the practice's relay?
async function tryRelay() {
  if (relay || main.dataset.state !== "waiting" || !ice.relays) return;
  const { signal } = relay = new AbortController();
  const { lent, relayed } = await import("./loopback.js"), servers = await lent();
  const said = servers && !signal.aborted ? await relayed(servers, signal) : "works";
  if (!signal.aborted && said !== "works") known(said);
}

function known(code) {
  found = code;
  showDevices();
}

const own = () => visit.seats.find(seat => seat.id === me) ?? {};

// A guest is in the call when somebody has let them in. After a restart of the server the others' pages say so again:
// until then what flows between the browsers goes on.
function stand() {
  const { admitted } = own(), running = visit.state === "in_call";
  if (!admitted && call) return;
  meet();
  shown.take(visit);
  if (admitted && running) return startCall();
  wait();
  const words = admitted ? text("You are let in. The visit begins in a moment.") : text("Your host will let you in.");
  if (part("place").textContent !== words) say(part("place").textContent = words);
}

const forms = async () => steps ??= new (await late("./steps.js")).Steps({ link: () => link, channel: () => channel, visit: () => visit });

// There is something to do before the place in line: the server has made the forms for this visit.
async function arriving() {
  if (main.dataset.state === "arriving") return steps.mark();
  await Promise.all([forms(), follow({ on: [], off: [], steps: true }, () => {})]);
  if (visit?.state !== "arriving") return;             // admitted, or gone, meanwhile
  steps.show(page.steps ?? []);
  show("arriving");
}

function moved({ state, rev, pass: next, started }) {
  Object.assign(visit, { state, rev });
  pass = next ?? pass;
  shown?.take(visit);
  if (state !== "ended") meet();
  if (state === "in_call") visit.started = started ?? visit.started ?? Date.now() + offset;
  stands();
}

// -- the call

function startCall() {
  relay?.abort();
  stage.open({ media: visit.media, started: visit.started, now: Date.now() + offset });
  if (!speaks({ kind })) part("mute").hidden = part("camera").hidden = true;
  if (!call) {
    call = new Call({
      visit: visit.id, me, link, ice, devices, spare,
      on: {
        tile: row => stage.tile(row), track: (id, kind, track) => stage.track(id, kind, track),
        media: (id, media) => stage.media(id, media), state: (...told) => stage.state(...told), quality: (id, line) => stage.quality(id, line),
        number: () => Boolean(document.querySelector("#instead:not([hidden]) a")),
        gone: id => stage.gone(id), bye: () => { if (visit && !page.guest) settle(visit.id); ended(); },
        heard: (...heard) => channel?.heard(...heard), bulk: (...come) => channel?.come(...come), road: () => channel?.road(),
      },
    });
  }
  call.seats(visit.seats);                              // our offer goes out before anything is drawn
  stage.seats(visit.seats, me);
  if (main.dataset.state === "waiting") announce();
  for (const video of document.querySelectorAll(".practice-words video")) video.pause();
  show("call");
  part("link-lost").hidden = true;
}

// Perhaps the person looks at something else.
function announce() {
  document.title = text("Your visit has started");
  chime.call().then(heard => { main.dataset.rang = String(heard); });
  navigator.vibrate?.([200, 100, 200]);
}

function endCall() {
  call?.close();
  call = null;
  stage.close();
}

async function leave() {
  if (!visit) return;
  call?.bye();
  if (page.guest) link.emit("remove", { visit: visit.id, seat: me }, () => {});
  else await link.soon(settle(visit.id));
  ended(page.guest);
}

// The server hears of the end from each side that reaches it; from this one, if not now, when the line is back.
async function settle(id) {
  owed = id;
  const ack = await link.ask("move", { visit: id, to: "ended", rev: null });
  if (ack.error === "failed") return;
  owed = null;
  if (!visit) hangUp();
}

function hangUp() {
  owed = null;
  link?.close();
  link = null;
}

function ended(left = false) {
  if (!visit) return;
  const called = visit.started;
  shown?.take({ ...visit, state: "ended" });
  finish();
  part("after-title").textContent = left ? text("You have left the visit") : called || page.guest ? text("Your visit has ended") : text("You have left the waiting room");
  part("after-words").hidden = false;
  show("after");
  letGo();
}

// Everything of this visit is let go: line, devices, call, name.
function finish() {
  endCall();
  spare.want(false);
  closeSide();
  devices.stop();
  if (!owed) hangUp();
  relay?.abort();
  visit = me = pass = relay = null;
  name = found = "";
  document.title = title;
  chime.close();
}

// -- buttons and the page itself

part("try-devices").onclick = () => devices.ask();
part("test-devices").onclick = () => late("./check-dialog.js").then(({ open }) => open({ devices, known }), unreached);
part("no-camera").onclick = () => devices.withoutCamera();
part("mute-waiting").onclick = () => devices.mute(!devices.muted);
part("camera-waiting").onclick = () => devices.camera(devices.cameraOff);
part("leave").onclick = async () => { if (await ask(part("leaving")) === "leave") leave(); };
part("take").onclick = async () => {
  const ack = await link.ask("take", { name: name || undefined });
  if (ack.error) refuse(ack.error);
};
part("side-close").onclick = closeSide;
part("reload").onclick = () => location.reload();
devices.addEventListener("change", showDevices);

place();                                               // what stands on the welcome page

addEventListener("pagehide", () => { if (visit || owed) beacon(`/${room.slug}/leaving`, { page: key, ...page.guest && { guest: "yes" } }); });
addEventListener("pageshow", event => { if (event.persisted && visit) connect(); });

