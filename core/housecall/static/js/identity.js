// This device's own key (ECDSA P-256), kept in the browser of a member who gives it out with a link. Never of a patient.

import { sha256 } from "./exchange.js";
import { bytes, written } from "./keys.js";

const P256 = { name: "ECDSA", namedCurve: "P-256" }, SIGNED = { name: "ECDSA", hash: "SHA-256" };
const LABEL = "housecall device 1";
const statement = (visit, print) => new Blob([LABEL, print, visit]).arrayBuffer();

// What stands for a public key in a link: 16 bytes of its hash.
const name = async raw => written((await sha256(raw)).subarray(0, 16));
const raw = async ({ publicKey }) => new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));

const asked = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

// The key of this browser; null where there is none. make: make one then.
async function own(make) {
  const request = indexedDB.open("housecall", 1);
  request.onupgradeneeded = () => { if (make) request.result.createObjectStore("keys"); else request.transaction.abort(); }; // nothing is left behind
  const database = await asked(request).catch(() => null);
  if (!database) return null;
  try {
    const keys = mode => database.transaction("keys", mode).objectStore("keys");
    const found = await asked(keys("readonly").get("device"));
    if (found || !make) return found ?? null;
    const made = await crypto.subtle.generateKey(P256, false, ["sign", "verify"]); // its private half never leaves this browser
    await asked(keys("readwrite").put(made, "device"));
    return made;
  } finally {
    database.close();
  }
}

// The name of this browser's key, which is made if there is none; null in a browser that keeps nothing.
export async function device() {
  const pair = await own(true).catch(() => null);
  return pair && name(await raw(pair));
}

// Signs that the page of this print, in this visit, is on the device of this name: {key, signature}. Null on any other.
export async function prove(named, visit, print) {
  const pair = await own(false).catch(() => null), key = pair && await raw(pair);
  if (!pair || await name(key) !== named) return null;
  return { key: written(key), signature: written(new Uint8Array(await crypto.subtle.sign(SIGNED, pair.privateKey, await statement(visit, print)))) };
}

export async function proves({ key, signature }, named, visit, print) {
  try {
    const theirs = await crypto.subtle.importKey("raw", bytes(key), P256, false, ["verify"]);
    return await name(bytes(key)) === named && await crypto.subtle.verify(SIGNED, theirs, bytes(signature), await statement(visit, print));
  } catch {
    return false;                                       // no key, or no signature
  }
}
