// The page of the device check, which may be used any day before a visit. Nothing of it is kept, on the server or here.

import { check } from "./check.js";
import { Devices } from "./devices.js";
import { page, part } from "./page.js";

const devices = new Devices({ camera: page.room.media === "video" });

check({ root: document.querySelector(".check"), devices });
part("main").dataset.ready = "";
