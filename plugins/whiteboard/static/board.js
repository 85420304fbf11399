// The board of one page: what is seen, what a hand here does, and what hands elsewhere do.

import { loaded, make } from "./make.js";
import { COLOURS, Marks, STEPS, WIDTHS, strokeOf, written } from "./marks.js";
import { Pen } from "./pen.js";
import { Pictures } from "./pictures.js";
import { draw, paint, under } from "./sheet.js";
import { TOOLS, Tools, called } from "./tools.js";

const TRACE = 80;          // ms between two words about a stroke that goes on
const LINGER = 2500;       // ms that a hand is shown after its last word
const SETTLED = 3000;      // ms after which all that was to be told of a page's own rules has come
const SAVED = 1600;        // px of the longer side of a saved board
const LARGEST = 4;         // of zoom

let dressed = null;        // our style sheet, which comes with the first board of a page
const dress = () => dressed ??= new Promise(resolve => {
  const link = make("link", { rel: "stylesheet", href: new URL("whiteboard.css", import.meta.url).href });
  link.onload = link.onerror = resolve;
  document.head.append(link);
});

export class Board {
  // marks, rules: the threads; own: what the parts of this page share (whiteboard.js)
  constructor(host, { marks, rules, own }) {
    const { text, signal, settings, me, visit } = host;
    Object.assign(this, { host, tool: "pen", colour: "blue", width: "middle", scale: 1, hands: new Map(), given: new Map(), giving: new Set(), names: called(text) });
    const seat = who => visit.seats.find(({ id, member }) => id === who || member === who);
    this.marks = new Marks({ me: me.id, may: { patient: settings.patient === true, guests: settings.guests === true }, seat });
    this.pictures = new Pictures(host, () => this.soon());
    if (me.role === "provider") this.still = () => this.request();
    for (const entry of rules.entries) this.rule(entry);
    for (const entry of marks.entries) this.marks.add(entry);
    this.build();
    marks.addEventListener("add", ({ detail: { entry } }) => this.said(entry), { signal });
    marks.addEventListener("change", ({ detail: { entry } }) => this.said(entry, true), { signal });
    for (const event of ["add", "change"]) rules.addEventListener(event, ({ detail: { entry } }) => this.ruled(entry), { signal });
    visit.on("change", () => this.soon());
    own.kept = () => this.seen.marks.length || this.seen.ground.picture ? this : null;
    signal.addEventListener("abort", () => this.end());
  }
  build() {
    const { text, root, signal } = this.host;
    this.whole = root.firstElementChild;
    this.tools = new Tools(this.host, this, signal);
    this.drawn = make("canvas", { className: "whiteboard-drawn" });
    this.wet = make("canvas", { className: "whiteboard-wet" });
    this.spot = make("div", { className: "whiteboard-cursor", hidden: true });
    for (const each of [this.drawn, this.wet, this.spot]) each.setAttribute("aria-hidden", "true");
    this.sheet = make("div", { className: "whiteboard-sheet", tabIndex: 0, role: "application", "aria-label": text("Sheet. Arrows move the cursor, Enter begins and ends a line, H lists all keys.") }, this.drawn, this.wet, this.spot);
    this.place = make("div", { className: "whiteboard-place" }, this.sheet);
    this.told = make("p", { className: "whiteboard-told" });
    this.field = make("input", { maxLength: 120, autocomplete: "off", "aria-label": text("Words for the board"), placeholder: text("Words for the board") });
    this.words = make("form", { className: "whiteboard-words", noValidate: true, hidden: true }, this.field, make("button", { className: "button primary" }, text("Put it there")));
    this.list = make("ul", { className: "sr", "aria-label": text("On the board") });
    this.whole.append(this.tools.element, this.place, this.told, this.words, this.list);
    this.pen = new Pen(this.sheet, this, signal);
    this.words.addEventListener("submit", event => {
      event.preventDefault();
      this.write();
    }, { signal });
    this.words.addEventListener("keydown", event => { if (event.key === "Escape") this.unwrite(); }, { signal });
    this.whole.addEventListener("keydown", event => this.shortcut(event), { signal });
    this.place.addEventListener("wheel", event => {
      if (!event.ctrlKey) return;                        // what a touchpad makes of a pinch
      event.preventDefault();
      this.pinch(Math.exp(-event.deltaY / 100), 0, 0);
    }, { signal, passive: false });
    this.sized = new ResizeObserver(() => this.soon());
    this.sized.observe(this.place);
  }
  end() {
    this.sized.disconnect();
    for (const hand of this.hands.values()) clearTimeout(hand.timer);
    for (const timer of [this.tracing, this.settling]) clearTimeout(timer);
    this.whole.hidden = true;                            // the next visit of this page begins with it closed
    this.whole.replaceChildren();
  }

