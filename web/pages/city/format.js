// Numbers and times as a reader wants them.

const MINUTE_MS = 60000;

// Clock time HH:MM in the city's zone.
export function clock(unixMs, offsetS) {
  return new Date(unixMs + offsetS * 1000).toISOString().slice(11, 16);
}

// A duration in whole minutes: "under 1 min", "12 min", "1 h 05".
export function minutes(ms) {
  const whole = Math.floor(Math.max(0, ms) / MINUTE_MS);
  if (whole < 1) return "under 1 min";
  if (whole < 60) return `${whole} min`;
  return `${Math.floor(whole / 60)} h ${String(whole % 60).padStart(2, "0")}`;
}

// A figure with a fixed number of decimals, or a dash where there is none yet.
export function figure(value, decimals = 0) {
  return value === null || value === undefined ? "–" : value.toFixed(decimals);
}

// An amount in the minor unit of its currency, with the currency's own digits: "EUR 12.40", "JPY 1,240".
export function money(minor, currency) {
  const format = new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "code" });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits).replace(/\s/g, " ");
}

export function speedup(factor) {
  return `×${factor}`;
}

const STATE_WORDS = {
  placed: "new",
  searching: "no driver yet",
  to_restaurant: "driver to restaurant",
  waiting: "driver waits for food",
  to_customer: "to the customer",
  at_door: "at the door",
  delivered: "delivered",
  cancelled: "cancelled",
};

// The state of an order, and whether it is hard to find a driver for it.
export function stateWords(order) {
  const words = STATE_WORDS[order.state];
  return order.hard ? `${words}, hard to place` : words;
}

export const DRIVER_WORDS = {
  idle: "idle",
  to_restaurant: "to the restaurant",
  waiting: "waits at the restaurant",
  to_customer: "to the customer",
  off_duty: "off duty",
};

export function isOver(order) {
  return order.state === "delivered" || order.state === "cancelled";
}

// What the right-hand side of a row says about time: a clock time and how far away that is.
export function arrival(order, now, offsetS) {
  if (order.state === "cancelled") return { time: clock(order.over, offsetS), note: "cancelled" };
  if (order.state === "delivered") {
    return { time: clock(order.over, offsetS), note: `took ${minutes(order.over - order.placed)}` };
  }
  const expected = order.eta === null ? null : Math.max(order.eta, now);
  const time = expected === null ? "–" : clock(expected, offsetS);
  if (order.late) return { time, note: `${minutes(Math.max(expected ?? now, now) - order.due)} late` };
  if (expected === null) return { time, note: `due ${clock(order.due, offsetS)}` };
  return { time, note: `in ${minutes(expected - now)}` };
}

// Between which clock times an open order comes, eight times of ten: "18:38–18:49". Empty where that is not known, over
// already, or one minute.
export function range(order, now, offsetS) {
  if (isOver(order) || order.band === null || order.eta === null) return "";
  const [first, last] = order.band.map((at) => clock(Math.max(at, now), offsetS));
  return first === last ? "" : `${first}–${last}`;
}

// What was promised and, once the order is at the door, whether it was kept.
export function promise(order, offsetS) {
  if (order.promised === null) return "not yet";
  const at = clock(order.promised, offsetS);
  if (order.state !== "delivered") return at;
  return order.over <= order.promised ? `${at}, kept` : `${at}, missed by ${minutes(order.over - order.promised)}`;
}
