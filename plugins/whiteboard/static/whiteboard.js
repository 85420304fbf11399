// The board's button, and an ear for what others do on it. All else is loaded when the board is first used.

const KEEP = 4000;             // things done on one board
const AGAIN = 3000;            // ms after a board that did not come, in which only a press asks for it again
const EVENTS = ["trace", "want", "shown", "ask", "answer"];
const visits = new Map();      // by visit: what the parts of this page share

export function mount(host) {
  const { id } = host.visit;
  for (const other of visits.keys()) if (other !== id) visits.delete(other);
  if (!visits.has(id)) visits.set(id, {});
  ({ "call.bar": button, "call.after": after }[host.slot] ?? stage)(host, visits.get(id));
}

function button({ root, signal }, own) {
  own.button = root.querySelector("button");
  own.button.setAttribute("aria-expanded", String(Boolean(own.open)));
  own.button.addEventListener("click", () => own.show?.(!own.open, true), { signal });
}

function stage(host, own) {
  const { channel, signal } = host, marks = channel.history("mark", { keep: KEEP }), rules = channel.history("allow", { keep: 200 });
  let board = null, unseen = 0, failed = -Infinity;
  const load = () => board ??= host.load("./board.js").then(({ Board }) => signal.aborted ? null : new Board(host, { marks, rules, own })).catch(error => {
    board = null;                                        // without the server: at the next press, or what is heard a while later
    failed = performance.now();
    console.warn(`whiteboard: ${error}`);
  });
  Object.assign(own, { open: false, closed: false, kept: null });
  // byHand: somebody here pressed the button. Who has closed the board is only told that there is more on it.
  own.show = async (open, byHand = false) => {
    if (!byHand && rests()) return;
    own.open = open;
    if (byHand) own.closed = !open;
    own.button?.setAttribute("aria-expanded", String(open));
    host.ui.badge(unseen = 0);
    const whole = await load();
    if (signal.aborted) return;
    if (whole) return whole.show(own.open, byHand);
    if (byHand) host.ui.notice(host.text("The board could not be opened. Try again in a moment."));
    own.open = false;                                      // the next press is another try
    own.button?.setAttribute("aria-expanded", "false");
  };
  const rests = () => !board && performance.now() - failed < AGAIN;
  // Nobody opens the board here who may not draw on it, as the provider's page itself has said.
  const may = role => role === "provider" || (rules.entries.findLast(({ told }) => !told)?.data ?? host.settings)[role === "guest" ? "guests" : role] === true;
  const role = who => host.visit.seats.find(({ id, member }) => id === who || member === who)?.role;
  const heard = () => {
    if (own.closed) host.ui.badge(unseen += 1);
    else if (!own.open) own.show(true);
  };
  marks.addEventListener("add", ({ detail: { entry } }) => { if (entry.mine === entry.told && may(entry.role)) heard(); }, { signal });
  for (const event of EVENTS) channel.on(event, async message => {
    if (event === "trace" && (rests() || !may(role(message.from)))) return;
    if (!own.open && !own.closed && (event === "trace" || event === "shown")) own.show(true);
    const whole = await load();
    if (!signal.aborted) whole?.[event](message);
  });
  if (marks.entries.some(entry => may(entry.role))) heard();
  if (host.me.role === "guest") {                        // who comes later is told what is there
    for (const { id, role } of host.visit.seats) if (role === "provider") channel.send("want", {}, { to: id }).catch(() => {});
  }
  signal.addEventListener("abort", () => Object.assign(own, { open: false, show: null }));
}

function after(host, own) {
  const kept = own.kept?.();
  host.root.firstElementChild.hidden = !kept;            // as the visit before may have left it
  if (!kept) return;
  host.root.querySelector("button").addEventListener("click", async () => host.ui.download("board.png", await kept.save()), { signal: host.signal });
}
