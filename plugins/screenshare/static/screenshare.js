// Screen share: the button, and an ear for the other side. What is done when either is used is in sharing.js.

const able = Boolean(navigator.mediaDevices?.getDisplayMedia);
const hosts = {};                                      // of this page's two parts, by slot; there is one call at a time
let sharing = null;

// Whether it could be loaded: not while the server is away.
const use = async step => {
  const loaded = await hosts["call.stage"].load("./sharing.js").catch(() => null);
  if (loaded && !hosts["call.stage"].signal.aborted) step(sharing ??= new loaded.Sharing(hosts, able));
  return Boolean(loaded);
};

export function mount(host) {
  hosts[host.slot] = host;
  return (host.slot === "call.more" ? begin : listen)(host);
}

function begin({ root, me, settings, signal, text, ui }) {
  const [button] = root.children;
  button.hidden = me.role === "patient" && !(able && settings.patient_begins);
  button.addEventListener("click", async () => {
    if (!await use(made => made.press())) ui.notice(text("This could not be loaded. Try again when the page has its connection to the practice."));
  }, { signal });
}

function listen({ me, channel, call, visit, signal }) {
  const shown = () => call.local?.screen || visit.seats.some(({ id }) => call.shows(id)?.screen);
  const draw = () => { if (sharing || shown()) use(made => made.draw()); };
  channel.history("unable", { keep: 1 });              // said once, and told anew to a page that comes
  if (me.role === "patient" && !able) channel.send("unable").catch(() => {});
  for (const event of ["unask", "declined", "stop"]) channel.on(event, message => use(made => made[event](message)));
  channel.on("ask", async message => {                 // whoever asked does not wait for what cannot come
    if (!await use(made => made.ask(message))) channel.send("declined", { why: able ? "unloaded" : "unable" }).catch(() => {});
  });
  call.on("change", draw);
  draw();
  signal.addEventListener("abort", () => {
    sharing?.clear();
    sharing = null;
  });
}
