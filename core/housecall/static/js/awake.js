// Keeps the screen on while somebody waits or talks: phones that sleep miss their call.

let wanted = false, lock = null;

async function hold() {
  if (!wanted || document.visibilityState !== "visible" || lock) return;
  try {
    lock = await navigator.wakeLock?.request("screen") ?? null;
    lock?.addEventListener("release", () => { lock = null; });
  } catch { /* low battery, or a browser that says no: nothing that the person could do */ }
}

document.addEventListener("visibilitychange", hold);

export function stayAwake(on) {
  wanted = on;
  if (on) hold();
  else lock?.release();
}
