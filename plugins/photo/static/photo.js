// Photos: the little that comes with the page. A request is heard; all else is loaded when it is used.

const LEFT = 60_000;      // ms without a part of its visit after which an album goes: the visit is over, or all is saved
const BACK = 43_200_000;  // the same where a photo is not saved and the visit has not ended: its ticket brings it back for so long
const albums = new Map(); // visit -> what was asked for and what has come, in this page's memory and nowhere else
const asked = new Map();  // visit -> what this page was asked for and has not answered yet

export function mount(host) {
  const begin = { "call.bar": bar, "call.side": side, "dashboard.card": card, "call.after": after }[host.slot] ?? patient;
  if (begin !== patient) hold(host);
  if (["call.bar", "dashboard.card"].includes(host.slot)) { // a page that was loaded anew knows of no request: that is said, too
    host.channel.incoming("picture", come => (album(host).take ?? (({ cancel }) => cancel("unknown")))(come));
  }
  begin(host);
}

function album({ visit }) {
  if (!albums.has(visit.id)) albums.set(visit.id, Object.assign(new EventTarget(), { photos: [], parts: 0, seen: 0, ask: null, ear: null, take: null }));
  return albums.get(visit.id);
}

// A part that goes takes no photo along: the patient may be sent on to another room of ours, or be back after a while.
function hold(host) {
  const { visit, signal } = host, mine = album(host);
  mine.parts += 1;
  signal.addEventListener("abort", () => {
    mine.parts -= 1;
    const back = visit.state !== "ended" && mine.photos.some(photo => !photo.saved);
    setTimeout(() => { if (!mine.parts && album(host) === mine) albums.delete(visit.id); }, back ? BACK : LEFT);
  });
}

// Without a server there is nothing to load from.
async function load(host, module) {
  try {
    return await host.load(module);
  } catch {
    host.ui.notice(host.text("This could not be loaded. Try again in a moment."));
    return {};
  }
}

// What the provider asks with and looks at, once it is wanted.
function opened(host, place, options) {
  let begun = null;
  return () => begun ??= load(host, "./desk.js").then(async ({ desk }) => {
    if (!desk) begun = null;
    else if (!host.signal.aborted) await desk(host, place, album(host), options);
  });
}

function bar({ root, ui, signal }) {
  root.querySelector("button").addEventListener("click", () => ui.panel.toggle(), { signal });
}

function side(host) {
  const { root, signal } = host, open = opened(host, root.querySelector(".photo-place"), { visible: () => host.ui.panel.open });
  root.addEventListener("shown", open, { signal });
  const { ask, photos } = album(host);
  if (ask || photos.length) open();                      // asked before the call
}

function card(host) {
  const { root, signal, visit } = host, button = root.querySelector("button"), place = root.querySelector(".photo-place");
  const open = opened(host, place, { visible: () => !place.hidden });
  const draw = () => {
    const before = visit.state === "waiting";
    button.hidden = !before;
    place.hidden = !before || button.getAttribute("aria-expanded") === "false";
  };
  button.addEventListener("click", () => {
    button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") === "false"));
    draw();
    if (!place.hidden) open().then(() => place.dispatchEvent(new Event("shown")));
  }, { signal });
  visit.on("change", draw);
  draw();
  const { ask, photos } = album(host);
  if (ask || photos.length) open();                      // of the room where the patient was before
}

function after(host) {
  const place = host.root.querySelector(".photo-place");
  if (album(host).photos.length) opened(host, place, { only: true, visible: () => true })();
}

function patient(host) {
  const { visit } = host, offer = () => load(host, "./take.js").then(({ take }) => take?.(host, asked));
  host.channel.on("ask", ({ data, from }) => {
    if (asked.get(visit.id)?.id === data.id) return;     // told once more to a page that has it
    asked.get(visit.id)?.taking?.end("replaced");
    asked.set(visit.id, { ...data, from });
    offer();
  });
  host.channel.on("withdraw", ({ data }) => {
    const ask = asked.get(visit.id);
    if (ask?.id !== data.id) return;
    asked.delete(visit.id);
    ask.taking?.end("withdrawn");
  });
  if (asked.has(visit.id)) offer();                      // the call has begun meanwhile
}
