// Names on the map: which are written at which zoom, and that none covers another.

import assert from "node:assert/strict";
import { test } from "node:test";

import { LABEL_STYLES, LABELS_MAX, placeLabels } from "../labels.js";
import { Viewport } from "../projection.js";

const width = (text, style) => text.length * style.size * 0.55;

function viewport(metresPerPixel) {
  const seen = new Viewport(1000, 700);
  seen.scale = 1 / metresPerPixel;
  return seen;
}

function texts(names, metresPerPixel) {
  return placeLabels(names, viewport(metresPerPixel), width).map(({ text }) => text);
}

// The same places at every run: a small generator with a fixed seed.
function randomNames(count, spread) {
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const names = [];
  for (let at = 0; at < count; at += 1) {
    const rank = Math.floor(random() * 5);
    names.push({ x: (random() - 0.5) * spread, y: (random() - 0.5) * spread, rank, text: "name".repeat(1 + (at % 4)) });
  }
  return names.sort((a, b) => a.rank - b.rank);
}

test("no label covers another or sticks out of the picture, at any zoom", () => {
  for (const metresPerPixel of [1, 4, 8, 20, 40, 100, 1000]) {
    const placed = placeLabels(randomNames(3000, 900 * metresPerPixel), viewport(metresPerPixel), width);
    assert.ok(placed.length > 0 && placed.length <= LABELS_MAX, `${placed.length} at ${metresPerPixel}`);
    for (const [index, { box: a }] of placed.entries()) {
      assert.ok(a.minX >= 0 && a.maxX <= 1000 && a.minY >= 0 && a.maxY <= 700);
      for (const { box: b } of placed.slice(index + 1)) {
        assert.ok(a.maxX <= b.minX || b.maxX <= a.minX || a.maxY <= b.minY || b.maxY <= a.minY);
      }
    }
  }
});

test("where two names meet the more important one is written", () => {
  const names = [
    { x: 0, y: 0, rank: 0, text: "City" },
    { x: 60, y: 10, rank: 3, text: "Suburb" },
    { x: 4000, y: 0, rank: 3, text: "Far suburb" },
  ];
  assert.deepEqual(texts(names, 10), ["City", "Far suburb"]);
});

test("lesser places wait until one is near enough", () => {
  const names = LABEL_STYLES.map((_, rank) => ({ x: 0, y: (rank - 2) * 100, rank, text: `rank ${rank}` }));
  assert.deepEqual(texts(names, 1000), ["rank 0"]);
  assert.equal(texts(names, 1).length, LABEL_STYLES.length);
  const counts = [1000, 100, 40, 20, 8].map((metres) => LABEL_STYLES.filter((style) => metres < style.nearer).length);
  assert.deepEqual(counts, [1, 2, 3, 4, 5]);
});
