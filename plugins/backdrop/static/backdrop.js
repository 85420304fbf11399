// Background: this module is the button alone. What it opens, and what that needs, is loaded when it is pressed.

export function mount(host) {
  const button = host.root.querySelector("button"), { devices } = host;
  const draw = () => {
    button.hidden = Boolean(host.visit) && (!devices.wanted || host.me.kind === "captioner"); // there is no picture
    button.classList.toggle("backdrop-on", devices.filtered);
    button.setAttribute("aria-label", devices.filtered ? host.text("Background, on") : host.text("Background"));
  };
  devices.on("change", draw);
  button.addEventListener("click", () => host.load("./dialog.js").then(({ choose }) => choose(host), () => host.ui.notice(host.text("This could not be loaded. Try again in a moment."))), { signal: host.signal });
  draw();
}
