// What the first bytes of a file say of the picture in it, before anything decodes it: a small file may claim to be enormous.

export const SENT = 16_777_216;   // pixels of a photo that is sent: what the canvas of a telephone holds
export const CHOSEN = 64_000_000; // pixels of a picture that is chosen

const BEGINNING = 4 * 1024 * 1024; // bytes among which the size stands

// {type, width, height}; null for what is neither JPEG nor PNG nor WebP.
export async function measured(blob) {
  const bytes = new DataView(await blob.slice(0, BEGINNING).arrayBuffer());
  try {
    const found = jpeg(bytes) ?? png(bytes) ?? webp(bytes);
    return found?.width > 0 && found.height > 0 ? found : null;
  } catch (error) {
    if (error instanceof RangeError) return null;        // it ends before it says so
    throw error;
  }
}

const text = (bytes, at) => String.fromCharCode(...[0, 1, 2, 3].map(i => bytes.getUint8(at + i)));

// A chain of segments; that of the frame (SOF) tells the size.
function jpeg(bytes) {
  if (bytes.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; bytes.getUint8(at) === 0xff; at += 2 + bytes.getUint16(at + 2)) {
    while (bytes.getUint8(at + 1) === 0xff) at += 1;     // filling
    const marker = bytes.getUint8(at + 1);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { type: "image/jpeg", height: bytes.getUint16(at + 5), width: bytes.getUint16(at + 7) };
    }
    if (marker === 0xda || marker === 0xd9) return null; // the picture itself, or the end
  }
  return null;
}

function png(bytes) {
  if (bytes.getUint32(0) !== 0x89504e47 || text(bytes, 12) !== "IHDR") return null;
  return { type: "image/png", width: bytes.getUint32(16), height: bytes.getUint32(20) };
}

function webp(bytes) {
  if (text(bytes, 0) !== "RIFF" || text(bytes, 8) !== "WEBP") return null;
  const type = "image/webp", kind = text(bytes, 12), three = at => bytes.getUint16(at, true) + bytes.getUint8(at + 2) * 65536;
  if (kind === "VP8X") return { type, width: three(24) + 1, height: three(27) + 1 };
  if (kind === "VP8 ") return { type, width: bytes.getUint16(26, true) & 0x3fff, height: bytes.getUint16(28, true) & 0x3fff };
  const bits = bytes.getUint32(21, true);
  return kind === "VP8L" ? { type, width: (bits & 0x3fff) + 1, height: (bits >> 14 & 0x3fff) + 1 } : null;
}
