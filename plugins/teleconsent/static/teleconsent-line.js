// A line of text in any script: by the fonts that every reader has, or as the browser's picture with its letters behind it.

import { PDFName } from "./vendor/pdf-lib.js";

const SCALE = 4;       // pixels to a pt: 288 to the inch
const ABOVE = 1.3, BELOW = .55;  // of a picture, in sizes of its letters: marks stand high and low
const CODES = 255;     // letters of one hidden font

const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/, STRONG = /\p{L}/u, DIGIT = /\p{Nd}/u;
const space = /[\u00a0\u2000-\u200a\u202f\u205f\u3000\t]/g, unseen = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

// As it is drawn and as it is found again: one line, in one form, without signs that only steer.
export const plain = text => String(text).normalize("NFC").replace(/[\r\n]+/g, " ").replace(space, " ").replace(unseen, "").trim();

export const fits = (text, font) => {
  font.known ??= new Set(font.getCharacterSet());
  return [...text].every(letter => font.known.has(letter.codePointAt(0)));
};

export const rightToLeft = text => RTL.test([...text].find(letter => STRONG.test(letter)) ?? "");

// Letters from left to right as they are seen, which is how a PDF has them and what its readers turn back: as `visual`
// in verify.py. Runs of the other direction stand in it turned round.
export function visual(text) {
  const letters = [...text], base = rightToLeft(text) ? "R" : "L", out = [];
  const side = letter => DIGIT.test(letter) ? "L" : RTL.test(letter) ? "R" : STRONG.test(letter) ? "L" : "";
  for (let i = 0; i < letters.length; i++) {
    let end = i;
    if (side(letters[i]) && side(letters[i]) !== base) {
      for (let j = i; j < letters.length && side(letters[j]) !== base; j++) if (side(letters[j])) end = j;
    }
    out.push(letters.slice(i, end + 1).reverse());
    i = end;
  }
  return base === "R" ? out.reverse().flatMap(run => run.reverse()) : out.flat();
}

const pen = () => {
  const canvas = document.createElement("canvas");
  return canvas.getContext("2d", { willReadFrequently: true });
};
const face = (size, bold) => `${bold ? "bold " : ""}${size}px ${getComputedStyle(document.body).fontFamily}`;

// The lines of a paragraph that is at most `wide` pt. font: null for one that becomes pictures.
export function wrapped(text, wide, size, font, lang) {
  const ruler = font ? null : Object.assign(pen(), { font: face(size * SCALE, false) });
  const length = words => font ? font.widthOfTextAtSize(words, size) : ruler.measureText(words).width / SCALE;
  const parts = !font && Intl.Segmenter ? [...new Intl.Segmenter(lang, { granularity: "word" }).segment(text)].map(({ segment }) => segment) : text.split(/(?<= )/);
  const lines = [];
  let line = "";
  for (let part of parts) {
    if (line && length((line + part).trimEnd()) > wide) {
      lines.push(line.trim());
      line = "";
    }
    while (!line && length(part.trimEnd()) > wide) {       // a word that is longer than the line
      let cut = [...part].length - 1;
      while (cut > 1 && length([...part].slice(0, cut).join("")) > wide) cut -= 1;
      lines.push([...part].slice(0, cut).join(""));
      part = [...part].slice(cut).join("");
    }
    line += part;
  }
  if (line.trim()) lines.push(line.trim());
  return lines;
}

// {bytes: one gray value for each pixel, across, down; width, height, below: in pt}
export function picture(text, size, { bold = false, gray = 0 } = {}) {
  const context = pen(), { canvas } = context, font = face(size * SCALE, bold), rtl = rightToLeft(text);
  context.font = font;
  canvas.width = Math.max(1, Math.ceil(context.measureText(text).width) + 2);
  canvas.height = Math.ceil(size * (ABOVE + BELOW) * SCALE);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const shade = Math.round(gray * 255);
  Object.assign(context, { font, fillStyle: `rgb(${shade} ${shade} ${shade})`, direction: rtl ? "rtl" : "ltr", textAlign: rtl ? "right" : "left", textBaseline: "alphabetic" });
  context.fillText(text, rtl ? canvas.width - 1 : 1, Math.round(size * ABOVE * SCALE));
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height), bytes = new Uint8Array(data.length / 4);
  for (let i = 0; i < bytes.length; i++) bytes[i] = data[i * 4];
  return { bytes, across: canvas.width, down: canvas.height, width: canvas.width / SCALE, height: canvas.height / SCALE, below: canvas.height / SCALE - Math.round(size * ABOVE * SCALE) / SCALE };
}

// Letters that nobody sees, so that a line which is a picture can be searched, copied and read aloud. Fonts of kind
// Type 3 whose glyphs are empty: they need no file, and each knows by its ToUnicode which letter it stands for.
export class Hidden {
  constructor(doc) { Object.assign(this, { doc, codes: new Map(), fonts: [] }); }
  // Which font, and which code in it.
  code(letter) {
    if (!this.codes.has(letter)) {
      const number = this.codes.size, at = Math.floor(number / CODES);
      this.fonts[at] ??= { ref: this.doc.context.nextRef(), letters: [] };
      this.fonts[at].letters.push(letter);
      this.codes.set(letter, [at, number % CODES + 1]);
    }
    return this.codes.get(letter);
  }
  line(text, node, { x, y, width, size }) {
    const letters = visual(text), wide = width / (letters.length * size * .5) * 100, shown = [];
    for (const letter of letters) {
      const [at, code] = this.code(letter), last = shown.at(-1);
      node.setFontDictionary(PDFName.of(`Hidden${at}`), this.fonts[at].ref);
      if (last?.at === at) last.hex += code.toString(16).padStart(2, "0");
      else shown.push({ at, hex: code.toString(16).padStart(2, "0") });
    }
    const round = value => Math.round(value * 100) / 100;
    const runs = shown.map(({ at, hex }) => `/Hidden${at} ${round(size)} Tf <${hex}> Tj`).join(" ");
    return `q BT ${round(wide)} Tz 1 0 0 1 ${round(x)} ${round(y)} Tm ${runs} ET Q`;
  }
  end() {
    const { context } = this.doc;
    if (!this.fonts.length) return;
    const empty = context.register(context.stream("500 0 d0"));
    for (const { ref, letters } of this.fonts) {
      const names = letters.map((_, i) => `letter${i + 1}`);
      const lines = letters.map((letter, i) => `<${(i + 1).toString(16).padStart(2, "0")}> <${[...Array(letter.length).keys()].map(at => letter.charCodeAt(at).toString(16).padStart(4, "0")).join("")}>`);
      const blocks = [];
      for (let i = 0; i < lines.length; i += 100) blocks.push(`${Math.min(100, lines.length - i)} beginbfchar\n${lines.slice(i, i + 100).join("\n")}\nendbfchar`);
      const map = `/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Letters def\n/CMapType 2 def\n1 begincodespacerange\n<00> <ff>\nendcodespacerange\n${blocks.join("\n")}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend`;
      context.assign(ref, context.obj({
        Type: "Font", Subtype: "Type3", FontBBox: [0, 0, 500, 1000], FontMatrix: [.001, 0, 0, .001, 0, 0],
        CharProcs: Object.fromEntries(names.map(name => [name, empty])),
        Encoding: { Type: "Encoding", Differences: [1, ...names] },
        FirstChar: 1, LastChar: letters.length, Widths: letters.map(() => 500), Resources: {},
        ToUnicode: context.register(context.flateStream(map)),
      }));
    }
  }
}
