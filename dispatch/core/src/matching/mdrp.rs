//! The rolling horizon of D. Reyes, A. Erera, M. Savelsbergh, S. Sahasrabudhe, R. O'Neil, "The Meal Delivery Routing
//! Problem", 2018: bundles of one restaurant by parallel insertion, urgency groups, one assignment for each group, two stages of
//! commitment.
//!
//! ```text
//! orders ready soon ──by restaurant──> routes of about Z orders ──I late │ II cannot be on time │ III rest──> assignment
//!    ^                                                                                                  │
//!    └──── dropped: the driver is not free before the next round ──── final or partial: offered <───────┘
//! ```
//!
//! A partial commitment sends the driver to the restaurant, where more orders may join until the pickup. Chosen values of
//! the paper's coefficients are not published; ours are the middle of their ranges.

use crate::matching::cost::{Pricing, ms};
use crate::matching::draws::Draws;
use crate::matching::options::{Bundle, Choice};
use crate::matching::proposal::{Decided, Proposal, proposal, time};
use crate::matching::record::{RUNNERS_UP_MAX, Rule};
use crate::matching::situation::{NO_WAY, Situation, Start, Task};
use crate::matching::timeline::{Begin, Expected, Timeline};
use crate::optimization::assignment::{Row, assign};
use crate::{Bundling, Matching, StopKind};

/// Weight of service delay against travel time in a route, in thousandths (the paper's beta, of 0 to 1).
const BETA_PERMILLE: i64 = 500;
/// Weight of the pickup delay in the value of a pair, in thousandths a minute (theta, of 0 to 1).
const THETA_PERMILLE: i64 = 500;
/// An order that has been ready for longer is committed for good at once (x, of 15 to 25 minutes).
const OVERDUE_MS: i64 = 20 * 60_000;
const MINUTE_MS: i64 = 60_000;
/// More than the value of any pair, in millionths of an order a minute.
const VALUE_MAX: i64 = 1 << 36;

/// Orders of one restaurant, in the order of their dropoffs.
#[derive(Debug, Clone)]
struct RestaurantBundle {
    orders: Vec<u32>,
    /// The driver who is committed to a part of it.
    driver: Option<u32>,
    /// So many of the orders were committed before.
    committed: usize,
}

pub(crate) fn propose(situation: &Situation<'_>) -> Vec<Proposal> {
    let draws = Draws::new(situation);
    let mut round = Round {
        situation,
        pricing: Pricing::new(situation, &draws),
        timeline: Timeline::default(),
        is_used: vec![false; situation.starts.len()],
        proposals: Vec::new(),
    };
    let mut routes = round.routes();
    for route in routes.extract_if(.., |route| route.driver.is_some()) {
        round.extend(&route);
    }
    for group in [Group::Late, Group::Delayed, Group::OnTime] {
        let of_group: Vec<&RestaurantBundle> = routes
            .iter()
            .filter(|route| round.group(route) == group)
            .collect();
        round.assign(&of_group);
    }
    round.proposals
}

/// How urgent a route is: that of its most urgent order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// An order cannot be dropped off by its target even if it is served now.
    Late,
    /// An order cannot be picked up when it is ready.
    Delayed,
    /// The rest.
    OnTime,
}

struct Round<'a> {
    situation: &'a Situation<'a>,
    pricing: Pricing<'a>,
    timeline: Timeline,
    is_used: Vec<bool>,
    proposals: Vec<Proposal>,
}

