// One connection to one other seat: perfect negotiation, and two tiers of recovery (docs/architecture.md, "Calls").

const PATIENCE = { new: 6000, connecting: 6000, disconnected: 2000, failed: 0 }; // ms of a state before we step in
const GAPS = [4000, 6000, 9000, 15000];                                          // ms between our attempts
const KINDS = ["audio", "camera", "screen"];                                     // the order of the transceivers
const FIRST = { scaleResolutionDownBy: 2 };                                      // the camera's picture begins at half its size, so that the first one comes at once
export const VOICE = { priority: "high" };
const QUIET = 2000;                                                              // ms without anything coming in after which the line to the server is looked at
const LATE = 4000;                                                               // ms after which a far page that was asked should have answered
const ufrag = description => description.sdp.match(/a=ice-ufrag:(\S+)/)?.[1];

// A connection and the channel for words; not yet what it will carry.
export function connection({ ice, certificate }) {
  const pc = new RTCPeerConnection({ ...ice.current(), certificates: [certificate], bundlePolicy: "max-bundle" });
  return { pc, channel: pc.createDataChannel("hc", { negotiated: true, id: 0 }) }; // no race about who opens it
}

// What it will carry, in the fixed order. Only the side that offers adds it; the other one finds it in the offer.
export function three(pc, tracks = [], veiled = false) {
  for (const [i, kind] of ["audio", "video", "video"].entries()) {
    pc.addTransceiver(tracks[i] ?? kind, { sendEncodings: [[VOICE, FIRST, {}][i]] });
  }
  if (!veiled) redundant(pc);
}

// Sound is sent twice where both browsers can (RED): one packet in ten may be lost and nobody hears it. Chromium then
// fills a line for a moment to see what it carries, with empty packets of video: not where none may go.
function redundant(pc) {
  const [sound] = pc.getTransceivers(), codecs = RTCRtpReceiver.getCapabilities?.("audio")?.codecs ?? [];
  const red = codecs.filter(({ mimeType }) => mimeType === "audio/red");
  if (red.length) sound.setCodecPreferences?.([...red, ...codecs.filter(codec => !red.includes(codec))]);
}

// What the other side has said, as [type, body, id]. Nobody must break us by saying something else.
function read(data) {
  try {
    const said = JSON.parse(data);
    return Array.isArray(said) ? said : [];
  } catch {
    return [];
  }
}

export class Peer {
  // me, them: seat ids; link: the socket to the server; ice: {current(), async fresh()} giving {iceServers};
  // tracks: [audio, camera, screen], null where off; may: which of them go to this seat (sends.js); veiled: whether no picture goes one of the two ways; media(): what to say of them each second;
  // spare: a connection whose offer is ready (spare.js), or null; renew(life): our owner closes this Peer and makes the next; ontrack(kind, track); onmessage(type, body, id); onbulk(channel), which they have opened; onstats(rows) each second, null while not connected; onroad(): the channel opened or closed
  constructor({ visit, me, them, page, life = 0, link, ice, certificate, tracks, may, veiled, media, spare, ontrack, onmessage, onbulk, onstate, onstats, onroad, renew, report }) {
    Object.assign(this, {
      visit, them, page, life, link, ice, tracks, may, veiled, media, onstate, onstats, renew, report,
      there: true, polite: me > them, queue: Promise.resolve(),
      round: 0, seen: 0, making: false, called: 0, well: 0, tries: 0, next: 0, packets: 0, since: performance.now(), heard: 0, closed: false,
    });
    const { pc } = Object.assign(this, spare ?? connection({ ice, certificate }));
    this.channel.onopen = () => { this.say("media", media()); onroad(); };
    this.channel.onclose = () => {
      if (this.closed) return;
      onroad();
      setTimeout(() => this.soon(() => pc.connectionState === "connected" && this.there && this.rebuild()), 1000); // media lives, words do not
    };
    this.channel.onmessage = ({ data }) => {
      const [type, body, id] = read(data);
      if (!type) return;
      this.heard = performance.now();
      if (type === "signal") this.take(body); else onmessage(type, body, id);
    };
    pc.onicecandidate = ({ candidate }) => this.send({ candidate });
    pc.onnegotiationneeded = () => { if (!this.polite || pc.remoteDescription) this.offer(); }; // the polite side waits for the first offer
    pc.onconnectionstatechange = () => { this.since = performance.now(); onstate(pc.connectionState); this.watch(); };
    pc.ondatachannel = ({ channel }) => onbulk(channel);
    pc.ontrack = ({ track, transceiver }) => ontrack(KINDS[pc.getTransceivers().indexOf(transceiver)], track);
    if (spare) this.give(pc.localDescription);
    else if (!this.polite) three(pc, this.sent, veiled);
    this.timer = setInterval(() => this.watch(), 1000);
  }
  close() {
    this.closed = true;
    clearInterval(this.timer);
    this.pc.close();
  }
  say(...message) { if (this.channel.readyState === "open") this.channel.send(JSON.stringify(message)); }

