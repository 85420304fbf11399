// Sealing: what must pass by the server goes as AES-256-GCM under a fresh key, wrapped for each page that may read it.

import { bytes, pair, written } from "./keys.js";

const P256 = { name: "ECDH", namedCurve: "P-256" };
const wrapping = new Map(); // far page -> promise of the key that both pages, and nobody else, can derive

function shared(page) {
  if (!wrapping.has(page)) wrapping.set(page, derive(page));
  return wrapping.get(page);
}

async function derive(page) {
  const theirs = await crypto.subtle.importKey("raw", bytes(page), P256, false, []);
  const bits = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, pair.privateKey, 256);
  const base = await crypto.subtle.importKey("raw", bits, "HKDF", false, ["deriveKey"]);
  const info = new TextEncoder().encode("housecall seal 1");
  return crypto.subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info }, base, { name: "AES-KW", length: 256 }, false, ["wrapKey", "unwrapKey"]);
}

// about: what the sealed body is bound to (visit, event, sender); another about does not open it.
export async function seal(value, pages, about) {
  const once = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12)), keys = {};
  const plain = new TextEncoder().encode(JSON.stringify(value));
  const data = new Uint8Array(await crypto.subtle.encrypt(gcm(iv, about), once, plain));
  for (const page of pages) keys[page] = written(new Uint8Array(await crypto.subtle.wrapKey("raw", once, await shared(page), "AES-KW")));
  return { iv: written(iv), data: written(data), keys };
}

// me: our own page; from: the page that sealed it. Throws for what is not for us, not from there, or changed on the way.
export async function unseal({ iv, data, keys }, me, from, about) {
  const once = await crypto.subtle.unwrapKey("raw", bytes(keys[me]), await shared(from), "AES-KW", { name: "AES-GCM" }, false, ["decrypt"]);
  return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(gcm(bytes(iv), about), once, bytes(data))));
}

const gcm = (iv, about) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(JSON.stringify(about)) });
