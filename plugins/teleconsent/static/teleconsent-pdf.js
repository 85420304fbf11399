// The signed document, made in this browser. verify.py reads it: what is drawn here, and how, they have in common.

import { PDFDocument, PDFName, StandardFonts } from "./vendor/pdf-lib.js";
import { picture as address } from "./teleconsent-form.js";
import { Hidden, fits, picture, plain, rightToLeft, wrapped } from "./teleconsent-line.js";

const A4 = [595, 842], LETTER = [612, 792];
const LETTERS = /-(US|CA|MX|PH|CL|CO)$/; // where paper is Letter
const MARGIN = 56, FOOT = 64;            // pt
const PAD = 0.3;                         // pt for each unit of a drawn signature
const SOFT = 0.35;                       // gray

const n = value => String(Math.round(value * 100) / 100), n4 = value => String(Math.round(value * 1e4) / 1e4);

// Pages that are filled from above. `printed` is every line of them, as it was written.
class Pages {
  constructor(doc, fonts, lang) {
    Object.assign(this, { doc, fonts, lang, hidden: new Hidden(doc), all: [], printed: [], pictures: 0 });
    [this.width, this.height] = LETTERS.test(navigator.language) ? LETTER : A4;
    this.page();
  }
  page() {
    this.here = { node: this.doc.addPage([this.width, this.height]).node, content: [], lines: [] };
    this.all.push(this.here);
    this.y = this.height - MARGIN;
  }
  room(height) { if (this.y - height < FOOT) this.page(); }
  // A paragraph. font: regular, bold or script; mark: what stands before its first line.
  put(text, { size = 10.5, font = "regular", gray = 0, indent = 0, after = 6, mark = "", wide = this.width - 2 * MARGIN - indent } = {}) {
    const words = plain(text), own = this.fonts[font];
    const drawn = fits(words, own), lead = size * (drawn ? 1.38 : 1.75);
    const lines = wrapped(words, wide, size, drawn ? own : null, this.lang);
    for (const [i, line] of lines.entries()) {
      this.room(lead);
      this.y -= lead;
      if (mark && !i) this.line(mark, MARGIN + indent - 12, this.y, { size, font, gray });
      this.line(line, MARGIN + indent, this.y, { size, font, gray, wide });
    }
    this.y -= after;
  }
  // One line at its place; smaller where it would be wider than `wide`.
  line(text, x, y, { size, font, gray = 0, wide = 0 }) {
    const { content, lines, node } = this.here, own = this.fonts[font];
    lines.push(text);
    if (fits(text, own)) {
      const across = own.widthOfTextAtSize(text, size), fit = wide && across > wide ? wide / across : 1;
      node.setFontDictionary(PDFName.of(font), own.ref);
      content.push(`BT ${n(gray)} g /${font} ${n(size * fit)} Tf 1 0 0 1 ${n(x)} ${n(y)} Tm ${own.encodeText(text)} Tj ET`);
      return;
    }
    // What the standard fonts have no letters for: the browser's picture of it, and behind it the letters themselves.
    const { bytes, across, down, width, height, below } = picture(text, size, { bold: font === "bold", gray });
    const scale = wide && width > wide ? wide / width : 1, name = `Line${this.pictures += 1}`, right = rightToLeft(text) && wide ? x + wide - width * scale : x;
    const dict = { Type: "XObject", Subtype: "Image", Width: across, Height: down, ColorSpace: "DeviceGray", BitsPerComponent: 8 };
    node.setXObject(PDFName.of(name), this.doc.context.register(this.doc.context.flateStream(bytes, dict)));
    content.push(`q ${n(width * scale)} 0 0 ${n(height * scale)} ${n(right)} ${n(y - below * scale)} cm /${name} Do Q`);
    content.push(this.hidden.line(text, node, { x: right, y, width: width * scale, size: size * scale }));
  }
  // A rule, or a drawn signature: numbers of its own box, as the record has them.
  rule(x, y, width) { this.here.content.push(`q ${n(SOFT)} G 0.7 w ${n(x)} ${n(y)} m ${n(x + width)} ${n(y)} l S Q`); }
  strokes(strokes, x, top, scale = PAD) {
    const path = strokes.map(([a, b, ...rest]) => {
      const points = rest.length ? rest : [a + 1, b];
      return `${a} ${b} m ${points.map((value, i) => i % 2 ? `${value} l` : value).join(" ")} S`;
    });
    this.here.content.push(`/TeleconsentSignature BMC q ${n4(scale)} 0 0 ${n4(-scale)} ${n(x)} ${n(top)} cm 7 w 1 J 1 j 0.08 0.13 0.24 RG`, ...path, "Q EMC");
  }
  // The pages of a form that was a PDF, as pictures, with the signature where it is to stand.
  async sheets(said, { name, how, strokes }) {
    const wide = this.width - 72, high = this.height - 36 - FOOT;
    for (const [number, [across, down]] of said.pages.entries()) {
      if (number) this.page();
      const scale = Math.min(wide / across, high / down), [w, h] = [across * scale, down * scale], x = (this.width - w) / 2, y = this.height - 36 - h;
      const png = await this.doc.embedPng(await (await fetch(address(said, number))).arrayBuffer());
      this.here.node.setXObject(PDFName.of(`Page${number}`), png.ref);
      this.here.content.push(`q ${n(w)} 0 0 ${n(h)} ${n(x)} ${n(y)} cm /Page${number} Do Q`);
      for (const [, left, top] of said.places.filter(([page]) => page === number)) {
        if (how === "drawn") this.strokes(strokes, x + left * w, y + h - top * h, w * .34 / 1000);
        else this.line(plain(name), x + left * w, y + h - top * h - 24, { size: 18, font: "script", wide: w * .34 });
      }
    }
    this.page();
  }
  end(foot) {
    this.all.forEach((page, i) => {
      this.here = page;
      foot.forEach((words, row) => this.line(plain(words(i + 1, this.all.length)), MARGIN, 40 - row * 11, { size: 7.5, font: "regular", gray: SOFT, wide: this.width - 2 * MARGIN }));
      page.node.set(PDFName.of("Contents"), this.doc.context.register(this.doc.context.flateStream(page.content.join("\n"))));
    });
    this.hidden.end();
    this.printed = this.all.map(({ lines }) => lines);
  }
}

