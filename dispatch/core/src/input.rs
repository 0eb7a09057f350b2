//! What can happen to the dispatcher from outside.

use doorstep_routing::LatLng;

use crate::{DeliveryId, DriverId, OfferId, Time};

/// One thing that happened. Inputs are what the journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A driver may be offered orders from now on. Also sent after a reconnect: the plan and an open offer are sent again.
    DriverOnDuty {
        /// Id of the driver.
        driver: DriverId,
        /// Where; taken as it is, since a driver may start anywhere.
        at: LatLng,
        /// When the shift ends, if it is known: no pickup is planned after that.
        until: Option<Time>,
    },
    /// A driver wants no more orders. Food already picked up stays with the driver.
    DriverOffDuty {
        /// Id of the driver.
        driver: DriverId,
    },
    /// The connection to a driver is gone. An open offer is withdrawn at once, assigned orders after a grace.
    DriverLost {
        /// Id of the driver.
        driver: DriverId,
    },
    /// A driver's position.
    Fix {
        /// Id of the driver.
        driver: DriverId,
        /// Where and when.
        fix: Fix,
    },
    /// An order needs a driver. Idempotent by id.
    RequestDelivery(DeliveryRequest),
    /// A better estimate of when the food is ready, or that it is.
    ReadyTimeChanged {
        /// Of which delivery.
        delivery: DeliveryId,
        /// The new estimate.
        ready_at: Time,
    },
    /// The order is off. Refused once the food is picked up.
    CancelDelivery {
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
    },
    /// The offer reached the driver's phone; the answer is another input.
    OfferReceived {
        /// By whom.
        driver: DriverId,
        /// Id of the offer.
        offer: OfferId,
    },
    /// The driver accepted or declined.
    OfferAnswered {
        /// Id of the driver.
        driver: DriverId,
        /// To which offer.
        offer: OfferId,
        /// Accept, or decline with a reason.
        answer: Answer,
    },
    /// The driver got somewhere with a delivery.
    Milestone {
        /// Id of the driver.
        driver: DriverId,
        /// With which delivery.
        delivery: DeliveryId,
        /// What was reached.
        reached: MilestoneKind,
    },
    /// Time passed: handle everything that is due by now.
    Deadline,
    /// The same, and a round that is due only begins: it is solved beside the dispatcher and comes back with
    /// [`crate::Dispatcher::handle_round`].
    DeadlineBeside,
    /// A person gives a delivery to a driver, who is not asked. Refused once the food is picked up; the same again
    /// changes nothing.
    AssignDelivery {
        /// Id of the delivery, which is that of its order.
        delivery: DeliveryId,
        /// To whom.
        driver: DriverId,
    },
}

/// One position of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fix {
    /// Position in degrees.
    pub at: LatLng,
    /// When it was taken, by the driver's clock.
    pub time: Time,
    /// Speed over ground in millimetres a second, if known.
    pub speed_mm_s: Option<u32>,
    /// Hundredths of a degree clockwise from north, 0..36000, if known.
    pub heading_cdeg: Option<u32>,
}

/// An order that needs a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryRequest {
    /// Made by the caller; the same id again is the same delivery.
    pub delivery: DeliveryId,
    /// Where the restaurant is.
    pub pickup: LatLng,
    /// Where the customer is.
    pub dropoff: LatLng,
    /// When the customer ordered.
    pub placed_at: Time,
    /// When the food is expected to be ready.
    pub ready_at: Time,
}

/// A driver's answer to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The driver takes all deliveries of the offer.
    Accept,
    /// The driver takes none of them.
    Decline(DeclineReason),
}

/// Why a driver declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclineReason {
    /// Not given.
    Unspecified,
    /// The way is too long.
    TooFar,
    /// The driver wants a pause.
    Break,
    /// The vehicle does not fit the order.
    Vehicle,
    /// Something else.
    Other,
}

impl DeclineReason {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 5] = [
        Self::Unspecified,
        Self::TooFar,
        Self::Break,
        Self::Vehicle,
        Self::Other,
    ];

    /// Its place in [`Self::ALL`].
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Unspecified => 0,
            Self::TooFar => 1,
            Self::Break => 2,
            Self::Vehicle => 3,
            Self::Other => 4,
        }
    }
}

/// What a driver reached with a delivery, in the order in which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MilestoneKind {
    /// At the restaurant, food not yet in hand.
    ArrivedAtRestaurant,
    /// Food in hand.
    PickedUp,
    /// At the customer's door.
    ArrivedAtCustomer,
    /// Food handed over.
    DroppedOff,
}
