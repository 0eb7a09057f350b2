// Giving an order to a driver by hand, in the reader's words.

import { clock, minutes } from "./format.js";

const GIVEABLE = ["searching", "to_restaurant", "waiting"];
// Nearer than this counts as the same time.
const SAME_MS = 30000;

// Whether the order can still change hands: dispatch knows it and nobody has the food.
export function canBeGiven(order) {
  return GIVEABLE.includes(order.state);
}

// The drivers whom dispatch compared last, without the one who has the order.
export function candidates({ decisions, offset_s: offsetS }, holder) {
  const compared = decisions.findLast((decision) => decision.runners_up.length > 0);
  if (!compared) return [];
  return [compared.chosen, ...compared.runners_up]
    .filter(({ driver }) => driver !== holder)
    .map(({ driver, pickup_eta_ms: eta }) => ({ driver, words: `Driver ${driver}, food at ${clock(eta, offsetS)}` }));
}

// Why nothing was done: who may only look is told how to get further.
export function refusal(status, detail) {
  if (status === 401 || status === 403)
    return "You may look here, but giving orders away needs an admin token: open the page once as /?token=….";
  return `It cannot be done: ${detail ?? status}.`;
}

// What a preview says: rows of a label and words, and warnings.
export function previewRows(preview) {
  const { offset_s: offsetS, from, driver, no_longer_asked: asked } = preview;
  const rows = [
    ["driver", from === null ? `${driver}; nobody has it now` : `${from} → ${driver}`],
    ["food picked up", change(preview.pickup, offsetS)],
    ["at the door", change(preview.dropoff, offsetS)],
  ];
  if (preview.promised_dropoff_ms !== null) rows.push(["promised", clock(preview.promised_dropoff_ms, offsetS)]);
  for (const { code, before_ms: before, after_ms: after } of preview.later) {
    rows.push([`order ${code}`, change({ before_ms: before, after_ms: after }, offsetS)]);
  }
  if (preview.later.length === 0) rows.push(["other orders", "none comes later"]);
  if (asked.length > 0) rows.push(["offers", `taken back from ${asked.join(", ")}`]);
  return rows;
}

// "18:42 → 18:47, 5 min later"; only the time after where there is none before.
function change({ before_ms: before, after_ms: after }, offsetS) {
  if (before === null) return clock(after, offsetS);
  const more = after - before;
  const word = Math.abs(more) < SAME_MS ? "as before" : `${minutes(Math.abs(more))} ${more > 0 ? "later" : "earlier"}`;
  return `${clock(before, offsetS)} → ${clock(after, offsetS)}, ${word}`;
}
