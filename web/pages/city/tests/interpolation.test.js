// Dots between their reports.

import assert from "node:assert/strict";
import { test } from "node:test";

import { isMoving, newTrack, positionAt, retarget } from "../interpolation.js";

test("a dot goes from where it is seen to where it was reported, and stays there", () => {
  const track = newTrack(0, 0, 0);
  retarget(track, 100, 50, 1000);
  assert.deepEqual(positionAt(track, 1000), { x: 0, y: 0 });
  const half = positionAt(track, 1000 + track.gap / 2);
  assert.ok(Math.abs(half.x - 50) < 1e-9 && Math.abs(half.y - 25) < 1e-9);
  assert.deepEqual(positionAt(track, 1000 + 10 * track.gap), { x: 100, y: 50 });
  assert.ok(isMoving(track, 1000 + track.gap / 2) && !isMoving(track, 1000 + track.gap));
});

test("a report on the way does not make it jump", () => {
  const track = newTrack(0, 0, 0);
  retarget(track, 100, 0, 1000);
  const before = positionAt(track, 1200);
  retarget(track, 100, 100, 1200);
  assert.deepEqual(positionAt(track, 1200), before);
});

test("the pace follows the reports, but not a long silence", () => {
  const track = newTrack(0, 0, 0);
  for (let now = 1000; now <= 20000; now += 1000) retarget(track, now, 0, now);
  assert.ok(Math.abs(track.gap - 1000) < 10, `${track.gap}`);
  retarget(track, 0, 0, 90000);
  assert.ok(Math.abs(track.gap - 1000) < 10, `${track.gap}`);
});

test("a leap across the city is not driven", () => {
  const track = newTrack(0, 0, 0);
  retarget(track, 50000, 0, 1000);
  assert.deepEqual(positionAt(track, 1000), { x: 50000, y: 0 });
  assert.ok(!isMoving(track, 1001));
});
