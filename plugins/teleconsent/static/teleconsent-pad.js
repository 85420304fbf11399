// A signature: drawn with mouse, pen or finger, or the typed name, which is the way by keyboard.

const WIDE = 1000, HIGH = 300;   // of the box in which strokes are kept, whatever the screen
const MOST = 2400;               // points of a signature
const SOFT = 4;                  // units that a pen moves before a point is kept

// {element, value(), wrong(), ready}; signer: {id, label, required}; text: host.text
export function pad(signer, text) {
  const id = `teleconsent-${signer.id}-${crypto.randomUUID().slice(0, 8)}`, strokes = [];
  const made = (name, given = {}, ...inside) => {
    const element = Object.assign(document.createElement(name), given);
    element.append(...inside);
    return element;
  };
  const name = made("input", { id: `${id}-name`, maxLength: 120, autocomplete: "name", required: signer.required });
  const error = made("p", { className: "error", id: `${id}-error`, hidden: true });
  const canvas = made("canvas", { width: WIDE, height: HIGH, className: "teleconsent-pad" });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", text("Field for a drawn signature: draw with mouse or finger, or choose the typed name"));
  const clear = made("button", { type: "button", className: "link", textContent: text("Draw again") });
  const typed = made("p", { className: "teleconsent-typed", id: `${id}-typed` });
  const ways = [["drawn", text("Draw")], ["typed", text("Use my typed name")]].map(([value, label], i) => {
    const input = made("input", { type: "radio", name: `${id}-how`, id: `${id}-how-${value}`, value, checked: i === 0 });
    return made("div", { className: "tick" }, input, made("label", { htmlFor: input.id, textContent: label }));
  });
  const how = () => element.querySelector(`[name="${id}-how"]:checked`).value;
  const drawing = made("div", { className: "teleconsent-drawing" }, canvas, clear);
  const choice = made("fieldset", { className: "field group" }, made("legend", { textContent: text("Signature") }), made("div", { className: "row" }, ...ways));
  const element = made("fieldset", { className: "teleconsent-signer" },
    made("legend", { textContent: signer.label }),
    made("div", { className: "field" }, made("label", { htmlFor: name.id, textContent: text("Full name") }), name),
    choice, drawing, typed, error);
  const pen = canvas.getContext("2d");

  const paint = () => {
    pen.clearRect(0, 0, WIDE, HIGH);
    Object.assign(pen, { lineWidth: 6, lineCap: "round", lineJoin: "round", strokeStyle: "#14213d" });
    for (const stroke of strokes) {
      pen.beginPath();
      pen.moveTo(stroke[0], stroke[1]);
      if (stroke.length === 2) pen.lineTo(stroke[0] + 1, stroke[1]);
      for (let i = 2; i < stroke.length; i += 2) pen.lineTo(stroke[i], stroke[i + 1]);
      pen.stroke();
    }
  };
  const show = () => {
    drawing.hidden = how() !== "drawn";
    typed.hidden = how() !== "typed";
    typed.textContent = name.value;
    clear.disabled = !strokes.length;
  };
  const at = event => {
    const box = canvas.getBoundingClientRect(), into = (value, most) => Math.round(Math.min(Math.max(value, 0), 1) * most);
    return [into((event.clientX - box.left) / box.width, WIDE), into((event.clientY - box.top) / box.height, HIGH)];
  };
  const points = () => strokes.reduce((sum, stroke) => sum + stroke.length / 2, 0);
  let stroke = null;
  canvas.addEventListener("pointerdown", event => {
    if (event.button || points() >= MOST) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    strokes.push(stroke = at(event));
    paint();
    show();
  });
  canvas.addEventListener("pointermove", event => {
    if (!stroke) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const [x, y] = at(each);
      if (points() < MOST && Math.hypot(x - stroke.at(-2), y - stroke.at(-1)) >= SOFT) stroke.push(x, y);
    }
    paint();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { stroke = null; });
  clear.addEventListener("click", () => {
    strokes.length = 0;
    paint();
    show();
    name.focus();
  });
  element.addEventListener("input", show);
  element.addEventListener("change", show);
  show();

  const called = () => name.value.replace(/[\s\p{Cc}]+/gu, " ").trim().normalize("NFC"); // what is pasted may have tabs in it
  const empty = () => !called() && !strokes.length;
  return {
    element,
    // {label, name, how, strokes}; null for somebody who need not sign and did not
    value() {
      if (!signer.required && empty()) return null;
      return { id: signer.id, label: signer.label, name: called(), how: how(), strokes: how() === "drawn" ? strokes.map(each => [...each]) : [] };
    },
    // Whether something is missing; says what, beside it.
    wrong() {
      const what = !signer.required && empty() ? "" :
        !called() ? text("Type the full name.") :
        how() === "drawn" && points() < 3 ? text("Draw your signature in the field, or choose your typed name.") : "";
      error.textContent = what;
      error.hidden = !what;
      name.toggleAttribute("aria-invalid", Boolean(what));
      if (what) name.setAttribute("aria-describedby", error.id);
      else name.removeAttribute("aria-describedby");
      if (what) name.focus();
      return Boolean(what);
    },
  };
}
