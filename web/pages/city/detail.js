// The card of what is selected: an order's way from click to door and why its driver, or a driver and its stops.

import { Assign } from "./assign.js";
import { element, glyph, setText } from "./dom.js";
import { DRIVER_WORDS, arrival, clock, isOver, minutes, promise, range, stateWords } from "./format.js";
import { orderGlyph } from "./orders.js";
import { orderColour } from "./palette.js";
import { DRIVER_COLOURS } from "./sprites.js";
import { Why } from "./why.js";

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
    this.assign = new Assign(card.querySelector("#assign"));
    this.why = new Why(card.querySelector("#why"), (explanation) => this.assign.explained(explanation));
    this.choose = choose;
    this.shown = "";
    card.querySelector("#detail-close").addEventListener("click", close);
  }

  // Draws again only what changed, so that a screen reader is not told the same twice.
  show(selection, city, now) {
    const order = selection?.kind === "order" ? city.orders.get(selection.id) : undefined;
    const driver = selection?.kind === "driver" ? city.drivers.get(selection.id) : undefined;
    this.card.hidden = !order && !driver;
    this.assign.follow(order);
    this.why.follow(order, city.offsetS);
    if (this.card.hidden) {
      this.shown = "";
      return;
    }
    const rows = order ? orderRows(order, city, now) : driverRows(driver);
    const stops = driver ? stopRows(driver, city) : [];
    const shown = JSON.stringify([selection, rows, stops]);
    if (shown === this.shown) return;
    this.shown = shown;
    if (order) this.fill(glyph(orderGlyph(order), orderColour(order)), order.restaurant, rows);
    else this.fill(glyph(DRIVER_COLOURS[driver.state], DRIVER_COLOURS[driver.state]), `Driver ${driver.id}`, rows);
    this.addStops(stops);
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
      ...rows.map(({ label, value, className, driver }) => {
        const row = element("div", `detail-row ${className ?? ""}`.trim());
        const told = element("dd", "", driver ? "" : value);
        if (driver) told.append(this.link(value, "driver", driver));
        row.append(element("dt", "", label), told);
        return row;
      }),
    );
  }

  // Words that select something else.
  link(words, kind, id) {
    const button = element("button", "link", words);
    button.type = "button";
    button.addEventListener("click", () => this.choose(kind, id));
    return button;
  }

  addStops(stops) {
    for (const { label, words, time, order } of stops) {
      const row = element("div", "detail-row stop");
      const value = element("dd");
      value.append(this.link(words, "order", order), element("span", "stop-time", time));
      row.append(element("dt", "", label), value);
      this.body.append(row);
    }
  }
}

// The stops of a driver, numbered in the order of visiting them.
function stopRows(driver, city) {
  return (city.plans.get(driver.id) ?? []).map(({ order, kind, eta }, index) => {
    const known = city.orders.get(order);
    const code = known?.code ?? `#${order.slice(-4).toUpperCase()}`;
    return {
      label: `${index + 1}. ${kind === "pickup" ? "pick up" : "hand over"}`,
      words: known ? `${known.restaurant} ${code}` : `order ${code}`,
      time: clock(eta, city.offsetS),
      order,
    };
  });
}

// The other orders of the same bundle, by their codes.
function companions(order, city) {
  const stops = isOver(order) || order.driver === null ? [] : (city.plans.get(order.driver) ?? []);
  const others = new Set(stops.map((stop) => stop.order).filter((id) => id !== order.id));
  return stops.some((stop) => stop.order === order.id)
    ? [...others].map((id) => city.orders.get(id)?.code ?? `#${id.slice(-4).toUpperCase()}`)
    : [];
}

function orderRows(order, city, now) {
  const { time, note } = arrival(order, now, city.offsetS);
  const expected = [time, range(order, now, city.offsetS), note].filter(Boolean).join(", ");
  const rows = [
    { label: "order", value: order.code },
    { label: "state", value: stateWords(order) },
    { label: "driver", value: order.driver === null ? "none yet" : order.driver, driver: isOver(order) ? null : order.driver },
    { label: isOver(order) ? "ended" : "expected", value: time === "–" && !order.late ? "not known yet" : expected, className: order.late ? "late" : "" },
    { label: "promised", value: promise(order, city.offsetS) },
    { label: "due", value: clock(order.due, city.offsetS) },
  ];
  const others = companions(order, city);
  if (others.length > 0) rows.push({ label: "together with", value: others.join(", ") });
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
