// The figures with their half-hour lines, the clock and the state of the link.

import { clock, figure, speedup } from "./format.js";
import { sparkPath } from "./spark.js";

const SPARK_WIDTH = 96;
const SPARK_HEIGHT = 26;

// Columns of a history row: [minute, open, late, click-to-door, busy, round, orders per hour].
const COLUMNS = { open: 1, late: 2, door: 3, busy: 4, round: 5, rate: 6 };

const byId = (id) => document.getElementById(id);

function write(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

export function showClock(city, now) {
  write("clock", city.ready ? clock(now, city.offsetS) : "--:--");
  write("speedup", speedup(city.speedup));
}

export function showLink(state, retryMs) {
  document.documentElement.dataset.link = state;
  write("link-word", state === "live" ? "live" : state === "lost" ? "link lost" : "connecting");
  const seconds = Math.max(1, Math.round(retryMs / 1000));
  write("lost-detail", `The picture below is the last one. Trying again in ${seconds} s.`);
  byId("lost").hidden = state !== "lost";
}

export function showFigures(city) {
  const { figures, history } = city;
  if (!figures) return;
  write("open", figure(figures.open));
  write("late", figure(figures.late));
  byId("figure-late").classList.toggle("alarm", figures.late > 0);
  write("door", figure(figures.click_to_door_min, 1));
  write("busy", figure(figures.drivers_on_duty - figures.drivers_idle));
  write("on-duty", figure(figures.drivers_on_duty));
  write("round", figure(figures.round_ms, 1));
  write("rate", figure(figures.orders_per_hour));
  byId("dispatch-away").hidden = figures.dispatch;
  for (const [name, column] of Object.entries(COLUMNS)) {
    drawSpark(byId(`spark-${name}`), history.map((row) => row[column]));
  }
}

function drawSpark(svg, values) {
  const { line, last } = sparkPath(values, SPARK_WIDTH - 6, SPARK_HEIGHT - 6);
  svg.querySelector("path").setAttribute("d", line);
  const dot = svg.querySelector("circle");
  dot.setAttribute("visibility", last ? "visible" : "hidden");
  if (last) {
    dot.setAttribute("cx", last.x);
    dot.setAttribute("cy", last.y);
  }
}
