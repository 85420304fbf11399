// Elements, as the board's modules make them, and what they load when it is wanted.

const SVG = "http://www.w3.org/2000/svg";

export function make(tag, { className = "", ...given } = {}, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, value] of Object.entries(given)) name in made ? made[name] = value : made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function icon(path) {
  const made = document.createElementNS(SVG, "svg"), line = document.createElementNS(SVG, "path");
  for (const [name, value] of Object.entries({ class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" })) made.setAttribute(name, value);
  line.setAttribute("d", path);
  made.append(line);
  return made;
}

export const failed = code => Object.assign(new Error(code), { code });

// A module of ours; "unloaded" where the server does not give it.
export const loaded = (host, name) => host.load(name).catch(() => { throw failed("unloaded"); });
