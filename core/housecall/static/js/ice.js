// The STUN and TURN servers that this page may use; their credentials live an hour and are fetched anew in time.

import { page } from "./page.js";

const SOON = 3000; // ms that a connection waits for fresh credentials before it takes the newest we have

export class Ice {
  constructor() { this.set(page.ice); }
  set({ servers, until }) {
    this.iceServers = servers;
    this.half = Date.now() + (until - Date.now()) / 2;
  }
  current() { return { iceServers: this.iceServers }; }
  get relays() { return this.iceServers.some(({ urls }) => /^turn|,turn/.test([urls])); }
  async fetch(link) {
    const ack = await link.ask("ice");
    if (ack.ok) this.set(ack);
  }
  // For one link: the face that a Peer wants.
  by(link) {
    return {
      current: () => {
        if (Date.now() > this.half && this.iceServers.length) this.fetch(link);
        return this.current();
      },
      fresh: async () => {
        if (this.iceServers.length) await Promise.race([this.fetch(link), new Promise(done => setTimeout(done, SOON))]);
        return this.current();
      },
    };
  }
}
