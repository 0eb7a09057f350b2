//! On which subject an event is published: one of the published list, so that no event lacks one.

use doorstep_events::Subject;

use crate::domain::lifecycle::Event;
use crate::domain::{delivery, order, payment};

/// What the bus calls an event.
#[must_use]
pub const fn subject_of(event: &Event) -> Subject {
    match event {
        Event::Opened(_) => Subject::OrderOpened,
        Event::Order(event) => match event {
            order::Event::Placed => Subject::OrderPlaced,
            order::Event::PaymentFailed { .. } => Subject::OrderPaymentFailed,
            order::Event::Accepted { .. } => Subject::OrderAccepted,
            order::Event::Rejected { .. } => Subject::OrderRejected,
            order::Event::Ready => Subject::OrderReady,
            order::Event::PickedUp => Subject::OrderPickedUp,
            order::Event::Delivered => Subject::OrderDelivered,
            order::Event::Expired => Subject::OrderExpired,
            order::Event::Cancelled { .. } => Subject::OrderCancelled,
            order::Event::Finalized => Subject::OrderFinalized,
            order::Event::Reinstated { .. } => Subject::OrderReinstated,
        },
        Event::Payment(event) => match event {
            payment::Event::Sent => Subject::PaymentSent,
            payment::Event::Captured { .. } => Subject::PaymentCaptured,
            payment::Event::Declined { .. } => Subject::PaymentDeclined,
            payment::Event::Voided => Subject::PaymentVoided,
            payment::Event::Disputed { .. } => Subject::PaymentDisputed,
            payment::Event::RefundRequested => Subject::PaymentRefundRequested,
            payment::Event::RefundWithdrawn => Subject::PaymentRefundWithdrawn,
            payment::Event::Refunded { .. } => Subject::PaymentRefunded,
        },
        Event::Delivery(event) => match event {
            delivery::Event::Requested { .. } => Subject::DeliveryRequested,
            delivery::Event::RequestedAgain { .. } => Subject::DeliveryRequestedAgain,
            delivery::Event::ReadyTimeChanged { .. } => Subject::DeliveryReadyTimeChanged,
            delivery::Event::CancelRequested { .. } => Subject::DeliveryCancelRequested,
            delivery::Event::Reported(_) => Subject::DeliveryReported,
            delivery::Event::AssignedByHand(_) => Subject::DeliveryAssignedByHand,
        },
    }
}
