// The device check while somebody waits: that of its own page, in a dialog, with the camera that is on already.

import { check } from "./check.js";
import { page } from "./page.js";
import { dialog, unreached } from "./surface.js";
import { text } from "./text.js";

// known(code): what was found beside the devices (ready.js), or "".
export async function open({ devices, known }) {
  const fresh = await fetched(`/${page.room.slug}/check`), root = fresh?.querySelector(".check");
  if (!root) return unreached();
  for (const link of fresh.querySelectorAll('link[href$="/css/check.css"]')) {
    if (!document.querySelector(`link[href="${link.getAttribute("href")}"]`)) document.head.append(document.importNode(link));
  }
  if (devices.stopped) return;                           // the visit is over
  const body = document.importNode(root, true);
  const closed = dialog({ title: text("Test camera and sound"), body, buttons: [{ value: "", label: text("Close") }] });
  const end = check({ root: body, devices, settled: ({ found }) => known(found), now: true });
  await closed;
  end();
}

// An XMLHttpRequest, because it gives a document without a string on the way.
function fetched(address) {
  return new Promise(resolve => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.onload = () => resolve(request.status === 200 ? request.response : null);
    request.onerror = () => resolve(null);
    request.send();
  });
}
