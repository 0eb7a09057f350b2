//! What a policy sees in one round: open orders, drivers who may be asked, and the times between all their places.
//!
//! Times are milliseconds of the city's clock as `i64`, so that differences can be negative.

use std::collections::BTreeMap;

use doorstep_routing::{Distance, LatLng};

use crate::delivery::Delivery;
use crate::driver::{Driver, Duty};
use crate::driver_index::{DriverIndex, Filter};
use crate::matching::askable::FREE;
use crate::matching::times::Times;
use crate::{
    DeliveryId, Dispatcher, DriverId, Executor, InTurn, Policy, SearchLevel, StopKind, Time,
    TravelTimes,
};

/// A time that is not there: no way.
pub(crate) const NO_WAY: i64 = i64::MAX / 4;

/// An order of the round: one that searches, or one that a driver of the round already has.
#[derive(Debug, Clone)]
pub(crate) struct OpenOrder {
    pub(crate) id: DeliveryId,
    pub(crate) pickup_at: LatLng,
    pub(crate) dropoff_at: LatLng,
    /// Nodes of the travel times.
    pub(crate) pickup: u32,
    pub(crate) dropoff: u32,
    pub(crate) placed_at: i64,
    /// The expected time.
    pub(crate) ready_at: i64,
    /// The food is known to be ready.
    pub(crate) is_ready: bool,
    pub(crate) is_carried: bool,
    pub(crate) ride: i64,
    /// Drivers who did not take it, and how often.
    pub(crate) refusals: Vec<(DriverId, u32)>,
    /// Drivers who may be asked for it at the same time.
    pub(crate) offers_at_once: usize,
    /// Starts to think of, the first to arrive in front. Empty for orders that are held.
    pub(crate) candidates: Vec<u32>,
}

/// One stop of a route that is being thought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Task {
    /// Index into the orders.
    pub(crate) order: u32,
    pub(crate) kind: StopKind,
}

/// A driver who may be asked, and where and when a further order could be begun.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) driver: DriverId,
    /// Node of the place where the driver is, or will be at the end of the plan.
    pub(crate) node: u32,
    /// When the driver is free there.
    pub(crate) from: i64,
    /// Stops to come, the first of them fixed.
    pub(crate) tasks: Vec<Task>,
    /// When the first of these stops is begun: on arrival, after parking.
    pub(crate) first_begin: i64,
    /// The visit of the first stop has begun with an earlier pickup.
    pub(crate) is_in_visit: bool,
    pub(crate) until: Option<i64>,
    pub(crate) unanswered: u32,
    /// Of a thousand offers now, as many would be accepted; at least 1.
    pub(crate) accept_permille: u32,
    pub(crate) accepted: u32,
    /// When the shift began.
    pub(crate) since: i64,
}

impl Start {
    pub(crate) const fn is_busy(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// How many orders the driver has already.
    pub(crate) fn held(&self) -> usize {
        self.tasks
            .iter()
            .filter(|task| task.kind == StopKind::Dropoff)
            .count()
    }
}

/// One round's picture. Orders that search come first, by age; starts are by driver.
pub(crate) struct Situation<'a> {
    pub(crate) now: i64,
    pub(crate) policy: &'a Policy,
    pub(crate) orders: Vec<OpenOrder>,
    /// As many orders search; the others are held by drivers.
    pub(crate) open: usize,
    /// Further ones that were not looked at.
    pub(crate) left_out: usize,
    pub(crate) starts: Vec<Start>,
    /// Version of the travel times.
    pub(crate) traffic_epoch: u64,
    /// Who does what can be done side by side.
    pub(crate) executor: &'a dyn Executor,
    times: Times,
}

impl Situation<'_> {
    /// Milliseconds from a node to a pickup or dropoff node; [`NO_WAY`] if there is none.
    pub(crate) fn drive(&self, from: u32, to: u32) -> i64 {
        self.times.get(from, to)
    }

    /// The node of a stop.
    pub(crate) fn node(&self, task: Task) -> u32 {
        let order = &self.orders[task.order as usize];
        match task.kind {
            StopKind::Pickup => order.pickup,
            StopKind::Dropoff => order.dropoff,
        }
    }

    /// Whether an order (by index) searches.
    pub(crate) const fn is_open(&self, order: u32) -> bool {
        (order as usize) < self.open
    }

    /// The orders that search.
    pub(crate) fn open_orders(&self) -> &[OpenOrder] {
        &self.orders[..self.open]
    }
}

pub(crate) fn millis(time: Time) -> i64 {
    i64::try_from(time.as_millis())
        .unwrap_or(NO_WAY)
        .min(NO_WAY)
}

