// The layer of what moves: drivers between their pings, orders from restaurant to customer, the selection.

import { isOver } from "./format.js";
import { isMoving, newTrack, positionAt, retarget } from "./interpolation.js";
import { orderColour } from "./palette.js";
import { DriverSprites, traceDiamond } from "./sprites.js";

const PICK_WITHIN_PX = 16;

// Idle drivers below, busy ones above.
const STATES_BOTTOM_UP = ["idle", "waiting", "to_restaurant", "to_customer"];

export class MoverLayer {
  constructor(canvas, palette) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.palette = palette;
    this.projection = null;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.tracks = new Map();
    this.ends = new Map();
    this.orders = new Map();
    this.plans = new Map();
    this.sprites = null;
    this.spritesFor = "";
    this.selection = null;
    this.route = [];
    this.routeFor = null;
  }

  setPalette(palette) {
    this.palette = palette;
    this.spritesFor = "";
  }

  // Another projection: all places are computed anew.
  setProjection(projection) {
    this.projection = projection;
    this.route = [];
    this.routeFor = null;
    this.tracks.clear();
    this.ends.clear();
  }

  // Takes the newest picture; what moved drives to its new place.
  update(city, now) {
    const { projection } = this;
    if (!projection) return;
    for (const id of this.tracks.keys()) {
      if (!city.drivers.has(id)) this.tracks.delete(id);
    }
    for (const { id, lat, lng, state } of city.drivers.values()) {
      const track = this.tracks.get(id);
      if (!track) {
        this.tracks.set(id, { ...newTrack(projection.x(lng), projection.y(lat), now), state, lat, lng });
        continue;
      }
      track.state = state;
      if (track.lat === lat && track.lng === lng) continue;
      track.lat = lat;
      track.lng = lng;
      retarget(track, projection.x(lng), projection.y(lat), now);
    }
    this.orders = city.orders;
    this.plans = city.plans;
    for (const id of this.ends.keys()) {
      if (!city.orders.has(id)) this.ends.delete(id);
    }
    for (const order of city.orders.values()) {
      if (!this.ends.has(order.id)) this.ends.set(order.id, this.project(order));
    }
  }

  project({ from, to }) {
    const { projection } = this;
    return {
      fromX: projection.x(from[1] / 1e7),
      fromY: projection.y(from[0] / 1e7),
      toX: projection.x(to[1] / 1e7),
      toY: projection.y(to[0] / 1e7),
    };
  }

  // The way on the roads of what is selected: for each leg `[lat, lng, lat, lng, …]` in 1e-7 degrees. Straight lines without.
  setRoute(legs) {
    const { projection } = this;
    if (legs === this.routeFor || !projection) return;
    this.routeFor = legs;
    this.route = legs.map((leg) => {
      const line = new Float32Array(leg.length);
      for (let at = 0; at < leg.length; at += 2) {
        line[at] = projection.x(leg[at + 1] / 1e7);
        line[at + 1] = projection.y(leg[at] / 1e7);
      }
      return line;
    });
  }

  isMoving(now) {
    if (this.still) return false;
    for (const track of this.tracks.values()) {
      if (isMoving(track, now)) return true;
    }
    return false;
  }

  draw(viewport, now) {
    const { context } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(viewport.width * ratio);
    const height = Math.round(viewport.height * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, viewport.width, viewport.height);
    const radius = dotRadius(viewport.scale);
    this.prepareSprites(radius, ratio);
    this.drawOrders(viewport, radius);
    this.drawDrivers(viewport, now);
    this.drawSelection(viewport, now, radius);
  }

  prepareSprites(radius, ratio) {
    const wanted = `${radius},${ratio}`;
    if (this.spritesFor === wanted) return;
    this.sprites = new DriverSprites(this.palette, radius, ratio);
    this.spritesFor = wanted;
  }

  drawOrders(viewport, radius) {
    const { context } = this;
    const chosen = new Set(this.selectedOrders().map(({ id }) => id));
    for (const [id, ends] of this.ends) {
      const order = this.orders.get(id);
      if (!order || isOver(order) || chosen.has(id)) continue;
      const line = screenLine(viewport, ends);
      if (outside(viewport, line)) continue;
      context.globalAlpha = (order.late ? 0.75 : 0.24) * (chosen.size > 0 ? 0.35 : 1);
      context.strokeStyle = this.palette[orderColour(order)];
      context.lineWidth = order.late ? 1.8 : 1.2;
      context.beginPath();
      context.moveTo(line.fromX, line.fromY);
      context.lineTo(line.toX, line.toY);
      context.stroke();
      context.globalAlpha = chosen.size > 0 ? 0.5 : 1;
      this.drawEnds(order, line, radius * 0.8);
    }
    context.globalAlpha = 1;
  }

  // The restaurant's ring goes once the food has left it.
  drawEnds(order, line, radius) {
    const { context } = this;
    context.fillStyle = this.palette.halo;
    context.strokeStyle = this.palette[orderColour(order)];
    context.lineWidth = 1.6;
    if (order.state !== "to_customer" && order.state !== "at_door") {
      context.beginPath();
      context.arc(line.fromX, line.fromY, radius, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
    context.beginPath();
    traceDiamond(context, line.toX, line.toY, radius * 1.2);
    context.fill();
    context.stroke();
    if (order.late) {
      context.fillStyle = this.palette.late;
      context.fillRect(line.toX - 0.8, line.toY - radius * 0.65, 1.6, radius * 0.75);
      context.fillRect(line.toX - 0.8, line.toY + radius * 0.35, 1.6, 1.6);
    }
  }

  drawDrivers(viewport, now) {
    const room = this.sprites.size;
    for (const wanted of STATES_BOTTOM_UP) {
      for (const track of this.tracks.values()) {
        if (track.state !== wanted) continue;
        const { x, y } = this.seen(track, now);
        const screenX = viewport.toScreenX(x);
        const screenY = viewport.toScreenY(y);
        if (screenX < -room || screenX > viewport.width + room) continue;
        if (screenY < -room || screenY > viewport.height + room) continue;
        this.sprites.stamp(this.context, wanted, screenX, screenY);
      }
    }
  }

  // The chosen orders in full strength, and the way their driver has to go, from stop to stop.
  drawSelection(viewport, now, radius) {
    const { context } = this;
    const track = this.tracks.get(this.selectedDriver());
    const at = track && this.seen(track, now);
    const orders = this.selectedOrders().filter(({ id }) => this.ends.has(id));
    for (const order of this.route.length > 0 ? [] : orders) {
      const line = screenLine(viewport, this.ends.get(order.id));
      context.strokeStyle = this.palette[orderColour(order)];
      context.lineWidth = 2.6;
      context.beginPath();
      context.moveTo(line.fromX, line.fromY);
      context.lineTo(line.toX, line.toY);
      context.stroke();
    }
    if (this.route.length > 0) this.drawRoute(viewport, at);
    else if (at) this.drawWay(viewport, at);
    for (const order of orders) this.drawEnds(order, screenLine(viewport, this.ends.get(order.id)), radius * 1.25);
    if (at) {
      const x = viewport.toScreenX(at.x);
      const y = viewport.toScreenY(at.y);
      this.sprites.stamp(context, track.state, x, y);
      context.beginPath();
      context.arc(x, y, radius + 7, 0, 2 * Math.PI);
      context.lineWidth = 2;
      context.strokeStyle = this.palette.ink;
      context.stroke();
    }
  }

  // The way on the roads, from where the driver is by now.
  drawRoute(viewport, at) {
    const { context } = this;
    context.beginPath();
    this.route.forEach((line, leg) => {
      const from = leg === 0 && at ? nearestPoint(line, at) : 0;
      if (leg === 0 && at) context.moveTo(viewport.toScreenX(at.x), viewport.toScreenY(at.y));
      for (let point = from; point < line.length; point += 2) {
        const [x, y] = [viewport.toScreenX(line[point]), viewport.toScreenY(line[point + 1])];
        if (point === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      }
    });
    context.lineJoin = "round";
    context.lineCap = "round";
    context.lineWidth = 6.5;
    context.strokeStyle = this.palette.halo;
    context.stroke();
    context.lineWidth = 3;
    context.strokeStyle = this.palette.ink;
    context.stroke();
    context.lineCap = "butt";
  }

  // Dashes from the driver to each stop in turn, where the way on the roads is not known.
  drawWay(viewport, at) {
    const { context } = this;
    context.setLineDash([5, 5]);
    context.lineWidth = 1.8;
    context.strokeStyle = this.palette.ink;
    context.beginPath();
    context.moveTo(viewport.toScreenX(at.x), viewport.toScreenY(at.y));
    for (const { x, y } of this.stopPlaces()) context.lineTo(viewport.toScreenX(x), viewport.toScreenY(y));
    context.stroke();
    context.setLineDash([]);
  }

  // The places, in metres, of the stops of the selected driver or of the driver who has the selected order.
  stopPlaces() {
    return (this.plans.get(this.selectedDriver()) ?? []).flatMap(({ order, kind }) => {
      const ends = this.ends.get(order);
      if (!ends) return [];
      return [kind === "pickup" ? { x: ends.fromX, y: ends.fromY } : { x: ends.toX, y: ends.toY }];
    });
  }

  selectedDriver() {
    if (this.selection?.kind === "driver") return this.selection.id;
    const order = this.selectedOrder();
    return order && !isOver(order) ? order.driver : undefined;
  }

  // The one order that was chosen, or all that the chosen driver has, in the order of the stops.
  selectedOrders() {
    if (this.selection?.kind !== "driver") {
      const order = this.selectedOrder();
      return order ? [order] : [];
    }
    const ids = new Set((this.plans.get(this.selection.id) ?? []).map(({ order }) => order));
    return [...ids].flatMap((id) => this.orders.get(id) ?? []);
  }

  // The order that was chosen, or the one of the chosen driver's next stop.
  selectedOrder() {
    if (!this.selection) return null;
    if (this.selection.kind === "order") return this.orders.get(this.selection.id) ?? null;
    return this.selectedOrders()[0] ?? null;
  }

  seen(track, now) {
    return this.still ? { x: track.toX, y: track.toY } : positionAt(track, now);
  }

  // The driver or order end nearest to a point of the screen, or null.
  pick(viewport, screenX, screenY, now) {
    let best = null;
    let nearest = PICK_WITHIN_PX;
    const consider = (kind, id, x, y, handicap) => {
      const away = Math.hypot(x - screenX, y - screenY) + handicap;
      if (away < nearest) {
        nearest = away;
        best = { kind, id };
      }
    };
    for (const [id, track] of this.tracks) {
      const { x, y } = this.seen(track, now);
      consider("driver", id, viewport.toScreenX(x), viewport.toScreenY(y), track.state === "idle" ? 2 : 0);
    }
    for (const [id, ends] of this.ends) {
      if (isOver(this.orders.get(id) ?? { state: "delivered" })) continue;
      const line = screenLine(viewport, ends);
      consider("order", id, line.fromX, line.fromY, 1);
      consider("order", id, line.toX, line.toY, 1);
    }
    return best;
  }

  // The box, in metres, of nearly all drivers and orders; null while there are none.
  workBox() {
    const xs = [];
    const ys = [];
    for (const { toX, toY } of [...this.tracks.values(), ...this.ends.values()]) {
      xs.push(toX);
      ys.push(toY);
    }
    if (xs.length < 2) return null;
    const [minX, maxX] = middlePart(xs);
    const [minY, maxY] = middlePart(ys);
    return { minX, maxX, minY, maxY };
  }

  // Where to look to see what is selected, in metres; null when it is nowhere.
  selectionBox(now) {
    const track = this.tracks.get(this.selectedDriver());
    const points = this.stopPlaces();
    if (track) points.push(this.seen(track, now));
    for (const { id } of this.selectedOrders()) {
      const ends = this.ends.get(id);
      if (ends) points.push({ x: ends.fromX, y: ends.fromY }, { x: ends.toX, y: ends.toY });
    }
    if (points.length === 0) return null;
    const xs = points.map(({ x }) => x);
    const ys = points.map(({ y }) => y);
    return { minX: Math.min(...xs), maxX: Math.max(...xs), minY: Math.min(...ys), maxY: Math.max(...ys) };
  }
}

function screenLine(viewport, ends) {
  return {
    fromX: viewport.toScreenX(ends.fromX),
    fromY: viewport.toScreenY(ends.fromY),
    toX: viewport.toScreenX(ends.toX),
    toY: viewport.toScreenY(ends.toY),
  };
}

// Where in a line [x, y, x, y, …] the point nearest to a place begins; the first of two that are as near.
export function nearestPoint(line, { x, y }) {
  let best = 0;
  let nearest = Infinity;
  for (let at = 0; at < line.length; at += 2) {
    const away = Math.hypot(line[at] - x, line[at + 1] - y);
    if (away < nearest) [best, nearest] = [at, away];
  }
  return best;
}

// Lowest and highest without the outermost hundredth at either end.
function middlePart(values) {
  values.sort((a, b) => a - b);
  const cut = Math.floor(values.length / 100);
  return [values[cut], values[values.length - 1 - cut]];
}

function outside(viewport, line) {
  return (
    Math.max(line.fromX, line.toX) < -20 ||
    Math.min(line.fromX, line.toX) > viewport.width + 20 ||
    Math.max(line.fromY, line.toY) < -20 ||
    Math.min(line.fromY, line.toY) > viewport.height + 20
  );
}

// Bigger when nearer, in half pixels so that sprites are seldom drawn again.
function dotRadius(pixelsPerMetre) {
  const radius = 4.5 + Math.log2(pixelsPerMetre * 20) * 0.6;
  return Math.round(Math.min(7, Math.max(3.5, radius)) * 2) / 2;
}
