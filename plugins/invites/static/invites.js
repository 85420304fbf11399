// Invitations: the button; the dialogue comes when it is pressed.

export function mount(host) {
  const button = host.root.querySelector("button");
  let open = false;
  button.addEventListener("click", async () => {
    if (open) return;
    open = true;
    try {
      await (await host.load("./invites-dialog.js")).invite(host);
    } catch {
      host.ui.notice(host.text("The dialogue could not be loaded. Try again when the line is back."));
    } finally {
      open = false;
    }
    if (!host.signal.aborted) button.focus();
  }, { signal: host.signal });
}
