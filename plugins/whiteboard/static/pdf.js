// A page of a PDF as a picture. PDF.js reads the file in a worker, which is ended when it takes too long.

import { failed, loaded, make } from "./make.js";

const PATIENCE = 30_000;              // ms for each step: opening the file, finding a page, drawing it
const BITMAP = 40_000_000;            // pixels of a picture in the file

const within = async step => {
  let timer = 0;
  try {
    return await Promise.race([step, new Promise((_, reject) => { timer = setTimeout(() => reject(failed("slow")), PATIENCE); })]);
  } finally {
    clearTimeout(timer);
  }
};

// A canvas, or null where no page was chosen.
export async function fromPdf(file, host, side) {
  const { PDFWorker, getDocument } = await loaded(host, "./vendor/pdf.js");
  await host.trust();
  const port = new Worker(new URL("vendor/pdf-worker.js", import.meta.url).href, { type: "module" });
  try {
    const worker = new PDFWorker({ port, verbosity: 0 });
    const options = { data: new Uint8Array(await file.arrayBuffer()), worker, verbosity: 0, maxImageSize: BITMAP, enableXfa: false, isEvalSupported: false, useWasm: false };
    const pages = await within(getDocument(options).promise);
    const page = async n => drawn(await within(pages.getPage(n)), side);
    return pages.numPages === 1 ? await page(1) : await choose(host, pages.numPages, page);
  } catch (error) {
    throw error.name === "PasswordException" ? failed("locked") : error;
  } finally {
    port.terminate();
  }
}

async function drawn(page, side) {
  const { width, height } = page.getViewport({ scale: 1 });
  if (!(Math.max(width / height, height / width) <= 4)) throw failed("shape"); // also of a side that is no number
  const viewport = page.getViewport({ scale: side / Math.max(width, height) });
  const canvas = make("canvas", { width: Math.round(viewport.width), height: Math.round(viewport.height) });
  const drawing = page.render({ canvasContext: canvas.getContext("2d"), viewport, background: "#ffffff" });
  try {
    await within(drawing.promise);
  } catch (error) {
    drawing.cancel();                                    // a page may go on for ever, here and in the worker
    throw error;
  }
  return canvas;
}

// Somebody turns the pages and takes one.
async function choose({ text, ui }, count, page) {
  const body = make("div", { className: "whiteboard-page" }), view = make("div"), field = make("input", { type: "number", min: 1, max: count, value: "1", "aria-label": text("Page") });
  let shown = null;
  const turn = async () => {
    const n = Math.max(1, Math.min(count, Math.round(Number(field.value)) || 1)), mine = shown = page(n);
    const canvas = await mine.catch(() => null);         // said when it is taken
    canvas?.setAttribute("role", "img");
    canvas?.setAttribute("aria-label", text("Page {n} of {count}", { n, count }));
    if (shown === mine) view.replaceChildren(...canvas ? [canvas] : []);
  };
  const by = step => {
    field.value = String(Math.max(1, Math.min(count, Number(field.value) + step)));
    turn();
  };
  const button = (words, step) => Object.assign(make("button", { type: "button", className: "button quiet" }, words), { onclick: () => by(step) });
  field.onchange = turn;
  body.append(view, make("div", { className: "row" }, button(text("Back"), -1), make("label", {}, field, " ", text("of {count}", { count })), button(text("Next"), 1)));
  turn();
  const answer = await ui.dialog({ title: text("Which page?"), body, buttons: [{ value: "", label: text("Cancel") }, { value: "take", label: text("Put it on the board"), kind: "primary" }] });
  return answer === "take" ? shown : null;
}
