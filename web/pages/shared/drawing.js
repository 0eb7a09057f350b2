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

// Everything the street layer needs: the projection, the box of what is known, the view to begin with, and for each kind
// of line and area its tiles.
export function decodeDrawing(drawing) {
  const projection = new Projection(drawing.bbox);
  const box = planeBox(drawing.bbox, projection);
  const decode = (line) => decodeLine(line, drawing.scale, projection);
  const lines = (coded) => tiles((coded ?? []).map((line) => [decode(line)]), box);
  const areas = (coded) => tiles((coded ?? []).map((rings) => rings.map(decode)), box);
  return {
    projection,
    box,
    view: drawing.view ? planeBox(drawing.view, projection) : box,
    attribution: drawing.attribution,
    // Without features nothing is known about what is not a road: the ground is the same everywhere.
    isGroundKnown: drawing.has_features === true,
    classes: drawing.classes.map(({ class: name, lines: coded }) => ({ name, tiles: lines(coded) })),
    sea: areas(drawing.sea),
    green: (drawing.green ?? []).map(({ kind, areas: coded }) => ({ kind, tiles: areas(coded) })),
    water: areas(drawing.water),
    waterways: lines(drawing.waterways),
    names: (drawing.names ?? []).map(([lng, lat, rank, text]) => ({
      x: projection.x(lng / drawing.scale), y: projection.y(lat / drawing.scale), rank, text,
    })),
  };
}

function planeBox([west, south, east, north], projection) {
  return { minX: projection.x(west), maxX: projection.x(east), minY: projection.y(south), maxY: projection.y(north) };
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
  return decodeDrawing({ bbox, scale: 1, classes: [], attribution: "" });
}

// Puts each shape, which is one line or the rings of one area, in the tile of its first point; a tile's box covers all of
// its lines. So the rings of an area are always filled together.
function tiles(shapes, box) {
  const across = Math.max(1, box.maxX - box.minX) / TILES_ACROSS;
  const found = new Map();
  for (const lines of shapes) {
    const [first] = lines;
    if (!first || first.length < 4) continue;
    const column = Math.floor((first[0] - box.minX) / across);
    const row = Math.floor((first[1] - box.minY) / across);
    const key = `${column},${row}`;
    if (!found.has(key)) found.set(key, { box: emptyBox(), lines: [] });
    const tile = found.get(key);
    for (const points of lines) {
      boxOf(points, tile.box);
      tile.lines.push(points);
    }
  }
  return [...found.values()];
}
