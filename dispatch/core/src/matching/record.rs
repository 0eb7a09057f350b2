//! Why a driver was asked, and what the driver said: what every decision leaves behind.

use crate::matching::cost::CostTerms;
use crate::{DeliveryId, DriverId, Matching, OfferEnd, Time};

/// How many drivers who were not asked are kept.
pub(crate) const RUNNERS_UP_MAX: usize = 5;

/// What bound the decision: why it was made in this round and in this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The driver has to drive off now to be there when the food is.
    DepartureDue,
    /// The food is or will be ready before anybody can be there.
    Late,
    /// The driver is about to leave the restaurant (or another stop) at which the order can be taken along.
    LastChanceToJoin,
    /// The first driver in the queue takes the first order: no costs were compared.
    FirstCome,
    /// The bundle is handed to the driver for good: all of it can be picked up before the next round.
    Final,
    /// The driver is sent to the restaurant; more orders may be added before the pickup.
    Partial,
    /// An order has waited so long that it is assigned to any feasible driver.
    Overdue,
    /// A person chose the driver: nobody was compared and the driver was not asked.
    AssignedByHand,
}

impl Rule {
    /// Its name in records and on pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DepartureDue => "departure due",
            Self::Late => "late already",
            Self::LastChanceToJoin => "last chance to join",
            Self::FirstCome => "first come, first served",
            Self::Final => "final commitment",
            Self::Partial => "partial commitment",
            Self::Overdue => "overdue",
            Self::AssignedByHand => "assigned by hand",
        }
    }
}

/// A driver who could have been asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternative {
    /// Id of the driver.
    pub driver: DriverId,
    /// When the food would be in hand.
    pub pickup_eta: Time,
    /// What it would cost, beside what the driver would be worth elsewhere.
    pub cost: CostTerms,
    /// What this driver is worth to the other orders of the round, in the same milliseconds: the price by which the
    /// assignment compares. A dear driver with a low cost loses to a cheap one with a higher cost.
    pub price: i64,
}

/// One decision: these orders are offered to this driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    /// Time of the round, Unix milliseconds of the city.
    pub at: Time,
    /// By which policy.
    pub policy: Matching,
    /// The orders offered together.
    pub deliveries: Vec<DeliveryId>,
    /// Who was chosen.
    pub chosen: Alternative,
    /// Up to five others, the best first.
    pub runners_up: Vec<Alternative>,
    /// What leaving the orders for the next round would have cost.
    pub postpone_cost: i64,
    /// Orders and drivers that the round compared.
    pub orders_considered: usize,
    /// Drivers that the round compared.
    pub drivers_considered: usize,
    /// Version of the travel times.
    pub traffic_epoch: u64,
    /// What bound it.
    pub rule: Rule,
    /// How the offer ended; none: the driver is still being asked. What was assigned by hand counts as accepted at once.
    pub ended: Option<OfferEnd>,
}
