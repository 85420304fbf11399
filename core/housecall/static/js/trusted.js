// Which addresses may become scripts: files of plugins that asked for it (manifest: csp "scripts"). Elsewhere the browser lets nobody make this policy.

const folders = new Set();
let policy = null, maker = null;

export function trust(plugin) {
  folders.add(`${location.origin}/-/asset/${plugin}/`);
  policy ??= globalThis.trustedTypes?.createPolicy("default", { createScriptURL: address => ours(address) ? address : null });
}

// A plugin's service worker (manifest: worker), for what a browser does while no page is open. None of our pages is below it.
export async function worker(plugin) {
  if (!navigator.serviceWorker) throw Object.assign(new Error("there are no service workers here"), { code: "unknown" });
  const own = `/-/${plugin}/worker.js`;
  maker ??= globalThis.trustedTypes?.createPolicy("worker", { createScriptURL: address => address });
  return navigator.serviceWorker.register(maker?.createScriptURL(own) ?? own, { scope: `/-/${plugin}/`, updateViaCache: "none" });
}

const ours = address => [...folders].some(folder => new URL(address, location.href).href.startsWith(folder));
