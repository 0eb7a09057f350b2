// The half-hour lines.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sparkPath } from "../spark.js";
import { retryDelay } from "../stream.js";

test("the line stands on zero and ends at the last value", () => {
  assert.deepEqual(sparkPath([0, 5, 10], 20, 10), { line: "M0 10L10 5L20 0", last: { x: 20, y: 0 } });
});

test("what is not known is a gap", () => {
  assert.equal(sparkPath([4, null, 4, 4], 30, 10).line, "M0 0M20 0L30 0");
  assert.deepEqual(sparkPath([null, null], 30, 10), { line: "", last: null });
});

test("all zero is a line at the foot", () => {
  assert.equal(sparkPath([0, 0], 10, 8).line, "M0 8L10 8");
});

test("retries wait longer and longer up to a limit", () => {
  const delays = [0, 1, 2, 3, 4, 5, 1000].map(retryDelay);
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
});
