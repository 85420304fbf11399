// One photo on a sheet that can be turned, zoomed, moved and drawn on, with a pointer or with the keyboard.

import { make } from "./make.js";
import { paint } from "./marks.js";

const NEAREST = 16;    // times as large as the whole photo
const STEP = 0.04;     // of the sheet, for each press of an arrow
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Sheet {
  // photo: {blob, width, height, turn, marks}; tools: {tool, colour, words} of the moment; on: {change(), used(sheet), wordless(), say(words)}
  constructor({ photo, label, tools, on, text }) {
    Object.assign(this, { tools, on, text, zoom: 1, mark: null, cross: null, grip: null });
    this.canvas = make("canvas", { className: "photo-sheet", tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.onpointerdown = event => this.press(event);
    this.canvas.onpointermove = event => this.drag(event);
    this.canvas.onpointerup = this.canvas.onpointercancel = event => this.lift(event);
    this.canvas.onkeydown = event => this.key(event);
    this.canvas.onfocus = () => on.used(this);
    this.canvas.addEventListener("wheel", event => {
      event.preventDefault();
      this.near(event.deltaY < 0 ? 1.15 : 1 / 1.15, this.at(event));
    }, { passive: false });
    this.sized = new ResizeObserver(() => this.draw());
    this.sized.observe(this.canvas);
    this.show(photo, label);
  }
  async show(photo, label) {
    Object.assign(this, { photo, zoom: 1, mark: null, cross: null, middle: [photo.width / 2, photo.height / 2] });
    this.canvas.setAttribute("aria-label", label);
    const picture = await createImageBitmap(photo.blob);
    if (this.photo !== photo || this.closed) return picture.close();
    this.picture?.close();
    this.picture = picture;
    this.draw();
  }
  close() {
    this.closed = true;
    this.sized.disconnect();
    this.picture?.close();
    Object.assign(this.canvas, { width: 0, height: 0 });
  }

  // From the photo's pixels to those of the sheet.
  get matrix() {
    const { width: w, height: h, turn } = this.photo, { width, height } = this.canvas;
    const whole = turn % 2 ? Math.min(width / h, height / w) : Math.min(width / w, height / h);
    return new DOMMatrix().translate(width / 2, height / 2).scale(whole * this.zoom).rotate(turn * 90).translate(-this.middle[0], -this.middle[1]);
  }
  // The pixel of the photo below a place of the sheet, [x, y] in parts of it.
  below([x, y]) {
    const point = this.matrix.inverse().transformPoint(new DOMPoint(x * this.canvas.width, y * this.canvas.height));
    return [point.x, point.y];
  }
  at({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  }
  get size() { return Math.max(this.photo.width, this.photo.height) / 250; } // a line's width

  draw() {
    if (this.closed) return;
    const { canvas } = this, ratio = devicePixelRatio, width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    if (!this.picture || !width || !height) return;
    const pen = canvas.getContext("2d");
    pen.resetTransform();
    pen.clearRect(0, 0, width, height);
    pen.setTransform(this.matrix);
    pen.drawImage(this.picture, 0, 0);
    for (const mark of [...this.photo.marks, ...this.mark ? [this.mark] : []]) paint(pen, mark);
    if (this.cross) this.crosshair(pen);
    canvas.dataset.drawn = this.photo.marks.length;
  }
  crosshair(pen) {
    const x = this.cross[0] * this.canvas.width, y = this.cross[1] * this.canvas.height, arm = 14 * devicePixelRatio;
    pen.resetTransform();
    const path = new Path2D();
    for (const [dx, dy] of [[arm, 0], [0, arm]]) {
      path.moveTo(x - dx, y - dy);
      path.lineTo(x + dx, y + dy);
    }
    for (const [strokeStyle, lineWidth] of [["#000", 5], ["#fff", 2]]) {
      Object.assign(pen, { strokeStyle, lineWidth: lineWidth * devicePixelRatio });
      pen.stroke(path);
    }
  }

  // -- looking

  turn(by) {
    this.photo.turn = (this.photo.turn + by + 4) % 4;
    this.draw();
  }
  // place: what stays where it is.
  near(times, place = [0.5, 0.5]) {
    const before = this.below(place);
    this.zoom = Math.min(NEAREST, Math.max(1, this.zoom * times));
    const after = this.below(place);
    this.middle = this.zoom === 1 ? [this.photo.width / 2, this.photo.height / 2] : [this.middle[0] + before[0] - after[0], this.middle[1] + before[1] - after[1]];
    this.draw();
  }
  move(from, to) {
    const [a, b] = [this.below(from), this.below(to)], { width, height } = this.photo;
    this.middle = [Math.min(width, Math.max(0, this.middle[0] + a[0] - b[0])), Math.min(height, Math.max(0, this.middle[1] + a[1] - b[1]))];
    this.draw();
  }

  // -- marking

  begin(place) {
    const { tool, colour, words } = this.tools, point = this.below(place);
    if (tool === "text" && !words.trim()) return this.on.wordless();
    this.mark = { tool, colour, words: words.trim(), size: this.size, turn: this.photo.turn, points: [point] };
    if (tool === "text") this.end();
    else this.draw();
  }
  go(place) {
    const point = this.below(place), { points, tool } = this.mark;
    if (tool === "arrow" && points.length > 1) points[1] = point;
    else points.push(point);
    this.draw();
  }
  end() {
    if (this.mark && (this.mark.tool === "text" || this.mark.points.length > 1)) this.photo.marks.push(this.mark);
    this.mark = null;
    this.draw();
    this.on.change();
  }
  undo() {
    this.photo.marks.pop();
    this.draw();
    this.on.change();
  }

  // -- hands

  press(event) {
    if (event.button > 0) return;
    this.on.used(this);
    this.cross = null;
    this.grip = this.at(event);
    this.canvas.setPointerCapture(event.pointerId);
    if (this.tools.tool !== "move") this.begin(this.grip);
  }
  drag(event) {
    if (!this.grip) return;
    const place = this.at(event);
    if (this.tools.tool === "move") this.move(this.grip, place);
    else if (this.mark) this.go(place);
    this.grip = place;
  }
  lift() {
    this.grip = null;
    if (this.mark) this.end();
  }
  key(event) {
    const { tool } = this.tools, arrow = ARROWS[event.key], step = event.shiftKey ? STEP / 4 : STEP;
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key === "z" && this.photo.marks.length) this.undo();
    else if (command || event.altKey) return;
    else if (event.key === "+" || event.key === "=") this.near(1.25);
    else if (event.key === "-") this.near(0.8);
    else if (event.key === "Escape" && this.mark) this.end();
    else if (arrow && tool === "move") this.move([0.5, 0.5], [0.5 - arrow[0] * step, 0.5 - arrow[1] * step]);
    else if (arrow) this.steer(arrow, step);
    else if ((event.key === " " || event.key === "Enter") && tool !== "move") this.put();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  steer([x, y], step) {
    const within = n => Math.min(1, Math.max(0, n)), [a, b] = this.cross ?? [0.5, 0.5];
    this.cross = [within(a + x * step), within(b + y * step)];
    if (this.mark) this.go(this.cross);
    else this.draw();
  }
  put() {
    this.cross ??= [0.5, 0.5];
    if (this.mark) {
      this.end();
      this.on.say(this.text("The mark ends here."));
    } else {
      this.begin(this.cross);
      if (this.mark) this.on.say(this.text("A mark begins here. Lead it with the arrow keys, then press Space."));
    }
  }
}
