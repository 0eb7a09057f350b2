// The picture: a snapshot and the deltas after it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { applyDelta, applySnapshot, cityNow, emptyCity } from "../city.js";

const snapshot = {
  seq: 7,
  now: 1000,
  speedup: 20,
  offset_s: 3600,
  figures: { open: 1 },
  history: [[0, 1, 0, null, 0, null, null]],
  drivers: [["9007199254740993", 359000000, 145000000, 1], ["2", 359000000, 145000000, 3]],
  plans: [["2", [["a", "pickup", 5], ["b", "pickup", 6], ["a", "dropoff", 7], ["b", "dropoff", 8]]]],
  orders: [{ id: "a" }, { id: "b" }],
};

function begun() {
  const city = emptyCity();
  applySnapshot(city, structuredClone(snapshot));
  return city;
}

test("a snapshot replaces everything", () => {
  const city = begun();
  assert.deepEqual(city.drivers.get("9007199254740993"), {
    id: "9007199254740993", lat: 35.9, lng: 14.5, state: "idle",
  });
  applySnapshot(city, { ...structuredClone(snapshot), drivers: [], plans: [], orders: [] });
  assert.equal(city.drivers.size + city.orders.size, 0);
});

test("a delta changes what it names and nothing else", () => {
  const city = begun();
  const applied = applyDelta(city, {
    seq: 8, now: 1500, figures: { open: 2 }, minute: [60000, 2, 0, null, 0, null, null],
    drivers: [["2", 359100000, 145000000, 4], ["3", 1, 2, 1]], gone: ["9007199254740993"],
    orders: [{ id: "c" }], closed: ["a"],
  });
  assert.ok(applied);
  assert.deepEqual([...city.drivers.keys()], ["2", "3"]);
  assert.equal(city.drivers.get("2").state, "to_customer");
  assert.deepEqual([...city.orders.keys()], ["b", "c"]);
  assert.equal(city.history.length, 2);
  assert.equal(city.figures.open, 2);
});

test("plans come whole, and an empty one ends them", () => {
  const city = begun();
  assert.deepEqual(city.plans.get("2")[2], { order: "a", kind: "dropoff", eta: 7 });
  applyDelta(city, { seq: 8, now: 1, plans: [["2", [["b", "dropoff", 9]]], ["3", [["c", "pickup", 4]]]] });
  assert.equal(city.plans.get("2").length, 1);
  applyDelta(city, { seq: 9, now: 2, plans: [["2", []]], gone: ["3"] });
  assert.equal(city.plans.size, 0);
});

test("a missed or repeated delta is refused and changes nothing", () => {
  for (const seq of [7, 9]) {
    const city = begun();
    assert.equal(applyDelta(city, { seq, now: 9999, closed: ["a"] }), false);
    assert.equal(city.now, 1000);
    assert.ok(city.orders.has("a"));
  }
  assert.equal(applyDelta(emptyCity(), { seq: 1, now: 1 }), false, "nothing before the first snapshot");
});

test("history keeps half an hour", () => {
  const city = begun();
  for (let minute = 1; minute <= 50; minute += 1) {
    applyDelta(city, { seq: 7 + minute, now: minute * 60000, minute: [minute * 60000, 0, 0, null, 0, null, null] });
  }
  assert.equal(city.history.length, 31);
  assert.equal(city.history.at(-1)[0], 50 * 60000);
});

test("the city's time runs on at its speed", () => {
  assert.equal(cityNow(begun(), 500), 11000);
});
