//! What a policy hands to the dispatcher: ask this driver to follow this route.

use doorstep_routing::TravelTime;

use crate::matching::record::DecisionRecord;
use crate::matching::situation::{Situation, Start, Task};
use crate::plan::PlannedStop;
use crate::{DeliveryId, DriverId, StopKind, Time};

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
pub(crate) fn new_orders(situation: &Situation<'_>, tasks: &[Task]) -> Vec<DeliveryId> {
    tasks
        .iter()
        .filter(|task| task.kind == StopKind::Dropoff && (task.order as usize) < situation.open)
        .map(|task| situation.orders[task.order as usize].id)
        .collect()
}

/// Milliseconds of a round's arithmetic as a time.
pub(crate) fn time(millis: i64) -> Time {
    Time::from_millis(u64::try_from(millis).unwrap_or(0))
}
