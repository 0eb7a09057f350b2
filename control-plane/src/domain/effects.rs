//! What an event means outside the order's log; the store carries it out in the same transaction.

use serde::{Deserialize, Serialize};

use crate::domain::ledger::Transfer;
use crate::domain::lifecycle::{Event, Order, Recorded};
use crate::domain::place::Place;
use crate::domain::receipt::Receipt;
use crate::domain::{delivery, order, payment};

/// Something to write next to the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Move money in the books.
    Transfer(Transfer),
    /// Write the receipt.
    Receipt(Box<Receipt>),
    /// Notify dispatch.
    Dispatch(DispatchMessage),
}

/// The notification of dispatch, in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatchMessage {
    /// Find a driver.
    Request {
        /// Where it is picked up.
        pickup: Place,
        /// Where it is dropped off.
        dropoff: Place,
        /// When the customer placed the order.
        placed_at_ms: i64,
        /// When the food should be ready.
        ready_at_ms: i64,
    },
    /// The food is ready at another time.
    ChangeReadyTime {
        /// When the food will be ready, in city milliseconds.
        ready_at_ms: i64,
    },
    /// Call it off.
    Cancel {
        /// The reason that dispatch notes.
        reason: String,
    },
}

/// What an event means, given the order after it.
#[must_use]
pub fn effects(order: &Order, recorded: &Recorded) -> Vec<Effect> {
    match &recorded.event {
        Event::Payment(payment::Event::Captured { .. }) => {
            vec![Effect::Transfer(Transfer::capture(order))]
        }
        Event::Payment(payment::Event::Refunded { .. }) => {
            vec![Effect::Transfer(Transfer::refund(order))]
        }
        Event::Order(order::Event::Delivered) => vec![
            Effect::Transfer(Transfer::settlement(order)),
            Effect::Receipt(Box::new(Receipt::of(order, recorded.at_ms))),
        ],
        Event::Delivery(
            delivery::Event::Requested { ready_at_ms }
            | delivery::Event::RequestedAgain { ready_at_ms },
        ) => {
            vec![Effect::Dispatch(request(order, *ready_at_ms))]
        }
        Event::Delivery(delivery::Event::ReadyTimeChanged { ready_at_ms }) => {
            vec![Effect::Dispatch(DispatchMessage::ChangeReadyTime {
                ready_at_ms: *ready_at_ms,
            })]
        }
        Event::Delivery(delivery::Event::CancelRequested { reason }) => {
            vec![Effect::Dispatch(DispatchMessage::Cancel {
                reason: reason.clone(),
            })]
        }
        Event::Opened(_)
        | Event::Order(_)
        | Event::Payment(_)
        | Event::Delivery(delivery::Event::Reported(_) | delivery::Event::AssignedByHand(_)) => {
            Vec::new()
        }
    }
}

/// The message that asks dispatch for this order's delivery; the same again is harmless.
#[must_use]
pub fn request(order: &Order, ready_at_ms: i64) -> DispatchMessage {
    DispatchMessage::Request {
        pickup: order.terms.pickup,
        dropoff: order.terms.dropoff,
        placed_at_ms: order.placed_at_ms,
        ready_at_ms,
    }
}
