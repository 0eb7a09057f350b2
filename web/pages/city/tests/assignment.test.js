// An assignment by hand in words.

import assert from "node:assert/strict";
import { test } from "node:test";

import { canBeGiven, candidates, previewRows, refusal } from "../assignment.js";

const preview = {
  order_id: "ord_1",
  driver: "8",
  now_ms: 0,
  offset_s: 3600,
  from: "7",
  no_longer_asked: ["9"],
  pickup: { before_ms: 60000, after_ms: 360000 },
  dropoff: { before_ms: 900000, after_ms: 890000 },
  promised_dropoff_ms: 1200000,
  stops: [],
  later: [{ order_id: "ord_2", code: "#BEEF", before_ms: 0, after_ms: 480000 }],
  warnings: [],
};

test("food in a bag and orders that are over stay where they are", () => {
  const given = ["placed", "searching", "to_restaurant", "waiting", "to_customer", "at_door", "delivered", "cancelled"]
    .filter((state) => canBeGiven({ state }));
  assert.deepEqual(given, ["searching", "to_restaurant", "waiting"]);
});

test("a preview says who, when before and after, and what comes later", () => {
  assert.deepEqual(previewRows(preview), [
    ["driver", "7 → 8"],
    ["food picked up", "01:01 → 01:06, 5 min later"],
    ["at the door", "01:15 → 01:14, as before"],
    ["promised", "01:20"],
    ["order #BEEF", "01:00 → 01:08, 8 min later"],
    ["offers", "taken back from 9"],
  ]);
});

test("who may only look is told so, and other refusals say why", () => {
  for (const status of [401, 403]) assert.match(refusal(status, "unauthorized"), /^You may look here, but .* admin token/);
  assert.equal(refusal(409, "driver 13 is not on duty"), "It cannot be done: driver 13 is not on duty.");
  assert.equal(refusal(502, undefined), "It cannot be done: 502.");
});

test("what nobody has shows no time before", () => {
  const free = {
    ...preview,
    from: null,
    no_longer_asked: [],
    pickup: { before_ms: null, after_ms: 60000 },
    dropoff: { before_ms: 3600000, after_ms: 0 },
    promised_dropoff_ms: null,
    later: [],
  };
  assert.deepEqual(previewRows(free), [
    ["driver", "8; nobody has it now"],
    ["food picked up", "01:01"],
    ["at the door", "02:00 → 01:00, 1 h 00 earlier"],
    ["other orders", "none comes later"],
  ]);
});

test("the drivers who were compared last can be chosen, but not the one who has it", () => {
  const alternative = (driver) => ({ driver, pickup_eta_ms: 0 });
  const compared = { chosen: alternative("7"), runners_up: [alternative("8"), alternative("9")] };
  const byHand = { chosen: alternative("8"), runners_up: [] };
  const told = { offset_s: 0, decisions: [compared, byHand] };
  assert.deepEqual(candidates(told, "8").map(({ driver }) => driver), ["7", "9"]);
  assert.equal(candidates(told, "8")[0].words, "Driver 7, food at 00:00");
  assert.deepEqual(candidates({ offset_s: 0, decisions: [byHand] }, null), []);
});
