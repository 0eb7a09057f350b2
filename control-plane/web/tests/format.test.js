// Numbers, times and the words beside them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { arrival, clock, figure, minutes } from "../format.js";

const MINUTE = 60000;
const EVENING = Date.UTC(2026, 10, 21, 18, 30);
const open = { state: "to_customer", placed: EVENING, due: EVENING + 45 * MINUTE, eta: null, late: false, over: null };

test("the clock is the city's", () => {
  assert.equal(clock(EVENING, 0), "18:30");
  assert.equal(clock(EVENING, 5.5 * 3600), "00:00");
});

test("durations are whole minutes", () => {
  assert.equal(minutes(-5), "under 1 min");
  assert.equal(minutes(59999), "under 1 min");
  assert.equal(minutes(12.9 * MINUTE), "12 min");
  assert.equal(minutes(65 * MINUTE), "1 h 05");
});

test("what is not known is a dash", () => {
  assert.equal(figure(null), "–");
  assert.equal(figure(0), "0");
  assert.equal(figure(31.04, 1), "31.0");
});

test("an order says when it comes, how late it is, or how long it took", () => {
  assert.deepEqual(arrival(open, EVENING, 0), { time: "–", note: "due 19:15" });
  const expected = { ...open, eta: EVENING + 20 * MINUTE };
  assert.deepEqual(arrival(expected, EVENING + 5 * MINUTE, 0), { time: "18:50", note: "in 15 min" });
  assert.deepEqual(arrival(expected, EVENING + 22 * MINUTE, 0), { time: "18:52", note: "in under 1 min" });
  const late = { ...open, eta: EVENING + 50 * MINUTE, late: true };
  assert.deepEqual(arrival(late, EVENING, 0), { time: "19:20", note: "5 min late" });
  assert.deepEqual(arrival(late, EVENING + 57 * MINUTE, 0), { time: "19:27", note: "12 min late" });
  const done = { ...open, state: "delivered", over: EVENING + 33 * MINUTE };
  assert.deepEqual(arrival(done, EVENING + 40 * MINUTE, 0), { time: "19:03", note: "took 33 min" });
});
