// @name@: a button that greets the other side of the call. docs/contracts.md, §12, says what `host` offers.

export function mount(host) {
  const { root, channel, ui, text, signal } = host;
  root.querySelector("button").addEventListener("click", async () => {
    try {
      await channel.send("hello");
    } catch {
      ui.notice(text("This could not be sent. Try again in a moment."));
    }
  }, { signal });
  channel.on("hello", () => ui.notice(text("Hello from the other side!")));
}
