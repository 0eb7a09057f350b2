// The part of an order's card that gives it to another driver: choose one, see what it changes, confirm.

import { canBeGiven, candidates, previewRows, refusal } from "./assignment.js";
import { element } from "./dom.js";

const REASON_CHARS_MAX = 500;

export class Assign {
  constructor(section) {
    this.section = section;
    section.tabIndex = -1;
    this.order = null;
    this.explanation = null;
    this.step = "closed";
    this.asked = 0;
  }

  // While somebody chooses, a click on a driver of the map is the choice.
  get isChoosing() {
    return this.step === "choose" && !this.section.hidden;
  }

  // Shows the way in for an order that can still change hands; nothing else is drawn anew, so that no input is lost.
  follow(order) {
    const isOther = order?.id !== this.order?.id;
    this.order = order ?? null;
    this.section.hidden = !order || !canBeGiven(order);
    if (isOther) {
      this.explanation = null;
      this.close();
    } else if (this.section.hidden && this.step !== "closed") {
      this.close();
    }
  }

  // Whom dispatch compared.
  explained(explanation) {
    this.explanation = explanation;
    const choices = this.section.querySelector(".assign-choices");
    if (choices) this.offer(choices);
  }

  // The drivers who were compared, as far as the explanation has come.
  offer(choices) {
    const known = this.explanation ? candidates(this.explanation, this.order?.driver ?? null) : [];
    choices.replaceChildren(...known.map(({ driver, words }) => button(words, "assign-driver", () => this.look(driver))));
  }

  close() {
    this.step = "closed";
    this.asked += 1;
    this.fill(button("Give it to another driver…", "assign-open", () => this.open(true)));
  }

  open(takeFocus = false) {
    this.step = "choose";
    const choices = element("div", "assign-choices");
    this.offer(choices);
    const form = element("form", "assign-other");
    const number = input("assign-number", "Driver number", 20);
    number.inputMode = "numeric";
    number.pattern = "[0-9]+";
    number.required = true;
    form.append(label(number, "Another driver, by number or by a click on the map"), number, submit("See the effect"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.look(number.value.trim());
    });
    this.fill(choices, form, button("Not now", "link", () => this.close()));
    if (takeFocus) (choices.querySelector("button") ?? number).focus();
  }

  // Asks what it would change.
  async look(driver) {
    const query = `?driver=${encodeURIComponent(driver)}`;
    const answer = await this.ask("Asking dispatch…", query, undefined);
    if (answer) this.show(answer, key());
  }

  show(preview, onceKey) {
    this.step = "preview";
    const rows = element("dl", "assign-rows");
    for (const [name, words] of previewRows(preview)) {
      const row = element("div", "detail-row");
      row.append(element("dt", "", name), element("dd", "", words));
      rows.append(row);
    }
    const warnings = element("ul", "assign-warnings");
    for (const { words } of preview.warnings) warnings.append(element("li", "", `! ${words}`));
    const form = element("form", "assign-confirm");
    const reason = input("assign-reason", "The customer asked for it", REASON_CHARS_MAX);
    form.append(label(reason, "Why, for the order's log"), reason, submit(`Give it to driver ${preview.driver}`));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.give(preview.driver, reason.value.trim(), onceKey);
    });
    this.fill(element("p", "soft", "What it would change:"), rows);
    if (preview.warnings.length > 0) this.section.append(warnings);
    this.section.append(form, button("Choose another", "link", () => this.open(true)));
    this.section.focus({ preventScroll: true });
    this.section.scrollIntoView({ block: "nearest" });
  }

  async give(driver, reason, onceKey) {
    const request = {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": onceKey },
      body: JSON.stringify({ driver, reason }),
    };
    const answer = await this.ask("Telling dispatch…", "", request);
    if (!answer) return;
    this.step = "done";
    const words = answer.changed ? `Driver ${answer.driver} has it now.` : `Driver ${answer.driver} had it already.`;
    this.fill(element("p", "assign-done", words), button("Give it to another driver…", "link", () => this.open(true)));
  }

  // The answer, or nothing where there is none: then the section says why, or is about something else by now.
  async ask(words, query, request) {
    const turn = ++this.asked;
    this.step = "wait";
    this.fill(element("p", "soft", words));
    this.section.setAttribute("aria-busy", "true");
    let failure;
    try {
      const response = await fetch(`/city/orders/${encodeURIComponent(this.order.id)}/assignment${query}`, request);
      const answer = await response.json();
      if (turn !== this.asked) return null;
      if (response.ok) return answer;
      failure = refusal(response.status, answer.detail);
    } catch (error) {
      if (turn !== this.asked) return null;
      failure = refusal(0, error.message);
    } finally {
      this.section.setAttribute("aria-busy", "false");
    }
    this.open();
    const alert = element("p", "assign-failed", failure);
    alert.setAttribute("role", "alert");
    this.section.querySelector("h3").after(alert);
    return null;
  }

  fill(...parts) {
    this.section.replaceChildren(element("h3", "", "Another driver"), ...parts);
  }
}

function button(words, className, clicked) {
  const made = element("button", className, words);
  made.type = "button";
  made.addEventListener("click", clicked);
  return made;
}

function submit(words) {
  const made = element("button", "assign-go", words);
  made.type = "submit";
  return made;
}

function input(id, placeholder, maxLength) {
  const made = element("input");
  Object.assign(made, { id, placeholder, maxLength, autocomplete: "off", type: "text" });
  return made;
}

function label(target, words) {
  const made = element("label", "soft", words);
  made.htmlFor = target.id;
  return made;
}

// One effect for each look, however often it is confirmed.
function key() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
