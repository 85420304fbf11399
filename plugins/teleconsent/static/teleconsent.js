// Consent: the least that a page needs until a form is asked for; all else comes when there is one (teleconsent-desk.js).

const KEEP = { ask: 50, word: 300, piece: 8000 };

export function mount(host) {
  const { channel, root, signal, slot, ui } = host;
  const threads = {};
  for (const [event, keep] of Object.entries(KEEP)) threads[event] = channel.history(event, { keep });
  let begun = false;
  const begin = async () => {
    if (begun || signal.aborted) return;
    begun = true;
    const desk = await host.load("./teleconsent-desk.js").catch(() => null);
    if (signal.aborted) return;
    if (desk) return desk.sit(host, threads);
    begun = false;                                       // without the server: with the next press, or word
    ui.notice(host.text("This could not be loaded. Try again in a moment."));
  };
  if (slot === "call.bar") root.querySelector("button").addEventListener("click", () => ui.panel.toggle(), { signal });
  if (slot === "call.side") root.addEventListener("shown", begin, { signal });
  if (slot === "dashboard.card") root.querySelector("details").addEventListener("toggle", begin, { signal });
  // What was signed before a reload: the desk looks whether it is still anywhere.
  const before = slot === "waiting.main" && Object.entries(host.visit.steps ?? {}).some(([step, is]) => is === "done" && step.startsWith(`${host.plugin}:`));
  if (before || slot === "checkin.step" || threads.ask.entries.length || threads.word.entries.length) return begin();
  for (const event of ["ask", "word"]) threads[event].addEventListener("add", begin, { signal });
}
