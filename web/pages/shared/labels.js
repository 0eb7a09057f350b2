// Which names of places are written, and where: the most important first, none over another.

// By rank, from cities to neighbourhoods: size in pixels, weight, written only closer than `nearer` metres per pixel, and
// the room kept free around it in pixels.
export const LABEL_STYLES = [
  { size: 17, weight: 650, nearer: 4000, room: 10 },
  { size: 14, weight: 600, nearer: 120, room: 10 },
  { size: 12.5, weight: 550, nearer: 45, room: 12 },
  { size: 12, weight: 550, nearer: 22, room: 14 },
  { size: 11.5, weight: 500, nearer: 9, room: 18 },
];

// More than this on one picture is clutter, however large the picture.
export const LABELS_MAX = 90;

const CELL_PX = 96;

export function labelFont({ size, weight }) {
  return `${weight} ${size}px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif`;
}

// Names as { x, y, rank, text } with the most important first; `width` measures a text in the font of a style, in pixels.
// Answers with the labels that fit: their middle, style and box in pixels. Labels that would stick out are left out.
export function placeLabels(names, viewport, width) {
  const metresPerPixel = 1 / viewport.scale;
  const taken = new Map();
  const placed = [];
  for (const { x, y, rank, text } of names) {
    if (placed.length >= LABELS_MAX) break;
    const style = LABEL_STYLES[rank];
    if (!style || metresPerPixel > style.nearer) continue;
    const [middleX, middleY] = [viewport.toScreenX(x), viewport.toScreenY(y)];
    if (middleX < 0 || middleX > viewport.width || middleY < 0 || middleY > viewport.height) continue;
    const [halfWidth, halfHeight] = [width(text, style) / 2, style.size * 0.62];
    const box = {
      minX: middleX - halfWidth, maxX: middleX + halfWidth, minY: middleY - halfHeight, maxY: middleY + halfHeight,
    };
    const sticksOut = box.minX < 0 || box.minY < 0 || box.maxX > viewport.width || box.maxY > viewport.height;
    if (sticksOut) continue;
    const roomy = {
      minX: box.minX - style.room, maxX: box.maxX + style.room, minY: box.minY - style.room, maxY: box.maxY + style.room,
    };
    if (cells(roomy).some((cell) => (taken.get(cell) ?? []).some((other) => meet(roomy, other)))) continue;
    for (const cell of cells(box)) {
      if (!taken.has(cell)) taken.set(cell, []);
      taken.get(cell).push(box);
    }
    placed.push({ text, style, x: middleX, y: middleY, box });
  }
  return placed;
}

function meet(a, b) {
  return a.minX < b.maxX && a.maxX > b.minX && a.minY < b.maxY && a.maxY > b.minY;
}

// The cells of a coarse grid that a box lies in.
function cells({ minX, maxX, minY, maxY }) {
  const [left, right, top, bottom] = [minX, maxX, minY, maxY].map((edge) => Math.floor(edge / CELL_PX));
  const found = [];
  for (let column = left; column <= right; column += 1) {
    for (let row = top; row <= bottom; row += 1) found.push(`${column},${row}`);
  }
  return found;
}
