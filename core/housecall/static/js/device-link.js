// "A link for visits on this device": puts the name of this browser's key behind a link, and takes it away again.

import { say } from "./page.js";
import { text } from "./text.js";

for (const tick of document.querySelectorAll("[data-device-of]")) {
  const field = document.getElementById(tick.dataset.deviceOf), plain = field.defaultValue;
  const follow = async () => {
    field.value = plain;
    if (!tick.checked) return;
    const { device } = await import("./identity.js"), named = await device();
    if (named) {
      if (tick.checked) field.value = `${plain}#k=${named}`;
    } else {
      tick.checked = false;
      tick.disabled = true;
      const words = text("This browser keeps no keys, perhaps because the window is a private one.");
      document.getElementById(tick.getAttribute("aria-describedby")).textContent = words;
      say(words);
    }
  };
  tick.addEventListener("change", follow);
  if (tick.checked) follow();                          // before we listened, or as it was before a reload
}