impl Round<'_> {
    /// Bundles: for each restaurant enough routes of about `Z` orders, the first ones begun by what drivers are committed to.
    fn routes(&mut self) -> Vec<RestaurantBundle> {
        let situation = self.situation;
        let mut restaurants: Vec<u32> = situation
            .open_orders()
            .iter()
            .map(|order| order.pickup)
            .collect();
        restaurants.sort_unstable();
        restaurants.dedup();
        let size = self.bundle_size();
        let mut routes = Vec::new();
        for restaurant in restaurants {
            let mut open: Vec<u32> = (0..situation.open)
                .filter_map(|order| u32::try_from(order).ok())
                .filter(|&order| situation.orders[order as usize].pickup == restaurant)
                .collect();
            open.sort_by_key(|&order| (situation.orders[order as usize].ready_at, order));
            let mut here = self.committed_to(restaurant);
            let committed: usize = here.iter().map(|route| route.committed).sum();
            let wanted = here.len().max((open.len() + committed).div_ceil(size));
            here.resize_with(wanted, || RestaurantBundle {
                orders: Vec::new(),
                driver: None,
                committed: 0,
            });
            for &order in &open {
                self.insert(&mut here, order, size);
            }
            for &order in &open {
                take_out(&mut here, order);
                self.insert(&mut here, order, size);
            }
            routes.extend(here.into_iter().filter(|route| !route.orders.is_empty()));
        }
        routes
    }

    /// `Z`: orders ready soon over drivers free soon.
    fn bundle_size(&self) -> usize {
        let situation = self.situation;
        let soon = situation.now + ms(situation.policy.look_ahead);
        let orders = situation
            .open_orders()
            .iter()
            .filter(|order| order.ready_at <= soon)
            .count();
        let drivers = situation
            .starts
            .iter()
            .filter(|start| start.from <= soon)
            .count();
        orders.div_ceil(drivers.max(1)).clamp(1, most(situation))
    }

    /// Routes of drivers who are on the way to this restaurant or wait there with nothing picked up yet.
    fn committed_to(&self, restaurant: u32) -> Vec<RestaurantBundle> {
        let situation = self.situation;
        let mut routes = Vec::new();
        for (index, start) in situation.starts.iter().enumerate() {
            let uncarried = uncarried(start);
            let is_here = |order: &u32| situation.orders[*order as usize].pickup == restaurant;
            if !uncarried.is_empty() && !start.is_in_visit && uncarried.iter().all(is_here) {
                routes.push(RestaurantBundle {
                    committed: uncarried.len(),
                    orders: uncarried,
                    driver: u32::try_from(index).ok(),
                });
            }
        }
        routes
    }

    /// At the place of least increase; into a full route only if that lowers its time per order.
    fn insert(&mut self, routes: &mut [RestaurantBundle], order: u32, size: usize) {
        let mut best: Option<(bool, i64, usize, usize)> = None;
        for (index, route) in routes.iter().enumerate() {
            let held = route
                .driver
                .map_or(0, |driver| self.situation.starts[driver as usize].held())
                - route.committed;
            if route.orders.len() >= most(self.situation)
                || held + route.orders.len() >= self.situation.policy.plan_deliveries_max
            {
                continue;
            }
            let before = self.length(&route.orders);
            for position in 0..=route.orders.len() {
                let mut orders = route.orders.clone();
                orders.insert(position, order);
                let Some((after, travel)) = self.length(&orders).zip(self.travel(&orders)) else {
                    continue;
                };
                let is_full = route.orders.len() >= size;
                let before_travel = self.travel(&route.orders).unwrap_or(0);
                let is_better = count(&route.orders) * travel < count(&orders) * before_travel;
                let candidate = (
                    is_full && !is_better,
                    after - before.unwrap_or(0),
                    index,
                    position,
                );
                if best.is_none_or(|best| candidate < best) {
                    best = Some(candidate);
                }
            }
        }
        if let Some((_, _, route, position)) = best {
            routes[route].orders.insert(position, order);
        }
    }

    /// Travel from the restaurant along the customers.
    fn travel(&self, orders: &[u32]) -> Option<i64> {
        let situation = self.situation;
        let mut total = 0;
        let mut from = situation.orders[*orders.first()? as usize].pickup;
        for &order in orders {
            let to = situation.orders[order as usize].dropoff;
            total += situation.drive(from, to);
            from = to;
        }
        (total < NO_WAY).then_some(total)
    }

    /// Travel and weighted service delay of a route that is picked up when all of it is ready.
    fn length(&mut self, orders: &[u32]) -> Option<i64> {
        let situation = self.situation;
        let travel = self.travel(orders)?;
        let ready = orders
            .iter()
            .map(|&order| situation.orders[order as usize].ready_at)
            .max()?;
        let tasks = tasks_of(orders);
        let start = situation.starts.first()?;
        if !self
            .timeline
            .compute(situation, start, Begin::AtPickup(ready), &tasks, &Expected)
        {
            return None;
        }
        let delay: i64 = tasks
            .iter()
            .zip(&self.timeline.done)
            .filter(|(task, _)| task.kind == StopKind::Dropoff)
            .map(|(task, done)| {
                let order = &situation.orders[task.order as usize];
                done - order.ready_at - order.ride
            })
            .sum();
        Some(travel + delay * BETA_PERMILLE / 1000)
    }

    fn group(&self, route: &RestaurantBundle) -> Group {
        let situation = self.situation;
        let policy = situation.policy;
        let service = ms(policy.dwells.pickup)
            + ms(policy.dwells.leaving)
            + ms(policy.dwells.door)
            + ms(policy.dwells.dropoff);
        let group = |&order: &u32| {
            let order = &situation.orders[order as usize];
            let target = order.placed_at + ms(policy.click_to_door_target);
            if order.ready_at.max(situation.now) + service + order.ride > target {
                return Group::Late;
            }
            let first = situation
                .starts
                .iter()
                .zip(&self.is_used)
                .filter(|(_, used)| !**used)
                .map(|(start, _)| {
                    start.from
                        + situation.drive(start.node, order.pickup)
                        + ms(policy.dwells.parking)
                })
                .min();
            if first.is_none_or(|first| first > order.ready_at) {
                Group::Delayed
            } else {
                Group::OnTime
            }
        };
        route
            .orders
            .iter()
            .map(group)
            .min()
            .unwrap_or(Group::OnTime)
    }

    /// Orders that joined the route of a driver who is committed already.
    fn extend(&mut self, route: &RestaurantBundle) {
        let Some(index) = route.driver else {
            return;
        };
        self.is_used[index as usize] = true;
        if route.orders.len() == route.committed {
            return;
        }
        let situation = self.situation;
        let start = &situation.starts[index as usize];
        let is_old = |task: &&Task| !route.orders.contains(&task.order);
        let tasks: Vec<Task> = start
            .tasks
            .iter()
            .filter(is_old)
            .copied()
            .chain(tasks_of(&route.orders))
            .collect();
        let Some(before) = self.pricing.route(start, Begin::OnTheWay, &start.tasks) else {
            return;
        };
        let Some(after) = self.pricing.route(start, Begin::OnTheWay, &tasks) else {
            return;
        };
        let pickup = start.from;
        let chosen = Choice {
            start: index,
            terms: after.minus(before),
            inserted: Some(tasks),
            due: situation.now,
            pickup,
            is_late: false,
        };
        let bundle = Bundle {
            orders: route.orders.clone(),
            tasks: tasks_of(&route.orders),
        };
        self.decide(&bundle, &chosen, &[], Rule::Partial);
    }

    /// One linear assignment: orders delivered per minute of driver time, less what the food waits.
    fn assign(&mut self, routes: &[&RestaurantBundle]) {
        let situation = self.situation;
        let bundles: Vec<Bundle> = routes
            .iter()
            .map(|route| Bundle {
                orders: route.orders.clone(),
                tasks: tasks_of(&route.orders),
            })
            .collect();
        let mut rows = Vec::with_capacity(bundles.len());
        let mut choices: Vec<Vec<(i64, Choice)>> = Vec::with_capacity(bundles.len());
        for bundle in &bundles {
            let mut of_row = Vec::new();
            for index in 0..situation.starts.len() {
                if let Some(pair) = self.pair(index, bundle) {
                    of_row.push(pair);
                }
            }
            rows.push(Row {
                unassigned: 4 * VALUE_MAX,
                choices: of_row
                    .iter()
                    .map(|(value, choice)| (choice.start as usize, VALUE_MAX - value))
                    .collect(),
            });
            choices.push(of_row);
        }
        let assigned = assign(&rows, situation.starts.len());
        for (row, bundle) in bundles.iter().enumerate() {
            let Some(start) = assigned[row] else {
                continue;
            };
            self.is_used[start] = true;
            let mut others = choices[row].clone();
            others.sort_by_key(|(value, choice)| (-value, choice.start));
            if let Some(at) = others
                .iter()
                .position(|(_, choice)| choice.start as usize == start)
            {
                let (_, chosen) = others.remove(at);
                if let Some(rule) = self.commitment(bundle, &chosen) {
                    self.decide(bundle, &chosen, &others, rule);
                }
            }
        }
    }

    /// Value of a pair in millionths of an order a minute, and the choice; none if a rule forbids it.
    fn pair(&mut self, index: usize, bundle: &Bundle) -> Option<(i64, Choice)> {
        let situation = self.situation;
        let start = &situation.starts[index];
        let has_room = start.held() + bundle.orders.len() <= situation.policy.plan_deliveries_max;
        let is_committed = !uncarried(start).is_empty();
        if self.is_used[index] || is_committed || !has_room {
            return None;
        }
        let begin = Begin::Depart(start.node, start.from);
        let terms = self.pricing.route(start, begin, &bundle.tasks)?;
        if !self
            .timeline
            .compute(situation, start, begin, &bundle.tasks, &Expected)
        {
            return None;
        }
        let last = *self.timeline.done.last()?;
        let pickup = self.timeline.done[bundle.orders.len() - 1];
        let ready = bundle
            .orders
            .iter()
            .map(|&order| situation.orders[order as usize].ready_at)
            .max()?;
        let taken = (last - start.from).max(1);
        let rate = count(&bundle.orders) * 1_000_000 * MINUTE_MS / taken;
        let delay = (pickup - ready).max(0) * 1000 / MINUTE_MS * THETA_PERMILLE;
        let choice = Choice {
            start: u32::try_from(index).ok()?,
            terms,
            inserted: None,
            due: situation.now,
            pickup,
            is_late: pickup > ready,
        };
        Some(((rate - delay).clamp(-VALUE_MAX, VALUE_MAX), choice))
    }

    fn commitment(&self, bundle: &Bundle, chosen: &Choice) -> Option<Rule> {
        let situation = self.situation;
        let start = &situation.starts[chosen.start as usize];
        let next_round = situation.now + ms(situation.policy.round_interval);
        let order = |&order: &u32| &situation.orders[order as usize];
        let first = situation.node(bundle.tasks[0]);
        let arrival = start.from + situation.drive(start.node, first);
        if bundle
            .orders
            .iter()
            .map(order)
            .any(|order| order.ready_at + OVERDUE_MS < situation.now)
        {
            return Some(Rule::Overdue);
        }
        if arrival <= next_round
            && bundle
                .orders
                .iter()
                .map(order)
                .all(|order| order.ready_at <= next_round)
        {
            return Some(Rule::Final);
        }
        (start.from < next_round).then_some(Rule::Partial)
    }

    fn decide(&mut self, bundle: &Bundle, chosen: &Choice, others: &[(i64, Choice)], rule: Rule) {
        let decided = Decided {
            policy: Matching::Mdrp,
            bundle,
            chosen,
            price: 0,
            others: others
                .iter()
                .take(RUNNERS_UP_MAX)
                .map(|(_, choice)| (choice, 0))
                .collect(),
            postpone_cost: 0,
            rule,
        };
        let departure = time(self.situation.starts[chosen.start as usize].from);
        self.proposals
            .push(proposal(self.situation, &decided, departure));
    }
}

/// Orders of a driver's plan that are not picked up yet, in the order of their dropoffs.
fn uncarried(start: &Start) -> Vec<u32> {
    let is_picked_up_later = |order: u32| {
        start.tasks.contains(&Task {
            order,
            kind: StopKind::Pickup,
        })
    };
    start
        .tasks
        .iter()
        .filter(|task| task.kind == StopKind::Dropoff && is_picked_up_later(task.order))
        .map(|task| task.order)
        .collect()
}

fn take_out(routes: &mut [RestaurantBundle], order: u32) {
    for route in routes {
        route.orders.retain(|&other| other != order);
    }
}

fn tasks_of(orders: &[u32]) -> Vec<Task> {
    let of = |kind| orders.iter().map(move |&order| Task { order, kind });
    of(StopKind::Pickup).chain(of(StopKind::Dropoff)).collect()
}

fn count(orders: &[u32]) -> i64 {
    i64::try_from(orders.len()).expect("a bundle is small")
}

/// How many orders a route may have.
const fn most(situation: &Situation<'_>) -> usize {
    match situation.policy.bundling {
        Bundling::Never => 1,
        Bundling::OneRestaurant | Bundling::AcrossRestaurants => situation.policy.bundle_max,
    }
}
