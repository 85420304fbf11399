// Where to sign on the pages of a PDF: places are put with a press, moved with the pointer or the arrow keys, taken away.

const WIDE = .34, HIGH = .07, STEP = .01;   // parts of a page
const MOST = 20;                            // places that the server takes
const field = document.getElementById("teleconsent-places"), sample = document.getElementById("teleconsent-place"), full = document.getElementById("teleconsent-full");

const keep = () => {
  field.value = JSON.stringify([...document.querySelectorAll(".teleconsent-place")].map(({ dataset }) => [Number(dataset.page), Number(dataset.x), Number(dataset.y)]));
};
const into = (value, most) => Math.min(Math.max(value, 0), most);
const move = (place, x, y) => {
  Object.assign(place.dataset, { x: into(x, 1 - WIDE).toFixed(4), y: into(y, 1 - HIGH).toFixed(4) });
  Object.assign(place.parentElement.style, { left: `${place.dataset.x * 100}%`, top: `${place.dataset.y * 100}%` });
  place.parentElement.classList.toggle("low", place.dataset.y > .5); // its button stands above it: on the page, too
  keep();
};

for (const figure of document.querySelectorAll(".teleconsent-page")) {
  const sheet = figure.querySelector(".teleconsent-sheet");
  const put = (x, y) => {
    full.hidden = document.querySelectorAll(".teleconsent-place").length < MOST;
    if (!full.hidden) return null;
    const mark = sample.content.firstElementChild.cloneNode(true), place = mark.querySelector(".teleconsent-place");
    mark.querySelector("[data-away]").addEventListener("click", () => away(mark));
    place.dataset.page = figure.dataset.page;
    sheet.append(mark);
    move(place, x, y);
    place.focus();
    return place;
  };
  const away = mark => {
    mark.remove();
    full.hidden = true;
    keep();
    figure.querySelector("[data-add]").focus({ preventScroll: true });
  };
  const at = event => {
    const box = sheet.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  figure.querySelector("[data-add]").addEventListener("click", () => put(.1, .8));
  let held = null, pressed = false;
  // A finger that comes down may be about to scroll: only what becomes a click was a press. A mouse puts and drags at once.
  sheet.addEventListener("pointerdown", event => {
    pressed = false;
    if (event.button || event.target.closest("[data-away]")) return;
    const [x, y] = at(event), found = event.target.closest(".teleconsent-place");
    if (!found && event.pointerType !== "mouse") return;
    event.preventDefault();
    pressed = true;
    const place = found ?? put(x - WIDE / 2, y - HIGH / 2);
    if (!place) return;
    place.focus();
    held = { place, x: x - place.dataset.x, y: y - place.dataset.y };
    sheet.setPointerCapture(event.pointerId);
  });
  sheet.addEventListener("click", event => {
    if (pressed || event.target.closest(".teleconsent-mark")) return;
    const [x, y] = at(event);
    put(x - WIDE / 2, y - HIGH / 2);
  });
  sheet.addEventListener("pointermove", event => {
    if (!held) return;
    const [x, y] = at(event);
    move(held.place, x - held.x, y - held.y);
  });
  for (const end of ["pointerup", "pointercancel"]) sheet.addEventListener(end, () => { held = null; });
  sheet.addEventListener("keydown", event => {
    const place = event.target.closest(".teleconsent-place"), { x, y } = place?.dataset ?? {};
    const [dx, dy] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [];
    if (!place || (dx === undefined && event.key !== "Delete" && event.key !== "Backspace")) return;
    event.preventDefault();
    if (dx !== undefined) return move(place, Number(x) + dx, Number(y) + dy);
    away(place.parentElement);
  });
}
