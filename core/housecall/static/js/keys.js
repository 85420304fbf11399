// This page's own key (ECDH P-256), made at load: its public half is the page's mark in signalling and for sealing.

export const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));

export const key = written(raw);

// Bytes as base64url text, and back.
export function written(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
export function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), c => c.charCodeAt(0));
}