/// Nodes by place, so that each is asked of the router once.
#[derive(Default)]
pub(crate) struct Nodes {
    places: Vec<LatLng>,
    by_place: BTreeMap<LatLng, u32>,
}

impl Nodes {
    fn places(&self) -> &[LatLng] {
        &self.places
    }

    fn add(&mut self, at: LatLng) -> u32 {
        *self.by_place.entry(at).or_insert_with(|| {
            self.places.push(at);
            u32::try_from(self.places.len() - 1).expect("tables are far smaller than 2^32")
        })
    }
}

/// A searching delivery and the drivers who could be first.
type Wanted<'a> = (&'a Delivery, Vec<DriverId>);

/// Looks at the dispatcher and asks for the travel times. None if there is nothing to decide.
pub(crate) fn survey<'a>(
    dispatcher: &'a Dispatcher,
    travel: &mut dyn TravelTimes,
) -> Option<Situation<'a>> {
    let policy = &dispatcher.policy;
    let mut nodes = Nodes::default();
    let (wanted, left_out) = wanted(dispatcher);
    if wanted.is_empty() {
        return None;
    }
    let drivers: Vec<DriverId> = {
        let mut drivers: Vec<DriverId> = wanted.iter().flat_map(|(_, near)| near.clone()).collect();
        drivers.sort_unstable();
        drivers.dedup();
        drivers
    };
    let mut orders: Vec<OpenOrder> = wanted
        .iter()
        .map(|(delivery, near)| {
            let mut order = order_of(delivery, &mut nodes);
            order.offers_at_once = policy.search_level(delivery.search_level).offers_at_once;
            order.candidates = near
                .iter()
                .filter_map(|driver| drivers.binary_search(driver).ok())
                .filter_map(|index| u32::try_from(index).ok())
                .collect();
            order
        })
        .collect();
    let open = orders.len();
    let mut starts = Vec::with_capacity(drivers.len());
    for driver in &drivers {
        starts.push(start_of(
            dispatcher,
            dispatcher.now,
            &dispatcher.drivers[driver],
            &mut orders,
            &mut nodes,
        ));
    }
    let now = dispatcher.now;
    Some(Situation {
        left_out,
        ..picture(policy, now, (orders, open), starts, &nodes, travel)
    })
}

/// Asks for the times between all places of some orders, of which the first `open` search, and some starts.
pub(crate) fn picture<'a>(
    policy: &'a Policy,
    now: Time,
    (orders, open): (Vec<OpenOrder>, usize),
    starts: Vec<Start>,
    nodes: &Nodes,
    travel: &mut dyn TravelTimes,
) -> Situation<'a> {
    let times = Times::ask(&orders, open, nodes.places(), travel);
    Situation {
        now: millis(now),
        policy,
        orders,
        open,
        starts,
        left_out: 0,
        traffic_epoch: travel.epoch(),
        executor: &InTurn,
        times,
    }
}

/// Orders whose time has come and the drivers who could be first: the longest waiting ones, ties by id. One that nobody
/// is near to does not take the place of one that can be served. Also how many were not looked at, since the policy's most had
/// been found before.
fn wanted(dispatcher: &Dispatcher) -> (Vec<Wanted<'_>>, usize) {
    let policy = &dispatcher.policy;
    let horizon = dispatcher.now.after(policy.look_ahead);
    let mut deliveries: Vec<&Delivery> = dispatcher
        .searching
        .iter()
        .filter_map(|id| dispatcher.deliveries.get(id))
        .filter(|delivery| delivery.ready_at <= horizon)
        .collect();
    deliveries.sort_by_key(|delivery| (delivery.request.placed_at, delivery.id()));
    let busy = Busy::new(dispatcher);
    let mut deliveries = deliveries.into_iter();
    let wanted = deliveries
        .by_ref()
        .map(|delivery| (delivery, candidates_of(dispatcher, delivery, &busy)))
        .filter(|(_, candidates)| !candidates.is_empty())
        .take(policy.round_deliveries_max)
        .collect();
    (wanted, deliveries.len())
}

/// Drivers with a plan who may be asked for one more.
#[derive(Default)]
struct Busy {
    /// Where their plans end.
    ends: DriverIndex,
    /// For how long the plans last, in milliseconds from now.
    waits: BTreeMap<DriverId, u64>,
}

