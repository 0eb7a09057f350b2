// Why this driver: asked of the server when an order is chosen, and again when its driver changes.

import { element } from "./dom.js";
import { isOver } from "./format.js";
import { reasons } from "./reasons.js";

const COLUMNS = ["driver", "food at", "cost", "elsewhere", "more"];

export class Why {
  // `explained` is told every answer.
  constructor(section, explained) {
    this.section = section;
    this.explained = explained;
    this.order = null;
    this.asked = "";
  }

  // Shows the reasons for an order, nothing without one.
  follow(order, offsetS) {
    this.section.hidden = !order;
    if (!order) {
      this.order = null;
      this.asked = "";
      return;
    }
    const question = `${order.id} ${order.driver} ${order.state === "placed"} ${isOver(order)} ${offsetS}`;
    if (question === this.asked) return;
    if (order.id !== this.order) this.say("Asking dispatch…");
    this.order = order.id;
    this.asked = question;
    this.ask(question);
  }

  async ask(question) {
    try {
      const response = await fetch(`/city/orders/${encodeURIComponent(this.order)}/why`);
      const answer = await response.json();
      if (question !== this.asked) return;
      if (response.ok) {
        this.show(reasons(answer));
        this.explained(answer);
      } else this.fail(answer.detail ?? response.status, question);
    } catch (error) {
      if (question === this.asked) this.fail(error.message, question);
    }
  }

  say(text) {
    this.section.setAttribute("aria-busy", "true");
    this.section.replaceChildren(element("h3", "", "Why this driver"), element("p", "soft", text));
  }

  fail(reason, question) {
    const again = element("button", "link", "Ask again");
    again.type = "button";
    again.addEventListener("click", () => this.ask(question));
    this.section.replaceChildren(element("h3", "", "Why this driver"), element("p", "", `No answer: ${reason}.`), again);
    this.section.setAttribute("aria-busy", "false");
  }

  show(told) {
    this.section.setAttribute("aria-busy", "false");
    const parts = [element("h3", "", "Why this driver")];
    if (!told) {
      parts.push(element("p", "soft", "Nobody was asked so far."));
    } else {
      parts.push(element("p", "why-rule", told.rule), element("p", "", told.asked));
      if (told.rows.length > 0) parts.push(...compared(told));
      if (told.earlier.length > 0) parts.push(element("p", "soft", `Asked before: ${told.earlier.join(", ")}.`));
    }
    this.section.replaceChildren(...parts);
  }
}

// What the round weighed; nothing where a person decided.
function compared(told) {
  return [
    element("p", "", told.ended),
    element("h4", "", "What it costs, in minutes that somebody loses"),
    costs(told.terms),
    element("h4", "", "Who else could have gone, in minutes"),
    table(told.rows),
    element("p", "", told.postponed),
    element("p", "soft", told.compared),
  ];
}

function costs(terms) {
  const list = element("dl", "why-terms");
  for (const [name, value] of terms) {
    const row = element("div", name === "all together" ? "why-sum" : "");
    row.append(element("dt", "", name), element("dd", "", value));
    list.append(row);
  }
  return list;
}

function table(rows) {
  const made = element("table");
  const head = element("tr");
  for (const name of COLUMNS) {
    const cell = element("th", "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = element("tbody");
  for (const [driver, ...values] of rows) {
    const row = element("tr", values.at(-1) === "chosen" ? "why-chosen" : "");
    const name = element("th", "", driver);
    name.scope = "row";
    row.append(name, ...values.map((value) => element("td", "", value)));
    body.append(row);
  }
  const top = element("thead");
  top.append(head);
  made.append(top, body);
  return made;
}
