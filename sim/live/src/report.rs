//! What the simulated people did and saw.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

/// An order that the control plane has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AcknowledgedOrder {
    /// The order's UUID, also that of its delivery.
    pub order: Uuid,
    /// City time of the acknowledgement.
    pub placed_at_ms: u64,
}

/// What happened on our side of the sockets.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LiveReport {
    /// City time of the start.
    pub started_at_ms: u64,
    /// City time of the end.
    pub ended_at_ms: u64,
    /// Every order answered with an id, in the order of the answers.
    pub acknowledged: Vec<AcknowledgedOrder>,
    /// Cancellations that were granted.
    pub cancelled_by_choice: u64,
    /// Cancellations that came too late.
    pub cancellations_refused: u64,
    /// Reviews left.
    pub reviews: u64,
    /// Orders sent twice on purpose that got the same answer twice.
    pub repeats_recognized: u64,
    /// Drivers who were welcomed at least once.
    pub drivers_connected: u64,
    /// Pings handed to the network.
    pub pings_sent: u64,
    /// Offers seen by drivers.
    pub offers: u64,
    /// Offers answered yes.
    pub offers_accepted: u64,
    /// Offers answered no.
    pub offers_declined: u64,
    /// What went wrong, by kind.
    pub errors: BTreeMap<&'static str, u64>,
}

impl LiveReport {
    pub(crate) fn error(&mut self, kind: &'static str) {
        *self.errors.entry(kind).or_default() += 1;
    }
}

/// What became of the acknowledged orders, as the control plane says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Audit {
    /// Acknowledged, without those whose card was declined.
    pub placed: u64,
    /// At the door.
    pub delivered: u64,
    /// Ended in another way: called off by a customer, a restaurant or the system.
    pub cancelled: u64,
    /// Under way.
    pub open: u64,
    /// Acknowledged, and now unknown or in no state. Must be 0.
    pub lost: u64,
    /// Acknowledged and then not paid; not among the placed.
    pub cards_declined: u64,
    /// Placed more than 45 city minutes before the end.
    pub due: u64,
    /// Of these delivered.
    pub due_delivered: u64,
    /// From the acknowledgement to the door, city minutes.
    pub click_to_door_min_mean: f64,
    /// Nine of ten delivered orders took at most so many city minutes.
    pub click_to_door_min_p90: f64,
    /// What the ledger is off balance, in minor units. Must be 0.
    pub ledger_balance: i64,
}
