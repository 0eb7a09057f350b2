// Decodes the city's drawing: delta-coded lines to flat arrays of metres, grouped in tiles that can be skipped.

import { Projection } from "./projection.js";

const TILES_ACROSS = 14;

// One delta-coded line [lng, lat, dlng, dlat, …] to [x, y, x, y, …] in metres.
export function decodeLine(line, scale, projection) {
  const points = new Float32Array(line.length - (line.length % 2));
  let lng = 0;
  let lat = 0;
  for (let at = 0; at < points.length; at += 2) {
    lng += line[at];
    lat += line[at + 1];
    points[at] = projection.x(lng / scale);
    points[at + 1] = projection.y(lat / scale);
  }
  return points;
}

export function boxOf(points, box = emptyBox()) {
  for (let at = 0; at < points.length; at += 2) {
    box.minX = Math.min(box.minX, points[at]);
    box.maxX = Math.max(box.maxX, points[at]);
    box.minY = Math.min(box.minY, points[at + 1]);
    box.maxY = Math.max(box.maxY, points[at + 1]);
  }
  return box;
}

export function emptyBox() {
  return { minX: Infinity, minY: Infinity, maxX: -Infinity, maxY: -Infinity };
}

export function overlaps(a, b) {
  return a.minX <= b.maxX && a.maxX >= b.minX && a.minY <= b.maxY && a.maxY >= b.minY;
}

// Everything the street layer needs: the projection, the city's box and for each class its tiles of lines.
export function decodeDrawing(drawing) {
  const [west, south, east, north] = drawing.bbox;
  const projection = new Projection(drawing.bbox);
  const box = {
    minX: projection.x(west),
    maxX: projection.x(east),
    minY: projection.y(south),
    maxY: projection.y(north),
  };
  const decode = (line) => decodeLine(line, drawing.scale, projection);
  return {
    projection,
    box,
    attribution: drawing.attribution,
    classes: drawing.classes.map(({ class: name, lines }) => ({ name, tiles: tiles(lines.map(decode), box) })),
    water: tiles((drawing.water ?? []).map(decode), box),
  };
}

// A drawing without streets around what the city's picture holds; null while it holds nothing.
export function emptyDrawing(city) {
  const places = [...city.drivers.values()].map(({ lat, lng }) => [lng, lat]);
  for (const { from, to } of city.orders.values()) {
    places.push([from[1] / 1e7, from[0] / 1e7], [to[1] / 1e7, to[0] / 1e7]);
  }
  if (places.length === 0) return null;
  const box = boxOf(places.flat());
  const bbox = [box.minX, box.minY, box.maxX, box.maxY];
  return decodeDrawing({ bbox, scale: 1, classes: [], water: [], attribution: "" });
}

// Puts each line in the tile of its first point; a tile's box covers all of its lines.
function tiles(lines, box) {
  const across = Math.max(1, box.maxX - box.minX) / TILES_ACROSS;
  const found = new Map();
  for (const points of lines) {
    if (points.length < 4) continue;
    const column = Math.floor((points[0] - box.minX) / across);
    const row = Math.floor((points[1] - box.minY) / across);
    const key = `${column},${row}`;
    if (!found.has(key)) found.set(key, { box: emptyBox(), lines: [] });
    const tile = found.get(key);
    boxOf(points, tile.box);
    tile.lines.push(points);
  }
  return [...found.values()];
}
