// A photo, large: marked, turned, zoomed, beside another one, and saved.

import { caption } from "./desk.js";
import { button, make } from "./make.js";
import { saved } from "./marks.js";
import { called } from "./named.js";
import { Sheet } from "./sheet.js";

const COLOURS = ["#ff3b30", "#ffd60a", "#4aa8ff", "#ffffff"];

// album: {photos}; answers when it is closed.
export async function view(host, album, photo) {
  const { text, ui } = host, tools = { tool: "move", colour: COLOURS[0], words: "" };
  const words = make("input", { className: "photo-letters", maxLength: 60, placeholder: text("Words on the photo"), hidden: true });
  const places = make("div", { className: "photo-sheets" }), body = make("div", { className: "photo-view" });
  let used = null;
  words.setAttribute("aria-label", text("Words on the photo"));
  words.oninput = () => { tools.words = words.value; };
  words.onkeydown = ({ key }) => { if (key === "Enter") used.canvas.focus(); };

  const on = {
    say: ui.say,
    used: sheet => {
      used = sheet;
      draw();
    },
    change: () => {
      draw();
      ui.say(text("Marks on this photo: {n}", { n: used.photo.marks.length }));
    },
    wordless: () => {
      words.focus();
      ui.say(text("Write the words first, then put them on the photo."));
    },
  };
  const sheet = each => new Sheet({ photo: each, label: caption(host, each), tools, on, text });
  const first = sheet(photo);
  let second = null;

  // Tools, of which one is in hand.
  const hand = [["move", text("Move")], ["pen", text("Pen")], ["arrow", text("Arrow")], ["text", text("Text")]].map(([tool, label]) => {
    const face = button(label, "quiet", () => {
      tools.tool = tool;
      draw();
      if (tool === "text") words.focus();
    });
    face.dataset.tool = tool;
    return face;
  });
  const names = [text("Red"), text("Yellow"), text("Blue"), text("White")];
  const colour = make("select", { onchange: () => { tools.colour = colour.value; } }, ...COLOURS.map((value, i) => make("option", { value }, names[i])));
  colour.setAttribute("aria-label", text("Colour of marks"));
  const undo = button(text("Undo"), "quiet", () => used.undo());
  const all = [first], both = step => { for (const each of all) step(each); };
  const small = (sign, label, press) => {
    const face = button(sign, "quiet photo-sign", press);
    face.setAttribute("aria-label", label);
    face.title = label;
    return face;
  };
  const turns = [small("↺", text("Turn to the left"), () => used.turn(3)), small("↻", text("Turn to the right"), () => used.turn(1))];
  const zooms = [small("−", text("Smaller"), () => both(each => each.near(0.8))), small("+", text("Larger"), () => both(each => each.near(1.25)))];
  const compare = make("select", { hidden: album.photos.length < 2, onchange: () => beside(album.photos[Number(compare.value)]) });
  compare.setAttribute("aria-label", text("Compare with"));
  compare.append(make("option", { value: "-1" }, text("Compare with …")), ...album.photos.flatMap((each, i) => each === photo ? [] : [make("option", { value: String(i) }, caption(host, each))]));
  const save = button(text("Save"), "primary", () => keep(true));
  const plain = button(text("Save without marks"), "quiet", () => keep(false));
  const remove = button(text("Remove"), "quiet", async () => {
    const gone = used.photo;
    if (!await ui.confirm(text("Remove this photo?"), { details: text("It is nowhere else, unless you saved it."), yes: text("Remove it"), no: text("Keep it"), danger: true })) return;
    album.photos.splice(album.photos.indexOf(gone), 1);
    close();
  });
  const close = () => body.closest("dialog").close("");

  function beside(other) {
    if (second) {
      all.pop();
      second.close();
      second.canvas.remove();
      second = null;
    }
    if (other) {
      second = sheet(other);
      all.push(second);
      places.append(second.canvas);
    }
    places.classList.toggle("photo-two", Boolean(other));
    on.used(second ?? first);
    ui.say(other ? text("Two photos beside each other") : text("One photo"));
  }
  async function keep(marked) {
    const { photo: kept } = used, marks = marked && kept.marks.length > 0;
    ui.download(called(host, kept, marks), await saved(kept, marks));
    kept.saved = true;
    ui.say(text("The photo is saved as a file of this computer."));
  }
  function draw() {
    for (const face of hand) face.setAttribute("aria-pressed", String(face.dataset.tool === tools.tool));
    words.hidden = tools.tool !== "text";
    const { marks } = used.photo;
    undo.disabled = !marks.length;
    plain.hidden = !marks.length;
    for (const each of all) each.canvas.classList.toggle("photo-used", all.length > 1 && each === used);
    for (const each of all) each.canvas.dataset.tool = tools.tool;
  }

  const bar = make("div", { className: "photo-tools" }, ...hand, colour, words, undo, ...turns, ...zooms, compare, save, plain, remove, button(text("Close"), "quiet", close));
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", text("What to do with the photo"));
  places.append(first.canvas);
  body.append(places, make("p", { className: "photo-help" }, text("By keyboard: arrow keys move, + and − zoom. With a tool in hand, Space begins and ends a mark.")), bar);
  used = first;
  draw();
  await ui.dialog({ title: caption(host, photo), body, buttons: [] });
  for (const each of all) each.close();
}
