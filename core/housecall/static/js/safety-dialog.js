// The pictures of a safety code, to be compared by voice: what to do, what it shows and what it cannot.

import { digits, pictures } from "./pictures.js";
import { words } from "./safety.js";
import { dialog } from "./surface.js";
import { text } from "./text.js";

const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("../css/safety.css", import.meta.url).href });
const ready = new Promise(done => { style.onload = style.onerror = done; });
document.head.append(style);

const made = (name, more, ...inside) => {
  const element = Object.assign(document.createElement(name), more);
  element.append(...inside);
  return element;
};
const says = (textContent, className = "") => made("p", { textContent, className });

// Open until it is answered or the call is over; when something has changed meanwhile, it begins anew.
export async function open(safety, at) {
  await ready;
  for (let again = true; again;) {
    const now = body(at), gone = () => safety.call.over || !safety.tile(at), change = new AbortController();
    safety.addEventListener("change", () => { if (gone() || body(at).textContent !== now.textContent) change.abort(); }, change);
    const answer = await dialog({ title: text("Check that nobody is in between"), body: now, buttons: buttons(at) }, change.signal);
    again = change.signal.aborted && !gone();
    change.abort();
    if (!again && answer) safety.mark(at, answer === "same");
  }
  safety.tile(at)?.querySelector(".shield").focus();
}

function buttons({ digest }) {
  const close = { value: "", label: text("Close") };
  return digest ? [close, { value: "differ", label: text("They differ"), kind: "danger" }, { value: "same", label: text("They are the same"), kind: "primary" }] : [close];
}

function body(at) {
  const { digest, silent, findings, compared, anew, device } = at, all = made("div", { className: "safety", tabIndex: -1 }); // read from its beginning
  if (findings.size) all.append(says(words(at), "notice bad"));
  else if (compared || anew) all.append(says(words(at), compared ? "notice good" : "notice"));
  if (!digest) all.append(says(silent ? text("Not checked yet: the page of {name} does not answer. It may be an older one; reloading it may help.", at) : text("One moment, the pictures are coming …"), "lead"));
  else all.append(
    says(text("Read these four pictures to {name}, or let {name} read them to you.", at)),
    made("ol", { className: "pictures" }, ...pictures(digest).map(([picture, name]) => made("li", {}, hidden(picture), made("span", { textContent: name })))),
    says(text("Or by number: {digits}", { digits: digits(digest) }), "by-number"),
    says(text("If both sides have the same, nobody in between can see or hear you, not even the practice's server.")),
  );
  if (device === "own" && !findings.size) all.append(says(text("Checked: this is the practice's own device."), "notice good"));
  if (device === "asked") all.append(says(text("Your link names a device of the practice, and this one has not shown that it is it. It may be another computer of the practice: compare the pictures.")));
  all.append(says(text("One thing this cannot show: whoever serves this page could have changed the page itself."), "soft"));
  return all;
}

function hidden(picture) {
  const element = made("span", { className: "picture", textContent: picture });
  element.setAttribute("aria-hidden", "true");
  return element;
}
