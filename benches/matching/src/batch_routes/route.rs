//! One driver's halts with their earliest and latest times, and what putting one more order in costs.

use super::{Batch, Halt, TIME_MAX, Visit};

/// No order is ever inserted at this cost.
pub(super) const NEVER: i32 = i32::MAX;

/// A place to go to: drivers' starts first, then pickup and dropoff of each order in turn.
#[derive(Debug, Clone, Copy)]
struct Node {
    open: i32,
    close: i32,
    service: i32,
    /// Taken on board, negative at a dropoff.
    load: i32,
}

/// The batch with its places in the order of the nodes.
pub(super) struct Nodes {
    nodes: Vec<Node>,
    travel: Vec<i32>,
    until: Vec<i32>,
    capacity: Vec<i32>,
}

fn narrow(time: u32) -> i32 {
    assert!(time < TIME_MAX, "time {time} out of range");
    time.cast_signed()
}

impl Nodes {
    pub(super) fn new(batch: &Batch) -> Self {
        assert!(
            batch.travel.len() == batch.places * batch.places,
            "travel times are not square"
        );
        let start = |driver: &super::DriverStart| Node {
            open: narrow(driver.from),
            close: narrow(driver.until),
            service: 0,
            load: 0,
        };
        let visit = |visit: &Visit, load: i32| Node {
            open: narrow(visit.open),
            close: narrow(visit.close),
            service: narrow(visit.service),
            load,
        };
        let mut nodes: Vec<Node> = batch.drivers.iter().map(start).collect();
        let mut places: Vec<usize> = batch.drivers.iter().map(|driver| driver.at).collect();
        for order in &batch.orders {
            let load = narrow(order.load);
            nodes.extend([visit(&order.pickup, load), visit(&order.dropoff, -load)]);
            places.extend([order.pickup.at, order.dropoff.at]);
        }
        let mut travel = Vec::with_capacity(places.len() * places.len());
        for &from in &places {
            let row = &batch.travel[from * batch.places..(from + 1) * batch.places];
            travel.extend(places.iter().map(|&to| narrow(row[to])));
        }
        Self {
            nodes,
            travel,
            until: batch
                .drivers
                .iter()
                .map(|driver| narrow(driver.until))
                .collect(),
            capacity: batch
                .drivers
                .iter()
                .map(|driver| narrow(driver.capacity))
                .collect(),
        }
    }

    pub(super) fn driver_count(&self) -> usize {
        self.until.len()
    }

    pub(super) fn order_count(&self) -> usize {
        (self.nodes.len() - self.until.len()) / 2
    }

    pub(super) fn pickup(&self, order: usize) -> usize {
        self.driver_count() + 2 * order
    }

    pub(super) fn order_at(&self, node: usize) -> usize {
        (node - self.driver_count()) / 2
    }

    pub(super) fn halt(&self, node: usize) -> Halt {
        let order = self.order_at(node);
        if node == self.pickup(order) {
            Halt::Pickup(order)
        } else {
            Halt::Dropoff(order)
        }
    }

    pub(super) fn travel(&self, from: usize, to: usize) -> i32 {
        self.travel[from * self.nodes.len() + to]
    }

    pub(super) fn opens(&self, node: usize) -> i32 {
        self.nodes[node].open
    }
}

/// Where an order goes on a route and what it adds to the travel time: before which halts of the route as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Insertion {
    pub(super) cost: i32,
    pickup_before: u32,
    dropoff_before: u32,
}

impl Insertion {
    pub(super) const NONE: Self = Self {
        cost: NEVER,
        pickup_before: 0,
        dropoff_before: 0,
    };
}

/// A driver's stops as nodes, timed.
#[derive(Debug, Clone)]
pub(super) struct BatchRoute {
    driver: usize,
    pub(super) stops: Vec<usize>,
    /// When the driver leaves the start, then each stop, at the earliest.
    leaves: Vec<i32>,
    /// When each stop begins at the latest, so that all later ones are in time.
    latest: Vec<i32>,
    /// On board at the start, then after each stop.
    load: Vec<i32>,
    pub(super) travel: i32,
    /// Names this very state of the route.
    pub(super) version: u32,
}

impl BatchRoute {
    pub(super) fn empty(nodes: &Nodes, driver: usize, version: u32) -> Self {
        let mut route = Self {
            driver,
            stops: Vec::new(),
            leaves: Vec::new(),
            latest: Vec::new(),
            load: Vec::new(),
            travel: 0,
            version,
        };
        route.time(nodes);
        route
    }

