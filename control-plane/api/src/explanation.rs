//! Why dispatch gave an order to its driver.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{DriverText, OrderId};
use crate::number::UnixMs;
use crate::orders::states;

/// Why an order went to its driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// Id of the order.
    pub order_id: OrderId,
    /// Offset of the city's zone from UTC, in seconds.
    pub offset_s: i32,
    /// The order, if it is open or ended within the last minutes.
    pub order: Option<OrderFacts>,
    /// Decisions of the matcher, oldest first; empty before the first.
    pub decisions: Vec<Decision>,
    /// Manual assignments, oldest first.
    #[serde(default)]
    pub by_hand: Vec<ByHand>,
}

/// A manual assignment in an order's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ByHand {
    /// When it was made.
    pub at_ms: UnixMs,
    /// Number of the driver.
    pub driver: DriverText,
    /// Name of the operator.
    pub by: String,
    /// The operator's reason; may be empty.
    pub reason: String,
}

/// An order in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderFacts {
    /// Its code on the city view: `#` and the last four characters of its id.
    pub code: String,
    /// Name of the restaurant.
    pub restaurant: String,
    /// Number of the driver who has it; null while nobody does.
    pub driver: Option<DriverText>,
    /// When it was placed.
    pub placed_ms: UnixMs,
    /// ETA at the customer.
    pub eta_ms: Option<UnixMs>,
    /// When it ended; null while it is open.
    pub over_ms: Option<UnixMs>,
}

states!(
    /// The matching that decided; `unknown` is one that this version of the control plane does not know.
    MatchingName {
        /// The nearest driver gets the oldest order.
        Nearest = "nearest",
        /// The matching of the MDRP literature.
        Mdrp = "mdrp",
        /// `FoodMatch`.
        Foodmatch = "foodmatch",
        /// Doorstep's own.
        Doorstep = "doorstep",
        /// One that this version does not know.
        Unknown = "unknown",
    }
);

states!(
    /// The rule that made a decision final; `unknown` is one that this version of the control plane does not know.
    DecisionRule {
        /// The driver had to leave to arrive when the food is ready.
        DepartureDue = "departure_due",
        /// The food is ready before any driver can be there.
        Late = "late",
        /// The driver was about to leave a stop at which the order could be joined.
        LastChanceToJoin = "last_chance_to_join",
        /// The first driver in the queue takes the first order.
        FirstCome = "first_come",
        /// All of it can be picked up before the next round.
        Final = "final",
        /// The driver is sent to the restaurant; orders may be added before the pickup.
        Partial = "partial",
        /// The order had waited too long.
        Overdue = "overdue",
        /// An operator chose the driver.
        AssignedByHand = "assigned_by_hand",
        /// One that this version does not know.
        Unknown = "unknown",
    }
);

/// A decision: these orders were offered to this driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// When it was made.
    pub at_ms: UnixMs,
    /// The matching that made it.
    pub policy: MatchingName,
    /// The rule that made it final.
    pub rule: DecisionRule,
    /// The rule as a sentence.
    pub why: String,
    /// Deliveries that were offered together, by UUID.
    pub orders: Vec<String>,
    /// The driver who was asked.
    pub chosen: Alternative,
    /// Up to five other drivers, the cheapest first.
    pub runners_up: Vec<Alternative>,
    /// Cost of leaving the orders for the next round, in weighted milliseconds.
    pub postpone_cost_ms: i64,
    /// Number of orders that the round compared.
    pub orders_considered: u64,
    /// Number of drivers that the round compared.
    pub drivers_considered: u64,
    /// Epoch of the travel times.
    pub traffic_epoch: u64,
    /// Outcome of the offer; null while the driver has not answered.
    pub ended: Option<OfferEnd>,
}

states!(
    /// Outcome of an offer; `assigned` where an operator assigned the order and no driver was asked; `unknown` is one that this
    /// version of the control plane does not know.
    OfferOutcome {
        /// The driver accepted.
        Accepted = "accepted",
        /// The driver declined.
        Declined = "declined",
        /// The driver did not answer in time.
        Expired = "expired",
        /// The offer was withdrawn.
        Withdrawn = "withdrawn",
        /// An operator assigned the order.
        Assigned = "assigned",
        /// One that this version does not know.
        Unknown = "unknown",
    }
);

/// When and how an offer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfferEnd {
    /// When it ended.
    pub at_ms: UnixMs,
    /// How it ended.
    pub outcome: OfferOutcome,
    /// How it ended, as the rest of a sentence that begins with the driver: "declined: too far".
    pub words: String,
}

/// A driver who was, or could have been, asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alternative {
    /// Number of the driver.
    pub driver: DriverText,
    /// ETA of the pickup by this driver.
    pub pickup_eta_ms: UnixMs,
    /// Sum of the cost terms, in weighted milliseconds.
    pub cost_ms: i64,
    /// Value of the driver to the other orders of the round, in weighted milliseconds.
    pub price_ms: i64,
    /// Cost and price, less those of the driver who was asked.
    pub difference_ms: i64,
    /// Terms of the cost.
    pub terms: Vec<Term>,
}

/// A term of a cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Term {
    /// Name of the term.
    pub name: String,
    /// The term, in weighted milliseconds.
    pub ms: i64,
}
