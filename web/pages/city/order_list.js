// Which orders to show and in which sequence.

import { stateWords } from "./format.js";

// Newest first; with `lateFirst` the late ones before them, the latest at the top. Ties go by id.
export function arrange(orders, { lateFirst, text, now }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = [...orders].filter((order) => matches(order, words));
  return shown.sort((a, b) => {
    if (lateFirst && a.late !== b.late) return a.late ? -1 : 1;
    if (lateFirst && a.late) {
      const later = lateness(b, now) - lateness(a, now);
      if (later !== 0) return later;
    }
    return b.placed - a.placed || (a.id < b.id ? -1 : 1);
  });
}

// How long after it is due an order comes, by its ETA or, without one, if it came now.
function lateness(order, now) {
  return Math.max(order.eta ?? now, now) - order.due;
}

function matches(order, words) {
  if (words.length === 0) return true;
  const driver = order.driver === null ? "" : `driver ${order.driver}`;
  const late = order.late ? "late" : "";
  const haystack = `${order.restaurant} ${order.code} ${driver} ${stateWords(order)} ${late}`.toLowerCase();
  return words.every((word) => haystack.includes(word));
}
