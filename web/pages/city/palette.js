// The colours of the canvases: read from the style sheet, so that there is one place for them.

import { STREET_COLOURS } from "../shared/streets.js";

const NAMES = [
  ...STREET_COLOURS, "halo", "ink", "idle", "searching", "to-restaurant", "waiting", "to-customer", "late",
];

export function readPalette() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// Calls back when the system changes between light and dark.
export function onSchemeChange(callback) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}

const ORDER_COLOURS = {
  placed: "searching",
  searching: "searching",
  to_restaurant: "to-restaurant",
  waiting: "waiting",
  to_customer: "to-customer",
  at_door: "to-customer",
  delivered: "idle",
  cancelled: "idle",
};

// The name of the colour of an order: its state, or that it is late.
export function orderColour(order) {
  return order.late ? "late" : ORDER_COLOURS[order.state];
}
