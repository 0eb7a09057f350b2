// Degrees, metres and pixels.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Projection, Viewport, scaleBar } from "../projection.js";

test("one unit is one metre on the ground in the middle of the box", () => {
  const projection = new Projection([14.4, 35.8, 14.6, 36.0]);
  const kilometre = 1000 / 111195;
  const north = projection.y(35.9 + kilometre / 2) - projection.y(35.9 - kilometre / 2);
  assert.ok(Math.abs(north - 1000) < 3, `${north} m for a kilometre north`);
  const east = projection.x(14.5 + kilometre / Math.cos((35.9 * Math.PI) / 180)) - projection.x(14.5);
  assert.ok(Math.abs(east - 1000) < 3, `${east} m for a kilometre east`);
});

test("the screen and the plane are inverse, north is up", () => {
  const viewport = Object.assign(new Viewport(800, 600), { x: 120, y: -40, scale: 0.25 });
  assert.equal(viewport.toPlaneX(viewport.toScreenX(55)), 55);
  assert.equal(viewport.toPlaneY(viewport.toScreenY(-7)), -7);
  assert.ok(viewport.toScreenY(100) < viewport.toScreenY(0));
});

test("zooming keeps the point under the pointer and stops at the limits", () => {
  const viewport = Object.assign(new Viewport(800, 600), { x: 10, y: 20, scale: 0.1 });
  const before = [viewport.toPlaneX(650), viewport.toPlaneY(70)];
  viewport.zoomAt(650, 70, 3, { min: 0.01, max: 2 });
  assert.ok(Math.abs(viewport.toPlaneX(650) - before[0]) < 1e-9);
  assert.ok(Math.abs(viewport.toPlaneY(70) - before[1]) < 1e-9);
  viewport.zoomAt(0, 0, 1000, { min: 0.01, max: 2 });
  assert.equal(viewport.scale, 2);
});

test("fitting shows the whole box inside the margin", () => {
  const viewport = new Viewport(400, 300);
  viewport.fit({ minX: -1000, maxX: 3000, minY: 500, maxY: 900 }, 20);
  assert.ok(viewport.toScreenX(-1000) >= 20 - 1e-9 && viewport.toScreenX(3000) <= 380 + 1e-9);
  assert.ok(viewport.toScreenY(900) >= 20 && viewport.toScreenY(500) <= 280);
});

test("the scale bar is round and fits", () => {
  for (const scale of [0.0007, 0.013, 0.05, 0.31, 2.9]) {
    const bar = scaleBar(scale, 110);
    assert.ok(bar.width <= 110 && bar.width > 40, `${bar.width} px at ${scale}`);
    assert.match(String(bar.metres), /^[125]0*$/);
  }
  assert.equal(scaleBar(0.1, 110).text, "1 km");
  assert.equal(scaleBar(0.5, 110).text, "200 m");
});
