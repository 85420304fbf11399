// How loud a microphone is, ten times a second.

// loud(0…1, as loudness is felt). Answers a function that ends it.
export function listen(track, loud) {
  const sound = new AudioContext(), node = sound.createAnalyser(), samples = new Float32Array(node.fftSize);
  sound.createMediaStreamSource(new MediaStream([track])).connect(node);
  const wake = () => { if (sound.state !== "running") sound.resume().catch(() => {}); }; // a phone's call interrupts it
  document.addEventListener("visibilitychange", wake);
  const timer = setInterval(() => {
    node.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    loud(Math.min(1, Math.max(0, 1 + Math.log10(power + 1e-9) / 6)));
  }, 100);
  wake();
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", wake);
    sound.close().catch(() => {});
  };
}
