// Which camera, microphone and speaker: a small dialog, reached from the call's bar and from the waiting room.

import { Chime } from "./chime.js";
import { listen } from "./meter.js";
import { dialog } from "./surface.js";
import { list, take } from "./swap.js";
import { text } from "./text.js";

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

export async function choose(devices) {
  const over = new AbortController(), { signal } = over, chime = new Chime();
  const body = make("div", { className: "sheet choose" });
  const said = make("p", { className: "soft" });
  const meter = make("meter", { min: 0, max: 1, low: 0.35, optimum: 1, value: 0 });
  const play = make("button", { type: "button", className: "button quiet", textContent: text("Play a sound") });
  let end = null, heard = null;
  said.setAttribute("role", "status");
  meter.setAttribute("aria-label", text("How loud your microphone is"));

  // One field: what there is to choose, as it is now. An open list is left alone while it stays the same.
  const field = (kind, label, ...more) => {
    const select = make("select", { id: `choose-${kind}` });
    const place = make("div", { className: "field", hidden: true }, make("label", { htmlFor: select.id, textContent: label }), select, ...more);
    select.onchange = () => pick(kind, select.value, select.selectedOptions[0].textContent);
    return { place, show(found, now) {
      const fresh = found.map(({ deviceId, label: called }, i) => make("option", { value: deviceId, textContent: called || `${label} ${i + 1}` }));
      const same = fresh.length === select.length && fresh.every((each, i) => each.value === select[i].value && each.textContent === select[i].textContent);
      if (!same) select.replaceChildren(...fresh);
      if (found.some(each => each.deviceId === now)) select.value = now;
      place.hidden = !found.length;
    } };
  };
  const camera = field("video", text("Camera")), microphone = field("audio", text("Microphone"), meter), speaker = field("sink", text("Speaker"), play);
  body.append(camera.place, microphone.place, speaker.place, said);

  const show = async () => {
    if (heard !== devices.audio) {
      end?.();
      heard = devices.audio;
      end = heard && listen(heard, loud => { meter.value = loud; });
    }
    const cameras = devices.wanted ? await list("videoinput") : [], microphones = await list("audioinput");
    camera.show(cameras, devices.video?.getSettings().deviceId);
    microphone.show(microphones, devices.audio?.getSettings().deviceId);
    speaker.show("setSinkId" in HTMLMediaElement.prototype ? await list("audiooutput") : [], devices.sink ?? "default");
    if (!cameras.length && !microphones.length) said.textContent = text("Allow camera and microphone first. Then you can choose here.");
  };
  const pick = async (kind, deviceId, label) => {
    let came = true;
    if (kind === "sink") {
      devices.sink = deviceId;
      devices.changed();
    } else came = await take(devices, kind, { deviceId: { exact: deviceId } });
    said.textContent = came ? text("In use now: {label}", { label }) : text("{label} could not be started. The one before goes on.", { label });
  };
  play.onclick = async () => {
    if (await chime.open() !== "on") return;
    if (devices.sink) await chime.sound.setSinkId?.(devices.sink).catch(() => {});
    chime.ring();
  };
  devices.addEventListener("change", show, { signal });
  navigator.mediaDevices.addEventListener("devicechange", show, { signal });
  await show();
  await dialog({ title: text("Camera, microphone and speaker"), body, buttons: [{ value: "", label: text("Done"), kind: "primary" }] });
  over.abort();
  end?.();
  chime.close();
}
