// The camera for something else than the call, for a moment: a still, a code to be read. Phones open one camera at a time,
// so the call sends no picture meanwhile; when it is given back, the call has its own again. Loaded when it is borrowed.

import { attempt, words } from "./devices.js";

// signal: of the part that borrows; what it forgets to give back is taken.
export function lend(devices, signal) {
  devices.loan?.back();
  const { visits } = devices, had = devices.wanted && (Boolean(devices.video) || devices.state === "asking");
  let track = null, over = false;
  const loan = Object.freeze({
    // want: constraints of a video track. Answers {track}, or {problem}: what happened and what to do, in words.
    async open(want) {
      track?.stop();
      track = null;
      while (devices.state === "asking") await new Promise(resolve => devices.addEventListener("change", resolve, { once: true })); // one after another
      if (!navigator.mediaDevices?.getUserMedia) return { problem: words({ kind: "insecure", device: "camera" }) };
      const { stream, kind } = await attempt({ video: want }), [fresh = null] = stream?.getVideoTracks() ?? [];
      track?.stop();                                     // of an earlier question, answered meanwhile
      track = fresh;
      if (over) fresh?.stop();
      return fresh ? { track } : { problem: words({ kind, device: "camera" }) };
    },
    back() {
      if (over) return;
      over = true;
      track?.stop();
      if (devices.loan === loan) devices.loan = null;
      if (had && !devices.cameraOff && !devices.loan && !devices.stopped && devices.visits === visits) devices.ask();
    },
  });
  devices.loan = loan;
  devices.drop();
  devices.changed();
  if (signal.aborted) loan.back();
  else signal.addEventListener("abort", loan.back, { once: true });
  return loan;
}
