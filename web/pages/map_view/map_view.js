// Wires the page: clicks and fields make a question, its answers go to the map and the panel.

import { askReach, askRoute } from "./ask.js";
import { decodeDrawing, boxOf } from "../shared/drawing.js";
import { Overlay } from "./overlay.js";
import { Panel } from "./panel.js";
import { scaleBar } from "../shared/projection.js";
import { STREET_COLOURS, StreetLayer } from "../shared/streets.js";
import { View } from "../shared/view.js";
import { readCoordinate } from "./words.js";

const REACH_MINUTES = [5, 10, 15];
// A second click within this time is a double click, which zooms.
const DOUBLE_CLICK_MS = 240;

const byId = (id) => document.getElementById(id);
const state = {
  from: null, to: null, picking: "from", profile: "scooter", ways: {}, reach: null, showReach: false,
  error: null, asking: false,
};
let projection = null;
let asked = new AbortController();
let profiles = [];
let frame = 0;

function streetColours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(STREET_COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

const streets = new StreetLayer(byId("streets"), streetColours());
const overlay = new Overlay(byId("ways"));
let clickTimer = 0;
const view = new View(byId("map"), {
  changed: viewChanged,
  clicked: (x, y) => {
    clearTimeout(clickTimer);
    clickTimer = setTimeout(() => pick(placeAt(x, y)), DOUBLE_CLICK_MS);
  },
});
let panel = null;

function viewChanged() {
  streets.follow(view.viewport);
  const bar = scaleBar(view.viewport.scale, view.viewport.width < 500 ? 40 : 110);
  byId("scale-bar").style.width = `${bar.width}px`;
  byId("scale-text").textContent = bar.text;
  requestDraw();
}

function requestDraw() {
  if (frame) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    overlay.draw(view.viewport, state);
  });
}

function show() {
  panel.show(state);
  remember();
  requestDraw();
}

// Degrees under a place on the screen: the inverse of the drawing's projection.
function placeAt(x, y) {
  const plane = { x: view.viewport.toPlaneX(x), y: view.viewport.toPlaneY(y) };
  const radians = Math.PI / 180;
  const lng = projection.lng0 + plane.x / (radians * projection.unit);
  const lat = (2 * Math.atan(Math.exp(plane.y / projection.unit + projection.y0)) - Math.PI / 2) / radians;
  return { lat, lng };
}

function pick(at) {
  setEnd(state.picking, at);
  if (state.picking === "from") state.picking = "to";
  ask();
}

function setEnd(end, at) {
  state[end] = at;
  state.ways = {};
  if (end === "from") state.reach = null;
}

// Asks for everything that is not known yet; whatever was asked before does not matter any more.
async function ask() {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  state.error = null;
  state.asking = Boolean(state.from && (state.to || state.showReach));
  show();
  try {
    const news = await Promise.all([askWays(signal), askArea(signal)]);
    if (news.includes(true)) bringIntoSight();
  } catch (error) {
    if (signal.aborted) return;
    state.error = error.message;
  }
  state.asking = false;
  show();
}

// Whether there is anything new to see.
async function askWays(signal) {
  const { from, to } = state;
  if (!from || !to || Object.keys(state.ways).length > 0) return false;
  const answers = await Promise.all(profiles.map((profile) => askRoute(profile, from, to, signal)));
  if (signal.aborted) return false;
  profiles.forEach((profile, index) => { state.ways[profile] = answers[index]; });
  return true;
}

async function askArea(signal) {
  if (!state.showReach || !state.from || state.reach) return false;
  const reach = await askReach(state.profile, state.from, REACH_MINUTES, signal);
  if (signal.aborted) return false;
  state.reach = reach;
  return true;
}