// said: the form; signers: [{label, name, how, strokes}]; answers: [[label, value]]; at: the moment. Answers its bytes.
export async function make({ said, signers, answers, providers, text, at, progress = () => {} }) {
  const doc = await PDFDocument.create();
  const fonts = {
    regular: await doc.embedFont(StandardFonts.Helvetica),
    bold: await doc.embedFont(StandardFonts.HelveticaBold),
    script: await doc.embedFont(StandardFonts.TimesRomanItalic),
  };
  const pages = new Pages(doc, fonts, said.lang), zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const local = plain(`${new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "long" }).format(at)} (${zone})`), utc = at.toISOString().replace(/\.\d+Z/, "Z");
  if (said.pages.length) await pages.sheets(said, signers[0]);
  pages.put(said.title, { size: 18, font: "bold", after: 4 });
  pages.put([said.practice, ...providers.length ? [text("with {names}", { names: providers.join(", ") })] : [], text("version {version}", { version: said.version })].join(" · "), { gray: SOFT, after: 12 });
  said.blocks.forEach(([kind, words], i) => {
    if (kind === "h") {
      pages.room(60);
      pages.y -= 6;
      pages.put(words, { size: 12.5, font: "bold", after: 4 });
    } else if (kind === "li") pages.put(words, { indent: 14, mark: "•", after: 3 });
    else pages.put(words);
    progress(i / said.blocks.length);
  });
  if (answers.length) {
    pages.room(80);
    pages.y -= 6;
    pages.put(text("What was filled in"), { size: 12.5, font: "bold", after: 4 });
    for (const [label, value] of answers) {
      pages.room(40);
      pages.put(label, { font: "bold", after: 0 });
      pages.put(value || "–", { after: 6 });
    }
  }
  for (const { label, name, how, strokes } of signers) {
    pages.room(210);
    pages.y -= 12;
    pages.put(label, { font: "bold", after: 4 });
    const top = pages.y;
    pages.y -= 300 * PAD;
    if (how === "drawn") pages.strokes(strokes, MARGIN, top);
    else pages.line(plain(name), MARGIN + 6, pages.y + 10, { size: 24, font: "script", wide: 1000 * PAD - 12 });
    pages.rule(MARGIN, pages.y, 1000 * PAD);
    pages.put(name, { after: 0, wide: 1000 * PAD });
    pages.put(how === "drawn" ? text("Signed by hand on the screen") : text("Signed by the typed name"), { gray: SOFT, after: 0 });
    pages.put(local, { gray: SOFT, after: 0 });
    pages.put(utc, { gray: SOFT, after: 6 });
  }
  pages.room(70);
  pages.y -= 8;
  pages.put(text("About this document"), { font: "bold", after: 2 });
  pages.put(text("It was made in the browser of the person who signed, and given to the provider's; the practice's server did not keep it. Title and text, up to what was filled in, have this SHA-256:"), { gray: SOFT, after: 2 });
  pages.put(said.sha256, { gray: SOFT });
  pages.end([(page, of) => text("Page {page} of {of}", { page, of }), () => `SHA-256 ${said.sha256}`]);
  const record = { housecall: 1, form: { ...said, fields: undefined, signers: undefined }, answers, providers, signers, at: utc, zone, local, printed: pages.printed };
  const when = { creationDate: at, modificationDate: at };
  await doc.attach(new TextEncoder().encode(JSON.stringify(record)), "consent.json", { mimeType: "application/json", description: "What was signed, for housecall verify-consent", ...when });
  doc.setTitle(said.title);
  doc.setLanguage(said.lang);
  doc.setProducer("Housecall");
  doc.setCreator("Housecall");
  doc.setCreationDate(at);
  doc.setModificationDate(at);
  return doc.save({ useObjectStreams: false, addDefaultPage: false });
}
