// The page of the device check, which may be used any day before a visit. Nothing of it is kept, on the server or here.

import { check } from "./check.js";
import { Devices } from "./devices.js";
import { page, part } from "./page.js";
import { post } from "./post.js";

const devices = new Devices({ camera: page.room.media === "video" });

async function servers() {
  const { status, body } = await post(`/${page.room.slug}/check`, {});
  return status === 200 ? body.servers : null;
}

check({ root: document.querySelector(".check"), devices, servers });
part("main").dataset.ready = "";
