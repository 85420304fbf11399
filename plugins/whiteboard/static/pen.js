// A hand on the sheet: by mouse, finger or pen, and by keyboard with a cursor of its own. It makes strokes, and knows no others.

import { POINTS, STEPS } from "./marks.js";

const STEP = 41, LEAP = 205;   // of the cursor: 1 and 5 in a hundred of the sheet
const NEAR = 5;                // steps below which a point says nothing new

const within = n => Math.max(0, Math.min(STEPS, Math.round(n)));
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pen {
  // board: {tool, colour, width, may(), cannot(), live(stroke), done(stroke), dropped(stroke), erase(point), write(point), cursor(point, {begun, moved}), key(key, point), pinch(scale, dx, dy)}
  constructor(sheet, board, signal) {
    Object.assign(this, { sheet, board, stroke: null, begun: false, at: [STEPS >> 1, STEPS >> 1], fingers: new Map() });
    const on = (type, step) => sheet.addEventListener(type, step, { signal, passive: false });
    on("pointerdown", event => this.down(event));
    on("pointermove", event => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) on(type, event => this.up(event));
    on("keydown", event => this.key(event));
    on("focus", () => sheet.matches(":focus-visible") && this.shown());
    on("blur", () => {
      this.end();
      board.cursor(null);
    });
  }
  point({ clientX, clientY }) {
    const { left, top, width, height } = this.sheet.getBoundingClientRect();
    return [within((clientX - left) / width * STEPS), within((clientY - top) / height * STEPS)];
  }

  // -- by hand

  down(event) {
    if (event.button) return;
    this.fingers.set(event.pointerId, event);
    if (this.fingers.size > 1) return this.drop();       // two fingers move the sheet
    const { board } = this;
    event.preventDefault();
    this.end();
    this.sheet.focus({ preventScroll: true });
    board.cursor(null);
    if (!board.may()) return board.cannot();
    this.at = this.point(event);
    this.sheet.setPointerCapture(event.pointerId);
    if (board.tool === "text") return board.write(this.at);
    if (board.tool === "eraser") {
      this.rubbing = true;
      return board.erase(this.at);
    }
    this.begin(this.at);
  }
  move(event) {
    if (!this.fingers.has(event.pointerId)) return;
    if (this.fingers.size > 1) return this.pinch(event);
    this.fingers.set(event.pointerId, event);
    if (this.rubbing) return this.board.erase(this.point(event));
    if (!this.stroke || this.begun) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const each of all.length ? all : [event]) this.to(this.point(each));
    this.board.live(this.stroke);
  }
  up(event) {
    if (!this.fingers.delete(event.pointerId)) return;
    this.rubbing = false;
    if (event.type === "pointercancel") this.drop();
    else if (!this.begun) this.end();
  }
  pinch(event) {
    const spread = () => {
      const [a, b] = [...this.fingers.values()];
      return { wide: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2 };
    };
    const before = spread();
    this.fingers.set(event.pointerId, event);
    const now = spread();
    this.board.pinch(before.wide ? now.wide / before.wide : 1, now.x - before.x, now.y - before.y);
  }

  // -- a stroke

  begin(point) {
    const { tool, colour, width } = this.board;
    this.stroke = { stroke: crypto.randomUUID().slice(0, 18), tool, colour, width, points: [point] };
    this.board.live(this.stroke);
  }
  to(point) {
    const { tool, points } = this.stroke, last = points.at(-1);
    if (tool !== "pen") return void (points[1] = point);
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < NEAR) return;
    points.push(point);
    if (points.length < POINTS) return;
    this.board.done(this.stroke);                        // a long line goes on as another
    this.begin(point);
  }
  end() {
    const { stroke, begun } = this;
    this.stroke = null;
    this.begun = false;
    if (!stroke) return;
    if (stroke.tool !== "pen" && stroke.points.length < 2) this.board.dropped(stroke);
    else this.board.done(stroke, begun);
  }
  drop() {
    const { stroke } = this;
    this.stroke = null;
    this.begun = this.rubbing = false;
    if (stroke) this.board.dropped(stroke);
  }

  // -- by keyboard

  key(event) {
    const { key, shiftKey, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey) return;            // the board's own, or the browser's
    if (key in ARROWS) this.step(ARROWS[key], shiftKey ? LEAP : STEP);
    else if (key === "Enter" || key === " ") this.press();
    else if (key === "Escape" && this.stroke) this.drop();
    else if (key === "Delete" || key === "Backspace") this.board.erase(this.at, true);
    else if (!this.board.key(key, this.at)) return;
    event.preventDefault();
    event.stopPropagation();
    this.shown(key in ARROWS);
  }
  step([x, y], far) {
    this.at = [within(this.at[0] + x * far), within(this.at[1] + y * far)];
    if (!this.stroke) return;
    this.to(this.at);
    this.board.live(this.stroke);
  }
  press() {
    const { board } = this;
    if (!board.may()) return board.cannot();
    if (board.tool === "text") return board.write(this.at);
    if (board.tool === "eraser") return board.erase(this.at, true);
    if (this.stroke) return this.end();
    this.begun = true;
    this.begin(this.at);
  }
  shown(moved = false) { if (document.activeElement === this.sheet) this.board.cursor(this.at, { begun: this.begun, moved }); }
}
