//! On which subject an event is published; the list that a stream takes is `SUBJECTS` of the bus.

use crate::domain::lifecycle::Event;
use crate::domain::{delivery, order, payment};

/// What the bus calls an event.
#[must_use]
pub fn subject_of(event: &Event) -> &'static str {
    match event {
        Event::Opened(_) => "orders.opened",
        Event::Order(order::Event::Finalized) => "orders.finalized",
        Event::Order(order::Event::Reinstated { .. }) => "orders.reinstated",
        Event::Order(event) => match order::evolve(event) {
            order::State::PendingPayment => "orders.pending_payment",
            order::State::Placed => "orders.placed",
            order::State::Accepted => "orders.accepted",
            order::State::Ready => "orders.ready",
            order::State::PickedUp => "orders.picked_up",
            order::State::Delivered => "orders.delivered",
            order::State::PaymentFailed => "orders.payment_failed",
            order::State::Rejected => "orders.rejected",
            order::State::Expired => "orders.expired",
            order::State::Cancelled => "orders.cancelled",
        },
        Event::Payment(event) => match event {
            payment::Event::Sent => "payments.sent",
            payment::Event::Captured { .. } => "payments.captured",
            payment::Event::Declined { .. } => "payments.declined",
            payment::Event::Voided => "payments.voided",
            payment::Event::Disputed { .. } => "payments.disputed",
            payment::Event::RefundRequested => "payments.refund_requested",
            payment::Event::RefundWithdrawn => "payments.refund_withdrawn",
            payment::Event::Refunded { .. } => "payments.refunded",
        },
        Event::Delivery(event) => match event {
            delivery::Event::Requested { .. } => "deliveries.requested",
            delivery::Event::RequestedAgain { .. } => "deliveries.requested_again",
            delivery::Event::ReadyTimeChanged { .. } => "deliveries.ready_time_changed",
            delivery::Event::CancelRequested { .. } => "deliveries.cancel_requested",
            delivery::Event::Reported(_) => "deliveries.reported",
            delivery::Event::AssignedByHand(_) => "deliveries.assigned_by_hand",
        },
    }
}

#[cfg(test)]
mod tests {
    use doorstep_platform::bus::SUBJECTS;

    use super::subject_of;
    use crate::domain::lifecycle::Event;
    use crate::domain::{delivery, order, payment};

    /// One event of each kind; a new kind has to find its subject here as well.
    fn events() -> Vec<Event> {
        let why = || "why".to_owned();
        let orders = [
            order::Event::Placed,
            order::Event::PaymentFailed { why: why() },
            order::Event::Accepted { ready_at_ms: 1 },
            order::Event::Rejected { reason: why() },
            order::Event::Ready,
            order::Event::PickedUp,
            order::Event::Delivered,
            order::Event::Expired,
            order::Event::Cancelled {
                by: order::Party::System,
                reason: why(),
            },
        ];
        let payments = [
            payment::Event::Sent,
            payment::Event::Captured {
                gateway_payment_id: why(),
            },
            payment::Event::Declined { why: why() },
            payment::Event::Voided,
            payment::Event::RefundRequested,
            payment::Event::Refunded { refund_id: why() },
        ];
        let deliveries = [
            delivery::Event::Requested { ready_at_ms: 1 },
            delivery::Event::ReadyTimeChanged { ready_at_ms: 1 },
            delivery::Event::CancelRequested { reason: why() },
        ];
        let mut events: Vec<Event> = orders.into_iter().map(Event::Order).collect();
        events.extend(payments.into_iter().map(Event::Payment));
        events.extend(deliveries.into_iter().map(Event::Delivery));
        events
    }

    #[test]
    fn every_event_has_a_subject_that_the_stream_takes() {
        for event in events() {
            let subject = subject_of(&event);
            let takes = |wanted: &&str| {
                let root = wanted.trim_end_matches('>');
                subject.len() > root.len() && subject.starts_with(root)
            };
            assert!(SUBJECTS.iter().any(takes), "{subject}");
        }
    }
}
