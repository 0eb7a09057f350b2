// The delta-coded drawing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boxOf, decodeDrawing, decodeLine, emptyDrawing, overlaps } from "../drawing.js";

const plain = { x: (lng) => lng, y: (lat) => lat };

test("a line starts at a place and goes on in steps", () => {
  assert.deepEqual([...decodeLine([100, 200, 5, -10, -5, 0], 10, plain)], [10, 20, 10.5, 19, 10, 19]);
});

test("half a pair at the end is dropped", () => {
  assert.deepEqual([...decodeLine([100, 200, 5], 10, plain)], [10, 20]);
});

test("every line of two points is in exactly one tile, and the tile's box holds it", () => {
  const lines = [];
  for (let at = 0; at < 500; at += 1) lines.push([1400000 + at * 37, 3580000 + at * 29, 40 - at, at - 200, 7, 7]);
  const drawing = decodeDrawing({
    attribution: "© us",
    bbox: [14, 35.8, 14.3, 36],
    scale: 1e5,
    classes: [{ class: "primary", lines: [...lines, [1400000, 3580000]] }],
    water: [],
  });
  const [{ name, tiles }] = drawing.classes;
  assert.equal(name, "primary");
  assert.ok(tiles.length > 10);
  assert.equal(tiles.reduce((sum, tile) => sum + tile.lines.length, 0), lines.length);
  for (const tile of tiles) {
    for (const points of tile.lines) assert.deepEqual(boxOf(points, { ...tile.box }), tile.box);
  }
});

test("boxes overlap when they touch", () => {
  const box = { minX: 0, maxX: 10, minY: 0, maxY: 10 };
  assert.ok(overlaps(box, { minX: 10, maxX: 12, minY: 5, maxY: 6 }));
  assert.ok(!overlaps(box, { minX: 11, maxX: 12, minY: 5, maxY: 6 }));
});

test("without a map the ground is laid around the drivers and orders", () => {
  const nobody = { drivers: new Map(), orders: new Map() };
  assert.equal(emptyDrawing(nobody), null);
  const drivers = new Map([["1", { lat: 35.9, lng: 14.5 }], ["2", { lat: 35.8, lng: 14.4 }]]);
  const { projection, box } = emptyDrawing({ drivers, orders: new Map() });
  assert.ok(Math.abs(projection.x(14.4) - box.minX) < 1e-6 && Math.abs(projection.y(35.9) - box.maxY) < 1e-6);
});

test("rings of an area stay together, and names keep their order", () => {
  const ring = (lng, lat, step) => [lng, lat, step, 0, 0, step, -step, 0, 0, -step];
  const area = [ring(1400000, 3580000, 20000), ring(1409000, 3589000, 900)];
  const drawing = decodeDrawing({
    attribution: "© us",
    bbox: [14, 35.8, 14.3, 36],
    view: [14.1, 35.85, 14.2, 35.9],
    scale: 1e5,
    has_features: true,
    classes: [],
    sea: [area],
    water: [],
    green: [{ kind: "park", areas: [area, area] }],
    waterways: [[1400000, 3580000, 5, 5]],
    names: [[1410000, 3585000, 0, "Valletta"], [1411000, 3586000, 2, "Floriana"]],
  });
  assert.deepEqual(drawing.sea.map((tile) => tile.lines.length), [2]);
  assert.equal(drawing.green[0].kind, "park");
  assert.equal(drawing.green[0].tiles.reduce((sum, tile) => sum + tile.lines.length, 0), 4);
  assert.deepEqual(drawing.names.map(({ text, rank }) => [text, rank]), [["Valletta", 0], ["Floriana", 2]]);
  assert.ok(drawing.view.minX > drawing.box.minX && drawing.view.maxY < drawing.box.maxY);
  assert.ok(drawing.isGroundKnown);
});

test("an older drawing without features is shown as streets on plain ground", () => {
  const drawing = decodeDrawing({ attribution: "", bbox: [14, 35.8, 14.3, 36], scale: 1e5, classes: [] });
  assert.deepEqual(drawing.view, drawing.box);
  assert.ok(!drawing.isGroundKnown && drawing.sea.length === 0 && drawing.names.length === 0);
});
