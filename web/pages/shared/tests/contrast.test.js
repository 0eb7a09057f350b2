// The style sheet's colours: readable text and tellable dots in light and dark (WCAG 2.2, contrast at least 4.5:1).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../style.css", import.meta.url), "utf8");
const [light, dark] = css.split("@media (prefers-color-scheme: dark)").map(colours);

function colours(text) {
  const names = {};
  for (const [, name, value] of text.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)) names[name] ??= value;
  return names;
}

function luminance(hex) {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ["land", "beyond", "sea", "water", "grass", "wood", "park", "cemetery"];

for (const [scheme, names] of [["light", light], ["dark", dark]]) {
  test(`${scheme}: text and states against what is behind them`, () => {
    const front = ["ink", "ink-soft", "idle", "searching", "to-restaurant", "waiting", "to-customer", "late"];
    for (const name of front) {
      for (const ground of ["panel", "raised", "land"]) {
        const ratio = contrast(names[name], names[ground]);
        assert.ok(ratio >= 4.5, `${name} on ${ground} has ${ratio.toFixed(2)}:1`);
      }
    }
  });

  // A road is seen by its edge or by its surface, whichever differs more from the ground. From afar it has no edge.
  test(`${scheme}: roads against every ground`, () => {
    for (const [size, least] of [["minor", 1.5], ["major", 3]]) {
      for (const ground of GROUNDS) {
        const of = (name) => contrast(names[name], names[ground]);
        const near = Math.max(of(`road-${size}`), of(`casing-${size}`));
        for (const [what, ratio] of [["near", near], ["far", of(`road-far-${size}`)]]) {
          assert.ok(ratio >= least, `a ${size} road, ${what}, on ${ground} has ${ratio.toFixed(2)}:1`);
        }
      }
    }
  });

  test(`${scheme}: names and dots against every ground, and grounds against each other`, () => {
    for (const ground of GROUNDS) {
      const label = contrast(names.label, names[ground]);
      assert.ok(label >= 4.5, `a name on ${ground} has ${label.toFixed(2)}:1`);
      // Dots are no text: 3:1 (WCAG 2.2, 1.4.11); they have a halo as well.
      for (const state of ["idle", "searching", "to-restaurant", "waiting", "to-customer", "late"]) {
        const dot = contrast(names[state], names[ground]);
        assert.ok(dot >= 3, `${state} on ${ground} has ${dot.toFixed(2)}:1`);
      }
    }
    const shore = contrast(names.sea, names.land);
    assert.ok(shore >= 1.15, `sea and land differ by ${shore.toFixed(2)}:1`);
  });
}
