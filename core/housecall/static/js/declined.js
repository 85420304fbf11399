// Why a check-in was not taken, beside the field that it is about. Loaded when that happens.

import { page } from "./page.js";
import { text } from "./text.js";

const when = ms => new Intl.DateTimeFormat(page.lang, { dateStyle: "full", timeStyle: "short" }).format(ms);

// wrong(words): an error beside the name; asks: what asks for a passcode, or null.
export function declined(status, body, wrong, asks) {
  passcode(asks, "");
  if (status === 410 && page.invite) {                  // it opens nothing any more; the room itself may be open
    delete page.invite;
    history.replaceState(null, "", location.pathname);
    if (asks) asks.hidden = false;
  }
  if (status === 403) wrong(text("This page has been open for too long. Reload it, then check in."));
  else if (body.fields?.passcode && asks) passcode(asks, body.fields.passcode);
  else if (body.opens) wrong(`${body.message} ${text("It opens on {when}.", { when: when(body.opens) })}`);
  else wrong(body.message ?? page.messages.failed.join(" "));
}

function passcode(asks, words) {
  if (!asks) return;
  const field = asks.querySelector("input"), error = asks.querySelector(".error");
  error.textContent = words;
  error.hidden = !words;
  field.toggleAttribute("aria-invalid", Boolean(words));
  field.setAttribute("aria-describedby", words ? "passcode-help passcode-error" : "passcode-help");
  if (!words) return;
  asks.hidden = false;
  field.focus();
}
