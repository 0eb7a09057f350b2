//! One matching round: which driver to ask for which order. Changes nothing; the dispatcher makes the offers.
//!
//! ```text
//! searching deliveries, oldest first ──> candidates by cells ──> one travel time matrix ──> costs ──> assignment
//! ```

use doorstep_routing::{LatLng, TravelTime};

use crate::delivery::{Delivery, Refusal};
use crate::driver::{Driver, Duty, QUEUE_MAX};
use crate::matching::assignment::{Row, assign};
use crate::matching::cost::{Pair, postpone_cost};
use crate::{DeliveryId, Dispatcher, DriverId, Span, Time, TravelTimes};

/// Ask this driver for this delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) delivery: DeliveryId,
    pub(crate) driver: DriverId,
    /// From where the driver will start to the restaurant.
    pub(crate) approach: TravelTime,
    /// At the restaurant.
    pub(crate) arrival: Time,
}

/// Where and when a driver could start towards a restaurant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub(crate) driver: DriverId,
    pub(crate) at: LatLng,
    pub(crate) from: Time,
    pub(crate) is_next_order: bool,
    unanswered: u32,
}

/// Whether a driver may be asked now, and where that driver would start.
pub(crate) fn start(dispatcher: &Dispatcher, driver: &Driver) -> Option<Start> {
    let (now, policy) = (dispatcher.now, &dispatcher.policy);
    let is_askable = driver.duty == Duty::On
        && driver.offer.is_none()
        && driver.queue.len() < QUEUE_MAX
        && now.since(driver.fix.time) <= policy.fix_age_max;
    if !is_askable {
        return None;
    }
    let start = Start {
        driver: driver.id,
        at: driver.fix.at,
        from: now,
        is_next_order: false,
        unanswered: driver.unanswered,
    };
    let Some(in_hand) = driver.queue.first() else {
        return Some(start);
    };
    let in_hand = dispatcher.deliveries.get(in_hand)?;
    let done_at = in_hand.dropoff_eta()?;
    let is_finishing = in_hand.state.is_carried()
        && policy.next_order_within > Span::ZERO
        && done_at <= now.after(policy.next_order_within);
    is_finishing.then_some(Start {
        at: in_hand.request.dropoff,
        from: done_at.max(now),
        is_next_order: true,
        ..start
    })
}

/// A delivery and the drivers who may be asked for it, at least one.
struct Wanted<'a> {
    delivery: &'a Delivery,
    candidates: Vec<DriverId>,
}

/// The best way to ask drivers now: at most one delivery a driver and one driver a delivery.
pub(crate) fn propose(dispatcher: &Dispatcher, travel: &mut dyn TravelTimes) -> Vec<Proposal> {
    let wanted = wanted(dispatcher);
    if wanted.is_empty() {
        return Vec::new();
    }
    let starts = starts_of(dispatcher, &wanted);
    let sources: Vec<LatLng> = starts.iter().map(|start| start.at).collect();
    let targets: Vec<LatLng> = wanted
        .iter()
        .map(|wanted| wanted.delivery.request.pickup)
        .collect();
    let mut times = Vec::new();
    travel.matrix(&sources, &targets, &mut times);

    let approach =
        |column: usize, row: usize| times.get(column * targets.len() + row).copied().flatten();
    let column_of = |driver: &DriverId| starts.binary_search_by_key(driver, |start| start.driver);
    let mut rows = Vec::with_capacity(wanted.len());
    for (row, wanted) in wanted.iter().enumerate() {
        let columns = wanted.candidates.iter().filter_map(|driver| {
            let column = column_of(driver).ok()?;
            Some((column, approach(column, row)?))
        });
        rows.push(row_of(dispatcher, wanted.delivery, &starts, columns));
    }
    let given = assign(&rows, starts.len());
    (0..rows.len())
        .filter_map(|row| {
            let column = given[row]?;
            let (start, approach) = (starts[column], approach(column, row)?);
            Some(Proposal {
                delivery: wanted[row].delivery.id(),
                driver: start.driver,
                approach,
                arrival: start.from.after_drive(approach),
            })
        })
        .collect()
}

/// Deliveries whose time has come and that some driver may be asked for: the longest waiting ones, ties by id. One that
/// nobody is near to does not take the place of one that can be served.
fn wanted(dispatcher: &Dispatcher) -> Vec<Wanted<'_>> {
    let horizon = dispatcher.now.after(dispatcher.policy.look_ahead);
    let mut deliveries: Vec<&Delivery> = dispatcher
        .searching
        .iter()
        .filter_map(|id| dispatcher.deliveries.get(id))
        .filter(|delivery| delivery.ready_at <= horizon)
        .collect();
    deliveries.sort_by_key(|delivery| (delivery.request.placed_at, delivery.id()));
    deliveries
        .into_iter()
        .map(|delivery| Wanted {
            delivery,
            candidates: candidates_of(dispatcher, delivery),
        })
        .filter(|wanted| !wanted.candidates.is_empty())
        .take(dispatcher.policy.round_deliveries_max)
        .collect()
}

/// The nearest drivers who may be asked, as the crow flies.
fn candidates_of(dispatcher: &Dispatcher, delivery: &Delivery) -> Vec<DriverId> {
    let policy = &dispatcher.policy;
    let may_be_asked = |driver: DriverId| {
        let cools_off = |refusal: &Refusal| {
            refusal.driver == driver && dispatcher.now.since(refusal.at) < policy.decline_cool_off
        };
        dispatcher
            .drivers
            .get(&driver)
            .and_then(|driver| start(dispatcher, driver))
            .is_some()
            && !delivery.refusals.iter().any(cools_off)
    };
    dispatcher.index.nearest(
        delivery.request.pickup,
        policy.candidates_max,
        policy.search_radius,
        may_be_asked,
    )
}

/// Where each candidate starts, by driver.
fn starts_of(dispatcher: &Dispatcher, wanted: &[Wanted<'_>]) -> Vec<Start> {
    let mut drivers: Vec<DriverId> = wanted
        .iter()
        .flat_map(|wanted| wanted.candidates.iter().copied())
        .collect();
    drivers.sort_unstable();
    drivers.dedup();
    drivers
        .iter()
        .filter_map(|driver| start(dispatcher, dispatcher.drivers.get(driver)?))
        .collect()
}

/// The costs of one delivery. No choices while even the nearest driver would come too early: asking later may find
/// a nearer driver and keeps this one free.
fn row_of(
    dispatcher: &Dispatcher,
    delivery: &Delivery,
    starts: &[Start],
    columns: impl Iterator<Item = (usize, TravelTime)>,
) -> Row {
    let (now, policy) = (dispatcher.now, &dispatcher.policy);
    let mut first_arrival = None;
    let mut choices = Vec::new();
    for (column, approach) in columns {
        let start = starts[column];
        let arrival = start.from.after_drive(approach);
        first_arrival = first_arrival.into_iter().chain([arrival]).min();
        let refusals = delivery
            .refusals
            .iter()
            .filter(|refusal| refusal.driver == start.driver)
            .count();
        let pair = Pair {
            now,
            ready_at: delivery.ready_at,
            arrival,
            approach,
            is_next_order: start.is_next_order,
            refusals: u32::try_from(refusals).unwrap_or(u32::MAX),
            unanswered: start.unanswered,
        };
        choices.push((column, pair.cost(policy)));
    }
    let is_due = first_arrival
        .is_some_and(|arrival| arrival.after(policy.early_arrival_max) >= delivery.ready_at);
    if !is_due {
        choices.clear();
    }
    Row {
        unassigned: postpone_cost(now, delivery.request.placed_at, policy),
        choices,
    }
}
