// A decision of dispatch in the reader's words: costs are minutes that somebody loses.

import { clock } from "./format.js";

const MINUTE_MS = 60000;

// Minutes with one decimal; a difference says its sign.
export function tenths(ms, signed = false) {
  const text = (ms / MINUTE_MS).toFixed(1).replace(/^-0\.0$/, "0.0");
  return signed && !text.startsWith("-") ? `+${text}` : text;
}

// What there is to say about the newest decision, and in a line about those before it; null when there is none.
export function reasons(explanation) {
  const { decisions, offset_s: offsetS } = explanation;
  const decision = decisions.at(-1);
  if (!decision) return null;
  const { chosen, runners_up: others } = decision;
  const earlier = decisions.slice(0, -1).map((before) => asked(before, offsetS));
  if (decision.rule === "assigned_by_hand") return { ...byHand(decision, explanation), earlier };
  return {
    rule: decision.why,
    asked: `Driver ${chosen.driver} was asked at ${clock(decision.at_ms, offsetS)}, to have the food at ${clock(chosen.pickup_eta_ms, offsetS)}.`,
    ended: ended(decision),
    terms: terms(chosen),
    rows: [row(chosen, offsetS, "chosen"), ...others.map((other) => row(other, offsetS, tenths(other.difference_ms, true)))],
    postponed: `Leaving it for the next round would have cost ${tenths(decision.postpone_cost_ms)} min.`,
    compared: `${count(decision.orders_considered, "order")} and ${count(decision.drivers_considered, "driver")} were compared by the policy “${decision.policy}”.`,
    earlier,
  };
}

// A person decided: nothing was compared and nobody was asked.
function byHand({ at_ms: at, why, chosen: { driver, pickup_eta_ms: eta } }, { by_hand: notes = [], offset_s: offsetS }) {
  const note = notes.findLast((one) => one.driver === driver);
  const by = note ? ` by ${note.by}` : "";
  const reason = note?.reason ? ` Reason: ${note.reason}` : "";
  return {
    rule: why,
    asked: `Driver ${driver} was given it at ${clock(at, offsetS)}${by}, to have the food at ${clock(eta, offsetS)}.${reason}`,
    ended: "",
    terms: [],
    rows: [],
    postponed: "",
    compared: "",
  };
}

// What the driver said, and how long that took.
function ended({ at_ms: at, ended: end, chosen: { driver } }) {
  if (!end) return "There is no answer yet.";
  return `Driver ${driver} ${end.words}, ${count(Math.round((end.at_ms - at) / 1000), "second")} later.`;
}

function asked({ at_ms: at, ended: end, chosen: { driver } }, offsetS) {
  const said = end ? ` (${end.words})` : "";
  return `driver ${driver} at ${clock(at, offsetS)}${said}`;
}

// The terms that weigh something, their sum, and what the driver is worth to other orders.
function terms({ terms: all, cost_ms: cost, price_ms: price }) {
  const named = all.filter(({ ms }) => ms !== 0).map(({ name, ms }) => [name, tenths(ms)]);
  return [...named, ["all together", tenths(cost)], ["needed elsewhere", tenths(price)]];
}

function row({ driver, pickup_eta_ms: eta, cost_ms: cost, price_ms: price }, offsetS, difference) {
  return [driver, clock(eta, offsetS), tenths(cost), tenths(price), difference];
}

function count(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
