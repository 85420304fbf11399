// Chaperone: a button on the card until somebody has confirmed, then a word that tells so.

export async function mount({ root, visit, channel, ui, text, signal }) {
  const button = root.querySelector("button"), word = root.querySelector(".tag");
  let needed = true, confirmed = false;
  const early = () => ["arriving", "waiting"].includes(visit.state);
  const draw = () => {
    button.hidden = !needed || confirmed || !early();
    word.hidden = !confirmed;
  };
  const done = () => {
    confirmed = true;
    draw();
  };

  channel.on("confirmed", done);
  visit.on("change", draw);
  button.addEventListener("click", async () => {
    const { ok } = await channel.send("confirm");
    if (!ok) return ui.notice(text("This could not be sent. Try again in a moment."));
    done();
    ui.say(text("Chaperone confirmed"));
  }, { signal });

  if (early()) {
    const { answer } = await channel.send("look");
    if (answer) ({ needed, confirmed } = answer);
  }
  draw();
}
