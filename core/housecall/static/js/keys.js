// This page's own key (ECDH P-256), made at load: its public half is the page's mark in signalling and for sealing.

const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveKey"]);
const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));

export const key = btoa(String.fromCharCode(...raw)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
