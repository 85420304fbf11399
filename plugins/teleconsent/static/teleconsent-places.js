// Where to sign on the pages of a PDF: places are put with a press, moved with the pointer or the arrow keys.

const WIDE = .34, HIGH = .07, STEP = .01;   // parts of a page
const field = document.getElementById("teleconsent-places"), sample = document.getElementById("teleconsent-place");

const keep = () => {
  field.value = JSON.stringify([...document.querySelectorAll(".teleconsent-place")].map(({ dataset }) => [Number(dataset.page), Number(dataset.x), Number(dataset.y)]));
};
const into = (value, most) => Math.min(Math.max(value, 0), most);
const move = (place, x, y) => {
  Object.assign(place.dataset, { x: into(x, 1 - WIDE).toFixed(4), y: into(y, 1 - HIGH).toFixed(4) });
  Object.assign(place.style, { left: `${place.dataset.x * 100}%`, top: `${place.dataset.y * 100}%` });
  keep();
};

for (const figure of document.querySelectorAll(".teleconsent-page")) {
  const sheet = figure.querySelector(".teleconsent-sheet");
  const put = (x, y) => {
    const place = sample.content.firstElementChild.cloneNode(true);
    place.dataset.page = figure.dataset.page;
    sheet.append(place);
    move(place, x, y);
    place.focus();
    return place;
  };
  const at = event => {
    const box = sheet.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  figure.querySelector("[data-add]").addEventListener("click", () => put(.1, .8));
  let held = null;
  sheet.addEventListener("pointerdown", event => {
    event.preventDefault();
    const [x, y] = at(event), place = event.target.closest(".teleconsent-place") ?? put(x - WIDE / 2, y - HIGH / 2);
    place.focus();
    held = { place, x: x - place.dataset.x, y: y - place.dataset.y };
    sheet.setPointerCapture(event.pointerId);
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
    place.remove();
    keep();
    figure.querySelector("[data-add]").focus();
  });
}
