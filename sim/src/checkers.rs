//! Watches a run for what must never happen: an order lost, delivered twice, or out of order.

use std::collections::BTreeMap;
use std::fmt;

use doorstep_dispatch_core::{DeliveryEvent, DeliveryId, DeliveryState, DriverId, Time};

use crate::record::CityEvent;

/// Violations kept; further ones are only counted.
const KEPT_MAX: usize = 100;

/// Something that must never happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// When it was seen.
    pub at: Time,
    /// With which order.
    pub order: DeliveryId,
    /// The rule that was broken, with the values.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "at {}: order {}: {}",
            self.at, self.order.0, self.what
        )
    }
}

/// Follows every order.
#[derive(Debug, Default)]
pub struct OrderChecker {
    orders: BTreeMap<DeliveryId, Followed>,
    violations: Vec<Violation>,
    count: u64,
    last: Option<Time>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Placed,
    Accepted,
    PickedUp,
    Delivered,
    Over,
}

#[derive(Debug, Clone, Copy)]
struct Followed {
    stage: Stage,
    ready: bool,
    carrier: Option<DriverId>,
    handed_to: Option<DriverId>,
    seq: u32,
}

impl OrderChecker {
    /// Sees one event.
    pub fn observe(&mut self, now: Time, event: &CityEvent) {
        let order = event.order();
        if self.last.is_some_and(|last| now < last) {
            self.report(now, order, "time ran backwards".to_owned());
        }
        self.last = Some(now);
        let known = self.orders.get(&order).copied();
        let next = match (known, event) {
            (None, CityEvent::Placed { .. }) => Ok(Followed {
                stage: Stage::Placed,
                ready: false,
                carrier: None,
                handed_to: None,
                seq: 0,
            }),
            (None, CityEvent::CardDeclined { .. }) => Ok(Followed {
                stage: Stage::Over,
                ready: false,
                carrier: None,
                handed_to: None,
                seq: 0,
            }),
            (None, _) => Err(format!("{event:?} of an order that was never placed")),
            (Some(order), event) => follow(order, now, event),
        };
        match next {
            Ok(next) => {
                self.orders.insert(order, next);
            }
            Err(what) => self.report(now, order, what),
        }
    }

    /// Takes note of something seen elsewhere.
    pub fn report(&mut self, at: Time, order: DeliveryId, what: String) {
        self.count += 1;
        if self.violations.len() < KEPT_MAX {
            self.violations.push(Violation { at, order, what });
        }
    }

    /// Orders neither delivered nor ended in another way.
    #[must_use]
    pub fn open(&self) -> usize {
        self.orders
            .values()
            .filter(|order| !matches!(order.stage, Stage::Delivered | Stage::Over))
            .count()
    }

    /// What was seen (the first hundred), and how many in all.
    #[must_use]
    pub fn finish(self) -> (Vec<Violation>, u64) {
        (self.violations, self.count)
    }
}

/// The order after an event, or what is wrong with the event.
fn follow(order: Followed, now: Time, event: &CityEvent) -> Result<Followed, String> {
    match (order.stage, event) {
        (Stage::Placed, CityEvent::Accepted { .. }) => Ok(Followed {
            stage: Stage::Accepted,
            ..order
        }),
        (Stage::Placed, CityEvent::Rejected { .. } | CityEvent::Withdrawn { .. }) => Ok(Followed {
            stage: Stage::Over,
            ..order
        }),
        (Stage::Accepted, CityEvent::Undeliverable { .. }) if order.seq == 0 => Ok(Followed {
            stage: Stage::Over,
            ..order
        }),
        (Stage::Accepted, CityEvent::Ready { .. }) if !order.ready => Ok(Followed {
            ready: true,
            ..order
        }),
        (Stage::Accepted, CityEvent::HandedOver { driver, .. }) if order.ready => Ok(Followed {
            handed_to: Some(*driver),
            ..order
        }),
        (_, CityEvent::Delivery(change)) => follow_delivery(order, now, change),
        (stage, event) => Err(format!("{event:?} while {stage:?}")),
    }
}

fn follow_delivery(order: Followed, now: Time, change: &DeliveryEvent) -> Result<Followed, String> {
    if change.seq != order.seq + 1 {
        return Err(format!(
            "event {} of dispatch follows event {}",
            change.seq, order.seq
        ));
    }
    if change.at > now {
        return Err(format!(
            "event {} of dispatch is from the future: {}",
            change.seq, change.at
        ));
    }
    let order = Followed {
        seq: change.seq,
        ..order
    };
    match (order.stage, change.state) {
        (Stage::Accepted, DeliveryState::PickedUp)
            if order.handed_to.is_none() || order.handed_to != change.driver =>
        {
            Err(format!(
                "picked up by {:?}, handed over to {:?}",
                change.driver, order.handed_to
            ))
        }
        (Stage::Accepted, DeliveryState::PickedUp) => Ok(Followed {
            stage: Stage::PickedUp,
            carrier: change.driver,
            ..order
        }),
        (Stage::Accepted, DeliveryState::Cancelled | DeliveryState::NoDriver) => Ok(Followed {
            stage: Stage::Over,
            ..order
        }),
        (
            Stage::Accepted,
            DeliveryState::Searching
            | DeliveryState::Offered
            | DeliveryState::Assigned
            | DeliveryState::AtRestaurant,
        ) => Ok(order),
        (
            Stage::PickedUp,
            DeliveryState::AtCustomer | DeliveryState::DroppedOff | DeliveryState::PickedUp,
        ) if order.carrier != change.driver => Err(format!(
            "picked up by {:?}, now with {:?}",
            order.carrier, change.driver
        )),
        (Stage::PickedUp, DeliveryState::AtCustomer | DeliveryState::PickedUp) => Ok(order),
        (Stage::PickedUp, DeliveryState::DroppedOff) => Ok(Followed {
            stage: Stage::Delivered,
            ..order
        }),
        (stage, state) => Err(format!("dispatch says {state:?} while {stage:?}")),
    }
}

#[cfg(test)]
mod tests;
