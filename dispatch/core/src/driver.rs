//! One row of the driver table.

use crate::plan::Plan;
use crate::{Answers, DeliveryId, DriverId, Fix, OfferId, Time};

/// Whether a driver can be asked and reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// May be offered orders.
    On,
    /// Wants no more orders and still carries food.
    Off,
    /// Not reachable and still holds deliveries.
    Lost,
}

/// What a driver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverState {
    /// Not on duty and nothing in hand.
    OffDuty,
    /// On duty and free.
    Idle,
    /// On duty, free and being asked.
    Offered,
    /// Has stops to visit, on duty or not.
    Serving,
}

/// Positions that no driver could have come to from the newest one that counts, each plausible after the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elsewhere {
    /// When the first was taken.
    pub(crate) since: Time,
    /// The newest.
    pub(crate) fix: Fix,
    /// How many.
    pub(crate) count: u32,
}

/// A driver who is on duty or still holds deliveries.
#[derive(Debug, Clone)]
pub struct Driver {
    pub(crate) id: DriverId,
    pub(crate) duty: Duty,
    /// The newest one.
    pub(crate) fix: Fix,
    /// Positions too far from `fix` that agree with one another: where the driver may be instead.
    pub(crate) elsewhere: Option<Elsewhere>,
    /// The stops of the accepted deliveries.
    pub(crate) plan: Plan,
    /// When the shift began.
    pub(crate) since: Time,
    /// When the shift ends: no pickup is planned after that. None: not known.
    pub(crate) until: Option<Time>,
    /// Orders accepted in this shift.
    pub(crate) accepted: u32,
    pub(crate) offer: Option<OfferId>,
    /// Offers in a row that expired.
    pub(crate) unanswered: u32,
    /// What came of the offers, also of shifts before.
    pub(crate) answers: Answers,
}

impl Driver {
    pub(crate) fn new(id: DriverId, fix: Fix) -> Self {
        Self {
            id,
            duty: Duty::On,
            fix,
            elsewhere: None,
            plan: Plan::default(),
            since: fix.time,
            until: None,
            accepted: 0,
            offer: None,
            unanswered: 0,
            answers: Answers::default(),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> DriverId {
        self.id
    }

    /// Whether the driver can be asked and reached.
    #[must_use]
    pub const fn duty(&self) -> Duty {
        self.duty
    }

    /// The newest position.
    #[must_use]
    pub const fn fix(&self) -> &Fix {
        &self.fix
    }

    /// Accepted deliveries, in the order in which they are dropped off.
    pub fn deliveries(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        self.plan.deliveries()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.plan.stops.is_empty()
    }

    /// The delivery of the next stop.
    #[must_use]
    pub fn in_hand(&self) -> Option<DeliveryId> {
        self.plan.stops.first().map(|stop| stop.delivery)
    }

    /// When the shift ends, if it is known.
    #[must_use]
    pub const fn until(&self) -> Option<Time> {
        self.until
    }

    /// What came of the offers to this driver, in this shift and in those before that are remembered.
    #[must_use]
    pub const fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The open offer.
    #[must_use]
    pub const fn offer(&self) -> Option<OfferId> {
        self.offer
    }

    /// What the driver does.
    #[must_use]
    pub fn state(&self) -> DriverState {
        match (self.duty, self.is_free(), self.offer) {
            (Duty::On | Duty::Off | Duty::Lost, false, _) => DriverState::Serving,
            (Duty::Off | Duty::Lost, true, _) => DriverState::OffDuty,
            (Duty::On, true, Some(_)) => DriverState::Offered,
            (Duty::On, true, None) => DriverState::Idle,
        }
    }
}
