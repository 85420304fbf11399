// Two soft notes, as of a doorbell in another room. Browsers want a gesture before the first one.

export class Chime {
  constructor() {                                       // a telephone call interrupts the sound of a phone; it goes on when the person is back
    document.addEventListener("visibilitychange", () => { if (this.sound?.state === "interrupted" && document.visibilityState === "visible") this.sound.resume().catch(() => {}); });
  }
  get on() { return this.sound?.state === "running"; }
  // Open it in `ms`: that takes a while, in which something more urgent may be done. Still in the same gesture.
  soon(ms) { this.opening = new Promise(done => setTimeout(done, ms)).then(() => this.open()); }
  // Inside a gesture. Answers whether the browser lets us be heard.
  async open() {
    if (!window.AudioContext) return "unsupported";
    this.sound ??= new AudioContext();
    const running = this.sound.resume().then(() => true, () => false);
    await Promise.race([running, new Promise(done => setTimeout(done, 2000))]);
    if (this.on) return "on";
    this.close();
    return "blocked";
  }
  close() {
    this.sound?.close?.().catch(() => {});
    this.sound = null;
  }
  // Says whether it was heard; waits for what is being opened.
  async call() {
    await this.opening;
    return this.ring();
  }
  ring() {
    const { sound } = this;
    if (!this.on) return false;
    for (const [at, pitch] of [[0, 659], [0.22, 523]]) {
      const note = sound.createOscillator(), loudness = sound.createGain();
      note.frequency.value = pitch;
      loudness.gain.setValueAtTime(0, sound.currentTime + at);
      loudness.gain.linearRampToValueAtTime(0.25, sound.currentTime + at + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + at + 0.6);
      note.connect(loudness).connect(sound.destination);
      note.start(sound.currentTime + at);
      note.stop(sound.currentTime + at + 0.7);
    }
    return true;
  }
}