impl Busy {
    fn new(dispatcher: &Dispatcher) -> Self {
        let (policy, now) = (&dispatcher.policy, dispatcher.now);
        let mut busy = Self::default();
        for driver in dispatcher.drivers.values() {
            if driver.is_free() || !may_be_asked(dispatcher, driver) {
                continue;
            }
            let ready_at = |id| dispatcher.ready_at(id);
            if let Some((at, from)) = driver.plan.end(now, &policy.dwells, ready_at) {
                busy.ends.place(driver.id, at);
                busy.waits.insert(driver.id, from.since(now).as_millis());
            }
        }
        busy
    }

    /// Adds those who could be among the first at a place, of whom `candidates` has some; nobody who is not eligible. Looks
    /// farther and farther out, until the way alone takes longer than the last of the first `reach.candidates_max`.
    fn join(
        &self,
        candidates: &mut Vec<(u64, DriverId)>,
        at: LatLng,
        reach: &SearchLevel,
        eligible: impl Fn(DriverId) -> bool,
    ) {
        let free = candidates.len();
        let (max, radius) = (reach.candidates_max, reach.search_radius);
        let mut count = max.saturating_mul(2);
        loop {
            let near = self.ends.nearest(at, count, radius, Filter::ANY, &eligible);
            candidates.truncate(free);
            candidates.extend(near.iter().map(|one| {
                let wait = self.waits[&one.driver];
                (arrival_guess(one.distance, wait), one.driver)
            }));
            let farthest = near.last().map_or(0, |one| arrival_guess(one.distance, 0));
            let mut guesses: Vec<u64> = candidates.iter().map(|&(guess, _)| guess).collect();
            let is_settled = guesses.len() >= max && {
                let (_, last, _) = guesses.select_nth_unstable(max - 1);
                farthest > *last
            };
            if near.len() < count || is_settled {
                return;
            }
            count = count.saturating_mul(4);
        }
    }
}

/// Whether a driver may be asked now.
pub(crate) fn may_be_asked(dispatcher: &Dispatcher, driver: &Driver) -> bool {
    let (now, policy) = (dispatcher.now, &dispatcher.policy);
    let has_room = driver.plan.deliveries().count() < policy.plan_deliveries_max;
    let is_finishing = || {
        let end = driver
            .plan
            .end(dispatcher.now, &policy.dwells, |id| dispatcher.ready_at(id));
        end.is_none_or(|(_, at)| at <= now.after(policy.next_order_within))
    };
    driver.duty == Duty::On
        && driver.offer.is_none()
        && has_room
        && now.since(driver.fix.time) <= policy.fix_age_max
        && driver.until.is_none_or(|until| until >= now)
        && is_finishing()
}

/// The drivers who could be there first, as the crow flies: free ones by the index, busy ones by the end of their plans.
fn candidates_of(dispatcher: &Dispatcher, delivery: &Delivery, busy: &Busy) -> Vec<DriverId> {
    let policy = &dispatcher.policy;
    let reach = policy.search_level(delivery.search_level);
    let pickup = delivery.request.pickup;
    let cools_off = |driver: DriverId| {
        delivery.refusals.iter().any(|refusal| {
            refusal.driver == driver && dispatcher.now.since(refusal.at) < policy.decline_cool_off
        })
    };
    let is_free = |driver: DriverId| {
        dispatcher
            .drivers
            .get(&driver)
            .is_some_and(|row| row.is_free() && may_be_asked(dispatcher, row))
            && !cools_off(driver)
    };
    let mut candidates: Vec<(u64, DriverId)> = dispatcher
        .index
        .nearest(
            pickup,
            reach.candidates_max,
            reach.search_radius,
            FREE,
            is_free,
        )
        .into_iter()
        .map(|one| (arrival_guess(one.distance, 0), one.driver))
        .collect();
    busy.join(&mut candidates, pickup, &reach, |driver| !cools_off(driver));
    candidates.sort_unstable();
    candidates.truncate(reach.candidates_max);
    candidates.into_iter().map(|(_, driver)| driver).collect()
}

/// Milliseconds at 10 m/s in a straight line: only to choose who is looked at.
const fn arrival_guess(distance: Distance, wait: u64) -> u64 {
    wait.saturating_add(distance.as_millimetres() / 10)
}

