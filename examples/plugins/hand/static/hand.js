// Raise hand: a button that stays pressed, and a number on the others' buttons while hands are up.

export function mount(host) {
  const { root, channel, visit, ui, text, signal } = host;
  const button = root.querySelector("button"), up = new Set(); // the seats whose hands are up
  const count = () => ui.badge(up.size);

  button.addEventListener("click", async () => {
    const raised = button.getAttribute("aria-pressed") !== "true";
    try {
      await channel.send("raised", { up: raised });
      button.setAttribute("aria-pressed", String(raised));
    } catch {
      ui.notice(text("This could not be sent. Try again in a moment."));
    }
  }, { signal });

  channel.on("raised", ({ data, from }) => {
    if (data.up && !up.has(from)) ui.notice(text("A hand is raised.")); // a notice is also said to screen readers
    if (!data.up && up.has(from)) ui.say(text("A hand is lowered."));
    if (data.up) up.add(from);
    else up.delete(from);
    count();
  });

  visit.on("change", () => {
    for (const { id, present } of visit.seats) if (!present) up.delete(id);
    count();
  });
}
