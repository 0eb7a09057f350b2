//! Log lines of what becomes of each delivery. Written beside the shard, which must not wait for the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use doorstep_dispatch_core::DeliveryId;
use doorstep_dispatch_wire::dispatch::{DeliveryEvent, DeliveryState};
use tokio_util::sync::CancellationToken;

use crate::convert;
use crate::event_log::EventLog;
use crate::requests::{Requests, is_end};

/// Events read from the log at a time.
const BATCH_MAX: usize = 256;

/// Deliveries whose last line is remembered; of those with the oldest ids a change of the arrival alone is told once more.
const DELIVERIES_MAX: usize = 100_000;

/// What is told of a delivery; an arrival that moves is no news.
type Told = (DeliveryState, Option<u64>, u32);

/// Writes a line for each change of a delivery from now on, until `stop`.
pub(crate) fn start(requests: Arc<Requests>, events: Arc<EventLog>, stop: CancellationToken) {
    let trail = Trail {
        requests,
        told: BTreeMap::new(),
    };
    let after = events.head();
    tokio::spawn(follow(trail, events, after, stop));
}

async fn follow(mut trail: Trail, events: Arc<EventLog>, mut after: u64, stop: CancellationToken) {
    let mut changes = events.changes();
    let mut batch = Vec::new();
    loop {
        changes.mark_unchanged();
        if let Err(error) = events.read_after(after, BATCH_MAX, &mut batch) {
            tracing::warn!(%error, "the log misses changes of deliveries: it is slower than they are");
            after = events.head();
        }
        for event in &batch {
            after = event.cursor;
            trail.tell(event);
        }
        if batch.is_empty() {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }
}

struct Trail {
    requests: Arc<Requests>,
    told: BTreeMap<DeliveryId, Told>,
}

impl Trail {
    fn tell(&mut self, event: &DeliveryEvent) {
        let Ok(delivery) = convert::delivery_id(&event.delivery_id) else {
            return;
        };
        let state = event.state();
        let news = (state, event.driver_id, event.search_level);
        if self.told.insert(delivery, news) != Some(news) {
            tracing::info!(
                delivery = event.delivery_id,
                request_id = self.requests.of(delivery).as_deref(),
                seq = event.seq,
                state = state_word(state),
                driver = event.driver_id,
                "delivery changed"
            );
        }
        if is_end(state) {
            self.told.remove(&delivery);
            self.requests.hear(event);
        } else if self.told.len() > DELIVERIES_MAX {
            self.told.pop_first();
        }
    }
}

const fn state_word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Unspecified => "unspecified",
        DeliveryState::Searching => "searching",
        DeliveryState::Offered => "offered",
        DeliveryState::Assigned => "assigned",
        DeliveryState::AtRestaurant => "at_restaurant",
        DeliveryState::PickedUp => "picked_up",
        DeliveryState::AtCustomer => "at_customer",
        DeliveryState::DroppedOff => "dropped_off",
        DeliveryState::Cancelled => "cancelled",
        DeliveryState::NoDriver => "no_driver",
    }
}
