// Which camera, microphone and speaker: a small dialog, reached from the call's bar and from the waiting room.

import { Chime } from "./chime.js";
import { listen } from "./meter.js";
import { dialog } from "./surface.js";
import { list, take, tune } from "./swap.js";
import { text } from "./text.js";

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const CLINICAL = () => text("Clinical sound is on, and the others are told. Wear headphones.");

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
  // What browsers do to the sound of a microphone.
  const tick = (name, label, help) => {
    const input = make("input", { type: "checkbox", id: `choose-${name}`, checked: devices.sound[name] });
    const place = make("div", { className: "field tick" }, input, make("label", { htmlFor: input.id, textContent: label }));
    if (help) {
      place.append(make("p", { className: "help", id: `${input.id}-help`, textContent: help }));
      input.setAttribute("aria-describedby", `${input.id}-help`);
    }
    input.onchange = async () => {
      const came = await tune(devices, { [name]: input.checked });
      said.textContent = !came ? text("The microphone could not be started anew. Its sound stays as it was.") : !devices.sound.clinical ? text("Your sound is prepared for talking again.") : devices.clinical || !devices.audio ? CLINICAL() : text("This browser does not give sound as it is.");
    };
    return { place, input };
  };
  const noise = tick("noise", text("Reduce background noise"));
  const clinical = tick("clinical", text("Clinical sound"), text("Sends the microphone as it is, for a stethoscope: no echo is taken out, no noise, and no loudness is changed. Wear headphones, or the others hear themselves."));
  body.append(camera.place, microphone.place, noise.place, clinical.place, speaker.place, said);

  const show = async () => {
    if (devices.stopped) return over.abort();          // the visit is over
    if (heard !== devices.audio) {
      end?.();
      heard = devices.audio;
      end = heard && listen(heard, loud => { meter.value = loud; });
    }
    const cameras = devices.wanted ? await list("videoinput") : [], microphones = await list("audioinput");
    camera.show(cameras, devices.video?.getSettings().deviceId);
    microphone.show(microphones, devices.audio?.getSettings().deviceId);
    speaker.show("setSinkId" in HTMLMediaElement.prototype ? await list("audiooutput") : [], devices.sink ?? "default");
    noise.place.hidden = clinical.place.hidden = !microphones.length;
    noise.input.disabled = devices.sound.clinical || !navigator.mediaDevices.getSupportedConstraints().noiseSuppression;
    noise.input.checked = devices.sound.noise && !devices.sound.clinical;
    clinical.input.checked = devices.sound.clinical;
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
  await dialog({ title: text("Camera, microphone and speaker"), body, buttons: [{ value: "", label: text("Done"), kind: "primary" }] }, signal);
  over.abort();
  end?.();
  chime.close();
}