    /// Computes everything from the stops.
    fn time(&mut self, nodes: &Nodes) {
        self.leaves.clear();
        self.load.clear();
        self.leaves.push(nodes.nodes[self.driver].open);
        self.load.push(0);
        self.travel = 0;
        let (mut at, mut time, mut load) = (self.driver, nodes.nodes[self.driver].open, 0);
        for &stop in &self.stops {
            let (node, leg) = (nodes.nodes[stop], nodes.travel(at, stop));
            time = (time + leg).max(node.open) + node.service;
            load += node.load;
            self.travel += leg;
            self.leaves.push(time);
            self.load.push(load);
            at = stop;
        }
        self.latest.clear();
        self.latest.resize(self.stops.len(), 0);
        let mut end = nodes.until[self.driver];
        for (place, &stop) in self.stops.iter().enumerate().rev() {
            let node = nodes.nodes[stop];
            let latest = node.close.min(end - node.service);
            self.latest[place] = latest;
            let before = place
                .checked_sub(1)
                .map_or(self.driver, |before| self.stops[before]);
            end = latest - nodes.travel(before, stop);
        }
    }

    /// The cheapest way to carry one more order; the first of equals. Assumes that no detour is shorter than the way.
    pub(super) fn best_insertion(&self, nodes: &Nodes, order: usize) -> Insertion {
        let (pickup, dropoff) = (nodes.pickup(order), nodes.pickup(order) + 1);
        let (fetch, hand) = (nodes.nodes[pickup], nodes.nodes[dropoff]);
        let (until, capacity) = (nodes.until[self.driver], nodes.capacity[self.driver]);
        let direct = nodes.travel(pickup, dropoff);
        let mut best = Insertion::NONE;
        let mut before = self.driver;
        for place in 0..=self.stops.len() {
            let leaves = self.leaves[place];
            if leaves > fetch.close {
                break;
            }
            let from = std::mem::replace(&mut before, self.stops.get(place).copied().unwrap_or(0));
            let there = nodes.travel(from, pickup);
            let begins = (leaves + there).max(fetch.open);
            if begins > fetch.close || self.load[place] + fetch.load > capacity {
                continue;
            }
            // On to the dropoff at once, or after some of the next stops.
            let mut added = there;
            let (mut at, mut time, mut leg) = (pickup, begins + fetch.service, direct);
            let mut skipped = from;
            for next in place..=self.stops.len() {
                let begins = (time + leg).max(hand.open);
                let done = begins + hand.service;
                let following = self.stops.get(next).copied();
                let is_in_time = begins <= hand.close
                    && following.map_or(done <= until, |stop| {
                        done + nodes.travel(dropoff, stop) <= self.latest[next]
                    });
                if is_in_time {
                    let rest = following.map_or(0, |stop| {
                        nodes.travel(dropoff, stop) - nodes.travel(skipped, stop)
                    });
                    let cost = added + leg + rest;
                    if cost < best.cost {
                        best = insertion(cost, place, next);
                    }
                }
                let Some(stop) = following else { break };
                if next == place {
                    added += nodes.travel(pickup, stop) - nodes.travel(from, stop);
                    if added >= best.cost {
                        break;
                    }
                }
                let node = nodes.nodes[stop];
                let begins = (time + nodes.travel(at, stop)).max(node.open);
                time = begins + node.service;
                let is_over = begins > self.latest[next]
                    || time > hand.close
                    || self.load[next + 1] + fetch.load > capacity;
                if is_over {
                    break;
                }
                (at, skipped, leg) = (stop, stop, nodes.travel(stop, dropoff));
            }
        }
        best
    }

    pub(super) fn insert(
        &mut self,
        nodes: &Nodes,
        order: usize,
        insertion: Insertion,
        version: u32,
    ) {
        let pickup = nodes.pickup(order);
        // The later one first, so that the earlier place stays right.
        self.stops
            .insert(insertion.dropoff_before as usize, pickup + 1);
        self.stops.insert(insertion.pickup_before as usize, pickup);
        self.time(nodes);
        self.version = version;
    }

    pub(super) fn remove(&mut self, nodes: &Nodes, order: usize, version: u32) {
        self.stops.retain(|&stop| nodes.order_at(stop) != order);
        self.time(nodes);
        self.version = version;
    }
}

fn insertion(cost: i32, pickup_before: usize, dropoff_before: usize) -> Insertion {
    let narrow = |place: usize| u32::try_from(place).expect("a route is short");
    Insertion {
        cost,
        pickup_before: narrow(pickup_before),
        dropoff_before: narrow(dropoff_before),
    }
}
