// Files, given to the other side while waiting and in the call. This much a page has until somebody uses it.

const LISTENS = ["waiting.aside", "dashboard.card", "call.bar"]; // of the parts of one page, those that take what comes
const here = [];                                                 // of those, the ones that are there now, the newest last
const owed = [];                                                 // [visit, step]: what came while a visit had none of them, as when its call begins
let desk = null;                                                 // files-desk.js, once it is used

function used(host) {
  desk ??= host.load("./files-desk.js");
  desk.catch(() => { desk = null; });                            // without the server: the next one tries again
  return desk;
}

export function mount(host) {
  const { root, signal, slot } = host, { id } = host.visit, whole = root.firstElementChild, running = () => ["in_call", "paused"].includes(host.visit.state);
  const newest = () => here.findLast(each => each.visit.id === id);
  // A part may have gone before the first file is chosen, or before all is loaded: another one goes on.
  const at = step => used(host).then(({ join }) => {
    const live = signal.aborted ? newest() : host;
    return live ? step(join(live)) : void owed.push([id, step]);
  });
  const input = root.querySelector(".files-input"), wire = (query, event, step) => root.querySelector(query)?.addEventListener(event, step, { signal });
  const never = () => host.ui.notice(host.text("Files cannot be opened at the moment. Try again in a few seconds."));
  const press = step => at(step).catch(never);
  const give = files => {
    const list = [...files];
    if (signal.aborted && !newest()) never();
    else press(all => all.send(list));
  };

  if (LISTENS.includes(slot)) {
    here.push(host);
    signal.addEventListener("abort", () => here.splice(here.indexOf(host), 1));
    host.channel.incoming("file", come => at(all => all.come(come)));
    host.channel.on("ask", ({ data }) => press(all => all.asked(data)));
    host.channel.on("later", () => { if (newest() === host) press(all => all.later()); });
    if (slot === "call.bar" || (slot === "waiting.aside" && host.settings.waiting)) drops(document, document.body, signal, give);
    else if (host.settings.waiting) drops(root, whole, signal, give);
    for (const each of owed.filter(([visit]) => visit === id)) {
      owed.splice(owed.indexOf(each), 1);
      press(each[1]);
    }
  }
  if (input) input.onchange = () => {                            // also when this part has gone meanwhile: choosing takes long
    if (input.files.length) give(input.files);
    input.value = "";
  };
  wire(".files-pick", "click", () => input.click());
  wire(".files-ask", "click", () => press(all => all.ask()));
  if (slot === "call.bar") wire("button", "click", () => host.ui.panel.toggle());
  if (slot === "call.side") root.addEventListener("shown", () => press(all => all.draw()), { signal });
  if (slot === "dashboard.card") whole.addEventListener("toggle", () => press(all => all.draw()), { signal });
  if (slot === "waiting.aside" || slot === "dashboard.card") {
    const draw = () => { whole.hidden = !host.settings.waiting || running(); };
    host.visit.on("change", draw);
    draw();
  }
  if (desk) at(all => all.draw());                               // it has been used before this part was shown
}

const files = event => event.dataTransfer?.types.includes("Files");

function drops(place, shown, signal, give) {
  const over = is => shown.classList.toggle("files-over", is);
  place.addEventListener("dragover", event => {
    if (!files(event)) return;
    event.preventDefault();
    event.stopPropagation();                                     // of a card: not what the page itself would take
    over(true);
  }, { signal });
  place.addEventListener("dragleave", event => { if (!event.relatedTarget || !shown.contains(event.relatedTarget)) over(false); }, { signal });
  place.addEventListener("drop", event => {
    if (!files(event)) return;
    event.preventDefault();
    event.stopPropagation();
    over(false);
    const folders = [...event.dataTransfer.items].map(item => item.webkitGetAsEntry?.()?.isDirectory);
    const list = [...event.dataTransfer.files].filter((_, i) => !folders[i]);
    if (list.length) give(list);
  }, { signal });
  signal.addEventListener("abort", () => over(false));
}
