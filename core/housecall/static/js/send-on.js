// Asks to which other waiting room somebody is to be sent on.

import { ask, part } from "./page.js";
import { text } from "./text.js";

// Answers {id, name} of the room, or null.
export async function whither(name, from, visit) {
  const rooms = part("sending-to");
  part("sending").dataset.visit = visit;
  part("sending-title").textContent = text("Send {name} on", { name });
  for (const option of rooms.options) option.hidden = option.disabled = option.value === from;
  rooms.selectedIndex = [...rooms.options].findIndex(option => !option.disabled);
  return await ask(part("sending")) === "send" ? { id: rooms.value, name: rooms.selectedOptions[0].text } : null;
}