  // One path at a time: the socket, or the channel while a socket is away.
  send(message) {
    const data = { life: this.life, ...message };
    if (message.please || message.description?.type === "offer") this.called ||= performance.now();
    if (this.link.connected) this.link.emit("signal", { visit: this.visit, to: this.them, ...data }, ack => ack?.ok || this.say("signal", data));
    else this.say("signal", data);                    // never let the socket keep signals for later
  }
  async replace(i, track) {
    this.tracks[i] = track;
    const transceiver = this.pc.getTransceivers()[i];
    if (transceiver && this.may[i]) await transceiver.sender.replaceTrack(track);
    this.say("media", this.media());
  }
  // The offer of a spare connection, and what it is to carry now.
  give(description) {
    this.asked = performance.now();
    this.send({ description, round: ++this.round });
    this.carry();
  }
  get sent() { return this.tracks.map((track, i) => this.may[i] ? track : null); }
  // Puts our tracks in their places; nothing is negotiated for it. A place that stays empty is never touched.
  carry() {
    return Promise.all(this.pc.getTransceivers().map(({ sender }, i) => sender.track !== this.sent[i] && sender.replaceTrack(this.sent[i])));
  }
  // What may go to this seat has changed.
  allow(may) {
    if (may.join() === this.may.join()) return;
    this.may = may;
    this.soon(() => this.carry());
  }
  // How a track is sent: parameters of its encoding, see setParameters().
  shape(i, wanted) {
    const { sender } = this.pc.getTransceivers()[i], parameters = sender.getParameters(), [encoding] = parameters.encodings;
    if (!encoding || Object.keys(wanted).every(name => encoding[name] === wanted[name])) return; // nothing is agreed upon yet, or so it is already
    Object.assign(encoding, wanted);
    sender.setParameters(parameters).catch(() => {});   // the next answer makes them anew
  }
  async offer() {
    this.making = true;
    this.asked = performance.now();
    try {
      await this.pc.setLocalDescription();
      this.send({ description: this.pc.localDescription, round: ++this.round });
    } catch (error) {
      if (!this.closed) this.report(error);
    } finally {
      this.making = false;
    }
  }
  take(message) {
    this.called = 0;
    if (message && typeof message === "object") this.soon(() => this.handle(message));
  }
  // Whether the far page is there: the server says so, and it answers what we ask.
  get answers() { return this.there && !(this.called && performance.now() - this.called > LATE); }
  soon(step) {                                        // one step at a time
    this.queue = this.queue.then(() => this.closed || step()).catch(error => this.closed || this.report(error));
  }
  async handle({ description, candidate, please, round }) {
    const pc = this.pc;
    if (please === "restart" || please === "rebuild") return this[please]();
    if (!description) return pc.addIceCandidate(candidate || undefined).catch(() => {}); // may belong to a dropped round
    if (description.type === "answer") {
      if (round === this.round && pc.signalingState === "have-local-offer") await pc.setRemoteDescription(description);
      return;
    }
    if (round <= this.seen) return;
    this.seen = round;
    if (!this.polite && (this.making || pc.signalingState !== "stable")) return; // collision: the impolite side's offer wins
    if (pc.remoteDescription && ufrag(description) !== ufrag(pc.remoteDescription)) await this.refresh();
    const first = !pc.remoteDescription;
    await pc.setRemoteDescription(description);       // on the polite side this rolls its own offer back
    if (first) {                                      // the polite side adopts the three
      for (const transceiver of pc.getTransceivers()) transceiver.direction = "sendrecv";
      if (!this.veiled) redundant(pc);
      this.carry();
      this.shape(1, FIRST);
    }
    await pc.setLocalDescription();
    this.send({ description: pc.localDescription, round });
  }
  async watch() {
    const now = performance.now(), pc = this.pc;
    let state = pc.connectionState;                   // never iceConnectionState: it stays "disconnected" for a minute
    if (state === "connected") {
      if (this.channel.bufferedAmount < 1000) this.say("media", this.media()); // also our sign of life; what waits is old when it comes
      let packets = 0;
      const rows = await pc.getStats();
      for (const row of rows.values()) if (row.type === "inbound-rtp") packets += row.packetsReceived || 0;
      if (this.closed) return;
      if (packets > this.packets) this.heard = now;
      this.packets = packets;
      this.onstats(rows);
      const quiet = now - Math.max(this.heard, this.since);
      if (quiet > QUIET) this.link.probe();           // it may have gone with the address: found out before it is needed
      if (quiet < 6000) {
        this.tries = this.next = 0;
        this.onstate("connected");
        if (pc.signalingState === "have-local-offer" && now - this.asked > 5000) this.soon(() => this.again());
        return;
      }
      state = "silent";                               // "connected", yet nothing comes in
      this.onstate(state);
    } else if (!this.closed) this.onstats(null);
    if (pc.connectionState !== "connected") this.onstate(state);
    if (this.well || now - this.since > 2000) this.link.probe();
    if (state === "closed" || now - this.since < PATIENCE[state] || now < this.next || !this.there || !this.link.connected) return;
    this.next = now + GAPS[Math.min(this.tries++, 3)];
    this.soon(() => state === "silent" || this.tries % 3 === 0 ? this.rebuild() : this.restart());
  }
  async again() {                                     // an offer that nobody answered
    if (this.pc.signalingState !== "have-local-offer") return;
    await this.pc.setLocalDescription({ type: "rollback" });
    await this.offer();
  }
  async refresh() { this.pc.setConfiguration({ ...this.pc.getConfiguration(), ...await this.ice.fresh() }); }
  async restart() {                                   // tier one: same connection, new ICE
    if (this.polite) return this.send({ please: "restart" });
    if (!this.pc.remoteDescription) return this.rebuild();
    if (this.pc.signalingState === "have-local-offer") await this.pc.setLocalDescription({ type: "rollback" });
    await this.refresh();
    this.pc.restartIce();                             // fires negotiationneeded
  }
  rebuild() { if (this.polite) this.send({ please: "rebuild" }); else this.renew(this.life + 1); } // tier two: a new connection
}
