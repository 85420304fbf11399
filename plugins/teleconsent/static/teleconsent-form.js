// A form: loaded in a language, drawn, and the SHA-256 of its text.

const plugin = new URL(import.meta.url).pathname.split("/")[3];
const MARKS = { h: "## ", li: "- ", p: "" };
const hex = bytes => [...new Uint8Array(bytes)].map(byte => byte.toString(16).padStart(2, "0")).join("");

export const sha256 = async data => hex(await crypto.subtle.digest("SHA-256", typeof data === "string" ? new TextEncoder().encode(data) : data));

// As forms.py writes it.
export const written = ({ title, blocks }) => [`# ${title}`, ...blocks.map(([kind, text]) => MARKS[kind] + text)].join("\n\n") + "\n";

// A page of the plugin as a document; null where it cannot be had.
function page(path, lang) {
  return new Promise(resolve => {
    const request = new XMLHttpRequest();
    request.open("GET", `/-/${plugin}/${path}`);
    if (lang) request.setRequestHeader("Accept-Language", lang);
    request.responseType = "document";
    request.onload = () => resolve(request.status === 200 ? request.response : null);
    request.onerror = () => resolve(null);
    request.send();
  });
}

// {said, fields}: what forms.said() gives, and the inputs. Null where it cannot be had, or is not what its hash says.
export async function load(form, version, lang) {
  const found = await page(`form/${encodeURIComponent(form)}${version ? `/${encodeURIComponent(version)}` : ""}`, lang);
  const data = found?.querySelector("[data-form]")?.dataset.form;
  if (!data) return null;
  const said = JSON.parse(data), fields = found.querySelector("[data-fields]");
  if (await sha256(written(said)) !== said.sha256) return null;
  return { said, fields: fields && document.importNode(fields, true) };
}

// [{form, version, title}]: those that a provider may ask for.
export async function list() {
  const found = await page("");
  return [...found?.querySelectorAll("[data-form-id]") ?? []].map(each => ({ form: each.dataset.formId, version: each.dataset.formVersion, title: each.textContent }));
}

export const picture = (said, n) => `/-/${plugin}/page/${encodeURIComponent(said.version)}/${n}`;

// The text as elements; each block knows its number. One that was a PDF is shown as its pages, and as text below.
export function draw(said, text, level = 4) {
  const words = blocks(said, level);
  if (!said.pages.length) return words;
  const all = document.createElement("div"), below = document.createElement("details");
  all.className = "teleconsent-pages";
  all.append(...said.pages.map(([width, height], n) => Object.assign(new Image(width, height), { src: picture(said, n), alt: text("Page {n} as a picture; its text is below", { n: n + 1 }) })), below);
  below.append(Object.assign(document.createElement("summary"), { textContent: text("The same as text") }), words);
  return all;
}

function blocks(said, level) {
  const text = document.createElement("div");
  text.className = "teleconsent-text";
  text.lang = said.lang;
  text.dir = "auto";
  let points = null;
  said.blocks.forEach(([kind, words], n) => {
    const block = Object.assign(document.createElement({ h: `h${level}`, li: "li", p: "p" }[kind]), { textContent: words });
    block.dataset.n = n;
    block.dir = "auto";
    if (kind !== "li") points = null;
    else if (!points) text.append(points = document.createElement("ul"));
    (points ?? text).append(block);
  });
  return text;
}