// Moves the map only if something of what was answered cannot be seen.
function bringIntoSight() {
  const lines = Object.values(state.ways).filter(Boolean).map((way) => way.line);
  if (state.reach) lines.push(...state.reach.flatMap(({ polygons }) => polygons.map(([outer]) => outer)));
  if (lines.length === 0) return;
  const points = lines.flat().flatMap(([lng, lat]) => [projection.x(lng), projection.y(lat)]);
  const box = boxOf(points);
  const { viewport } = view;
  const isSeen =
    viewport.toScreenX(box.minX) > 0 && viewport.toScreenX(box.maxX) < viewport.width &&
    viewport.toScreenY(box.maxY) > 0 && viewport.toScreenY(box.minY) < viewport.height;
  const share = Math.max(
    ((box.maxX - box.minX) * viewport.scale) / viewport.width,
    ((box.maxY - box.minY) * viewport.scale) / viewport.height,
  );
  if (!isSeen || share < 0.4) view.show(box, Math.min(70, viewport.width / 6));
}

// The address keeps the question, so that it can be sent to somebody.
function remember() {
  const parts = ["from", "to"]
    .filter((end) => state[end])
    .map((end) => `${end}=${state[end].lat.toFixed(5)},${state[end].lng.toFixed(5)}`);
  parts.push(`profile=${state.profile}`);
  if (state.showReach) parts.push("reach");
  history.replaceState(null, "", `#${parts.join("&")}`);
}

function recall() {
  const parts = new URLSearchParams(location.hash.slice(1));
  for (const end of ["from", "to"]) state[end] = readCoordinate(parts.get(end) ?? "");
  if (profiles.includes(parts.get("profile"))) state.profile = parts.get("profile");
  state.showReach = parts.has("reach");
  if (state.from) state.picking = "to";
}

function listenToControls() {
  byId("zoom-in").addEventListener("click", () => view.zoom(1.8));
  byId("zoom-out").addEventListener("click", () => view.zoom(1 / 1.8));
  byId("whole-city").addEventListener("click", () => view.wholeCity());
  byId("map").addEventListener("dblclick", () => clearTimeout(clickTimer));
  for (const end of ["from", "to"]) {
    byId(`pick-${end}`).addEventListener("click", () => {
      state.picking = end;
      show();
    });
    byId(end).addEventListener("change", (event) => typed(end, event.target));
  }
  byId("ends").addEventListener("submit", (event) => {
    event.preventDefault();
    document.activeElement.blur();
  });
  byId("swap").addEventListener("click", () => {
    const { from, to } = state;
    setEnd("from", to);
    setEnd("to", from);
    ask();
  });
  byId("clear").addEventListener("click", () => {
    setEnd("from", null);
    setEnd("to", null);
    state.picking = "from";
    ask();
  });
  byId("reach").addEventListener("change", (event) => {
    state.showReach = event.target.checked;
    state.reach = null;
    ask();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    streets.setPalette(streetColours());
    overlay.setColours();
    viewChanged();
  });
}

function typed(end, field) {
  const at = field.value.trim() === "" ? null : readCoordinate(field.value);
  const isWrong = field.value.trim() !== "" && !at;
  field.setAttribute("aria-invalid", String(isWrong));
  if (isWrong) {
    state.error = "Type a latitude and a longitude in degrees, such as 41.1496, -8.6110.";
    show();
    return;
  }
  setEnd(end, at);
  ask();
}

async function load() {
  const note = byId("map-note-text");
  try {
    const [drawing, served] = await Promise.all(
      ["/map.json", "/profiles.json"].map(async (path) => {
        const response = await fetch(path);
        if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
        return response.json();
      }),
    );
    const decoded = decodeDrawing(drawing);
    profiles = served;
    state.profile = profiles[0];
    projection = decoded.projection;
    overlay.projection = projection;
    streets.setDrawing(decoded);
    panel = new Panel(profiles, {
      choose: (profile) => {
        state.profile = profile;
        state.reach = null;
        ask();
      },
    });
    byId("map-note").hidden = true;
    recall();
    view.setBox(decoded.view);
    listenToControls();
    ask();
  } catch (error) {
    note.textContent = `The map could not be loaded (${error.message}). Reload the page to try again.`;
  }
}

load();
