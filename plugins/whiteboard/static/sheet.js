// How marks look: drawn on any canvas of the sheet's shape, and found again under a point.

import { STEPS } from "./marks.js";

export const INK = { black: "#1c1c1c", red: "#c62828", blue: "#1555c0", green: "#1b7a3d", orange: "#b45309", purple: "#7b2cbf" };
const WIDE = { thin: 0.003, middle: 0.006, thick: 0.014 };  // of the sheet's width
const LETTER = { thin: 0.028, middle: 0.04, thick: 0.06 };
const REACH = 0.012;                                        // of the width: how near the eraser must come

// Draws the ground (a picture, or white) and all marks. pen: of a canvas of width x height.
export function paint(pen, { width, height, picture, marks }) {
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, width, height);
  if (picture) pen.drawImage(picture, 0, 0, width, height);
  for (const mark of marks) draw(pen, mark, width, height);
}

export function draw(pen, mark, width, height) {
  pen.strokeStyle = pen.fillStyle = INK[mark.colour];
  pen.lineWidth = Math.max(1, WIDE[mark.width] * width);
  pen.lineCap = pen.lineJoin = "round";
  if (mark.tool === "text") return letters(pen, mark, width, height);
  pen.beginPath();
  for (const line of lines(mark, width, height)) {
    line.forEach(([x, y], i) => i ? pen.lineTo(x, y) : pen.moveTo(x, y));
    if (line.length === 1) pen.lineTo(line[0][0] + 0.01, line[0][1]);
  }
  pen.stroke();
}

// The lines of a mark, in pixels.
function lines({ tool, points, width: wide }, width, height) {
  const at = points.map(([x, y]) => [x / STEPS * width, y / STEPS * height]), [a, b = a] = [at[0], at.at(-1)];
  if (tool === "rectangle") return [[a, [b[0], a[1]], b, [a[0], b[1]], a]];
  if (tool === "ellipse") {
    const turn = Array.from({ length: 49 }, (_, i) => i / 48 * 2 * Math.PI);
    return [turn.map(t => [(a[0] + b[0] + (b[0] - a[0]) * Math.cos(t)) / 2, (a[1] + b[1] + (b[1] - a[1]) * Math.sin(t)) / 2])];
  }
  if (tool === "arrow") {
    const angle = Math.atan2(b[1] - a[1], b[0] - a[0]), head = Math.min(Math.hypot(b[0] - a[0], b[1] - a[1]), (0.02 + 3 * WIDE[wide]) * width);
    const wing = turn => [b[0] - head * Math.cos(angle + turn), b[1] - head * Math.sin(angle + turn)];
    return [[a, b], [wing(0.45), b, wing(-0.45)]];
  }
  return [at];
}

const font = (mark, width) => `600 ${LETTER[mark.width] * width}px system-ui, sans-serif`;

function letters(pen, mark, width, height) {
  const { left, top, line, rows } = block(pen, mark, width, height);
  pen.textBaseline = "top";
  rows.forEach((row, i) => pen.fillText(row, left, top + i * line));
}

// Where a text stands: its rows, broken where the sheet ends.
function block(pen, mark, width, height) {
  pen.font = font(mark, width);
  const [x, y] = mark.points[0], line = LETTER[mark.width] * width * 1.2, left = Math.min(x / STEPS, 0.92) * width, room = width - left;
  const rows = [""];
  for (const word of mark.text.split(/(?<= )/)) for (const piece of pen.measureText(word).width > room ? word : [word]) {
    if (rows.at(-1) && pen.measureText(rows.at(-1) + piece.trimEnd()).width > room) rows.push("");
    rows[rows.length - 1] += piece;
  }
  const top = Math.max(0, Math.min(y / STEPS * height, height - rows.length * line));
  return { left, top, line, rows, right: left + Math.max(...rows.map(row => pen.measureText(row).width)), bottom: top + rows.length * line };
}

// The uppermost of the marks that a point [x, y] touches, or null. pen: of a canvas of width x height.
export function under(pen, marks, [x, y], width, height) {
  const at = [x / STEPS * width, y / STEPS * height];
  return marks.findLast(mark => {
    if (mark.tool === "text") {
      const { left, top, right, bottom } = block(pen, mark, width, height);
      return at[0] >= left && at[0] <= right && at[1] >= top && at[1] <= bottom;
    }
    const reach = (REACH + WIDE[mark.width] / 2) * width;
    return lines(mark, width, height).some(line => line.some((point, i) => apart(at, point, line[i + 1] ?? point) <= reach));
  }) ?? null;
}

// How far a point is from the line between two others.
function apart([x, y], [ax, ay], [bx, by]) {
  const long = (bx - ax) ** 2 + (by - ay) ** 2, t = long ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long)) : 0;
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
}
