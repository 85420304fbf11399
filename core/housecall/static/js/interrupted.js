// On whose side a connection is interrupted, as far as this page can know, and the words for it.

import { text } from "./text.js";

// online: what the browser says of its network; linked: the practice answers us; there: it says that the other side is there, and that one answers
export function side({ online, linked, there }) {
  return online && linked ? there ? "between" : "theirs" : "ours";
}

// once: whether the two were connected before.
export function words(whose, name, once) {
  if (whose === "ours") return text("Your connection is interrupted. We are bringing it back …");
  if (whose === "theirs") return text("{name}'s connection is interrupted. We are bringing it back …", { name });
  return once ? text("The connection between you and {name} is interrupted. We are bringing it back …", { name })
    : text("{name} is not reached yet. We go on trying; if it stays so, another network may help.", { name });
}
