// Two soft notes, as of a doorbell in another room. Browsers want a gesture before the first one.

export class Chime {
  // Inside a gesture. Answers whether the browser lets us be heard.
  async open() {
    if (!window.AudioContext) return "unsupported";
    this.sound ??= new AudioContext();
    const running = this.sound.resume().then(() => true, () => false);
    await Promise.race([running, new Promise(done => setTimeout(done, 2000))]);
    if (this.sound.state === "running") return "on";
    this.close();
    return "blocked";
  }
  close() {
    this.sound?.close?.().catch(() => {});
    this.sound = null;
  }
  // Says whether it was heard.
  ring() {
    const { sound } = this;
    if (sound?.state !== "running") return false;
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
