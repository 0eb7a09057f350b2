// The panel: the two ends, a row for each profile, the way turn by turn.

import { STROKES } from "./overlay.js";
import { arrowAngle, coordinate, distance, instruction, minutes, readable } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function drawn(viewBox, tag, attributes) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", viewBox);
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
  svg.append(shape);
  return svg;
}

export class Panel {
  constructor(profiles, { choose }) {
    this.byId = (id) => document.getElementById(id);
    this.rows = new Map();
    for (const profile of profiles) this.addRow(profile, choose);
  }

  addRow(profile, choose) {
    const row = element("label", "profile");
    const input = element("input");
    Object.assign(input, { type: "radio", name: "profile", value: profile });
    input.addEventListener("change", () => choose(profile));
    const stroke = drawn("0 0 44 10", "path", {
      d: "M2 5h40", fill: "none", stroke: `var(--${profile})`, "stroke-width": 4, "stroke-linecap": "round",
      "stroke-dasharray": STROKES[profile].join(" "),
    });
    const time = element("span", "time", "–");
    const far = element("span", "distance");
    row.append(input, stroke, element("span", "name", profile), time, far);
    this.byId("profiles").append(row);
    this.rows.set(profile, { row, input, time, far });
  }

  show(state) {
    for (const end of ["from", "to"]) {
      const field = this.byId(end);
      if (document.activeElement !== field) field.value = state[end] ? coordinate(state[end]) : "";
      this.byId(`pick-${end}`).setAttribute("aria-pressed", String(state.picking === end));
    }
    for (const [profile, { row, input, time, far }] of this.rows) {
      const way = state.ways[profile];
      input.checked = profile === state.profile;
      row.classList.toggle("none", way === null);
      time.textContent = way ? minutes(way.seconds) : way === null ? "no way" : "–";
      far.textContent = way ? distance(way.metres) : "";
    }
    this.byId("reach").checked = state.showReach;
    this.note(state);
    this.showSteps(state.ways[state.profile]?.steps ?? []);
  }

  note(state) {
    const note = this.byId("note");
    const waits = !state.from
      ? "Click where the way starts, then where it ends."
      : state.to ? "" : "Click where the way ends.";
    note.textContent = state.error ?? (state.asking ? "Asking…" : waits);
    note.classList.toggle("alarm", Boolean(state.error));
  }

  showSteps(steps) {
    if (steps === this.shown) return;
    this.shown = steps;
    this.byId("steps").replaceChildren(...readable(steps).map((step) => {
      const item = element("li", "turn");
      const arrow = drawn("0 0 20 20", "path", {
        d: "M10 17V4M5.500 8.500L10 4l4.500 4.500", fill: "none", stroke: "currentColor", "stroke-width": 2,
        transform: `rotate(${arrowAngle(step.maneuver)} 10 10)`,
      });
      const far = step.distance > 0 ? distance(step.distance) : "";
      item.append(arrow, element("span", "way", instruction(step)), element("span", "far", far));
      return item;
    }));
  }
}
