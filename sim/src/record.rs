//! What happened in the city, one event after the other, and the digest over it.

use doorstep_dispatch_core::{DeliveryEvent, DeliveryId, DriverId, Time};

/// One thing that happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CityEvent {
    /// A customer ordered and the card was charged.
    Placed {
        /// Which order.
        order: DeliveryId,
    },
    /// A customer ordered and the card was declined.
    CardDeclined {
        /// Which order.
        order: DeliveryId,
    },
    /// The restaurant took the order.
    Accepted {
        /// Which order.
        order: DeliveryId,
        /// When the food should be ready.
        ready_estimate: Time,
    },
    /// The restaurant did not take the order.
    Rejected {
        /// Which order.
        order: DeliveryId,
    },
    /// The food is packed.
    Ready {
        /// Which order.
        order: DeliveryId,
    },
    /// The restaurant gave the food to a driver.
    HandedOver {
        /// Which order.
        order: DeliveryId,
        /// To whom.
        driver: DriverId,
    },
    /// The customer cancelled before dispatch knew of the order.
    Withdrawn {
        /// Which order.
        order: DeliveryId,
    },
    /// Dispatch did not take the order: nobody could ever deliver it.
    Undeliverable {
        /// Which order.
        order: DeliveryId,
    },
    /// Dispatch changed the delivery.
    Delivery(DeliveryEvent),
}

impl CityEvent {
    /// Which order it is about.
    #[must_use]
    pub fn order(&self) -> DeliveryId {
        match *self {
            Self::Placed { order }
            | Self::CardDeclined { order }
            | Self::Accepted { order, .. }
            | Self::Rejected { order }
            | Self::Ready { order }
            | Self::HandedOver { order, .. }
            | Self::Withdrawn { order }
            | Self::Undeliverable { order } => order,
            Self::Delivery(event) => event.delivery,
        }
    }

    /// Kind and the values beside time and order, as numbers. Events of dispatch carry only their number here: what
    /// they say is in dispatch's own digest.
    fn words(&self) -> [u64; 2] {
        match *self {
            Self::Placed { .. } => [1, 0],
            Self::CardDeclined { .. } => [2, 0],
            Self::Accepted { ready_estimate, .. } => [3, ready_estimate.as_millis()],
            Self::Rejected { .. } => [4, 0],
            Self::Ready { .. } => [5, 0],
            Self::HandedOver { driver, .. } => [6, driver.0],
            Self::Withdrawn { .. } => [7, 0],
            Self::Delivery(event) => [8, u64::from(event.seq)],
            Self::Undeliverable { .. } => [9, 0],
        }
    }
}

/// A hash over everything that happened: two runs with the same digest were the same run.
pub(crate) struct Digest(blake3::Hasher);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    pub(crate) fn add(&mut self, now: Time, event: &CityEvent) {
        self.0.update(&now.as_millis().to_le_bytes());
        self.0.update(&event.order().0.to_le_bytes());
        for word in event.words() {
            self.0.update(&word.to_le_bytes());
        }
    }

    /// The digest, with the dispatcher's own digest of all its inputs and outputs mixed in.
    pub(crate) fn finish(mut self, dispatcher: &[u8]) -> String {
        self.0.update(dispatcher);
        self.0.finalize().to_hex().to_string()
    }
}
