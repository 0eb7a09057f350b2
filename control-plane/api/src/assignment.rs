//! Manual assignment: its preview and its result.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ids::{DriverText, OrderId};
use crate::number::UnixMs;
use crate::orders::states;
use crate::text::Reason;

/// The driver of a preview.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ToDriver {
    /// Number of the driver.
    pub driver: DriverText,
}

/// A manual assignment to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAssignment {
    /// Number of the driver.
    pub driver: DriverText,
    /// Why, for the order's log.
    #[serde(default)]
    pub reason: Reason,
}

/// What a manual assignment would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssignmentPreview {
    /// Id of the order.
    pub order_id: OrderId,
    /// Number of the driver who would get it.
    pub driver: DriverText,
    /// When the preview was made.
    pub now_ms: UnixMs,
    /// Offset of the city's zone from UTC, in seconds.
    pub offset_s: i32,
    /// Number of the driver who would lose it; null when nobody has it.
    pub from: Option<DriverText>,
    /// Drivers whose open offers would be withdrawn: for this order, or to the new driver for others.
    pub no_longer_asked: Vec<DriverText>,
    /// ETA at the restaurant.
    pub pickup: Change,
    /// ETA at the customer.
    pub dropoff: Change,
    /// The dropoff that the customer was promised, if one was.
    pub promised_dropoff_ms: Option<UnixMs>,
    /// The new driver's stops, in their order.
    pub stops: Vec<PlannedStop>,
    /// The new driver's other orders that would be later.
    pub later: Vec<LaterOrder>,
    /// Reasons against it that do not forbid it.
    pub warnings: Vec<Warning>,
}

/// A time before and after the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// As planned now; null when no driver has or is offered the order.
    pub before_ms: Option<UnixMs>,
    /// With the new driver.
    pub after_ms: UnixMs,
}

states!(
    /// What is done at a stop; `unknown` is a kind that this version of the control plane does not know.
    StopKind {
        /// The food is picked up at the restaurant.
        Pickup = "pickup",
        /// The food is handed over to the customer.
        Dropoff = "dropoff",
        /// A kind that this version does not know.
        Unknown = "unknown",
    }
);

/// One stop of a driver's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedStop {
    /// Id of the order.
    pub order_id: String,
    /// What is done there.
    pub kind: StopKind,
    /// ETA of the driver.
    pub eta_ms: UnixMs,
}

/// An order that would be later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LaterOrder {
    /// Id of the order.
    pub order_id: String,
    /// Its code on the city view: `#` and the last four characters of its id.
    pub code: String,
    /// Its dropoff without the change.
    pub before_ms: UnixMs,
    /// Its dropoff with the change.
    pub after_ms: UnixMs,
}

states!(
    /// Kind of a warning; `unknown` is one that this version of the control plane does not know.
    WarningCode {
        /// The driver's shift ends before the pickup.
        AfterShift = "after_shift",
        /// Click-to-door would be longer than dispatch allows.
        TooLongAfterClick = "too_long_after_click",
        /// The dropoff would be later than was promised.
        AfterPromise = "after_promise",
        /// The driver was asked before and did not take it.
        DidNotTake = "did_not_take",
        /// Dispatch would not ask this driver again yet.
        CoolingOff = "cooling_off",
        /// The driver is farther away than dispatch searches.
        FarAway = "far_away",
        /// The driver's last position is old.
        OldFix = "old_fix",
        /// A warning that this version does not know.
        Unknown = "unknown",
    }
);

/// A reason against an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// Kind of the warning.
    pub code: WarningCode,
    /// The warning as a sentence, with times in the city's zone.
    pub words: String,
}

/// A manual assignment that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssignedByHand {
    /// Id of the order.
    pub order_id: OrderId,
    /// Number of the driver who has it.
    pub driver: DriverText,
    /// False if the driver had it already.
    pub changed: bool,
    /// When it was made.
    pub at_ms: UnixMs,
    /// Name of the operator.
    pub by: String,
    /// The operator's reason; may be empty.
    pub reason: String,
}
