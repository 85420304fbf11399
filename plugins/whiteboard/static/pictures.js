// The pictures behind the marks: told apart by their hash, asked for from whoever has them, and looked at with care.


const MOST = 900_000;          // bytes of one picture, as plugin.toml says of the transfer
const KEPT = 8;                // pictures
const AGAIN = 6000;            // ms in which nothing comes, until somebody else is asked
const TRIES = 4;               // for a picture that nobody sees now
const LARGEST = 2000;          // px of a side

export class Pictures {
  // changed(): a picture has come
  constructor(host, changed) {
    Object.assign(this, { host, changed, held: new Map(), giving: new Set(), lost: new Set(), near: [], coming: null });
    host.channel.incoming("picture", arrival => this.come(arrival));
    host.signal.addEventListener("abort", () => clearTimeout(this.timer));
  }
  of(ground) { return this.veiled(ground) ? null : this.held.get(ground.picture)?.bitmap ?? null; }
  needs(ground) { return Boolean(ground.picture) && !this.held.has(ground.picture); }
  // Whoever sits behind a curtain sees no pictures.
  veiled(ground) { return Boolean(ground.picture) && this.host.visit.seats.some(({ id, curtain }) => id === this.host.me.id && curtain); }

  // A canvas of our own, as a picture for all.
  async keep(canvas) {
    if (Math.max(canvas.width / canvas.height, canvas.height / canvas.width) > 4) throw Object.assign(new Error("shape"), { code: "shape" });
    let blob = null;
    for (const quality of [0.9, 0.75, 0.5, 0.3]) {
      blob = await new Promise(resolve => canvas.toBlob(resolve, "image/jpeg", quality));
      if (blob.size <= MOST) break;
    }
    const bytes = new Uint8Array(await blob.arrayBuffer()), picture = await hash(bytes);
    this.hold(picture, { blob, bitmap: await createImageBitmap(blob) });
    return { picture, w: canvas.width, h: canvas.height };
  }
  hold(picture, found) {
    this.held.set(picture, found);
    for (const old of this.held.keys()) if (this.held.size > KEPT && old !== picture && !this.near.includes(old)) this.held.delete(old);
  }

  // Ask for what is not here: the picture behind the marks, which comes first, then those that Undo may bring back.
  want(grounds) {
    const near = grounds.slice(0, KEPT), [now] = near;
    this.near = near.map(({ picture }) => picture);
    const ground = near.find(each => this.needs(each) && (each === now || !this.lost.has(each.picture)));
    if (!ground || this.veiled(ground) || this.coming?.picture === ground.picture) return;
    this.coming = { picture: ground.picture, who: ground.who, now: ground === now, tries: 0 };
    this.again();
  }
  // Its author is asked first, then whoever else is there.
  again() {
    const { coming } = this, { visit, me, channel } = this.host;
    clearTimeout(this.timer);
    if (!coming) return;
    if (!coming.now && coming.tries >= TRIES) {
      this.lost.add(coming.picture);
      this.coming = null;
      return this.changed();
    }
    const others = visit.seats.filter(({ id, member, present }) => present && id !== me.id && member !== me.id);
    others.sort((a, b) => Number([b.id, b.member].includes(coming.who)) - Number([a.id, a.member].includes(coming.who)));
    const seat = others[coming.tries % others.length];
    coming.tries += 1;
    if (seat) channel.send("want", { picture: coming.picture }, { to: seat.id }).catch(() => {});
    this.timer = setTimeout(() => this.again(), AGAIN);
  }
  // To a seat that asks, unless it sits behind a curtain.
  async give(picture, to) {
    const held = this.held.get(picture), seat = this.host.visit.seats.find(({ id, member }) => id === to || member === to), mark = `${picture} ${to}`;
    if (!held || !seat || seat.curtain || this.giving.has(mark)) return;
    this.giving.add(mark);
    try {
      await this.host.channel.deliver("picture", held.blob, { to: seat.id, head: { picture }, signal: this.host.signal });
    } catch {
      // whoever wants it asks again
    }
    this.giving.delete(mark);
  }
  // Something comes: only what we have asked for is taken.
  async come({ head, save, cancel }) {
    const { coming } = this, patient = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.again(), AGAIN);
    };
    if (!coming || head.picture !== coming.picture) return cancel("refused");
    patient();
    const found = await save(null, patient).then(blob => checked(blob, coming.picture)).catch(() => null);
    if (this.coming !== coming || this.host.signal.aborted) return found?.bitmap.close();
    if (!found) return patient();
    clearTimeout(this.timer);
    this.coming = null;
    this.hold(coming.picture, found);
    this.changed();
  }
}

// What came, if it is the JPEG that was promised, and none that grows beyond measure.
async function checked(blob, picture) {
  const bytes = new Uint8Array(await blob.arrayBuffer()), size = sizeOf(bytes);
  if (await hash(bytes) !== picture || !size || Math.max(...size) > LARGEST) throw new Error("no such picture");
  return { blob, bitmap: await createImageBitmap(new Blob([bytes], { type: "image/jpeg" })) };
}

async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
}

// Width and height of a JPEG, read before it is unpacked.
export function sizeOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 < bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker < 0xff00) return null;
    if (marker >= 0xffc0 && marker <= 0xffc2) return [view.getUint16(at + 7), view.getUint16(at + 5)];
  }
  return null;
}
