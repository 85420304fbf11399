// What the server told this page when it was made, and the few things that every page does with its own document.

export const page = JSON.parse(document.getElementById("page").textContent);

page.device = location.hash.match(/[#&]k=([\w-]{22})$/)?.[1]; // the practice's device that a link names (identity.js)
page.invite = location.hash.match(/[#&]i=([\w.-]+)/)?.[1]; // the one visit that a link is for (patient.js)

// A module that is needed later. Firefox keeps one that could not be loaded as such for as long as the page stands: its file is
// asked for first, and then comes out of the cache.
export async function late(name) {
  const { href } = new URL(name, import.meta.url);
  if (!(await fetch(href)).ok) throw Error(href);
  return import(href);
}

export const part = id => document.getElementById(id);

// Says something to people who listen to the page rather than look at it.
export function say(words) {
  part("said").textContent = words;
}

// Asks a question in a dialog of the page; answers the value of the button, or "" after Escape.
export function ask(dialog) {
  return new Promise(resolve => {
    dialog.returnValue = "";
    for (const button of dialog.querySelectorAll("button[value]")) button.onclick = () => dialog.close(button.value);
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
    dialog.showModal();
  });
}

// A file that is dropped where nobody takes it must not take the page away.
for (const type of ["dragover", "drop"]) addEventListener(type, event => {
  if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files") || event.target.closest?.("input[type=file]")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "none";
});
