//! One row of the driver table.

use crate::{DeliveryId, DriverId, Fix, OfferId};

/// How many deliveries a driver may hold: the one in hand and the next.
pub(crate) const QUEUE_MAX: usize = 2;

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

/// A driver who is on duty or still holds deliveries.
#[derive(Debug, Clone)]
pub struct Driver {
    pub(crate) id: DriverId,
    pub(crate) duty: Duty,
    /// The newest one.
    pub(crate) fix: Fix,
    /// Accepted deliveries in the order in which they are served. A second one only while the first is carried.
    pub(crate) queue: Vec<DeliveryId>,
    pub(crate) offer: Option<OfferId>,
    /// Offers in a row that expired.
    pub(crate) unanswered: u32,
}

impl Driver {
    pub(crate) const fn new(id: DriverId, fix: Fix) -> Self {
        Self {
            id,
            duty: Duty::On,
            fix,
            queue: Vec::new(),
            offer: None,
            unanswered: 0,
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

    /// Accepted deliveries, the one in hand first.
    #[must_use]
    pub fn deliveries(&self) -> &[DeliveryId] {
        &self.queue
    }

    /// The open offer.
    #[must_use]
    pub const fn offer(&self) -> Option<OfferId> {
        self.offer
    }

    /// What the driver does.
    #[must_use]
    pub fn state(&self) -> DriverState {
        match (self.duty, self.queue.is_empty(), self.offer) {
            (Duty::On | Duty::Off | Duty::Lost, false, _) => DriverState::Serving,
            (Duty::Off | Duty::Lost, true, _) => DriverState::OffDuty,
            (Duty::On, true, Some(_)) => DriverState::Offered,
            (Duty::On, true, None) => DriverState::Idle,
        }
    }
}
