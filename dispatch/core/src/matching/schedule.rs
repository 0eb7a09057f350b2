//! What every driver of the round would do one after the other: routes of several visits, better than the assignment's
//! one bundle for each driver when orders outnumber the drivers who are free.
//!
//! ```text
//! routes of the assignment ──> take some orders near each other out ──> put each where it costs least ──┐
//!                                    └───────────── undone unless it is at least as cheap ──────────────┘
//! ```
//!
//! After J. Christiaens and G. Vanden Berghe, "Slack induction by string removals for vehicle routing problems",
//! Transportation Science 54 (2020), without its cooling: a round is short and the next one goes on.

use std::ops::RangeInclusive;

use doorstep_routing::SplitMix64;

use crate::matching::cost::{COST_MAX, Pricing, postpone_cost};
use crate::matching::options::{Bundle, Choice};
use crate::matching::places::{Insertion, places};
use crate::matching::situation::{Start, Task};
use crate::matching::timeline::Begin;
use crate::{Bundling, StopKind};

/// New orders in one route: what comes after is decided by later rounds.
const ORDERS_MAX: usize = 4;
/// Orders taken out in one step.
const REMOVED: RangeInclusive<usize> = 2..=7;
/// Orders without a driver that a step tries beside those.
const LEFT_MAX: usize = 4;
/// One driver of so many is not seen, so that steps differ (the paper's blinks).
const BLINK: usize = 16;
const STEPS_PER_ORDER: usize = 12;
const STEPS_MAX: usize = 150;
/// Routes priced in one round, all steps together: some tens of milliseconds.
const PRICED_MAX: usize = 30_000;

/// What one driver would do.
#[derive(Debug, Clone)]
pub(crate) struct DriverRoute {
    begin: Begin,
    /// The driver's plan, if something can be taken along with it, and the stops of the new orders.
    pub(crate) tasks: Vec<Task>,
    /// So many stops stay in front.
    fixed: usize,
    /// The new orders.
    pub(crate) orders: Vec<u32>,
    /// Its cost without what it would cost to leave its new orders to nobody.
    net: i64,
    /// A number for what it is now; a route that is undone has its old one again.
    state: u64,
}

/// A place in a route, and the net cost of the route with the order.
#[derive(Debug, Clone, Copy)]
struct Found {
    place: Insertion,
    net: i64,
}

/// What was found for an order in one state of a route; none: no place.
#[derive(Debug, Clone, Copy)]
struct Known {
    of: u64,
    found: Option<Found>,
}

/// Routes for all drivers of a round.
pub(crate) struct Schedule<'a, 'b> {
    pricing: &'b mut Pricing<'a>,
    /// By start.
    routes: Vec<DriverRoute>,
    /// By open order.
    start_of: Vec<Option<u32>>,
    /// Orders around which there is something to gain.
    contested: Vec<u32>,
    random: SplitMix64,
    /// For each open order, by its candidates.
    known: Vec<Vec<Option<Known>>>,
    /// As many routes were priced.
    priced: usize,
    /// As many states were numbered.
    states: u64,
    /// Memory of [`Self::look`].
    places: Vec<Insertion>,
    tasks: Vec<Task>,
}

