// The card of what is selected: an order's way from click to door, or a driver and what it carries.

import { element, glyph, setText } from "./dom.js";
import { DRIVER_WORDS, STATE_WORDS, arrival, clock, isOver, minutes } from "./format.js";
import { orderGlyph } from "./orders.js";
import { orderColour } from "./palette.js";
import { DRIVER_COLOURS } from "./sprites.js";

const STEPS = [
  ["placed", "placed"],
  ["assigned", "driver found"],
  ["at_restaurant", "at the restaurant"],
  ["picked_up", "picked up"],
  ["over", "delivered"],
];

export class Detail {
  constructor(card, { close, choose }) {
    this.card = card;
    this.head = card.querySelector("#detail-head");
    this.title = card.querySelector("#detail-title");
    this.body = card.querySelector("#detail-body");
    this.choose = choose;
    this.shown = "";
    card.querySelector("#detail-close").addEventListener("click", close);
  }

  // Draws again only what changed, so that a screen reader is not told the same twice.
  show(selection, city, now) {
    const order = selection?.kind === "order" ? city.orders.get(selection.id) : undefined;
    const driver = selection?.kind === "driver" ? city.drivers.get(selection.id) : undefined;
    this.card.hidden = !order && !driver;
    if (this.card.hidden) {
      this.shown = "";
      return;
    }
    const rows = order ? orderRows(order, city, now) : driverRows(driver, city);
    const shown = JSON.stringify([selection, rows]);
    if (shown === this.shown) return;
    this.shown = shown;
    if (order) this.fill(glyph(orderGlyph(order), orderColour(order)), order.restaurant, rows);
    else this.fill(glyph(DRIVER_COLOURS[driver.state], DRIVER_COLOURS[driver.state]), `Driver ${driver.id}`, rows);
    if (driver) this.addCarried(driver, city);
  }

  // How much of the map's left or bottom edge the card takes, in pixels.
  covers(viewport) {
    const { offsetWidth, offsetHeight, offsetLeft, hidden } = this.card;
    if (hidden) return { left: 0, bottom: 0 };
    const across = offsetWidth > viewport.width / 2;
    return across ? { left: 0, bottom: offsetHeight } : { left: offsetLeft + offsetWidth, bottom: 0 };
  }

  fill(mark, title, rows) {
    this.head.replaceChildren(mark);
    setText(this.title, title);
    this.body.replaceChildren(
      ...rows.map(({ label, value, className }) => {
        const row = element("div", `detail-row ${className ?? ""}`.trim());
        row.append(element("dt", "", label), element("dd", "", value));
        return row;
      }),
    );
  }

  addCarried(driver, city) {
    for (const order of city.orders.values()) {
      if (order.driver !== driver.id || isOver(order)) continue;
      const button = element("button", "link", `${order.restaurant} ${order.code}`);
      button.type = "button";
      button.addEventListener("click", () => this.choose(order.id));
      const row = element("div", "detail-row");
      const value = element("dd");
      value.append(button);
      row.append(element("dt", "", "order"), value);
      this.body.append(row);
    }
  }
}

function orderRows(order, city, now) {
  const { time, note } = arrival(order, now, city.offsetS);
  const rows = [
    { label: "order", value: order.code },
    { label: "state", value: STATE_WORDS[order.state] },
    { label: "driver", value: order.driver === null ? "none yet" : order.driver },
    { label: isOver(order) ? "ended" : "expected", value: time === "–" && !order.late ? "not known yet" : `${time}, ${note}`, className: order.late ? "late" : "" },
    { label: "due", value: clock(order.due, city.offsetS) },
  ];
  for (const [name, word] of STEPS) {
    const at = name === "placed" ? order.placed : name === "over" ? order.over : order[name];
    if (name === "over" && order.state === "cancelled") continue;
    const value = at === null ? "–" : `${clock(at, city.offsetS)}${name === "placed" ? "" : `, after ${minutes(at - order.placed)}`}`;
    rows.push({ label: word, value, className: at === null ? "step waiting-step" : "step done-step" });
  }
  return rows;
}

function driverRows(driver) {
  return [{ label: "state", value: DRIVER_WORDS[driver.state] }];
}
