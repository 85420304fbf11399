// Whoever sits between two browsers: a connection of its own to each, through which picture, sound and words go on.
// mode: "own" exchanges safety codes of its own with each side, "forward" hands on theirs, "reflect" gives them back,
// "quiet" hands on only what shows the practice's device.
async mode => {
  const { io } = await import("socket.io-client");
  const { Exchange, far, fingerprint, print } = await import("housecall/exchange.js");
  const certificate = await RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" });
  const socket = io({ transports: ["websocket"], auth: { middle: true }, forceNew: true });
  const legs = new Map(); // seat -> our connection to its page, to which we are the other seat
  const world = window.middle = { runs: 0, errors: [], legs };
  const send = (leg, message) => socket.emit("middle", { visit: leg.visit, to: leg.seat, from: leg.other, life: leg.life, ...message }, () => {});

  function make(visit, seat, other, life, keys) {
    legs.get(seat)?.pc.close();
    const pc = new RTCPeerConnection({ certificates: [certificate], bundlePolicy: "max-bundle" });
    const leg = { visit, seat, other, life, pc, channel: pc.createDataChannel("hc", { negotiated: true, id: 0 }), queue: Promise.resolve() };
    legs.set(seat, leg);
    pc.onicecandidate = ({ candidate }) => send(leg, { candidate });
    if (mode === "own") leg.exchange = new Promise(done => {
      leg.channel.onopen = async () => {
        const mine = await print(fingerprint(pc.localDescription), keys[other]), theirs = await print(await far(pc), keys[seat]);
        done(new Exchange({ mine, theirs, send: body => leg.channel.send(JSON.stringify(["safety", body])) }));
      };
    });
    leg.exchange?.then(exchange => exchange.code()).then(({ digest }) => { if (digest) world.runs++; });
    leg.channel.onmessage = ({ data }) => {
      const [type, body] = JSON.parse(data), beyond = legs.get(other)?.channel;
      if (type === "safety" && mode === "own") leg.exchange.then(exchange => exchange.hear(body));
      else if (type === "safety" && mode === "quiet" && !body.device && !body.proof) return;
      else if (type === "safety" && mode === "reflect") leg.channel.send(data);
      else if (type !== "signal" && beyond?.readyState === "open") beyond.send(data);
    };
    return leg;
  }

  async function handle({ visit, from, to, life, keys, description, candidate, please, round }) {
    let leg = legs.get(from);
    if (please) return socket.emit("middle", { visit, to, from, life, please }, () => {});
    if (description?.type === "offer" && (!leg || life > leg.life)) {
      leg = make(visit, from, to, life, keys);
      await leg.pc.setRemoteDescription(description);
      for (const each of leg.pc.getTransceivers()) each.direction = "sendrecv";
      const beyond = make(visit, to, from, life, keys);
      for (const kind of ["audio", "video", "video"]) beyond.pc.addTransceiver(kind);
      for (const [here, there] of [[leg, beyond], [beyond, leg]]) for (const [i, each] of here.pc.getTransceivers().entries()) {
        const { track } = each.receiver;
        await there.pc.getTransceivers()[i].sender.replaceTrack(track);
        if (track.kind === "audio") Object.assign(new Audio(), { muted: true, srcObject: new MediaStream([track]) }).play(); // else it stays silent
      }
      await leg.pc.setLocalDescription();
      send(leg, { description: leg.pc.localDescription, round });
      await beyond.pc.setLocalDescription();
      send(beyond, { description: beyond.pc.localDescription, round: 1 });
    } else if (!leg || leg.life !== life) return;
    else if (description?.type === "answer") await leg.pc.setRemoteDescription(description);
    else if (description) {
      await leg.pc.setRemoteDescription(description);
      await leg.pc.setLocalDescription();
      send(leg, { description: leg.pc.localDescription, round });
    } else await leg.pc.addIceCandidate(candidate || undefined).catch(() => {});
  }

  let queue = Promise.resolve();
  socket.on("signal", message => { queue = queue.then(() => handle(message)).catch(error => world.errors.push(String(error))); });
  // The seat that makes the offers makes a new connection.
  world.again = () => {
    const [first] = [...legs.keys()].sort(), leg = legs.get(first);
    send(leg, { please: "rebuild" });
  };
  await new Promise(done => socket.on("connect", done));
  return [...fingerprint((await describe()))];

  async function describe() { // our certificate, as a browser writes it
    const pc = new RTCPeerConnection({ certificates: [certificate] });
    pc.createDataChannel("x");
    await pc.setLocalDescription();
    const description = pc.localDescription;
    pc.close();
    return description;
  }
}
