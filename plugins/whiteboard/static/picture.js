// Pictures for the board, of a file or of the video: a canvas of at most SIDE px. Loaded when one is chosen.

import { failed, loaded, make } from "./make.js";

const SIDE = 1600;                    // px
const MOST = 50 * 1024 * 1024;        // bytes of a file
const PIXELS = 64_000_000;            // of a picture: a small file may unpack to any number of them
const PATIENCE = 8000;                // ms until a picture of the video has come

// {kind, canvas}, or null where somebody thought better of it.
export async function fromFile(file, host) {
  if (file.size > MOST) throw failed("too_big");
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 1024).arrayBuffer()));
  if (head.includes("%PDF-")) {
    const { fromPdf } = await loaded(host, "./pdf.js"), canvas = await fromPdf(file, host, SIDE);
    return canvas && { kind: "pdf", canvas };
  }
  if (await pixels(file) > PIXELS) throw failed("pixels");
  const bitmap = await createImageBitmap(file);
  const canvas = scaled(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  return { kind: "picture", canvas };
}

// How many a picture has, as its first bytes say: an <img> knows before it is unpacked.
async function pixels(file) {
  const image = new Image(), url = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: () => reject(failed("unknown")), src: url }));
    return image.naturalWidth * image.naturalHeight;
  } finally {
    URL.revokeObjectURL(url);
  }
}

// What a track shows now.
export async function fromVideo(track) {
  if (!track) throw failed("unknown");
  const video = make("video", { muted: true, playsInline: true });
  video.srcObject = new MediaStream([track]);
  try {
    video.play().catch(() => {});
    await new Promise((resolve, reject) => {
      video.onloadeddata = resolve;
      setTimeout(() => reject(failed("unknown")), PATIENCE);
    });
    return scaled(video, video.videoWidth, video.videoHeight);
  } finally {
    video.srcObject = null;
  }
}

function scaled(source, width, height) {
  const part = Math.min(1, SIDE / Math.max(width, height));
  const canvas = make("canvas", { width: Math.max(1, Math.round(width * part)), height: Math.max(1, Math.round(height * part)) }), pen = canvas.getContext("2d");
  pen.fillStyle = "#ffffff";                             // under what a picture leaves clear
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}
