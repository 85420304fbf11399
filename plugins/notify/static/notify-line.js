// What somebody answered by a link, on the page of the patient who waits and on the card of the queue.

export async function mount({ root, slot, visit, channel, text, ui, signal }) {
  const line = root.querySelector(".notify-answer");
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  const words = slot === "dashboard.card" ? noted : told;
  let shown = {};

  const draw = () => {
    line.hidden = !shown.what || !["arriving", "waiting"].includes(visit.state);
    if (!line.hidden) line.replaceChildren(...words(shown, text, clock));
  };
  channel.on("answer", ({ data }) => {
    shown = data;
    draw();
    if (slot === "waiting.main" && !line.hidden) ui.notice(line.textContent); // it may stand below what a phone shows
  });
  visit.on("change", draw);
  const { answer } = await channel.send("look").catch(() => ({}));
  if (answer && !signal.aborted) shown = answer;
  draw();
}

function told({ what, name, at, phone }, text, clock) {
  if (what === "coming") return [text("{name} is coming now.", { name })];
  if (what === "soon") return [text("{name} will be with you at about {time}.", { name, time: clock.format(at + 600_000) })];
  const link = Object.assign(document.createElement("a"), { href: `tel:${phone.replaceAll(" ", "")}`, textContent: phone });
  return [text("{name} asks you to call:", { name }), " ", link];
}

function noted({ what, name, at }, text, clock) {
  const time = clock.format(at);
  if (what === "coming") return [text("{name}, {time}: I am coming", { name, time })];
  if (what === "soon") return [text("{name}, {time}: 10 minutes", { name, time })];
  return [text("{name}, {time}: please call us", { name, time })];
}
