// Whether anybody is in between: what each connection shows of the far page, and what people found. Shown on its tile.

import { Exchange, far, fingerprint, hex, print } from "./exchange.js";
import { key } from "./keys.js";
import { page, part, say } from "./page.js";
import { text } from "./text.js";

const MOST = 5; // certificates of one seat in a visit

const FINDINGS = {
  refused: at => text("What came from the side of {name} does not fit this connection.", at),
  differ: () => text("You found that the pictures differ."),
  told: at => text("{name} found that the pictures differ.", at),
  many: at => text("The page of {name} was another one more than five times in this visit.", at),
  device: () => text("This is not the practice's device that your link names."),
};

// What is known of a seat, in words.
export function words(at) {
  const [finding] = at.findings;
  if (finding) return `${FINDINGS[finding](at)} ${page.member ? text("Somebody may be in between. End the visit and call {name} by telephone.", at) : text("Somebody may be in between. End the visit and call the practice.")}`;
  if (at.compared) return text("Compared: nobody is in between you and {name}.", at);
  if (at.device === "own") return text("Checked: this is the practice's own device.");
  if (at.anew) return text("The page of {name} is another one now. Compare again.", at);
  return text("Check that nobody is in between you and {name}", at);
}

// Fires "change". seats: id -> {id, name, peer, who: its print, digest: of the code, silent, compared, anew, device: "" | "asked" | "own", findings}
export class Safety extends EventTarget {
  constructor(call) {
    super();
    Object.assign(this, { call, seats: new Map(), exchanges: new WeakMap() });
  }
  // A connection stands, or its far side says something of this.
  async take(peer, body) {
    if (!this.exchanges.has(peer)) this.exchanges.set(peer, this.begin(peer));
    const exchange = await this.exchanges.get(peer);
    if (exchange && body && typeof body === "object" && this.holds(peer)) this.hear(peer, exchange, body);
  }
  holds(peer) { return this.call.peers.get(peer.them) === peer; }
  seat(id) {
    if (!this.seats.has(id)) this.seats.set(id, { id, who: "", digest: null, certificates: new Set(), findings: new Set() });
    return this.seats.get(id);
  }
  tile({ id }) { return part("tiles").querySelector(`[data-seat="${CSS.escape(id)}"]`); }

  async begin(peer) {
    const at = this.seat(peer.them), shown = await far(peer.pc);
    at.name = this.tile(at)?.querySelector(".who").textContent ?? "";
    at.peer = peer;
    if (!shown) return void this.find(at, "refused");
    const mine = await print(fingerprint(peer.pc.localDescription), key), theirs = await print(shown, peer.page);
    if (at.who !== hex(theirs)) {
      const before = at.compared || at.device === "own";
      Object.assign(at, { who: hex(theirs), digest: null, compared: false, device: "", anew: before || at.anew });
      if (before) say(words(at));
    }
    at.certificates.add(hex(shown));
    if (at.certificates.size > MOST) this.find(at, "many");
    const exchange = new Exchange({ mine, theirs, send: body => peer.say("safety", body) });
    exchange.code().then(found => this.holds(peer) && this.found(at, found));
    if (page.device && at.device !== "own" && this.call.rows.get(at.id)?.role === "provider") {
      at.device = "asked";
      peer.say("safety", { device: page.device });
    }
    this.show(at);
    return exchange;
  }
  found(at, { digest, refused }) {
    if (refused) return this.find(at, "refused");
    at.digest = digest ?? at.digest;
    at.silent = !at.digest;
    this.show(at);
  }
  async hear(peer, exchange, body) {
    const at = this.seat(peer.them);
    exchange.hear(body);
    if (body.differ === true) this.find(at, "told");
    else if (body.differ === false && at.findings.delete("told")) this.show(at);
    if (typeof body.device === "string" && page.member && !exchange.asked) {
      exchange.asked = true;
      const { prove } = await import("./identity.js"), proof = await prove(body.device, this.call.visit, exchange.mine);
      if (proof) peer.say("safety", { proof });
    }
    if (body.proof && at.device === "asked") {
      const { proves } = await import("./identity.js"), good = await proves(body.proof, page.device, this.call.visit, exchange.theirs);
      if (!good) return this.find(at, "device");
      at.device = "own";
      this.show(at);
    }
  }
  // What somebody in between would leave behind: shown at once, and for as long as the visit is open.
  find(at, finding) {
    if (at.findings.has(finding)) return;
    at.findings.add(finding);
    this.show(at);
    say(words(at));
  }
  // What the person found, who compared the pictures. A mistake can be taken back.
  mark(at, same) {
    if (same) {
      if (at.findings.delete("differ")) at.peer.say("safety", { differ: false });
      Object.assign(at, { compared: true, anew: false });
      this.show(at);
      say(words(at));
    } else {
      at.compared = false;
      at.peer.say("safety", { differ: true });
      this.find(at, "differ");
    }
  }
  show(at) {
    this.dispatchEvent(new Event("change"));
    const tile = this.tile(at), bad = at.findings.size > 0;
    if (!tile) return;
    const button = tile.querySelector(".shield"), said = words(at);
    button.hidden = false;
    button.dataset.safety = bad ? "finding" : at.compared || at.device === "own" ? "good" : "";
    button.setAttribute("aria-label", said);
    button.title = said;
    button.onclick = async () => (await import("./safety-dialog.js")).open(this, at);
    let finding = tile.querySelector(".finding");
    if (!bad) return void finding?.remove();
    if (!finding) tile.append(finding = Object.assign(document.createElement("p"), { className: "finding" }));
    finding.textContent = said;
  }
  close() { this.dispatchEvent(new Event("change")); }
}
