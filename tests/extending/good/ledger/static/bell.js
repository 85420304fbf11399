// Rings for a patient who waits.
export function mount({ root, channel, ui, text, signal }) {
  root.querySelector("button").addEventListener("click", async () => {
    try {
      await channel.send("ring", { times: 1 });
    } catch {
      ui.notice(text("This could not be sent. Try again in a moment."));
    }
  }, { signal });
}
