// Words of the interface: written in English where they are used, shown in the visitor's language.

import { page } from "./page.js";

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (all, name) => name in values ? values[name] : all);

// text("Hello {name}", {name}): the first argument is always a literal, so that the catalogue can find it.
export function text(english, values = {}) {
  return fill(page.words?.[english] ?? english, values);
}

// count(n, "1 person", "{n} people")
export function count(n, one, many) {
  const english = n === 1 ? one : many;
  return fill(page.words?.[english] ?? english, { n });
}
