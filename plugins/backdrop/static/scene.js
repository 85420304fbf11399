// A person before something else: pictures of a camera come in, what is sent goes out. Knows neither page nor model.

const RATES = [30, 15, 8, 4];          // pictures a second, by step
const SHARE = 0.8;                     // of the time of a picture that the work on it may take
const LATE = 2000, EARLY = 10_000;     // ms of too much work until there are fewer pictures; of little until there are more
const TINY = 24;                       // pixels of width that are left of what is blurred: no writing can be read
const INSIDE = [256, 144];             // what the model looks at

const canvas = () => {
  const made = document.createElement("canvas");
  return Object.assign(made, { pen: made.getContext("2d") });
};

export class Scene {
  // person: {find(canvas) → something to draw that is opaque where the person is, close()}; slow(): even the lowest rate is too much.
  // picture: what is drawn behind; null: the camera's own, blurred.
  constructor({ person, slow }) {
    Object.assign(this, { person, slow, picture: null, source: null, step: 0, since: null, rest: null });
    Object.assign(this, { seen: canvas(), inside: canvas(), tiny: canvas(), out: canvas() });
    [this.inside.width, this.inside.height] = INSIDE;
    this.give = giver(this);
  }
  // The camera's track, which may change; null: off.
  take(source) {
    if (source === this.source) return;
    this.source = source;
    if (source) this.run(source);
  }
  stop() {
    this.source = null;
    this.track.stop();
    this.person.close();
  }
  // One camera after the other: the model looks at one picture at a time.
  run(source) {
    this.running = Promise.resolve(this.running).then(() => this.follow(source)).catch(error => {
      if (this.source !== source) return;              // it was stopped in the middle of a picture
      console.info(`backdrop: ${error}`);
      this.slow();                                     // what is hidden stays hidden
    });
  }
  async follow(source) {
    let next = 0;
    for await (const { frame, width, height } of pictures(source, () => this.source === source)) {
      const began = performance.now(), due = began >= next;
      if (due) this.look(frame, width, height);
      frame.close?.();
      if (!due) continue;
      next = began + 0.9 * 1000 / RATES[this.step];    // a little early, or every second picture of a camera of this rate is missed
      await this.paint();
      if (this.source === source) this.judge(performance.now() - began);
    }
  }
  look(frame, width, height) {
    for (const each of [this.seen, this.out]) if (each.width !== width || each.height !== height) Object.assign(each, { width, height });
    this.seen.pen.drawImage(frame, 0, 0, width, height);
    this.inside.pen.drawImage(this.seen, 0, 0, ...INSIDE);
  }
  async paint() {
    const mask = await this.person.find(this.inside), { out, seen } = this, { pen, width, height } = out;
    if (!this.source) return;
    pen.globalCompositeOperation = "copy";
    pen.drawImage(mask, 0, 0, width, height);
    pen.globalCompositeOperation = "source-in";
    pen.drawImage(seen, 0, 0);
    pen.globalCompositeOperation = "destination-over";
    if (this.picture) cover(pen, this.picture, width, height);
    else this.blur(pen, width, height);
    await this.give();
  }
  blur(pen, width, height) {
    const { tiny, seen } = this, low = Math.round(TINY * height / width);
    if (tiny.width !== TINY || tiny.height !== low) Object.assign(tiny, { width: TINY, height: low });
    tiny.pen.imageSmoothingQuality = pen.imageSmoothingQuality = "high";
    tiny.pen.drawImage(seen, 0, 0, TINY, low);
    pen.drawImage(tiny, 0, 0, width, height);
  }
  // Fewer pictures where each takes too long, more again where there is time.
  judge(cost) {
    const now = performance.now(), share = step => SHARE * 1000 / RATES[step];
    this.since = cost > share(this.step) ? this.since ?? now : null;
    this.rest = this.step > 0 && cost < share(this.step - 1) / 2 ? this.rest ?? now : null;
    if (this.since !== null && now - this.since >= LATE) {
      this.step += 1;
      this.since = null;
      if (this.step === RATES.length) {
        this.step -= 1;
        this.slow();
      }
    } else if (this.rest !== null && now - this.rest >= EARLY) {
      this.step -= 1;
      this.rest = null;
    }
  }
}

// The whole place is covered, and nothing is stretched.
function cover(pen, picture, width, height) {
  const scale = Math.max(width / picture.width, height / picture.height), w = picture.width * scale, h = picture.height * scale;
  pen.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
}

// What a camera sees. Where the browser gives its pictures one by one, they come in a hidden page too.
async function* pictures(track, wanted) {
  if (globalThis.MediaStreamTrackProcessor) {
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        if (!wanted()) return value.close();
        yield { frame: value, width: value.displayWidth, height: value.displayHeight };
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: new MediaStream([track]) });
  await video.play().catch(() => {});
  while (wanted() && track.readyState === "live") {
    if (video.videoWidth) yield { frame: video, width: video.videoWidth, height: video.videoHeight };
    await new Promise(resolve => setTimeout(resolve, 1000 / RATES[0] / 2));
  }
  video.srcObject = null;
}

// Puts what is drawn into the track that is sent.
function giver(scene) {
  if (!globalThis.MediaStreamTrackGenerator) {
    [scene.track] = scene.out.captureStream(RATES[0]).getVideoTracks();
    return () => {};
  }
  scene.track = new MediaStreamTrackGenerator({ kind: "video" });
  const writer = scene.track.writable.getWriter();
  return () => writer.write(new VideoFrame(scene.out, { timestamp: Math.round(performance.now() * 1000), alpha: "discard" })).catch(() => {});
}
