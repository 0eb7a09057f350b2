//! Takes orders out of the routes and puts them back, thousands of times.

use doorstep_routing::SplitMix64;

use super::Routes;
use super::route::{Insertion, NEVER, Nodes, BatchRoute};

/// Of each order, the nearest others that are taken out with it.
const NEAR: usize = 40;

/// Orders taken out in one step.
const REMOVED: [usize; 2] = [2, 12];

/// One of so many routes is overlooked when an order is put back, so that not every step ends in the same place.
const BLINK: u64 = 64;

/// Of each order, the drivers who start nearest and are looked at.
const DRIVERS_NEAR: usize = 24;

/// An order that is not served costs more than any travel.
const UNSERVED: i64 = 1 << 40;

/// How often the tolerance halves from the first step to the last.
const HALVINGS: usize = 7;

pub(super) struct Search<'a> {
    nodes: &'a Nodes,
    random: SplitMix64,
    routes: Vec<BatchRoute>,
    route_of: Vec<Option<u32>>,
    cost: i64,
    /// Names given to states of routes so far.
    versions: u32,
    /// For each order and route, the best insertion and the state of the route for which it was computed.
    known: Vec<(u32, Insertion)>,
    near: Vec<Vec<u32>>,
    drivers_near: Vec<Vec<u32>>,
    // The routes in question for an order; a route is listed if its mark is the latest.
    listed: Vec<usize>,
    marks: Vec<u64>,
    mark: u64,
    // What a step changes, to take it back.
    touched: Vec<(usize, BatchRoute)>,
    removed: Vec<usize>,
    was_on: Vec<(usize, Option<u32>)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(nodes: &'a Nodes, seed: u64) -> Self {
        let (drivers, orders) = (nodes.driver_count(), nodes.order_count());
        let mut versions = 0;
        let mut routes = Vec::with_capacity(drivers);
        for driver in 0..drivers {
            versions += 1;
            routes.push(BatchRoute::empty(nodes, driver, versions));
        }
        let open = i64::try_from(orders).expect("as many orders as memory holds");
        Self {
            nodes,
            random: SplitMix64::new(seed),
            routes,
            route_of: vec![None; orders],
            cost: open * UNSERVED,
            versions,
            known: vec![(0, Insertion::NONE); orders * drivers],
            near: (0..orders).map(|order| near(nodes, order)).collect(),
            drivers_near: (0..orders)
                .map(|order| drivers_near(nodes, order))
                .collect(),
            listed: Vec::new(),
            marks: vec![0; drivers],
            mark: 0,
            touched: Vec::new(),
            removed: Vec::new(),
            was_on: Vec::new(),
        }
    }

    /// Puts in the order that would lose most by not getting its best place now, until none is left.
    pub(super) fn construct(&mut self) {
        let mut open: Vec<usize> = (0..self.nodes.order_count()).collect();
        while !open.is_empty() {
            let mut chosen: Option<(i64, usize, usize)> = None;
            for (place, &order) in open.iter().enumerate() {
                let (mut best, mut second, mut at) = (NEVER, NEVER, 0);
                for route in 0..self.routes.len() {
                    let cost = self.insertion(order, route).cost;
                    if cost < best {
                        (best, second, at) = (cost, best, route);
                    } else if cost < second {
                        second = cost;
                    }
                }
                let regret = i64::from(second) - i64::from(best);
                if best < NEVER && chosen.is_none_or(|(most, ..)| regret > most) {
                    chosen = Some((regret, place, at));
                }
            }
            let Some((_, place, route)) = chosen else {
                return;
            };
            let order = open.remove(place);
            self.insert(order, route);
        }
    }

    pub(super) fn improve(&mut self, steps: usize) {
        let orders = self.nodes.order_count();
        if orders == 0 || self.routes.is_empty() {
            return;
        }
        let mut best = (self.cost, self.routes.clone(), self.route_of.clone());
        let legs: i64 = self
            .routes
            .iter()
            .map(|route| i64::from(route.travel))
            .sum();
        let first = legs / i64::try_from(orders).unwrap_or(i64::MAX) / 8;
        for step in 0..steps {
            let before = self.cost;
            self.ruin();
            self.recreate();
            if self.cost > before + self.tolerance(first, step, steps) {
                self.take_back(before);
            } else if self.cost < best.0 {
                best.0 = self.cost;
                for (kept, route) in best.1.iter_mut().zip(&self.routes) {
                    if kept.version != route.version {
                        kept.clone_from(route);
                    }
                }
                best.2.clone_from(&self.route_of);
            }
        }
        (self.cost, self.routes, self.route_of) = best;
    }

    /// How much worse a step may be, as in simulated annealing: a temperature that halves again and again, times minus
    /// the logarithm of a random number, here taken from the place of its highest bit.
    fn tolerance(&mut self, first: i64, step: usize, steps: usize) -> i64 {
        let halvings = step * HALVINGS * 64 / steps;
        let temperature = first * i64::try_from(128 - halvings % 64).unwrap_or(0);
        let draw = self.random.next() | 1;
        let tail =
            u64::from(draw.leading_zeros()) * 64 + 63 - ((draw << draw.leading_zeros()) << 1 >> 58);
        // The temperature is in parts of 128, the tail in 64ths of a bit, of which a natural logarithm has 92.
        (temperature >> (halvings / 64)) * i64::try_from(tail).unwrap_or(0) / (128 * 92)
    }

    /// Takes out an order and others near it, singly or with all that their drivers carry.
    fn ruin(&mut self) {
        self.touched.clear();
        self.removed.clear();
        self.was_on.clear();
        let orders = self.nodes.order_count();
        let count = REMOVED[0] + self.random.below(REMOVED[1] - REMOVED[0] + 1);
        let takes_routes = self.random.below(2) == 0;
        let start = self.random.below(orders);
        self.take_out(start, takes_routes);
        for place in 0..self.near[start].len() {
            if self.removed.len() >= count {
                break;
            }
            if self.random.below(4) > 0 {
                self.take_out(self.near[start][place] as usize, takes_routes);
            }
        }
        // Orders without a driver get another chance each time.
        for order in 0..orders {
            if self.route_of[order].is_none() && !self.removed.contains(&order) {
                self.removed.push(order);
            }
        }
    }

    fn take_out(&mut self, order: usize, with_route: bool) {
        let Some(route) = self.route_of[order] else {
            return;
        };
        let place = route as usize;
        let before = self.touch(place);
        let taken: Vec<usize> = self.routes[place]
            .stops
            .iter()
            .map(|&stop| (stop, self.nodes.order_at(stop)))
            .filter(|&(stop, at)| stop == self.nodes.pickup(at) && (with_route || at == order))
            .map(|(_, at)| at)
            .collect();
        for order in taken {
            self.versions += 1;
            self.routes[place].remove(self.nodes, order, self.versions);
            self.was_on.push((order, self.route_of[order].take()));
            self.removed.push(order);
            self.cost += UNSERVED;
        }
        self.cost += i64::from(self.routes[place].travel - before);
    }

    /// Puts back what was taken out, in a random order or the longest way first.
    fn recreate(&mut self) {
        let mut removed = std::mem::take(&mut self.removed);
        for place in (1..removed.len()).rev() {
            removed.swap(place, self.random.below(place + 1));
        }
        match self.random.below(4) {
            0 => removed.sort_by_key(|&order| {
                let pickup = self.nodes.pickup(order);
                std::cmp::Reverse(self.nodes.travel(pickup, pickup + 1))
            }),
            1 => removed.sort_by_key(|&order| self.nodes.opens(self.nodes.pickup(order))),
            _ => {}
        }
        for &order in &removed {
            self.list_routes_near(order);
            let (mut best, mut at) = self.best_listed(order);
            if best == NEVER {
                self.listed = (0..self.routes.len()).collect();
                (best, at) = self.best_listed(order);
            }
            if best < NEVER {
                self.insert(order, at);
            }
        }
        self.removed = removed;
    }

    /// The routes of the orders near by and of the drivers who start near by.
    fn list_routes_near(&mut self, order: usize) {
        self.mark += 1;
        self.listed.clear();
        let routes = self.near[order]
            .iter()
            .filter_map(|&other| self.route_of[other as usize])
            .chain(self.drivers_near[order].iter().copied());
        for route in routes {
            let route = route as usize;
            if std::mem::replace(&mut self.marks[route], self.mark) != self.mark {
                self.listed.push(route);
            }
        }
    }

    /// The cheapest of the listed routes for an order, now and then overlooking one.
    fn best_listed(&mut self, order: usize) -> (i32, usize) {
        let (mut best, mut at) = (NEVER, 0);
        for place in 0..self.listed.len() {
            let route = self.listed[place];
            let cost = self.insertion(order, route).cost;
            if cost < best && !self.random.next().is_multiple_of(BLINK) {
                (best, at) = (cost, route);
            }
        }
        (best, at)
    }

    /// The best insertion into the route as it is now.
    fn insertion(&mut self, order: usize, route: usize) -> Insertion {
        let known = &mut self.known[order * self.routes.len() + route];
        let state = &self.routes[route];
        if known.0 != state.version {
            *known = (state.version, state.best_insertion(self.nodes, order));
        }
        known.1
    }

    fn insert(&mut self, order: usize, route: usize) {
        let insertion = self.insertion(order, route);
        self.touch(route);
        self.versions += 1;
        self.routes[route].insert(self.nodes, order, insertion, self.versions);
        self.was_on.push((order, self.route_of[order]));
        self.route_of[order] = u32::try_from(route).ok();
        self.cost += i64::from(insertion.cost) - UNSERVED;
    }

    /// Keeps the route as it was before this step, and returns its travel time now.
    fn touch(&mut self, route: usize) -> i32 {
        if !self.touched.iter().any(|&(touched, _)| touched == route) {
            self.touched.push((route, self.routes[route].clone()));
        }
        self.routes[route].travel
    }

    fn take_back(&mut self, cost: i64) {
        for (route, state) in self.touched.drain(..) {
            self.routes[route] = state;
        }
        for (order, route) in self.was_on.drain(..).rev() {
            self.route_of[order] = route;
        }
        self.cost = cost;
    }

    #[cfg(test)]
    pub(super) fn cost(&self) -> i64 {
        self.cost
    }

    #[cfg(test)]
    pub(super) fn cost_from_scratch(&self) -> i64 {
        let mut cost = 0;
        for (driver, route) in self.routes.iter().enumerate() {
            let mut at = driver;
            for &stop in &route.stops {
                cost += i64::from(self.nodes.travel(at, stop));
                at = stop;
            }
        }
        let open = self.route_of.iter().filter(|route| route.is_none()).count();
        cost + UNSERVED * i64::try_from(open).expect("few")
    }

    pub(super) fn into_routes(self) -> Routes {
        let travel = self
            .routes
            .iter()
            .map(|route| u64::from(route.travel.unsigned_abs()))
            .sum();
        let halts = self.routes.iter().map(|route| {
            let halt = |&stop: &usize| self.nodes.halt(stop);
            route.stops.iter().map(halt).collect()
        });
        let is_open = |&order: &usize| self.route_of[order].is_none();
        Routes {
            halts: halts.collect(),
            unserved: (0..self.nodes.order_count()).filter(is_open).collect(),
            travel,
        }
    }
}