impl<'a, 'b> Schedule<'a, 'b> {
    /// Every driver keeps what is planned, and no open order is served.
    pub(crate) fn new(pricing: &'b mut Pricing<'a>) -> Self {
        let situation = pricing.situation;
        let routes = situation
            .starts
            .iter()
            .map(|start| own_route(pricing, start))
            .collect();
        let known = situation
            .open_orders()
            .iter()
            .map(|order| vec![None; order.candidates.len()])
            .collect();
        Self {
            pricing,
            routes,
            start_of: vec![None; situation.open],
            contested: Vec::new(),
            random: SplitMix64::new(situation.now.unsigned_abs()),
            known,
            priced: 0,
            states: 0,
            places: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// Gives a bundle to a driver who has no new orders yet, in the way that was chosen.
    pub(crate) fn give(&mut self, bundle: &Bundle, choice: &Choice) {
        let route = &mut self.routes[choice.start as usize];
        match &choice.inserted {
            Some(whole) => {
                (route.begin, route.fixed) = (Begin::OnTheWay, 1);
                route.tasks.clone_from(whole);
            }
            None => route.tasks.extend_from_slice(&bundle.tasks),
        }
        route.orders.extend_from_slice(&bundle.orders);
        for &order in &bundle.orders {
            self.start_of[order as usize] = Some(choice.start);
        }
        self.routes[choice.start as usize].net = self.net(choice.start);
        self.changed(choice.start);
    }

    /// Looks for something cheaper around some orders, as long as a round may last.
    pub(crate) fn improve(&mut self, contested: Vec<u32>) {
        let steps = (STEPS_PER_ORDER * contested.len()).min(STEPS_MAX);
        self.contested = contested;
        for _ in 0..steps {
            if self.priced > PRICED_MAX {
                break;
            }
            self.step();
        }
    }

    /// By start.
    pub(crate) fn into_routes(self) -> Vec<DriverRoute> {
        self.routes
    }

    fn step(&mut self) {
        let removed = self.neighbours();
        let mut before: Vec<(u32, DriverRoute)> = Vec::new();
        let mut change = 0;
        for &order in &removed {
            if let Some(start) = self.start_of[order as usize] {
                self.keep(&mut before, start);
                change += self.remove(start, order);
            }
        }
        let mut waiting = removed;
        self.add_left(&mut waiting);
        self.sort(&mut waiting);
        let mut given = Vec::with_capacity(waiting.len());
        for order in waiting {
            if let Some((start, tasks, net)) = self.cheapest(order) {
                self.keep(&mut before, start);
                let route = &mut self.routes[start as usize];
                change += net - route.net;
                (route.tasks, route.net) = (tasks, net);
                route.orders.push(order);
                self.changed(start);
                self.start_of[order as usize] = Some(start);
                given.push(order);
            }
        }
        if change > 0 {
            for order in given {
                self.start_of[order as usize] = None;
            }
            for (start, route) in before {
                for &order in &route.orders {
                    self.start_of[order as usize] = Some(start);
                }
                self.routes[start as usize] = route;
            }
        }
    }

    /// Remembers a route before its first change.
    fn keep(&self, before: &mut Vec<(u32, DriverRoute)>, start: u32) {
        if before.iter().all(|(kept, _)| *kept != start) {
            before.push((start, self.routes[start as usize].clone()));
        }
    }

    /// Takes an order out of a route; says how the cost changes.
    fn remove(&mut self, start: u32, order: u32) -> i64 {
        let route = &mut self.routes[start as usize];
        route.tasks.retain(|task| task.order != order);
        route.orders.retain(|&other| other != order);
        let before = route.net;
        let after = self.net(start);
        self.routes[start as usize].net = after;
        self.changed(start);
        self.start_of[order as usize] = None;
        after - before
    }

    /// Some orders near each other: ready about together, with short ways between their restaurants and between their customers.
    fn neighbours(&mut self) -> Vec<u32> {
        let situation = self.pricing.situation;
        let open = situation.open_orders();
        let seed = self.contested[self.random.below(self.contested.len())];
        let here = &open[seed as usize];
        let mut others: Vec<(i64, u32)> = (0..)
            .zip(open)
            .map(|(index, order)| {
                let apart = (order.ready_at - here.ready_at).abs();
                let ways = situation.drive(here.pickup, order.pickup)
                    + situation.drive(here.dropoff, order.dropoff);
                (apart + ways, index)
            })
            .collect();
        others.sort_unstable();
        let sizes = REMOVED.end() - REMOVED.start() + 1;
        let count = REMOVED.start() + self.random.below(sizes);
        let mut chosen = Vec::with_capacity(count);
        for (_, order) in others {
            if chosen.len() == count {
                break;
            }
            if order == seed || self.random.below(3) > 0 {
                chosen.push(order);
            }
        }
        chosen
    }

    /// Adds some of the orders that have no driver.
    fn add_left(&mut self, waiting: &mut Vec<u32>) {
        let mut left: Vec<u32> = (0..)
            .zip(&self.start_of)
            .filter(|(order, start)| start.is_none() && !waiting.contains(order))
            .map(|(order, _)| order)
            .collect();
        for _ in 0..LEFT_MAX.min(left.len()) {
            let at = self.random.below(left.len());
            waiting.push(left.swap_remove(at));
        }
    }

    /// In which order to put them back: the first food first, the longest ride first, or by chance.
    fn sort(&mut self, orders: &mut [u32]) {
        let situation = self.pricing.situation;
        let order = |index: u32| &situation.orders[index as usize];
        match self.random.below(3) {
            0 => orders.sort_unstable_by_key(|&index| (order(index).ready_at, index)),
            1 => orders.sort_unstable_by_key(|&index| (-order(index).ride, index)),
            _ => {
                for last in (1..orders.len()).rev() {
                    orders.swap(last, self.random.below(last + 1));
                }
            }
        }
    }

    /// Where an order costs least: the start, its route with the order, and the net cost of that. None if leaving it to nobody
    /// costs less.
    fn cheapest(&mut self, order: u32) -> Option<(u32, Vec<Task>, i64)> {
        let situation = self.pricing.situation;
        let mut best: Option<(i64, u32, Found)> = None;
        for (rank, &start) in situation.orders[order as usize]
            .candidates
            .iter()
            .enumerate()
        {
            if self.random.below(BLINK) == 0 {
                continue;
            }
            let route = &self.routes[start as usize];
            let known = self.known[order as usize][rank].filter(|known| known.of == route.state);
            let known = known.unwrap_or_else(|| {
                let found = self.look(start, order);
                let of = self.routes[start as usize].state;
                *self.known[order as usize][rank].insert(Known { of, found })
            });
            let Some(found) = known.found else { continue };
            let more = found.net - self.routes[start as usize].net;
            if more < best.as_ref().map_or(0, |(least, ..)| *least) {
                best = Some((more, start, found));
            }
        }
        let (_, start, found) = best?;
        let mut tasks = Vec::new();
        let before = &self.routes[start as usize].tasks;
        found.place.fill(before, order, &mut tasks);
        Some((start, tasks, found.net))
    }

    /// The cheapest place for an order in a route.
    fn look(&mut self, start: u32, order: u32) -> Option<Found> {
        let situation = self.pricing.situation;
        let route = &self.routes[start as usize];
        if route.orders.len() >= ORDERS_MAX {
            return None;
        }
        let row = &situation.starts[start as usize];
        let orders: Vec<u32> = route.orders.iter().copied().chain([order]).collect();
        let beside = beside(self.pricing, row, &orders);
        places(
            situation,
            &route.tasks,
            route.fixed,
            order,
            &mut self.places,
        );
        self.priced += self.places.len();
        let mut best: Option<Found> = None;
        for &place in &self.places {
            place.fill(&route.tasks, order, &mut self.tasks);
            if let Some(cost) = self.pricing.quick(row, route.begin, &self.tasks) {
                let net = cost + beside;
                if best.is_none_or(|best| net < best.net) {
                    best = Some(Found { place, net });
                }
            }
        }
        best
    }

    /// Writes down that a route is another one now.
    fn changed(&mut self, start: u32) {
        self.states += 1;
        self.routes[start as usize].state = self.states;
    }

    /// What a route costs now, less what it would cost to leave its new orders to nobody.
    fn net(&mut self, start: u32) -> i64 {
        let route = &self.routes[start as usize];
        let row = &self.pricing.situation.starts[start as usize];
        let cost = self.pricing.quick(row, route.begin, &route.tasks);
        cost.unwrap_or(COST_MAX) + beside(self.pricing, row, &route.orders)
    }
}

/// Driver-specific cost terms minus the postponement cost of these orders.
fn beside(pricing: &Pricing<'_>, start: &Start, orders: &[u32]) -> i64 {
    if orders.is_empty() {
        return 0;
    }
    let situation = pricing.situation;
    let postponed: i64 = orders
        .iter()
        .map(|&order| {
            let placed_at = situation.orders[order as usize].placed_at;
            postpone_cost(situation.now, placed_at, situation.policy)
        })
        .sum();
    pricing.driver(start, orders).total() - postponed
}

/// The route of a driver without new orders. The plan is part of it if something could be taken along with it; otherwise the
/// route begins where and when the plan ends.
fn own_route(pricing: &mut Pricing<'_>, start: &Start) -> DriverRoute {
    let takes_along = match pricing.situation.policy.bundling {
        Bundling::Never => false,
        Bundling::OneRestaurant => {
            let is_pickup = |task: &Task| task.kind == StopKind::Pickup;
            start.tasks.iter().any(is_pickup)
        }
        Bundling::AcrossRestaurants => start.is_busy(),
    };
    let whole = takes_along
        .then(|| pricing.quick(start, Begin::OnTheWay, &start.tasks))
        .flatten();
    let (begin, tasks, fixed) = match whole {
        Some(_) => (Begin::OnTheWay, start.tasks.clone(), 1),
        None => (Begin::Depart(start.node, start.from), Vec::new(), 0),
    };
    DriverRoute {
        begin,
        tasks,
        fixed,
        orders: Vec::new(),
        net: whole.unwrap_or(0),
        state: 0,
    }
}

#[cfg(test)]
mod tests;
