// Marks on a photo: lines, arrows and words, in the photo's own pixels, so that they turn and grow with it. Draws, knows no page.

const EDGE = "#111";

// Paints a mark. pen: a 2D context whose transform leads from the photo's pixels to those painted on.
export function paint(pen, mark) {
  const { tool, colour, points, size } = mark;
  Object.assign(pen, { lineCap: "round", lineJoin: "round" });
  if (tool === "text") return lettering(pen, mark);
  const [first, last] = [points[0], points.at(-1)];
  const path = new Path2D();
  path.moveTo(...first);
  if (tool === "arrow") {
    const angle = Math.atan2(last[1] - first[1], last[0] - first[0]);
    path.lineTo(...last);
    for (const turn of [Math.PI * 0.85, -Math.PI * 0.85]) {
      path.moveTo(...last);
      path.lineTo(last[0] + size * 5 * Math.cos(angle + turn), last[1] + size * 5 * Math.sin(angle + turn));
    }
  } else for (const point of points) path.lineTo(...point);
  for (const [style, width] of [[EDGE, size * 1.7], [colour, size]]) { // an edge, to be seen on every ground
    Object.assign(pen, { strokeStyle: style, lineWidth: width });
    pen.stroke(path);
  }
}

function lettering(pen, { colour, points: [[x, y]], size, words, turn }) {
  pen.save();
  pen.translate(x, y);
  pen.rotate(-turn * Math.PI / 2);                       // upright as it was written
  Object.assign(pen, { font: `600 ${size * 8}px system-ui, sans-serif`, textBaseline: "middle", lineWidth: size * 1.6, strokeStyle: EDGE, fillStyle: colour });
  pen.strokeText(words, 0, 0);
  pen.fillText(words, 0, 0);
  pen.restore();
}

// The photo as it is turned, with its marks or without, as a JPEG of its full size.
export async function saved({ blob, width, height, turn, marks }, marked) {
  const picture = await createImageBitmap(blob), across = turn % 2 === 1;
  const canvas = Object.assign(document.createElement("canvas"), { width: across ? height : width, height: across ? width : height });
  const pen = canvas.getContext("2d");
  pen.translate(canvas.width / 2, canvas.height / 2);
  pen.rotate(turn * Math.PI / 2);
  pen.translate(-width / 2, -height / 2);
  pen.drawImage(picture, 0, 0);
  picture.close();
  if (marked) for (const mark of marks) paint(pen, mark);
  return new Promise(resolve => canvas.toBlob(resolve, "image/jpeg", 0.95));
}
