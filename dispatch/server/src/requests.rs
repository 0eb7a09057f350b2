//! By which request of a caller each delivery was asked for, so that log lines about the delivery carry its id.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorstep_dispatch_core::DeliveryId;
use doorstep_dispatch_wire::dispatch::{DeliveryEvent, DeliveryState};

use crate::convert;

/// The longest id of a request that is logged.
const ID_CHARS_MAX: usize = 64;

/// Deliveries whose request is known at one time, some 150 bytes each; the oldest ids are forgotten first, and their log lines
/// go without a request from then on.
const DELIVERIES_MAX: usize = 100_000;

/// The id of a request in a header or in metadata, cut to 64 characters.
pub(crate) fn id_of(header: Option<&str>) -> Option<String> {
    header.map(|id| id.chars().take(ID_CHARS_MAX).collect())
}

/// The requests of deliveries that have not ended; the journal has them too.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    by_delivery: Mutex<BTreeMap<DeliveryId, Arc<str>>>,
}

impl Requests {
    /// Keeps the first request of a delivery; true if it is this one.
    pub(crate) fn note(&self, delivery: DeliveryId, request: &str) -> bool {
        let mut requests = self.lock();
        if requests.contains_key(&delivery) {
            return false;
        }
        requests.insert(delivery, request.into());
        if requests.len() > DELIVERIES_MAX {
            // Ids of orders grow with time.
            requests.pop_first();
        }
        true
    }

    /// All that are known, by delivery.
    pub(crate) fn all(&self) -> Vec<(DeliveryId, Arc<str>)> {
        let requests = self.lock();
        let all = requests
            .iter()
            .map(|(delivery, request)| (*delivery, Arc::clone(request)));
        all.collect()
    }

    /// The request of a delivery, if it is known.
    pub(crate) fn of(&self, delivery: DeliveryId) -> Option<Arc<str>> {
        self.lock().get(&delivery).cloned()
    }

    /// Forgets a delivery that ends.
    pub(crate) fn hear(&self, event: &DeliveryEvent) {
        if let Ok(delivery) = convert::delivery_id(&event.delivery_id)
            && is_end(event.state())
        {
            self.forget(delivery);
        }
    }

    /// The delivery was refused.
    pub(crate) fn forget(&self, delivery: DeliveryId) {
        self.lock().remove(&delivery);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeliveryId, Arc<str>>> {
        self.by_delivery
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether nothing more happens to a delivery in this state.
pub(crate) const fn is_end(state: DeliveryState) -> bool {
    matches!(
        state,
        DeliveryState::DroppedOff | DeliveryState::Cancelled | DeliveryState::NoDriver
    )
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::DeliveryId;

    use super::{DELIVERIES_MAX, Requests};

    #[test]
    fn the_first_request_of_a_delivery_is_kept_and_the_oldest_deliveries_go_first() {
        let requests = Requests::default();
        assert!(requests.note(DeliveryId(1), "first"));
        assert!(!requests.note(DeliveryId(1), "again"));
        assert_eq!(requests.of(DeliveryId(1)).as_deref(), Some("first"));
        for id in 2..=DELIVERIES_MAX as u128 + 1 {
            requests.note(DeliveryId(id), "later");
        }
        assert_eq!(requests.of(DeliveryId(1)), None);
        assert_eq!(requests.of(DeliveryId(2)).as_deref(), Some("later"));
        requests.forget(DeliveryId(2));
        assert_eq!(requests.of(DeliveryId(2)), None);
    }
}
