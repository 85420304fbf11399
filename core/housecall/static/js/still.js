// Pages without a visit (sign-in, profile, practice): mounts what plugins show there.

import { page } from "./page.js";
import { mount } from "./parts.js";

for (const slot of document.querySelectorAll("[data-slots]")) {
  const room = slot.closest("[data-room]")?.dataset.room ?? null;
  mount(slot, { me: page.me, visit: null, channel: null, call: null, room });
}
