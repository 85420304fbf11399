// Through the practice's relay and back: two connections of this page that may meet nowhere else.

import { page } from "./page.js";
import { post } from "./post.js";

const PATIENCE = 8000; // ms for one way
const RELAY = /^turns?:/;

// The practice's servers with credentials of two minutes, or null: those of the visit are not used up by a test.
export async function lent() {
  const { status, body } = await post(`/${page.room.slug}/check`, {});
  return status === 200 ? body.servers : null;
}

// Each way to a relay by itself: a server of RTCPeerConnection with one address.
export function ways(servers) {
  return servers.flatMap(({ urls, ...rest }) => [urls].flat().filter(url => RELAY.test(url)).map(url => ({ ...rest, urls: url })));
}

// One way: "works" (bytes went there and back), "refused" (it does not take our credentials), "shut" (it relays nothing to itself),
// "full" (it has no room for us), "silent" (no answer). signal: whether anybody still wants to know.
export async function travel(way, signal) {
  const ends = [0, 1].map(() => new RTCPeerConnection({ iceServers: [way], iceTransportPolicy: "relay" })), [here, there] = ends;
  const said = crypto.randomUUID();
  let found = false, code = "silent";
  try {
    return await new Promise((done, fail) => {
      const failed = () => done(found ? "shut" : code);
      const timer = setTimeout(failed, PATIENCE);
      signal?.addEventListener("abort", () => { clearTimeout(timer); failed(); }, { once: true });
      for (const [end, other] of [[here, there], [there, here]]) {
        end.onicecandidateerror = ({ errorCode }) => { if (errorCode < 700) code = errorCode === 486 || errorCode === 508 ? "full" : "refused"; };
        end.onicecandidate = ({ candidate }) => {
          if (candidate?.candidate) found = true;
          else if (!found) setTimeout(() => found || failed());  // all was tried: nothing came
          other.addIceCandidate(candidate ?? undefined).catch(() => {});
        };
        end.onconnectionstatechange = () => { if (end.connectionState === "failed") failed(); };
      }
      there.ondatachannel = ({ channel }) => { channel.onmessage = ({ data }) => channel.send(data); };
      const channel = here.createDataChannel("there and back");
      channel.onopen = () => channel.send(said);
      channel.onmessage = ({ data }) => { if (data === said) done("works"); };
      meet(here, there).catch(fail);
    });
  } catch {
    return "silent";
  } finally {
    for (const end of ends) end.close();
  }
}

async function meet(here, there) {
  await here.setLocalDescription();
  await there.setRemoteDescription(here.localDescription);
  await there.setLocalDescription();
  await here.setRemoteDescription(there.localDescription);
}

// Whether a call can go through the relay: "none" where there is no relay, "works", or the code of what is wrong (ready.js).
export async function relayed(servers, signal) {
  const all = ways(servers), enough = new AbortController();
  if (!all.length) return "none";
  signal?.addEventListener("abort", () => enough.abort(), { once: true });
  try {
    return await Promise.any(all.map(async way => {
      const said = await travel(way, enough.signal);
      return said === "works" ? said : Promise.reject(said);
    }));
  } catch ({ errors }) {
    return errors.every(said => said === "silent") ? "relay_blocked" : "relay_refused";
  } finally {
    enough.abort();
  }
}

// Whether the network lets the line to the practice's server through, which meets both sides of a call.
export function wired() {
  return new Promise(done => {
    const line = new WebSocket(`${location.origin.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`);
    const timer = setTimeout(() => end(false), PATIENCE);
    const end = said => {
      clearTimeout(timer);
      line.onclose = line.onerror = null;
      line.close();
      done(said);
    };
    line.onmessage = () => end(true);
    line.onclose = line.onerror = () => end(false);
  });
}
