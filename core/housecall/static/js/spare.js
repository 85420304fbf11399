// The next connection, made while its owner waits: its offer is ready and its addresses are known when somebody comes.

import { connection, three } from "./peer.js";

const FRESH = 240_000; // ms after which its addresses may have gone stale

export class Spare {
  // ice: the practice's servers; certificate: a promise of this page's
  constructor({ ice, certificate }) {
    Object.assign(this, { ice, certificate, wanted: false, made: null });
    this.renew = () => { if (this.wanted) this.make(); };
    addEventListener("online", this.renew);
    navigator.connection?.addEventListener?.("change", this.renew);
  }
  want(on) {
    if (on === this.wanted) return;
    this.wanted = on;
    clearInterval(this.timer);
    if (on) {
      this.make();
      this.timer = setInterval(this.renew, FRESH);
    } else this.drop();
  }
  async make() {
    this.drop();
    const certificate = await this.certificate;
    if (!this.wanted || this.made) return;
    const { pc } = this.made = connection({ ice: this.ice, certificate });
    three(pc);
    pc.setLocalDescription().catch(() => {});           // one that is dropped meanwhile
  }
  drop() {
    this.made?.pc.close();
    this.made = null;
  }
  // Gives it away, if its offer is ready; there is no other until one is wanted again.
  take() {
    const { made } = this, ready = made?.pc.signalingState === "have-local-offer";
    if (ready) this.made = null;
    this.want(false);
    return ready ? made : null;
  }
}
