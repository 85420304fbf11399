// The tools above the sheet, and what is seldom needed of them behind "More".

import { COLOURS, WIDTHS } from "./marks.js";
import { icon, make } from "./make.js";

export const TOOLS = ["pen", "arrow", "text", "rectangle", "ellipse", "eraser"];
const PATHS = {
  pen: "m4 20 1-4L16.500 4.500l3 3L8 19Z", arrow: "M5 19 19 5M10.500 5H19v8.500", text: "M5 7V4.500h14V7M12 4.500v15M9.500 19.500h5",
  rectangle: "M3.500 6h17v12h-17Z", ellipse: "M12 5.500c5 0 8.500 2.800 8.500 6.500s-3.500 6.500-8.500 6.500S3.500 15.700 3.500 12 7 5.500 12 5.500Z",
  eraser: "M10 19.500h10M4 14.500l9-9L19 11.500l-8 8H9Z", undo: "M9 5.500 4.500 10 9 14.500M5 10h9.500a5 5 0 0 1 0 10H11",
  redo: "m15 5.500 4.500 4.500-4.500 4.500M19 10H9.500a5 5 0 0 0 0 10H13", clear: "M4.500 7h15M9.500 7V4.500h5V7M6.500 7l1 12.500h9l1-12.500", more: "M5 12h.01M12 12h.01M19 12h.01",
};

// What tools, colours and widths are called.
export const called = text => ({
  pen: text("Pen"), arrow: text("Arrow"), text: text("Text"), rectangle: text("Rectangle"), ellipse: text("Ellipse"), eraser: text("Eraser"),
  black: text("Black"), red: text("Red"), blue: text("Blue"), green: text("Green"), orange: text("Orange"), purple: text("Purple"),
  thin: text("Thin"), middle: text("Middle"), thick: text("Thick"),
});

export class Tools {
  // board: {tool, colour, width, choose(name, value), undo(), redo(), clear(), blank(), file(file), still?, save(), zoom(by), help(), allow(role, is)}
  constructor({ text, me }, board, signal) {
    Object.assign(this, { board, names: called(text), buttons: {} });
    const press = (element, step) => (element.addEventListener("click", step, { signal }), element);
    const tool = (name, label, step) => this.buttons[name] = press(make("button", { type: "button", className: "whiteboard-tool", title: label, "aria-label": label }, icon(PATHS[name])), step);
    const choice = (name, label, list) => {
      const made = this.buttons[name] = make("select", { "aria-label": label, autocomplete: "off" }, ...list.map(value => make("option", { value }, this.names[value])));
      made.addEventListener("change", () => board.choose(name, made.value), { signal });
      return made;
    };
    const shapes = make("div", { className: "whiteboard-group", role: "group", "aria-label": text("Tools") }, ...TOOLS.map(name => tool(name, this.names[name], () => board.choose("tool", name))));
    const more = tool("more", text("More"), () => this.open(this.panel.hidden));
    more.setAttribute("aria-expanded", "false");
    const line = (words, step) => press(make("button", { type: "button", className: "button quiet" }, words), () => {
      this.open(false);
      step();
    });
    const picker = make("input", { type: "file", accept: "image/*,application/pdf", className: "whiteboard-file", "aria-label": text("Picture or PDF"), hidden: true });
    picker.addEventListener("change", () => {
      const [file] = picker.files;
      picker.value = "";
      if (file) board.file(file);
    }, { signal });
    this.grounds = make("div", { className: "row" }, line(text("Picture or PDF from this device"), () => picker.click()), picker, line(text("Blank sheet"), () => board.blank()));
    if (board.still) this.grounds.append(line(text("Still of the video"), () => board.still()));
    const others = make("div", { className: "row" }, line(text("Save as a picture"), () => board.save()), line(text("Larger"), () => board.zoom(1.5)), line(text("Smaller"), () => board.zoom(1 / 1.5)), line(text("Keys"), () => board.help()));
    this.panel = make("div", { className: "whiteboard-more", role: "group", "aria-label": text("More"), hidden: true }, this.grounds, others);
    this.ticks = {};
    if (me.role === "provider") for (const [role, words] of [["patient", text("The patient may draw")], ["guests", text("Guests may draw")]]) {
      const tick = this.ticks[role] = make("input", { type: "checkbox" });
      tick.addEventListener("change", () => board.allow(role, tick.checked), { signal });
      this.panel.append(make("label", { className: "whiteboard-tick" }, tick, words));
    }
    this.panel.addEventListener("keydown", event => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.open(false);
    }, { signal });
    this.element = make("div", { className: "whiteboard-tools" }, shapes,
      make("div", { className: "whiteboard-group" }, choice("colour", text("Colour"), COLOURS), choice("width", text("Width"), WIDTHS)),
      make("div", { className: "whiteboard-group" }, tool("undo", text("Undo"), () => board.undo()), tool("redo", text("Redo"), () => board.redo()), tool("clear", text("Clear"), () => board.clear()), more), this.panel);
  }
  open(is) {
    if (this.panel.hidden === !is) return;
    this.panel.hidden = !is;
    this.buttons.more.setAttribute("aria-expanded", String(is));
    if (is) this.panel.querySelector("button").focus();
    else this.buttons.more.focus();
  }
  // state: {may, undo, redo, marks, rule}
  show({ may, undo, redo, marks, rule }) {
    const { board, buttons } = this;
    for (const name of TOOLS) {
      buttons[name].setAttribute("aria-pressed", String(board.tool === name));
      buttons[name].disabled = !may;
    }
    for (const name of ["colour", "width"]) Object.assign(buttons[name], { value: board[name], disabled: !may });
    buttons.colour.dataset.colour = board.colour;
    for (const [name, is] of Object.entries({ undo, redo, clear: marks.length > 0 })) {
      if (document.activeElement === buttons[name] && !(may && is)) buttons.more.focus();
      buttons[name].disabled = !(may && is);
    }
    for (const each of this.grounds.querySelectorAll("button")) each.disabled = !may;
    for (const [role, tick] of Object.entries(this.ticks)) tick.checked = rule[role];
  }
}
