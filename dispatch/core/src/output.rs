//! What the dispatcher publishes.

use std::fmt;

use doorstep_routing::LatLng;

use crate::{Advice, DeliveryId, DeliveryState, DriverId, EtaBand, OfferId, Time};

/// One thing to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask a driver.
    Offer(Offer),
    /// Take a question back: an answer would come too late.
    RevokeOffer {
        /// From whom.
        driver: DriverId,
        /// Id of the offer.
        offer: OfferId,
        /// The reason.
        why: RevokeReason,
    },
    /// Something about a delivery changed.
    DeliveryChanged(DeliveryEvent),
    /// What a driver shall do now: replaces the plan sent before.
    DriverPlan {
        /// Id of the driver.
        driver: DriverId,
        /// In the order in which to visit them; empty: nothing to do.
        stops: Vec<Stop>,
    },
    /// Where a driver without orders had better wait: replaces what was advised before. The driver may stay.
    Advise {
        /// Id of the driver.
        driver: DriverId,
        /// Where; none: the advice is called off, an offer has come.
        advice: Option<Advice>,
    },
}

/// A question to one driver: will you take this order, or this bundle?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name, never used twice.
    pub offer: OfferId,
    /// Who is asked. Others may be asked for the same delivery at the same time if the policy says so; the first yes wins.
    pub driver: DriverId,
    /// For which deliveries, at least one, in the order in which they would be dropped off.
    pub deliveries: Vec<DeliveryId>,
    /// All that the driver would have to do after a yes, what was accepted before included.
    pub stops: Vec<Stop>,
    /// An answer counts strictly before this time.
    pub expires_at: Time,
}

/// Why an offer was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevokeReason {
    /// No answer in time.
    Expired,
    /// The order was cancelled.
    Cancelled,
    /// The driver went off duty.
    OffDuty,
    /// The driver's connection is gone.
    DriverLost,
    /// Another driver who was asked at the same time accepted first; no statement about this driver.
    TakenByAnother,
    /// A person gave the order to another driver, or gave this one another order.
    AssignedByHand,
}

/// As the app is told.
impl fmt::Display for RevokeReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::OffDuty => "off duty",
            Self::DriverLost => "connection lost",
            Self::TakenByAnother => "taken by another driver",
            Self::AssignedByHand => "assigned by hand",
        })
    }
}

/// One change of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryEvent {
    /// Id of the delivery, which is that of its order.
    pub delivery: DeliveryId,
    /// 1, 2, … for each delivery, without gaps.
    pub seq: u32,
    /// When it changed.
    pub at: Time,
    /// The state it is in now.
    pub state: DeliveryState,
    /// Who serves it, from `Assigned` on.
    pub driver: Option<DriverId>,
    /// When the food is (or was) in the driver's hand, if a driver is asked or assigned.
    pub pickup_eta: Option<Time>,
    /// When the food is (or was) handed over, if a driver is asked or assigned.
    pub dropoff_eta: Option<Time>,
    /// How far the pickup may be off; contains the ETA.
    pub pickup_band: Option<EtaBand>,
    /// How far the dropoff may be off; contains the ETA.
    pub dropoff_band: Option<EtaBand>,
    /// What the customer is promised, from the first offer on, or the assignment by hand before any; never changes.
    pub promised_dropoff: Option<Time>,
    /// How hard it is to find a driver: the level of the search, as in `Policy::search_levels`, while no driver has accepted;
    /// 0: not (yet) harder than usual.
    pub search_level: u32,
}

/// One place a driver shall visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// For which delivery.
    pub delivery: DeliveryId,
    /// What to do there.
    pub kind: StopKind,
    /// Position in degrees.
    pub at: LatLng,
    /// When it should be done.
    pub eta: Time,
}

/// What to do at a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopKind {
    /// Get the food at the restaurant.
    Pickup,
    /// Hand it over to the customer.
    Dropoff,
}
