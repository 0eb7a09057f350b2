// The sequence of the list and its filter.

import assert from "node:assert/strict";
import { test } from "node:test";

import { arrange } from "../order_list.js";

const orders = [
  { id: "a", code: "#A", restaurant: "Tasca do Sol", driver: "12", state: "to_customer", placed: 10, due: 100, late: false },
  { id: "b", code: "#B", restaurant: "O Forno", driver: null, state: "searching", placed: 30, due: 130, late: false, hard: true },
  { id: "c", code: "#C", restaurant: "Sol Mar", driver: "3", state: "waiting", placed: 5, due: 95, eta: 160, late: true },
  { id: "d", code: "#D", restaurant: "Namaste", driver: "4", state: "waiting", placed: 6, due: 90, eta: 120, late: true },
  { id: "e", code: "#E", restaurant: "Namaste", driver: "5", state: "waiting", placed: 30, due: 130, late: false },
];

const ids = (options) => arrange(orders, { lateFirst: false, text: "", now: 140, ...options }).map(({ id }) => id).join("");

test("newest first, ties by id", () => {
  assert.equal(ids({}), "beadc");
});

test("late first, the latest at the top: by when it comes, not by when it was due", () => {
  assert.equal(ids({ lateFirst: true }), "cdbea");
  assert.equal(ids({ lateFirst: true, now: 170 }), "dcbea");
});

test("every word of the filter must be found somewhere", () => {
  assert.equal(ids({ text: "sol" }), "ac");
  assert.equal(ids({ text: "SOL waits" }), "c");
  assert.equal(ids({ text: "driver 12" }), "a");
  assert.equal(ids({ text: "no driver" }), "b");
  assert.equal(ids({ text: "late" }), "dc");
  assert.equal(ids({ text: "hard" }), "b");
  assert.equal(ids({ text: "pizza" }), "");
});
