// Parts: each <hc-part> imports its module and mounts it, by itself; one that throws shows its fallback and nothing else breaks.

import { host } from "./host.js";
import { page } from "./page.js";
import { closeSide } from "./surface.js";
import { text } from "./text.js";

const mounted = new Map(); // element -> {controller, end}
const newest = new Map();  // plugin -> the change that spoke of it last
let known = null;          // what rules() says

// A form of a part never sends the page away, whether its module listens or not.
document.addEventListener("submit", event => { if (event.target.closest("hc-part")) event.preventDefault(); });

// Mount every part below `root`. scope: see host.js; steps: the check-in's (steps.js), for parts that are one.
export function mount(root, scope, steps) {
  for (const element of root.querySelectorAll("hc-part")) if (!mounted.has(element)) start(element, scope, steps);
}

export function unmount(root) {
  for (const element of [...mounted.keys()]) if (root === element || root.contains(element)) stop(element);
}

async function start(element, scope, steps) {
  const { plugin, slot, module } = element.dataset, controller = new AbortController(), { signal } = controller;
  const entry = { controller, end: null };
  mounted.set(element, entry);
  if ("broken" in element.dataset) return fallback(element);
  if (!module) return;
  try {
    const { mount: begin } = await import(module);
    if (signal.aborted) return;
    if (typeof begin !== "function") throw new TypeError("its module exports no mount(host)");
    element.dataset.mounted = "";                         // shown from now on (base.css); what one does before would be lost
    entry.end = await begin(host({ element, plugin, slot, scope, signal, steps }));
    if (signal.aborted) quietly(plugin, entry.end);
  } catch (error) {
    if (signal.aborted && error?.name === "AbortError") return; // it ended while it began, and took what it waited for along
    console.warn(`${plugin} in ${slot}: ${error}`);
    controller.abort();
    if (element.isConnected) fallback(element);
  }
}

function stop(element) {
  const { controller, end } = mounted.get(element);
  mounted.delete(element);
  controller.abort();
  quietly(element.dataset.plugin, end);
  delete element.dataset.mounted;
}

function quietly(plugin, end) {
  if (typeof end !== "function") return;
  try {
    end();
  } catch (error) {
    console.warn(`${plugin}: ${error}`);
  }
}

function fallback(element) {
  element.dataset.broken = "";
  element.replaceChildren(Object.assign(document.createElement("p"), { className: "broken-part", textContent: text("This part could not be shown.") }));
}

// Plugins were switched on or off while the page is open. What is on comes from the page's own address, made anew.
// steps: the forms of a check-in, which the server makes for the visit of our ticket.
export async function follow({ on, off, steps = false }, placed) {
  const change = {};
  for (const plugin of [...on, ...off]) newest.set(plugin, change);
  for (const plugin of off) {
    if (document.getElementById("side")?.dataset.plugin === plugin) closeSide();
    for (const element of document.querySelectorAll(`hc-part[data-plugin="${plugin}"]`)) {
      if (mounted.has(element)) stop(element);
      element.remove();
    }
    for (const template of document.querySelectorAll("template")) for (const element of template.content.querySelectorAll(`hc-part[data-plugin="${plugin}"]`)) element.remove();
    delete page.parts[plugin];
    known = null;
  }
  if (!on.length && !steps) return placed();
  const fresh = await fetched();
  if (!fresh) return placed();                          // what is off is off; the next "welcome" finds what is still to come
  on = on.filter(plugin => newest.get(plugin) === change); // it may have been switched again meanwhile
  if (steps) {
    Object.assign(page, { steps: fresh.data.steps, errors: fresh.data.errors });
    document.getElementById("steps").replaceChildren(...[...fresh.page.getElementById("steps").children].map(each => document.importNode(each, true)));
  }
  Object.assign(page.parts, Object.fromEntries(on.map(id => [id, fresh.data.parts[id]]).filter(([, part]) => part)));
  known = null;
  Object.assign(page.words, fresh.data.words);
  for (const link of fresh.page.querySelectorAll('link[rel="stylesheet"]')) {
    if (!document.querySelector(`link[href="${link.getAttribute("href")}"]`)) document.head.append(document.importNode(link));
  }
  for (const [here, there] of pairs(fresh.page)) complete(here, there, on);
  placed();
}

// What has changed since this page was made, as `welcome` says.
export function behind(parts) {
  const here = Object.keys(page.parts).filter(id => id !== "core");
  const on = parts.filter(id => !here.includes(id)), off = here.filter(id => !parts.includes(id));
  return on.length || off.length ? { on, off } : null;
}

// What a slot of the fresh page has and this one has not, in the fresh page's order. on: of these plugins only.
export function complete(here, there, on = null) {
  const standing = new Map(numbered(here));
  let next = null;
  for (const [key, element] of numbered(there).reverse()) {
    if (standing.has(key)) next = standing.get(key);
    else if (!on || on.includes(element.dataset.plugin)) next = here.insertBefore(document.importNode(element, true), next);
  }
}
// The parts of a slot by plugin and number: a plugin may have several.
function numbered(slot) {
  const count = {};
  return [...slot.querySelectorAll("hc-part")].map(element => {
    const { plugin } = element.dataset;
    count[plugin] = (count[plugin] ?? 0) + 1;
    return [`${plugin} ${count[plugin]}`, element];
  });
}

// The slots of both pages: here and there, also inside templates.
function pairs(fresh) {
  const found = [];
  const look = (here, there) => {
    for (const slot of here.querySelectorAll("[data-slots]")) {
      const other = there.querySelector(`[data-slots="${slot.dataset.slots}"]`);
      if (other) found.push([slot, other]);
    }
  };
  look(document, fresh);
  for (const template of document.querySelectorAll("template[id]")) {
    const other = fresh.getElementById(template.id);
    if (other) look(template.content, other.content);
  }
  return found;
}

// This page as the server makes it now. An XMLHttpRequest, because it gives a document without a string on the way.
function fetched() {
  return new Promise(resolve => {
    const request = new XMLHttpRequest();
    request.open("GET", location.pathname);
    request.responseType = "document";
    request.onload = () => {
      const data = request.response?.getElementById("page")?.textContent;
      resolve(data ? { page: request.response, data: JSON.parse(data) } : null);
    };
    request.onerror = () => resolve(null);
    request.send();
  });
}

// The declared events of everything that is on, by full name.
export const rules = () => known ??= Object.assign({}, ...Object.values(page.parts).map(part => part.events));