  async show(open, byHand) {
    await dress();
    if (this.host.signal.aborted) return;
    const { text, ui } = this.host, was = !this.whole.hidden;
    this.whole.hidden = !open;
    if (open === was) return;
    ui.say(open ? text("The board is open.") : text("The board is closed."));
    if (!open) return this.words.hidden = true;
    this.soon();
    if (byHand) this.sheet.focus();
  }

  // -- what is seen

  get seen() { return this.view ??= this.marks.see(); }
  may() { return this.marks.may(this.host.me.role); }
  cannot() { this.host.ui.say(this.host.text("Your provider draws here. You look on.")); }
  soon() {
    this.view = null;
    if (!this.due) requestAnimationFrame(() => {
      this.due = false;
      if (!this.host.signal.aborted && !this.whole.hidden) this.redraw();
    });
    this.due = true;
  }
  redraw() {
    const { ground, marks, undo, redo, grounds } = this.seen, { text } = this.host, may = this.may(), { drawn, wet } = this;
    this.pictures.want([ground, ...grounds.reverse()]);
    const [width, height] = this.fit(ground), dots = Math.min(2, devicePixelRatio || 1);
    for (const canvas of [drawn, wet]) Object.assign(canvas, { width: Math.round(width * dots), height: Math.round(height * dots) });
    paint(drawn.getContext("2d"), { width: drawn.width, height: drawn.height, picture: this.pictures.of(ground), marks });
    Object.assign(this.sheet.dataset, { marks: marks.length, sheet: ground.id, picture: ground.picture });
    this.sheet.dataset.ground = ground.picture && !this.pictures.of(ground) ? "" : ground.kind;
    this.sheet.setAttribute("aria-disabled", String(!may));
    this.told.textContent = this.pictures.veiled(ground) ? text("The picture behind is hidden from you.") :
      this.pictures.needs(ground) ? text("The picture is on its way …") : may ? "" : text("Your provider draws here. You look on.");
    this.tools.show({ may, undo, redo, marks, rule: this.marks.now });
    this.list.replaceChildren(...marks.slice(-50).map(mark => make("li", {}, this.described(mark))));
    this.wetter();
  }
  // The sheet as large as its place lets it be, times the zoom.
  fit({ w, h }) {
    const { clientWidth, clientHeight } = this.place, ratio = w / h;
    const width = Math.max(80, Math.floor(Math.min(clientWidth - 2, (clientHeight - 2) * ratio)) * this.scale), height = Math.round(width / ratio);
    Object.assign(this.sheet.style, { width: `${width}px`, height: `${height}px` });
    return [width, height];
  }
  described(mark) {
    const { tool, colour, text: words, told, vouched } = mark, { text } = this.host;
    const parts = [`${this.names[tool]}${words ? ` “${words}”` : ""}`, this.names[colour], this.author(mark)];
    return [...parts, ...told && !vouched ? [text("told again by the other side")] : []].join(", ");
  }
  author(mark) {
    const { text, visit } = this.host, { who, role, name } = mark, seat = this.marks.seat(who);
    if (this.marks.mine(mark)) return text("You");
    return (role === "patient" ? visit.name : "") || seat?.name || name || (role === "patient" ? text("Patient") : role === "guest" ? text("Guest") : text("Provider"));
  }
  // The strokes that go on: ours and those of others, with their names.
  wetter() {
    const { width, height } = this.wet, pen = this.wet.getContext("2d"), { ground } = this.seen;
    pen.clearRect(0, 0, width, height);
    for (const stroke of [this.going, ...[...this.hands.values()].map(hand => hand.stroke)]) if (stroke?.sheet === ground.id) draw(pen, stroke, width, height);
  }
  dry() {
    if (!this.wetting) requestAnimationFrame(() => {
      this.wetting = false;
      if (!this.host.signal.aborted) this.wetter();
    });
    this.wetting = true;
  }

  // -- what others do

