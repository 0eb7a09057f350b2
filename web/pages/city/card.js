// What the stream does not carry of the chosen order or driver: who ordered what, the shift, the way on the roads. Asked when
// something is chosen, when its plan changes, and every few seconds while it is open, for the driver drives on.

import { isOver } from "./format.js";

// Real time, milliseconds.
const ASK_EVERY = 4000;

export class Card {
  // `arrived` is called with each answer.
  constructor(arrived) {
    this.arrived = arrived;
    this.subject = "";
    this.question = "";
    this.askedAt = 0;
    this.facts = null;
  }

  // The answer for what is selected, or null while there is none.
  follow(selection, city, now) {
    const question = selection ? questionOf(selection, city) : "";
    if (subjectOf(selection) !== this.subject) {
      this.subject = subjectOf(selection);
      this.facts = null;
      this.askedAt = -Infinity;
    }
    const due = question !== this.question || now - this.askedAt >= ASK_EVERY;
    this.question = question;
    if (question && due) this.ask(selection, now);
    return this.facts;
  }

  async ask(selection, now) {
    this.askedAt = now;
    const { subject, question } = this;
    const folder = selection.kind === "order" ? "orders" : "drivers";
    try {
      const response = await fetch(`/city/${folder}/${encodeURIComponent(selection.id)}/card`);
      const facts = response.ok ? await response.json() : null;
      if (subject !== this.subject || question !== this.question || !facts) return;
      this.facts = facts;
      this.arrived();
    } catch {
      // Asked again in a few seconds; until then the card shows what the stream says.
    }
  }
}

function subjectOf(selection) {
  return selection ? `${selection.kind} ${selection.id}` : "";
}

// Changes whenever the way or the facts may have; empty when nothing is left to ask.
function questionOf({ kind, id }, city) {
  const stops = (driver) => (city.plans.get(driver) ?? []).map(({ order, kind: what }) => `${order}${what}`).join();
  if (kind === "driver") return city.drivers.has(id) ? `${id} ${stops(id)}` : "";
  const order = city.orders.get(id);
  return order ? `${id} ${isOver(order)} ${order.driver} ${stops(order.driver)}` : "";
}
