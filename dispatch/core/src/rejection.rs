//! Why an input was not acted on.

use crate::offers::Outcome;
use crate::{DeliveryId, DeliveryState, DriverId, MilestoneKind, OfferId, Span, Time};

/// An input that changed nothing, and why. The world may send any of these; none is a bug here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The driver is not on duty and carries nothing.
    #[error("{driver} is not on duty")]
    NotOnDuty {
        /// Id of the driver.
        driver: DriverId,
    },
    /// The driver table is full.
    #[error("{driver} not taken on duty: the table is full with {max} drivers")]
    DriversFull {
        /// Id of the driver.
        driver: DriverId,
        /// How many there may be.
        max: usize,
    },
    /// A newer position is known.
    #[error("fix of {driver} from {time} is not newer than the last one from {last}")]
    OldFix {
        /// Id of the driver.
        driver: DriverId,
        /// Of the refused fix.
        time: Time,
        /// Of the newest one.
        last: Time,
    },
    /// The driver's clock is ahead of ours.
    #[error("fix of {driver} is from {time}, which is after now, {now}")]
    FutureFix {
        /// Id of the driver.
        driver: DriverId,
        /// Of the refused fix.
        time: Time,
        /// Our time.
        now: Time,
    },
    /// Nobody drives that fast.
    #[error("fix of {driver} is {metres} m away from the last one, {span} before")]
    ImplausibleJump {
        /// Id of the driver.
        driver: DriverId,
        /// As the crow flies.
        metres: u64,
        /// Between the two fixes.
        span: Span,
    },
    /// There are too many open deliveries.
    #[error("{delivery} not taken: there are {max} open deliveries")]
    DeliveriesFull {
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
        /// How many there may be.
        max: usize,
    },
    /// The same id was requested before with another content.
    #[error("{delivery} was requested before with another content")]
    RequestDiffers {
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
    },
    /// No way from the restaurant to the customer.
    #[error("no way from the pickup to the dropoff of {delivery}")]
    Unreachable {
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
    },
    /// Never requested, or ended so long ago that it is forgotten.
    #[error("{delivery} is unknown")]
    UnknownDelivery {
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
    },
    /// Too late for this in the delivery's life.
    #[error("{delivery} cannot be changed like this: it is {state}")]
    TooLate {
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
        /// The state it is in.
        state: DeliveryState,
    },
    /// Another driver serves it, or nobody.
    #[error("{driver} does not serve {delivery}")]
    NotYourDelivery {
        /// Id of the driver.
        driver: DriverId,
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
    },
    /// The driver has another delivery to finish first.
    #[error("{driver} has to drop off {current} before {delivery}")]
    NotItsTurn {
        /// Id of the driver.
        driver: DriverId,
        /// The one reported.
        delivery: DeliveryId,
        /// The one in hand.
        current: DeliveryId,
    },
    /// A milestone that cannot come yet.
    #[error("{delivery} is {state} and cannot have reached {reached:?}")]
    MilestoneTooEarly {
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
        /// The state it is in.
        state: DeliveryState,
        /// What was reported.
        reached: MilestoneKind,
    },
    /// Never made, or ended so long ago that it is forgotten.
    #[error("{offer} is unknown")]
    UnknownOffer {
        /// Id of the offer.
        offer: OfferId,
    },
    /// Somebody else was asked.
    #[error("{offer} was not made to {driver}")]
    NotYourOffer {
        /// Id of the driver.
        driver: DriverId,
        /// Id of the offer.
        offer: OfferId,
    },
    /// The answer came after the offer had ended in another way.
    #[error("{offer} has ended: {outcome}")]
    OfferEnded {
        /// Id of the offer.
        offer: OfferId,
        /// How the offer ended.
        outcome: Outcome,
    },
    /// The driver has it already: there is nothing to preview.
    #[error("{driver} serves {delivery} already")]
    AlreadyServes {
        /// Id of the driver.
        driver: DriverId,
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
    },
    /// The driver's plan holds as many deliveries as it may.
    #[error("{driver} has {max} deliveries already, as many as a driver may have")]
    PlanFull {
        /// Id of the driver.
        driver: DriverId,
        /// How many there may be.
        max: usize,
    },
    /// No way on the road for this driver to this pickup.
    #[error("no way for {driver} to the pickup of {delivery}")]
    NoWay {
        /// Id of the driver.
        driver: DriverId,
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
    },
}

impl Rejection {
    /// A short stable name for gauges, logs and the digest.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotOnDuty { .. } => "not_on_duty",
            Self::DriversFull { .. } => "drivers_full",
            Self::OldFix { .. } => "old_fix",
            Self::FutureFix { .. } => "future_fix",
            Self::ImplausibleJump { .. } => "implausible_jump",
            Self::DeliveriesFull { .. } => "deliveries_full",
            Self::RequestDiffers { .. } => "request_differs",
            Self::Unreachable { .. } => "unreachable",
            Self::UnknownDelivery { .. } => "unknown_delivery",
            Self::TooLate { .. } => "too_late",
            Self::NotYourDelivery { .. } => "not_your_delivery",
            Self::NotItsTurn { .. } => "not_its_turn",
            Self::MilestoneTooEarly { .. } => "milestone_too_early",
            Self::UnknownOffer { .. } => "unknown_offer",
            Self::NotYourOffer { .. } => "not_your_offer",
            Self::OfferEnded { .. } => "offer_ended",
            Self::AlreadyServes { .. } => "already_serves",
            Self::PlanFull { .. } => "plan_full",
            Self::NoWay { .. } => "no_way",
        }
    }
}
