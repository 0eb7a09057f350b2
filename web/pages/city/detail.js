// The card of what is selected: an order's way from click to door and why its driver, or a driver and its stops.

import { Assign } from "./assign.js";
import { element, glyph, setText } from "./dom.js";
import { DRIVER_WORDS, arrival, clock, isOver, minutes, money, promise, range, stateWords } from "./format.js";
import { orderGlyph } from "./orders.js";
import { orderColour } from "./palette.js";
import { DRIVER_COLOURS } from "./sprites.js";
import { Why } from "./why.js";

// City time, milliseconds.
const SHIFT_MAX = 2 * 24 * 3600 * 1000;

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

  // Draws again only what changed, so that a screen reader does not read the same twice. `facts` is what the server says beyond
  // the stream, or null.
  show(selection, city, now, facts) {
    const order = selection?.kind === "order" ? city.orders.get(selection.id) : undefined;
    const driver = selection?.kind === "driver" ? city.drivers.get(selection.id) : undefined;
    this.card.hidden = !order && !driver;
    this.assign.follow(order);
    this.why.follow(order, city.offsetS);
    if (this.card.hidden) {
      this.shown = "";
      return;
    }
    const rows = order ? orderRows(order, city, now, facts) : driverRows(driver, city, now, facts);
    const stops = driver ? stopRows(driver, city) : [];
    const shown = JSON.stringify([selection, rows, stops]);
    if (shown === this.shown) return;
    this.shown = shown;
    if (order) this.fill(glyph(orderGlyph(order), orderColour(order)), order.restaurant, rows);
    else this.fill(glyph(DRIVER_COLOURS[driver.state], DRIVER_COLOURS[driver.state]), `Driver ${driver.id}`, rows);
    this.addStops(stops);
  }

  // How much of the map's left edge the card takes, in pixels; on a small screen it stands beside the map.
  covers(map) {
    if (this.card.hidden) return { left: 0, bottom: 0 };
    const [card, seen] = [this.card.getBoundingClientRect(), map.getBoundingClientRect()];
    const apart = card.left >= seen.right || card.top >= seen.bottom;
    return { left: apart ? 0 : card.right - seen.left, bottom: 0 };
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

// Who ordered what, and where it is fetched.
function factRows({ customer, address, items, total_minor: total, currency }) {
  const rows = [
    { label: "items", value: items.map(({ quantity, name }) => `${quantity} × ${name}`).join(", ") },
    { label: "total", value: money(total, currency) },
  ];
  if (customer) rows.unshift({ label: "customer", value: customer });
  if (address) rows.push({ label: "pickup at", value: address });
  return rows;
}

function orderRows(order, city, now, facts) {
  const { time, note } = arrival(order, now, city.offsetS);
  const expected = [time, range(order, now, city.offsetS), note].filter(Boolean).join(", ");
  const rows = [
    { label: "order", value: order.code },
    { label: "state", value: stateWords(order) },
    { label: "driver", value: order.driver === null ? "none yet" : order.driver, driver: isOver(order) ? null : order.driver },
    { label: isOver(order) ? "ended" : "expected", value: time === "–" && !order.late ? "not known yet" : expected, className: order.late ? "late" : "" },
    { label: "promised", value: promise(order, city.offsetS) },
    { label: "due", value: `${clock(order.due, city.offsetS)}, late after that` },
  ];
  if (facts) rows.push(...factRows(facts));
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

// A shift that ends after two days or never is one without an end to plan by.
function shiftEnd(until, city, now) {
  if (until === null) return "not known";
  return until - now > SHIFT_MAX ? "open" : clock(until, city.offsetS);
}

function driverRows(driver, city, now, facts) {
  const rows = [{ label: "state", value: DRIVER_WORDS[driver.state] }];
  if (!facts) return rows;
  const { vehicle, last_ping_ms: ping, shift_until_ms: until } = facts;
  if (vehicle) rows.push({ label: "vehicle", value: vehicle });
  rows.push(
    { label: "last ping", value: `${clock(ping, city.offsetS)}, ${minutes(now - ping)} ago` },
    { label: "shift ends", value: shiftEnd(until, city, now) },
  );
  return rows;
}
