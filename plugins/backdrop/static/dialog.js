// What may be behind a person: a dialog with one's own picture and the choices.

import { chosen, put } from "./studio.js";

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

let order = Promise.resolve(); // one choice after the other

export async function choose(host) {
  const { devices, text } = host, over = new AbortController(), { signal } = over;
  const body = make("div", { className: "sheet backdrop" });
  const own = make("div", { className: "preview" }), said = make("p", { className: "backdrop-said soft" });
  const choices = make("fieldset", { className: "backdrop-choices" }, make("legend", { className: "sr", textContent: text("Behind you") }));
  const offered = [
    { value: "none", label: text("Nothing: as it is") },
    { value: "blur", label: text("Blurred") },
    ...host.settings.picture ? [{ value: "practice", label: text("The practice"), url: host.settings.picture }] : [],
    { value: "room", label: text("A quiet room"), url: new URL("./room.svg", import.meta.url).href },
  ];
  let turn = 0;
  said.setAttribute("role", "status");
  for (const each of offered) {
    const input = make("input", { type: "radio", name: "backdrop", value: each.value, checked: each.value === chosen(host) });
    const face = each.url ? make("img", { src: each.url, alt: "" }) : make("span", { className: `backdrop-face backdrop-${each.value}` });
    choices.append(make("label", {}, input, face, make("span", { textContent: each.label })));
    input.onchange = () => pick(each);
  }
  body.append(own, choices, said);

  const pick = each => {
    const mine = ++turn;
    said.textContent = text("Being prepared … Until then you are seen as before.");
    order = order.then(async () => {
      if (mine !== turn) return;                       // another one was chosen meanwhile
      let words = text("This background could not be loaded. Check your connection, or reload the page, and try again."), failed = true;
      try {
        words = await put(host, each) ? text("This is how the others see you.") : text("You are seen as you are.");
        failed = false;
      } catch (error) {
        console.info(`backdrop: ${error}`);
      }
      if (mine !== turn) return;
      if (failed && signal.aborted) host.ui.notice(words); // nobody looks at the dialog any more
      said.textContent = words;
      mark();
    });
  };
  const mark = () => { for (const input of choices.querySelectorAll("input")) input.checked = input.value === chosen(host); };
  const show = () => {
    const { picture } = devices, shown = own.querySelector("video");
    own.hidden = !picture;
    own.dataset.facing = devices.facing;
    if (!picture || shown?.srcObject.getVideoTracks()[0] === picture) return;
    const video = make("video", { muted: true, playsInline: true, autoplay: true, srcObject: new MediaStream([picture]) });
    video.setAttribute("aria-label", text("Your own picture"));
    shown?.remove();
    own.append(video);
    video.play().catch(() => {});
  };
  devices.on("change", () => { if (!signal.aborted) show(); });
  show();
  if (own.hidden) said.textContent = text("You will see it as soon as your camera is on.");
  await host.ui.dialog({ title: text("What is seen behind you"), body, buttons: [{ value: "", label: text("Done"), kind: "primary" }] });
  over.abort();
}