  said(entry, again = false) {
    const mark = this.marks.add(entry), { text, ui } = this.host;
    this.soon();
    if (!mark || again) return;
    if (mark.op === "draw") this.lift(mark);
    if (this.marks.mine(mark) || mark.told) return;
    const name = this.author(mark);
    if (mark.op === "draw" || mark.op === "text") ui.say(text("{name} drew: {what}", { name, what: `${this.names[mark.tool]}${mark.text ? ` “${mark.text}”` : ""}, ${this.names[mark.colour]}` }));
    else if (mark.op === "ground" && mark.kind === "still" && this.host.me.role === "patient") ui.notice(text("A still of your picture is on the board now."));
    else if (mark.op === "ground") ui.say(text("{name} put a new sheet on the board.", { name }));
    else if (mark.op === "clear") ui.say(text("{name} cleared the board.", { name }));
    else if (mark.op === "undo" || mark.op === "erase") ui.say(text("{name} took something away.", { name }));
  }
  rule(entry) {
    const { me, channel } = this.host;
    this.marks.rule(entry);
    // After a reload we do not believe all that is told of our rules: the others hear what counts here.
    if (me.role === "provider" && entry.told && entry.mine) this.settling ??= setTimeout(() => channel.send("allow", this.marks.now).catch(() => {}), SETTLED);
  }
  ruled(entry) {
    const was = this.may(), { text, ui } = this.host;
    this.rule(entry);
    this.soon();
    if (was === this.may()) return;
    if (was) this.pen.drop();
    ui.say(was ? text("Your provider draws here. You look on.") : text("You may draw now."));
  }
  // A stroke that goes on elsewhere.
  trace({ data, from }) {
    const seat = this.marks.seat(from), more = strokeOf(data);
    if (!seat || !more || !this.marks.may(seat.role)) return;
    const hand = this.hands.get(from) ?? { label: make("span", { className: "whiteboard-hand" }) }, same = hand.stroke?.id === data.stroke;
    hand.label.setAttribute("aria-hidden", "true");
    hand.label.textContent = this.author({ who: from, role: seat.role });
    const begin = Number.isInteger(data.begin) ? data.begin : 0;
    hand.stroke = { ...more, id: data.stroke, points: same ? [...hand.stroke.points.slice(0, begin), ...more.points].slice(0, 1000) : more.points };
    const [x, y] = hand.stroke.points.at(-1);
    hand.label.classList.toggle("whiteboard-left", x > STEPS / 2);
    Object.assign(hand.label.style, { left: `${x / STEPS * 100}%`, top: `${Math.min(y / STEPS, 0.9) * 100}%` });
    this.sheet.append(hand.label);
    this.hands.set(from, hand);
    this.linger(from, hand);
    this.dry();
  }
  linger(from, hand) {
    clearTimeout(hand.timer);
    hand.timer = setTimeout(() => {
      hand.label.remove();
      this.hands.delete(from);
      this.dry();
    }, LINGER);
  }
  // A stroke is on the board now: it goes on no longer.
  lift({ stroke }) {
    for (const hand of this.hands.values()) if (stroke && hand.stroke?.id === stroke) hand.stroke = null;
    if (this.going?.stroke === stroke) this.going = null;
  }
  // What the provider's page tells a guest who came later: each mark once to each page, however often that asks.
  shown({ data }) {
    const { id, at, who, role, name, ...mark } = data;
    if (![id, who, role].every(each => typeof each === "string" && each.length <= 80) || !Number.isSafeInteger(at)) return;
    this.marks.add({ id, at, who, role, name: typeof name === "string" ? name.slice(0, 80) : "", mine: who === this.host.me.id, told: true, data: mark }, true);
    this.soon();
  }
  async want({ data, from }) {
    if (data.picture) return this.pictures.give(data.picture, from);
    const { me, visit, signal } = this.host, { given, giving } = this, page = this.marks.seat(from)?.page;
    if (me.role !== "provider" || !page || giving.has(page)) return;
    for (const old of given.keys()) if (!visit.seats.some(seat => seat.page === old)) given.delete(old);
    const first = !given.has(page), ids = given.get(page) ?? new Set(), { ground, marks } = this.seen;
    given.set(page, ids);
    giving.add(page);
    if (first && this.marks.rules.size) await this.send("allow", this.marks.now);
    for (const mark of [...ground.id ? [ground] : [], ...marks].filter(({ id }) => !ids.has(id))) {
      if (signal.aborted || this.marks.seat(from)?.page !== page) break;
      ids.add(mark.id);
      const { id, at, who, role, name, op, sheet, tool, colour, width, points, text, kind, picture, w, h } = mark;
      const known = { op, sheet, tool, colour, width, points: points && written(points), text, kind, picture, w, h };
      await this.send("shown", { id, at, who, role, name, ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) }, { to: from });
    }
    giving.delete(page);
  }

  // -- what a hand here does

  // What Pen asks for.
  live(stroke) {
    this.going = { ...stroke, sheet: this.seen.ground.id };
    this.dry();
    this.tracing ??= setTimeout(() => this.tell(), TRACE);
  }
  tell() {
    this.tracing = null;
    const { going } = this;
    if (!going || this.host.call.state !== "connected") return;
    const begin = this.so?.stroke !== going.stroke ? 0 : going.tool === "pen" ? this.so.length : 1;
    this.so = { stroke: going.stroke, length: going.points.length };
    const { stroke, sheet, tool, colour, width } = going, points = going.points.slice(begin);
    if (points.length) this.host.channel.send("trace", { stroke, sheet, tool, colour, width, begin, points: written(points) }).catch(() => {});
  }
  done({ stroke, tool, colour, width, points }, aloud = false) {
    this.do({ op: "draw", sheet: this.seen.ground.id, tool, colour, width, points: written(points), stroke });
    if (aloud) this.host.ui.say(this.host.text("Line ended"));
  }
  dropped() {
    this.going = null;
    this.dry();
  }
  erase(point, aloud = false) {
    const { text, ui, me } = this.host, { marks } = this.seen, { width, height } = this.drawn;
    if (!this.may()) return;
    const found = under(this.drawn.getContext("2d"), marks, point, width, height);
    if (found && (me.role === "provider" || this.marks.mine(found))) {
      this.do({ op: "erase", target: found.id });
      ui.say(text("Erased: {what}", { what: this.described(found) }));
    } else if (aloud || found) ui.say(found ? text("Only your provider can erase this.") : text("Nothing is under the cursor."));
  }
  write(point) {
    if (point) {
      this.writing = point;
      this.words.hidden = false;
      this.field.focus();
      return;
    }
    const words = this.field.value.trim();
    if (words) this.do({ op: "text", sheet: this.seen.ground.id, colour: this.colour, width: this.width, points: written([this.writing]), text: words });
    this.unwrite();
  }
  unwrite() {
    this.field.value = "";
    this.words.hidden = true;
    this.sheet.focus();
  }
  cursor(point, { begun = false, moved = false } = {}) {
    const { text, ui } = this.host, { spot } = this;
    clearTimeout(this.saying);
    spot.hidden = !point;
    if (!point) return;
    const [x, y] = point.map(n => Math.round(n / STEPS * 100));
    Object.assign(spot.style, { left: `${point[0] / STEPS * 100}%`, top: `${point[1] / STEPS * 100}%` });
    if (begun && !("begun" in spot.dataset)) ui.say(text("Line begun"));
    spot.toggleAttribute("data-begun", begun);
    spot.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (moved) this.saying = setTimeout(() => ui.say(text("{x} % across, {y} % down", { x, y })), 700);
  }
  key(key, at) {
    const next = (list, now) => list[(list.indexOf(now) + 1) % list.length];
    if (TOOLS[key - 1]) this.choose("tool", TOOLS[key - 1]);
    else if (key === "t" || key === "T") this.may() && this.write(at);
    else if (key === "c" || key === "C") this.choose("colour", next(COLOURS, this.colour));
    else if (key === "w" || key === "W") this.choose("width", next(WIDTHS, this.width));
    else if (key === "+" || key === "-") this.zoom(key === "+" ? 1.5 : 1 / 1.5);
    else if (key === "h" || key === "H" || key === "?") this.help();
    else return false;
    return true;
  }
  shortcut(event) {
    if (!(event.ctrlKey || event.metaKey) || event.target === this.field) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) this.redo();
    else this.undo();
  }
  choose(name, value) {
    this[name] = value;
    this.host.ui.say(this.names[value]);
    this.soon();
  }
  pinch(scale, dx, dy) {
    this.scale = Math.max(1, Math.min(LARGEST, this.scale * scale));
    this.fit(this.seen.ground);
    this.place.scrollBy(-dx, -dy);
    this.soon();
  }
  zoom(by) { this.pinch(by, 0, 0); }

  undo() { this.back("undo", this.host.text("Taken back"), this.host.text("There is nothing of yours to take back.")); }
  redo() { this.back("redo", this.host.text("Brought back"), this.host.text("There is nothing to bring back.")); }
  back(op, done, nothing) {
    const target = this.seen[op];
    if (!this.may()) return;
    if (target) this.do({ op, target });
    this.host.ui.say(target ? done : nothing);
  }
  clear() {
    const { text, ui, me } = this.host;
    this.do({ op: "clear", sheet: this.seen.ground.id });
    ui.notice(me.role === "provider" ? text("The board is cleared. Undo brings everything back.") : text("What you drew is cleared. Undo brings it back."));
  }
  blank() { this.do({ op: "ground", kind: "blank" }); }
  allow(role, is) { this.send("allow", { ...this.marks.now, [role]: is }); }

  // -- pictures

  async file(file) {
    const { text, ui, signal } = this.host;
    this.told.textContent = text("Opening the file …");
    ui.say(text("Opening the file …"));
    try {
      const { fromFile } = await loaded(this.host, "./picture.js"), found = await fromFile(file, this.host);
      if (found && !signal.aborted) await this.ground(found.kind, found.canvas);
    } catch (error) {
      if (signal.aborted) return;                        // as in send(): there is nothing left to try again
      ui.notice({
        too_big: text("This file is too big for the board. Choose one of less than 50 MB."),
        pixels: text("This picture is too large for the board. Choose one of at most 64 megapixels."),
        slow: text("This page takes too long to draw. Save it as a picture, then choose that."),
        locked: text("This PDF is locked with a password. Save it without one, then choose it again."),
        shape: text("This picture is too long and narrow for the board."),
        unloaded: text("This could not be loaded. Try again in a moment."),
      }[error.code] ?? text("This file cannot be read here. Choose a picture (PNG or JPEG) or a PDF."));
    }
    this.soon();
  }
  async ground(kind, canvas) {
    const { picture, w, h } = await this.pictures.keep(canvas);
    this.do({ op: "ground", kind, picture, w, h });
  }
  // The provider asks for a still; the patient agrees, or not.
  request() {
    const { text, ui, visit } = this.host;
    this.asked = crypto.randomUUID();
    this.send("ask", { number: this.asked });
    ui.notice(text("{name} is asked whether a still may be taken.", { name: visit.name || text("Patient") }));
  }
  async ask({ data }) {
    const { text, ui, signal } = this.host;
    if (this.asking) return void (this.asking = data.number);
    this.asking = data.number;
    const agreed = await ui.confirm(text("May your provider put a still of your picture on the board?"), { details: text("Everybody in the visit sees it, and can draw on it and save it."), yes: text("Yes, take it"), no: text("No") });
    const number = this.asking;
    this.asking = null;
    if (!signal.aborted) this.send("answer", { number, agreed });
  }
  async answer({ data, from }) {
    const { text, ui, visit, signal } = this.host, name = visit.name || text("Patient");
    if (!this.asked || data.number !== this.asked) return;
    this.asked = null;
    if (data.agreed !== true) return ui.notice(text("{name} does not want a still.", { name }));
    try {
      const { fromVideo } = await loaded(this.host, "./picture.js");
      await this.ground("still", await fromVideo(this.host.call.remote(from)?.camera));
      if (!signal.aborted) ui.notice(text("The still is on the board. {name} is told so.", { name }));
    } catch (error) {
      if (!signal.aborted) ui.notice(error.code === "unloaded" ? text("This could not be loaded. Try again in a moment.") :
        text("There is no picture of {name} now. Ask them to turn on the camera, then try again.", { name }));
    }
  }
  async save() {
    const { ground, marks } = this.seen, wide = ground.w >= ground.h;
    const width = wide ? SAVED : Math.round(SAVED * ground.w / ground.h), height = wide ? Math.round(SAVED * ground.h / ground.w) : SAVED;
    const canvas = make("canvas", { width, height });
    paint(canvas.getContext("2d"), { width, height, picture: this.pictures.of(ground), marks });
    const blob = await new Promise(resolve => canvas.toBlob(resolve, "image/png"));
    if (!this.host.signal.aborted) this.host.ui.download("board.png", blob);
    return blob;
  }

  help() {
    const { text, ui } = this.host, keys = [
      [text("Arrows"), text("move the cursor; with Shift in larger steps")], [text("Enter"), text("begins a line, and ends it; puts words; erases")], [text("Escape"), text("drops the line that was begun")],
      ["1 – 6", TOOLS.map(name => this.names[name]).join(", ")], ["C", text("next colour")], ["W", text("next width")], ["T", text("words at the cursor")], [text("Delete"), text("erases what is under the cursor")],
      [text("Ctrl+Z, Ctrl+Y"), text("take back, bring back")], ["+, −", text("larger, smaller")], ["H", text("these keys")],
    ];
    ui.dialog({ title: text("Keys of the board"), body: make("dl", { className: "whiteboard-keys" }, ...keys.flatMap(([key, does]) => [make("dt", {}, key), make("dd", {}, does)])) });
  }

  do(mark) { return this.send("mark", mark); }
  async send(event, data, options) {
    try {
      await this.host.channel.send(event, data, options);
    } catch (error) {
      if (this.host.signal.aborted) return;              // the visit is over: nothing is left to try
      if (error.code === "slow_down") {
        await new Promise(resolve => setTimeout(resolve, 200));
        return this.send(event, data, options);
      }
      this.host.ui.notice(this.host.text("This did not reach the others. Try again in a moment."));
    }
  }
}
