// A still of full resolution, and the file that is sent of it: pixels only, so neither place nor device nor time are in it.

import { CHOSEN, measured, SENT } from "./header.js";

const PATIENCE = 6000; // ms for the camera's own photo; some never answer
const LONGEST = 8192;  // px of one side

// The most that a camera gives.
export const BEST = { width: { ideal: 4096 }, height: { ideal: 3072 } };

// The larger of the camera's own photo, where the browser can ask for one, and the picture that is on.
export async function still(track, video) {
  const frame = await createImageBitmap(video);
  const photo = await Promise.race([photographed(track).catch(() => null), new Promise(resolve => setTimeout(resolve, PATIENCE, null))]);
  const [best, other] = photo && photo.width * photo.height >= frame.width * frame.height ? [photo, frame] : [frame, photo];
  other?.close();
  return sendable(best);
}

async function photographed(track) {
  if (!("ImageCapture" in globalThis)) return null;
  const maker = new ImageCapture(track), { imageWidth, imageHeight } = await maker.getPhotoCapabilities();
  const most = imageWidth?.max && imageHeight?.max ? { imageWidth: imageWidth.max, imageHeight: imageHeight.max } : {};
  const blob = await maker.takePhoto(most).catch(() => maker.takePhoto());
  return createImageBitmap(blob, { imageOrientation: "from-image" });
}

// A file that somebody chose; null for what is no picture, or is an enormous one.
export async function chosen(file) {
  const size = await measured(file);
  if (!size || size.width * size.height > CHOSEN) return null;
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  return picture && sendable(picture);
}

async function sendable(picture) {
  const { width, height } = picture, scale = Math.min(1, Math.sqrt(SENT / (width * height)), LONGEST / Math.max(width, height));
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.floor(width * scale), height: Math.floor(height * scale) });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise(resolve => canvas.toBlob(resolve, "image/jpeg", 0.92));
  Object.assign(canvas, { width: 0, height: 0 });        // telephones have little memory for canvases
  return blob;
}