pub(crate) fn order_of(delivery: &Delivery, nodes: &mut Nodes) -> OpenOrder {
    let mut refusals: Vec<(DriverId, u32)> = Vec::new();
    for refusal in &delivery.refusals {
        match refusals
            .iter_mut()
            .find(|(driver, _)| *driver == refusal.driver)
        {
            Some((_, count)) => *count += 1,
            None => refusals.push((refusal.driver, 1)),
        }
    }
    OpenOrder {
        id: delivery.id(),
        pickup_at: delivery.request.pickup,
        dropoff_at: delivery.request.dropoff,
        pickup: nodes.add(delivery.request.pickup),
        dropoff: nodes.add(delivery.request.dropoff),
        placed_at: millis(delivery.request.placed_at),
        ready_at: millis(delivery.ready_at),
        is_ready: delivery.is_ready || delivery.state.is_carried(),
        is_carried: delivery.state.is_carried(),
        ride: i64::from(delivery.ride.as_millis()),
        refusals,
        offers_at_once: 1,
        candidates: Vec::new(),
    }
}

/// Adds the orders of the driver's plan behind the open ones.
pub(crate) fn start_of(
    dispatcher: &Dispatcher,
    now: Time,
    driver: &Driver,
    orders: &mut Vec<OpenOrder>,
    nodes: &mut Nodes,
) -> Start {
    let policy = &dispatcher.policy;
    let mut tasks = Vec::with_capacity(driver.plan.stops.len());
    let mut own: Vec<(DeliveryId, u32)> = Vec::new();
    for stop in &driver.plan.stops {
        let known = own
            .iter()
            .find(|(id, _)| *id == stop.delivery)
            .map(|(_, order)| *order);
        let order = known.unwrap_or_else(|| {
            let order = u32::try_from(orders.len()).expect("tables are far smaller than 2^32");
            orders.push(order_of(&dispatcher.deliveries[&stop.delivery], nodes));
            own.push((stop.delivery, order));
            order
        });
        tasks.push(Task {
            order,
            kind: stop.kind,
        });
    }
    let end = driver
        .plan
        .end(now, &policy.dwells, |id| dispatcher.ready_at(id));
    let free_from = driver.plan.departure.max(now);
    let (at, from) = end.map_or((driver.fix.at, free_from), |(at, end)| (at, end.max(now)));
    let first = driver.plan.stops.first();
    let is_in_visit = driver.plan.is_in_visit();
    let first_begin = first.map_or(now, |stop| {
        let arrival = driver
            .plan
            .arrived
            .unwrap_or_else(|| driver.plan.departure.after_drive(stop.drive).max(now));
        if is_in_visit {
            driver.plan.departure
        } else {
            arrival.after(policy.dwells.before(stop.kind))
        }
    });
    Start {
        driver: driver.id,
        node: nodes.add(at),
        from: millis(from),
        tasks,
        first_begin: millis(first_begin),
        is_in_visit,
        until: driver.until.map(millis),
        unanswered: driver.unanswered,
        accept_permille: dispatcher.accept_permille(driver.id, now),
        accepted: driver.accepted,
        since: millis(driver.since),
    }
}

#[cfg(test)]
mod tests {
    use doorstep_routing::SplitMix64;

    use super::*;

    #[test]
    fn busy_drivers_join_as_if_all_of_them_had_been_looked_at() {
        let mut random = SplitMix64::new(7);
        let mut below = |bound: usize| i32::try_from(random.below(bound)).expect("small");
        for round in 0..200 {
            let mut place = |spread: usize| {
                LatLng::from_e7(
                    411_500_000 + below(spread) * 90,
                    -86_100_000 + below(spread) * 119,
                )
            };
            let spread = [3, 300, 9_000][round % 3];
            let at = place(spread);
            let all: Vec<(DriverId, LatLng)> =
                (0..120).map(|id| (DriverId(id), place(spread))).collect();
            let mut busy = Busy::default();
            for &(driver, end) in &all {
                busy.ends.place(driver, end);
                // Long waits near by, short ones far away: the nearest are not the first.
                let wait = u64::try_from(below(600_000)).expect("not negative");
                busy.waits.insert(driver, wait);
            }
            let reach = SearchLevel {
                after: crate::Span::ZERO,
                candidates_max: usize::try_from(below(30)).expect("small") + 1,
                search_radius: Distance::from_metres(4_000),
                offers_at_once: 1,
            };
            let free = vec![(1_000, DriverId(500)), (250_000, DriverId(501))];
            let eligible = |driver: DriverId| !driver.0.is_multiple_of(7);
            let mut wanted = free.clone();
            for &(driver, end) in &all {
                let distance = end.crow_distance(at);
                if distance <= reach.search_radius && eligible(driver) {
                    wanted.push((arrival_guess(distance, busy.waits[&driver]), driver));
                }
            }
            let mut found = free;
            busy.join(&mut found, at, &reach, eligible);
            for list in [&mut wanted, &mut found] {
                list.sort_unstable();
                list.truncate(reach.candidates_max);
            }
            assert_eq!(found, wanted, "round {round}");
        }
    }
}
