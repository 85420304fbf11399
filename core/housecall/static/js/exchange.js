// A safety code: each side commits to a number, then shows it. What comes of both is the same on both sides only if
// nobody is in between (docs/contracts.md §9). Whoever is can neither try out numbers nor hand on what the far side said.

import { bytes, written } from "./keys.js";

const PATIENCE = 20_000; // ms for each of the far side's two words
const utf8 = words => new TextEncoder().encode(words);
const LABEL = utf8("housecall safety code 1");

export const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
export const hex = some => Array.from(some, byte => byte.toString(16).padStart(2, "0")).join("");

// Who a page is: the SHA-256 of its certificate, and its key.
export const print = (certificate, key) => sha256(certificate, utf8(key));

// The one SHA-256 that a description names; null where it names none, or two.
export function fingerprint({ sdp }) {
  const [only, ...more] = new Set(sdp.match(/^a=fingerprint:.*$/gm)?.map(line => line.trim().toLowerCase()));
  const found = !more.length && only?.match(/^a=fingerprint:sha-256 ([\da-f:]{95})$/);
  return found ? Uint8Array.from(found[1].split(":"), pair => parseInt(pair, 16)) : null;
}

// The certificate that the far side really has shown. Signalling is not asked, unless the browser cannot tell.
export async function far({ sctp, currentRemoteDescription }) {
  const [shown] = sctp.transport.getRemoteCertificates?.() ?? [];
  return shown ? sha256(shown) : fingerprint(currentRemoteDescription);
}

export class Exchange {
  // mine, theirs: prints; send(body): to the far side; nonce: of 32 bytes, never used twice
  constructor({ mine, theirs, send, nonce = crypto.getRandomValues(new Uint8Array(32)), patience = PATIENCE }) {
    Object.assign(this, { mine, theirs, send, nonce, patience, heard: {} });
    for (const word of ["commit", "nonce"]) {
      let take = null;
      this.heard[word] = Object.assign(new Promise(done => { take = done; }), { take });
    }
  }
  // The first of each word counts; what is no such word is not heard.
  hear(body) {
    for (const [word, { take }] of Object.entries(this.heard)) {
      const said = body?.[word];
      if (typeof said === "string" && /^[\w-]{43}$/.test(said)) take(bytes(said));
    }
  }
  next(word) { return Promise.race([this.heard[word], new Promise(done => setTimeout(done, this.patience, null))]); }
  // What both sides have in common: {digest}, {refused: true}, or {} if the far side keeps silent.
  async code() {
    const { mine, theirs, nonce } = this;
    this.send({ commit: written(await commitment(mine, nonce)) });
    const promise = await this.next("commit");
    if (!promise) return {};
    this.send({ nonce: written(nonce) });              // only now: what they show must not depend on it
    const shown = await this.next("nonce");
    if (!shown) return {};
    if (hex(mine) === hex(theirs) || hex(promise) !== hex(await commitment(theirs, shown))) return { refused: true };
    const [first, second] = hex(mine) < hex(theirs) ? [[mine, nonce], [theirs, shown]] : [[theirs, shown], [mine, nonce]];
    return { digest: await sha256(LABEL, ...first, ...second) };
  }
}

const commitment = (whose, nonce) => sha256(LABEL, whose, nonce);
