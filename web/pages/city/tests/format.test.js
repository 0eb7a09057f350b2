// Numbers, times and the words beside them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { arrival, clock, figure, minutes, money, promise, range, stateWords } from "../format.js";

const MINUTE = 60000;
const EVENING = Date.UTC(2026, 10, 21, 18, 30);
const open = {
  state: "to_customer",
  placed: EVENING,
  due: EVENING + 45 * MINUTE,
  eta: null,
  band: null,
  promised: null,
  late: false,
  over: null,
};

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

test("an open order comes within a range, the past of which is over", () => {
  assert.equal(range(open, EVENING, 0), "");
  const expected = { ...open, eta: EVENING + 12 * MINUTE, band: [EVENING + 8 * MINUTE, EVENING + 19 * MINUTE] };
  assert.equal(range(expected, EVENING, 0), "18:38–18:49");
  assert.equal(range(expected, EVENING + 10 * MINUTE, 0), "18:40–18:49");
  assert.equal(range(expected, EVENING + 30 * MINUTE, 0), "");
  assert.equal(range({ ...expected, state: "delivered", over: EVENING }, EVENING, 0), "");
});

test("amounts have the digits of their currency", () => {
  assert.equal(money(1240, "EUR"), "EUR 12.40");
  assert.equal(money(1240, "JPY"), "JPY 1,240");
  assert.equal(money(1240, "KWD"), "KWD 1.240");
});

test("a promise is told, and at the door whether it was kept", () => {
  assert.equal(promise(open, 0), "not yet");
  const promised = { ...open, promised: EVENING + 21 * MINUTE };
  assert.equal(promise(promised, 0), "18:51");
  assert.equal(promise({ ...promised, state: "delivered", over: promised.promised }, 0), "18:51, kept");
  assert.equal(promise({ ...promised, state: "delivered", over: EVENING + 24 * MINUTE }, 0), "18:51, missed by 3 min");
});

test("an order that is hard to place says so beside its state", () => {
  assert.equal(stateWords({ ...open, state: "searching", hard: false }), "no driver yet");
  assert.equal(stateWords({ ...open, state: "searching", hard: true }), "no driver yet, hard to place");
});
