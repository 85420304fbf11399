// What is behind the person on this page now, for this visit only: nothing of it is remembered anywhere else.

import { Scene } from "./scene.js";

let scene = null, behind = "none";

export const chosen = host => host.devices.filtered ? behind : "none";

// Says whether anything is behind the person now.
export async function put(host, { value, url }) {
  if (value === "none") {
    host.devices.filter(null);
    return false;
  }
  const picture = url ? await loaded(url) : null;
  if (!host.devices.filtered) {
    const { Person } = await host.load("./person.js");
    const person = await Person.begin(host);
    if (host.visit?.state === "ended") {
      person.close();
      return false;
    }
    scene = new Scene({ person, slow: () => host.devices.withhold(host.text("This device is too slow for a background, so your camera was turned off. Turn it on to be seen without one.")) });
    scene.picture = picture;
    host.devices.filter(scene);
  }
  scene.picture = picture;
  behind = value;
  return true;
}

async function loaded(url) {
  const picture = Object.assign(new Image(), { src: url });
  await picture.decode();
  return picture;
}
