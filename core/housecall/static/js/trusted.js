// Which addresses may become scripts: files of plugins that asked for it (manifest: csp "scripts"). Elsewhere the browser lets nobody make this policy.

const folders = new Set();
let policy = null;

export function trust(plugin) {
  folders.add(`${location.origin}/-/asset/${plugin}/`);
  policy ??= globalThis.trustedTypes?.createPolicy("default", { createScriptURL: address => ours(address) ? address : null });
}

const ours = address => [...folders].some(folder => new URL(address, location.href).href.startsWith(folder));
