// The list of orders: kept row by row, so that focus and scroll stay where they are.

import { element, glyph, setGlyph, setText } from "./dom.js";
import { arrival, isOver, minutes, stateWords } from "./format.js";
import { arrange } from "./order_list.js";
import { orderColour } from "./palette.js";

// More rows than this nobody reads; the filter finds the others.
const ROWS_MAX = 150;

const GLYPHS = {
  placed: "searching",
  searching: "searching",
  to_restaurant: "to-restaurant",
  waiting: "waiting",
  to_customer: "to-customer",
  at_door: "to-customer",
  delivered: "done",
  cancelled: "cancelled",
};

export function orderGlyph(order) {
  return GLYPHS[order.state];
}

export class OrderList {
  constructor(root, { choose }) {
    this.list = root.querySelector("#orders");
    this.note = root.querySelector("#orders-note");
    this.filter = root.querySelector("#filter");
    this.lateFirst = root.querySelector("#late-first");
    this.rows = new Map();
    this.selected = null;
    this.choose = choose;
    this.list.replaceChildren();
    this.filter.addEventListener("input", () => this.refresh());
    this.lateFirst.addEventListener("change", () => this.refresh());
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.last = null;
  }

  refresh() {
    if (this.last) this.show(this.last.city, this.last.now);
  }

  show(city, now) {
    this.last = { city, now };
    const text = this.filter.value.trim();
    const found = arrange(city.orders.values(), { lateFirst: this.lateFirst.checked, text, now });
    const shown = found.slice(0, ROWS_MAX);
    const wanted = new Set(shown.map((order) => order.id));
    for (const [id, row] of this.rows) {
      if (wanted.has(id)) continue;
      row.item.remove();
      this.rows.delete(id);
    }
    shown.forEach((order, index) => {
      const row = this.row(order);
      this.fill(row, order, city, now);
      if (this.list.children[index] !== row.item) this.list.insertBefore(row.item, this.list.children[index] ?? null);
    });
    setText(this.note, this.words(city, found.length, text));
  }

  words(city, found, text) {
    if (city.orders.size === 0) return "No orders yet. They appear here as they are placed.";
    if (found === 0) return `No order matches “${text}”.`;
    if (found > ROWS_MAX) return `The first ${ROWS_MAX} of ${found}. Filter to find the others.`;
    return text ? `${found} of ${city.orders.size} match.` : "";
  }

  row(order) {
    const known = this.rows.get(order.id);
    if (known) return known;
    const item = element("li");
    const button = element("button", "order");
    button.type = "button";
    const mark = glyph("searching", "searching");
    const name = element("span", "order-name", order.restaurant);
    const code = element("span", "order-code", order.code);
    const state = element("span", "order-state");
    const time = element("span", "order-time");
    const note = element("span", "order-note");
    button.append(mark, name, code, state, time, note);
    item.append(button);
    button.addEventListener("click", () => this.choose(order.id));
    const row = { item, button, mark, state, time, note };
    this.rows.set(order.id, row);
    return row;
  }

  fill(row, order, city, now) {
    setGlyph(row.mark, orderGlyph(order), orderColour(order));
    const age = isOver(order) ? "" : `, ${minutes(now - order.placed)} old`;
    setText(row.state, `${stateWords(order)}${age}`);
    const { time, note } = arrival(order, now, city.offsetS);
    setText(row.time, time);
    setText(row.note, order.late ? `! ${note}` : note);
    row.button.classList.toggle("late", order.late);
    row.button.classList.toggle("over", isOver(order));
    row.button.setAttribute("aria-pressed", String(order.id === this.selected));
  }

  select(orderId, scroll) {
    this.selected = orderId;
    for (const [id, row] of this.rows) row.button.setAttribute("aria-pressed", String(id === orderId));
    if (scroll) this.rows.get(orderId)?.item.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const item = event.target.closest("li");
    const next = { ArrowDown: item?.nextElementSibling, ArrowUp: item?.previousElementSibling }[event.key];
    if (!next) return;
    event.preventDefault();
    next.firstChild.focus();
  }
}