/// The orders whose pickups and dropoffs are near in place and time, nearest first.
fn near(nodes: &Nodes, order: usize) -> Vec<u32> {
    let pickup = nodes.pickup(order);
    let mut others: Vec<(i32, u32)> = (0..nodes.order_count())
        .filter(|&other| other != order)
        .filter_map(|other| {
            let there = nodes.pickup(other);
            let apart = (nodes.opens(pickup) - nodes.opens(there)).abs() / 4;
            let distance =
                nodes.travel(pickup, there) + nodes.travel(pickup + 1, there + 1) + apart;
            Some((distance, u32::try_from(other).ok()?))
        })
        .collect();
    others.sort_unstable();
    others.truncate(NEAR);
    others.into_iter().map(|(_, other)| other).collect()
}

/// The drivers who start nearest to the pickup.
fn drivers_near(nodes: &Nodes, order: usize) -> Vec<u32> {
    let mut drivers: Vec<(i32, u32)> = (0_u32..)
        .zip(0..nodes.driver_count())
        .map(|(name, driver)| (nodes.travel(driver, nodes.pickup(order)), name))
        .collect();
    drivers.sort_unstable();
    drivers.truncate(DRIVERS_NEAR);
    drivers.into_iter().map(|(_, driver)| driver).collect()
}
