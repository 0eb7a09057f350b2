// The reasons of a decision in words and minutes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { reasons, tenths } from "../reasons.js";

const alternative = (driver, cost, price, difference) => ({
  driver,
  pickup_eta_ms: 3600000,
  cost_ms: cost,
  price_ms: price,
  difference_ms: difference,
  terms: [{ name: "driving", ms: cost }, { name: "overage", ms: 0 }],
});

const decision = {
  at_ms: 60000,
  policy: "doorstep",
  rule: "late",
  why: "The food was ready.",
  orders: ["a"],
  chosen: alternative("7", 90000, 30000, 0),
  runners_up: [alternative("8", 600000, 0, 480000), alternative("9", 60000, 0, -1000)],
  postpone_cost_ms: 1200000,
  orders_considered: 1,
  drivers_considered: 212,
  traffic_epoch: 0,
  ended: { at_ms: 72000, outcome: "accepted", words: "took it" },
};

test("the newest decision is told whole, those before in a line", () => {
  const declined = { at_ms: 20000, outcome: "declined", words: "declined: too far" };
  const before = { ...decision, at_ms: 0, chosen: alternative("5", 1, 0, 0), ended: declined };
  const told = reasons({ order_id: "a", offset_s: 3600, order: null, decisions: [before, decision] });
  assert.equal(told.rule, "The food was ready.");
  assert.equal(told.asked, "Driver 7 was asked at 01:01, to have the food at 02:00.");
  assert.equal(told.ended, "Driver 7 took it, 12 seconds later.");
  assert.deepEqual(told.terms, [["driving", "1.5"], ["all together", "1.5"], ["needed elsewhere", "0.5"]]);
  assert.deepEqual(told.rows, [
    ["7", "02:00", "1.5", "0.5", "chosen"],
    ["8", "02:00", "10.0", "0.0", "+8.0"],
    ["9", "02:00", "1.0", "0.0", "+0.0"],
  ]);
  assert.match(told.postponed, /20\.0 min/);
  assert.match(told.compared, /^1 order and 212 drivers /);
  assert.deepEqual(told.earlier, ["driver 5 at 01:00 (declined: too far)"]);
});

test("a driver who is still being asked has said nothing", () => {
  const told = reasons({ offset_s: 0, decisions: [{ ...decision, ended: null }] });
  assert.equal(told.ended, "There is no answer yet.");
});

test("what a person decided has neither an answer nor costs", () => {
  const why = "A person chose the driver.";
  const told = reasons({ offset_s: 0, decisions: [decision, { ...decision, rule: "assigned_by_hand", why, runners_up: [] }] });
  assert.equal(told.rule, why);
  assert.equal(told.asked, "Driver 7 was given it at 00:01, to have the food at 01:00.");
  assert.deepEqual([told.ended, told.terms, told.rows], ["", [], []]);
  assert.deepEqual(told.earlier, ["driver 7 at 00:01 (took it)"]);
  const note = { at_ms: 60000, driver: "7", by: "ada", reason: "at the door anyway" };
  const noted = reasons({ offset_s: 0, by_hand: [note], decisions: [{ ...decision, rule: "assigned_by_hand", why }] });
  assert.equal(noted.asked, "Driver 7 was given it at 00:01 by ada, to have the food at 01:00. Reason: at the door anyway");
});

test("without a decision there is nothing to tell", () => {
  assert.equal(reasons({ offset_s: 0, decisions: [] }), null);
});

test("minutes keep their sign and never show a negative nothing", () => {
  assert.equal(tenths(-90000), "-1.5");
  assert.equal(tenths(-1), "0.0");
  assert.equal(tenths(0, true), "+0.0");
  assert.equal(tenths(-90000, true), "-1.5");
});
