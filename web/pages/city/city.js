// The picture of the city as the stream told it: one snapshot, then deltas.

export function emptyCity() {
  return {
    ready: false,
    seq: 0,
    now: 0,
    speedup: 1,
    offsetS: 0,
    figures: null,
    history: [],
    drivers: new Map(),
    plans: new Map(),
    orders: new Map(),
  };
}

const HISTORY_MAX = 31;

// Places in this list are the numbers of the wire.
const DRIVER_STATES = ["off_duty", "idle", "to_restaurant", "waiting", "to_customer", "off_duty"];

function driver([id, latE7, lngE7, state]) {
  return { id, lat: latE7 / 1e7, lng: lngE7 / 1e7, state: DRIVER_STATES[state] ?? "off_duty" };
}

// A plan is the stops of one driver in the order of visiting them; without stops it is none.
function putPlan(plans, [driverId, stops]) {
  if (stops.length === 0) plans.delete(driverId);
  else plans.set(driverId, stops.map(([order, kind, eta]) => ({ order, kind, eta })));
}

export function applySnapshot(city, snapshot) {
  city.ready = true;
  city.seq = snapshot.seq;
  city.now = snapshot.now;
  city.speedup = snapshot.speedup;
  city.offsetS = snapshot.offset_s;
  city.figures = snapshot.figures;
  city.history = snapshot.history.slice(-HISTORY_MAX);
  city.drivers = new Map(snapshot.drivers.map((row) => [row[0], driver(row)]));
  city.plans = new Map();
  for (const row of snapshot.plans) putPlan(city.plans, row);
  city.orders = new Map(snapshot.orders.map((order) => [order.id, order]));
}

// False when a delta was missed: then only a new snapshot helps.
export function applyDelta(city, delta) {
  if (!city.ready || delta.seq !== city.seq + 1) return false;
  city.seq = delta.seq;
  city.now = delta.now;
  if (delta.figures) city.figures = delta.figures;
  if (delta.minute) city.history = [...city.history, delta.minute].slice(-HISTORY_MAX);
  for (const row of delta.drivers ?? []) city.drivers.set(row[0], driver(row));
  for (const row of delta.plans ?? []) putPlan(city.plans, row);
  for (const id of delta.gone ?? []) {
    city.drivers.delete(id);
    city.plans.delete(id);
  }
  for (const order of delta.orders ?? []) city.orders.set(order.id, order);
  for (const id of delta.closed ?? []) city.orders.delete(id);
  return true;
}

// The city's time now, running on from the last message.
export function cityNow(city, sinceMessageMs) {
  return city.now + sinceMessageMs * city.speedup;
}
