// Wires the page: the link feeds the picture, the picture feeds the map, the figures and the list.

import { applyDelta, applySnapshot, cityNow, emptyCity } from "./city.js";
import { Card } from "./card.js";
import { Detail } from "./detail.js";
import { decodeDrawing, emptyDrawing } from "../shared/drawing.js";
import { showClock, showFigures, showLink } from "./figures.js";
import { MoverLayer } from "./movers.js";
import { OrderList } from "./orders.js";
import { onSchemeChange, readPalette } from "./palette.js";
import { scaleBar } from "../shared/projection.js";
import { Stream } from "./stream.js";
import { StreetLayer } from "../shared/streets.js";
import { View } from "../shared/view.js";

const byId = (id) => document.getElementById(id);
const city = emptyCity();
let live = false;
let heardAt = 0;
let selection = null;
let frame = 0;
let changed = true;
let mapFailed = false;

document.documentElement.classList.add("scripted");
const streets = new StreetLayer(byId("streets"), readPalette());
const movers = new MoverLayer(byId("movers"), readPalette());
const view = new View(byId("map"), {
  changed: viewChanged,
  clicked: (x, y) => clicked(movers.pick(view.viewport, x, y, performance.now())),
});
const list = new OrderList(byId("panel"), { choose: (id) => select({ kind: "order", id }, true) });
const detail = new Detail(byId("detail"), {
  close: () => select(null, false),
  choose: (kind, id) => select({ kind, id }, true),
});

const card = new Card(() => showSelection(timeNow()));

// The card and the way on the roads of what is selected.
function showSelection(now) {
  const facts = card.follow(selection, city, performance.now());
  detail.show(selection, city, now, facts);
  movers.setRoute(facts?.route ?? []);
  requestDraw();
}

function timeNow() {
  return live ? cityNow(city, performance.now() - heardAt) : city.now;
}

function viewChanged() {
  streets.follow(view.viewport);
  const bar = scaleBar(view.viewport.scale, view.viewport.width < 500 ? 40 : 110);
  byId("scale-bar").style.width = `${bar.width}px`;
  byId("scale-text").textContent = bar.text;
  requestDraw();
}

function requestDraw() {
  changed = true;
  if (!frame) frame = requestAnimationFrame(draw);
}

function draw() {
  frame = 0;
  const now = performance.now();
  if (!changed && !movers.isMoving(now)) return;
  changed = false;
  movers.draw(view.viewport, now);
  frame = requestAnimationFrame(draw);
}

// While somebody gives an order away, a driver who is clicked is the one to get it.
function clicked(picked) {
  if (detail.assign.isChoosing && picked?.kind === "driver") detail.assign.look(picked.id);
  else select(picked, false);
}

function select(next, bringIntoSight) {
  selection = next;
  movers.selection = next;
  list.select(movers.selectedOrder()?.id ?? null, next?.kind === "driver" || !bringIntoSight);
  showSelection(timeNow());
  const box = bringIntoSight ? movers.selectionBox(performance.now()) : null;
  if (!box) return;
  const covered = detail.covers(byId("map"));
  const { width, height } = view.viewport;
  view.show(box, Math.min(120, height / 8, (width - covered.left) / 6), covered);
}

function pictureChanged() {
  heardAt = performance.now();
  placeWithoutMap();
  movers.update(city, heardAt);
  showFigures(city);
  list.show(city, city.now);
  showSelection(city.now);
}

// At first the map shows where the drivers and orders are, which may be one corner of it.
function showWork() {
  const box = view.touched ? null : movers.workBox();
  if (box) view.show(box, 36);
}

function linkChanged(state, retryMs) {
  live = state === "live";
  showLink(state, retryMs);
}

async function loadMap() {
  const note = byId("map-note");
  try {
    const response = await fetch("/city/map.json");
    if (response.status === 404) {
      showWithoutMap("No map: start the server with --map FILE to see streets.", false);
      return;
    }
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    mapFailed = false;
    note.hidden = true;
    useDrawing(decodeDrawing(await response.json()));
  } catch (error) {
    showWithoutMap(`No streets: the map could not be loaded (${error.message}).`, true);
  }
}

function showWithoutMap(why, canRetry) {
  mapFailed = true;
  byId("map-note").hidden = false;
  byId("map-note-text").textContent = why;
  byId("map-retry").hidden = !canRetry;
  placeWithoutMap();
}

function useDrawing(drawing) {
  streets.setDrawing(drawing);
  movers.setProjection(drawing.projection);
  byId("attribution").textContent = drawing.attribution;
  view.setBox(drawing.view);
  if (city.ready) pictureChanged();
  showWork();
}

// Drivers and orders are shown on blank ground when there is no map.
function placeWithoutMap() {
  const drawing = mapFailed && !movers.projection ? emptyDrawing(city) : null;
  if (drawing) useDrawing(drawing);
}

function listenToControls() {
  byId("legend").open = window.innerWidth > 1100 && window.innerHeight > 520;
  byId("zoom-in").addEventListener("click", () => view.zoom(1.8));
  byId("zoom-out").addEventListener("click", () => view.zoom(1 / 1.8));
  byId("whole-city").addEventListener("click", () => view.wholeCity());
  byId("map-retry").addEventListener("click", loadMap);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") select(null, false);
    if (event.key === "/" && event.target.tagName !== "INPUT") {
      event.preventDefault();
      byId("filter").focus();
    }
  });
  onSchemeChange(() => {
    streets.setPalette(readPalette());
    movers.setPalette(readPalette());
    viewChanged();
  });
}

listenToControls();
loadMap();
new Stream("/city/stream", {
  snapshot: (message) => {
    applySnapshot(city, message);
    pictureChanged();
    showWork();
  },
  delta: (message) => {
    const complete = applyDelta(city, message);
    if (complete) pictureChanged();
    return complete;
  },
  link: linkChanged,
});
setInterval(() => showClock(city, timeNow()), 250);
