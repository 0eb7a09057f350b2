//! What a policy hands to the dispatcher: ask this driver to follow this route.

use doorstep_routing::TravelTime;

use crate::matching::options::{Bundle, Choice};
use crate::matching::record::{Alternative, DecisionRecord, Rule};
use crate::matching::situation::{Situation, Start, Task};
use crate::plan::PlannedStop;
use crate::{DeliveryId, DriverId, Matching, StopKind, Time};

/// Ask this driver.
#[derive(Debug, Clone)]
pub(crate) struct Proposal {
    pub(crate) driver: DriverId,
    /// The orders to ask for, in the order of their dropoffs.
    pub(crate) deliveries: Vec<DeliveryId>,
    /// All stops of the driver's plan after a yes.
    pub(crate) stops: Vec<PlannedStop>,
    /// When a free driver would drive off.
    pub(crate) departure: Time,
    pub(crate) record: DecisionRecord,
    /// Drivers who may be asked at once, this one included.
    pub(crate) offers_at_once: usize,
    /// The same question to the runners-up, the best first; empty if one driver is asked alone.
    pub(crate) further: Vec<Self>,
}

/// A decision before it is written down.
pub(crate) struct Decided<'a> {
    pub(crate) policy: Matching,
    pub(crate) bundle: &'a Bundle,
    pub(crate) chosen: &'a Choice,
    pub(crate) price: i64,
    /// The best first, with their prices.
    pub(crate) others: Vec<(&'a Choice, i64)>,
    pub(crate) postpone_cost: i64,
    pub(crate) rule: Rule,
}

/// Writes a decision down. A bundle is offered to one driver alone: its orders have different runners-up, and a yes to
/// one of them would have to take back the others.
pub(crate) fn proposal(
    situation: &Situation<'_>,
    decided: &Decided<'_>,
    departure: Time,
) -> Proposal {
    let mut first = question(situation, decided, departure);
    let offers_at_once = match decided.bundle.orders[..] {
        [order] => situation.orders[order as usize].offers_at_once,
        _ => 1,
    };
    if offers_at_once > 1 {
        first.further = (0..decided.others.len())
            .map(|index| {
                let from = situation.starts[decided.others[index].0.start as usize].from;
                question(situation, &decided.with_runner_up(index), time(from))
            })
            .collect();
    }
    Proposal {
        offers_at_once,
        ..first
    }
}

impl<'a> Decided<'a> {
    /// As if one of the others had been chosen, and the one who was chosen were the first of the others.
    fn with_runner_up(&self, index: usize) -> Self {
        let mut others = self.others.clone();
        let (chosen, price): (&'a Choice, i64) = others.remove(index);
        others.insert(0, (self.chosen, self.price));
        Self {
            chosen,
            price,
            others,
            ..*self
        }
    }
}

/// What to ask one driver, and why.
fn question(situation: &Situation<'_>, decided: &Decided<'_>, departure: Time) -> Proposal {
    let start = &situation.starts[decided.chosen.start as usize];
    let tasks = decided.chosen.route(start, decided.bundle);
    let deliveries = new_orders(situation, &tasks);
    let alternative = |choice: &Choice, price| Alternative {
        driver: situation.starts[choice.start as usize].driver,
        pickup_eta: time(choice.pickup),
        cost: choice.terms,
        price,
    };
    Proposal {
        driver: start.driver,
        stops: stops_of(situation, start, &tasks),
        departure,
        record: DecisionRecord {
            at: time(situation.now),
            policy: decided.policy,
            deliveries: deliveries.clone(),
            chosen: alternative(decided.chosen, decided.price),
            runners_up: decided
                .others
                .iter()
                .map(|&(choice, price)| alternative(choice, price))
                .collect(),
            postpone_cost: decided.postpone_cost,
            orders_considered: situation.open,
            drivers_considered: situation.starts.len(),
            traffic_epoch: situation.traffic_epoch,
            rule: decided.rule,
            ended: None,
        },
        deliveries,
        offers_at_once: 1,
        further: Vec::new(),
    }
}

/// The stops of a route with the drives between them. The first drive of a plan that has begun is the dispatcher's to keep.
pub(crate) fn stops_of(
    situation: &Situation<'_>,
    start: &Start,
    tasks: &[Task],
) -> Vec<PlannedStop> {
    let mut node = (!start.is_busy()).then_some(start.node);
    tasks
        .iter()
        .map(|&task| {
            let order = &situation.orders[task.order as usize];
            let next = situation.node(task);
            let drive = node.map_or(0, |from| situation.drive(from, next));
            node = Some(next);
            PlannedStop {
                delivery: order.id,
                kind: task.kind,
                at: match task.kind {
                    StopKind::Pickup => order.pickup_at,
                    StopKind::Dropoff => order.dropoff_at,
                },
                drive: TravelTime::from_millis(u32::try_from(drive).unwrap_or(0)),
            }
        })
        .collect()
}

/// The open orders of a route, in the order of their dropoffs.
fn new_orders(situation: &Situation<'_>, tasks: &[Task]) -> Vec<DeliveryId> {
    tasks
        .iter()
        .filter(|task| task.kind == StopKind::Dropoff && situation.is_open(task.order))
        .map(|task| situation.orders[task.order as usize].id)
        .collect()
}

/// Milliseconds of a round's arithmetic as a time.
pub(crate) fn time(millis: i64) -> Time {
    Time::from_millis(u64::try_from(millis).unwrap_or(0))
}
