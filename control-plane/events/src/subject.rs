//! The one list of subjects.

use std::fmt;
use std::str::FromStr;

use crate::body::{DeliveryEvent, Event, OrderEvent, PaymentEvent};

/// What a stream has to take so that every event finds a place.
pub const STREAM_SUBJECTS: [&str; 3] = ["orders.>", "payments.>", "deliveries.>"];

/// A text that is no subject of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownSubject(String);

impl fmt::Display for UnknownSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a subject of published events", self.0)
    }
}

impl std::error::Error for UnknownSubject {}

macro_rules! subjects {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// Where an event is published.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Subject {
            $($(#[$doc])* $name),*
        }

        impl Subject {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As the bus names it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),*
                }
            }
        }
    };
}

subjects! {
    /// A customer placed an order; it is not paid.
    OrderOpened = "orders.opened",
    /// The order is paid and waits for the restaurant.
    OrderPlaced = "orders.placed",
    /// The restaurant accepted.
    OrderAccepted = "orders.accepted",
    /// The food is ready.
    OrderReady = "orders.ready",
    /// The driver has picked it up.
    OrderPickedUp = "orders.picked_up",
    /// The customer has it.
    OrderDelivered = "orders.delivered",
    /// The payment failed; the order has ended.
    OrderPaymentFailed = "orders.payment_failed",
    /// The restaurant rejected it; the order has ended.
    OrderRejected = "orders.rejected",
    /// A time-out ended the order.
    OrderExpired = "orders.expired",
    /// The order was cancelled.
    OrderCancelled = "orders.cancelled",
    /// A time-out stands for good.
    OrderFinalized = "orders.finalized",
    /// A time-out was taken back.
    OrderReinstated = "orders.reinstated",
    /// The gateway is being asked for the money.
    PaymentSent = "payments.sent",
    /// The money is there.
    PaymentCaptured = "payments.captured",
    /// The gateway declined.
    PaymentDeclined = "payments.declined",
    /// The gateway was never asked.
    PaymentVoided = "payments.voided",
    /// The gateway captured another amount than was due.
    PaymentDisputed = "payments.disputed",
    /// The money has to go back.
    PaymentRefundRequested = "payments.refund_requested",
    /// The money stays after all.
    PaymentRefundWithdrawn = "payments.refund_withdrawn",
    /// The money went back.
    PaymentRefunded = "payments.refunded",
    /// Dispatch is asked for a driver.
    DeliveryRequested = "deliveries.requested",
    /// Dispatch is asked anew, since it has lost its memory.
    DeliveryRequestedAgain = "deliveries.requested_again",
    /// The food will be ready at another time.
    DeliveryReadyTimeChanged = "deliveries.ready_time_changed",
    /// Dispatch is asked to cancel.
    DeliveryCancelRequested = "deliveries.cancel_requested",
    /// Dispatch reported progress.
    DeliveryReported = "deliveries.reported",
    /// An operator gave the delivery to a driver.
    DeliveryAssignedByHand = "deliveries.assigned_by_hand",
}

impl Subject {
    /// Where an event is published.
    #[must_use]
    pub const fn of(event: &Event) -> Self {
        match event {
            Event::Opened(_) => Self::OrderOpened,
            Event::Order(event) => match event {
                OrderEvent::Placed => Self::OrderPlaced,
                OrderEvent::PaymentFailed { .. } => Self::OrderPaymentFailed,
                OrderEvent::Accepted { .. } => Self::OrderAccepted,
                OrderEvent::Rejected { .. } => Self::OrderRejected,
                OrderEvent::Ready => Self::OrderReady,
                OrderEvent::PickedUp => Self::OrderPickedUp,
                OrderEvent::Delivered => Self::OrderDelivered,
                OrderEvent::Expired => Self::OrderExpired,
                OrderEvent::Cancelled { .. } => Self::OrderCancelled,
                OrderEvent::Finalized => Self::OrderFinalized,
                OrderEvent::Reinstated { .. } => Self::OrderReinstated,
            },
            Event::Payment(event) => match event {
                PaymentEvent::Sent => Self::PaymentSent,
                PaymentEvent::Captured { .. } => Self::PaymentCaptured,
                PaymentEvent::Declined { .. } => Self::PaymentDeclined,
                PaymentEvent::Voided => Self::PaymentVoided,
                PaymentEvent::Disputed { .. } => Self::PaymentDisputed,
                PaymentEvent::RefundRequested => Self::PaymentRefundRequested,
                PaymentEvent::RefundWithdrawn => Self::PaymentRefundWithdrawn,
                PaymentEvent::Refunded { .. } => Self::PaymentRefunded,
            },
            Event::Delivery(event) => match event {
                DeliveryEvent::Requested { .. } => Self::DeliveryRequested,
                DeliveryEvent::RequestedAgain { .. } => Self::DeliveryRequestedAgain,
                DeliveryEvent::ReadyTimeChanged { .. } => Self::DeliveryReadyTimeChanged,
                DeliveryEvent::CancelRequested { .. } => Self::DeliveryCancelRequested,
                DeliveryEvent::Reported(_) => Self::DeliveryReported,
                DeliveryEvent::AssignedByHand(_) => Self::DeliveryAssignedByHand,
            },
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Subject {
    type Err = UnknownSubject;

    fn from_str(text: &str) -> Result<Self, UnknownSubject> {
        let found = Self::ALL
            .iter()
            .copied()
            .find(|subject| subject.as_str() == text);
        found.ok_or_else(|| UnknownSubject(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{STREAM_SUBJECTS, Subject};

    #[test]
    fn every_subject_is_one_that_the_stream_takes() {
        for subject in Subject::ALL {
            let taken = STREAM_SUBJECTS
                .iter()
                .filter(|wanted| {
                    let root = wanted.trim_end_matches('>');
                    subject.as_str().len() > root.len() && subject.as_str().starts_with(root)
                })
                .count();
            assert_eq!(taken, 1, "{subject}");
        }
    }

    #[test]
    fn subjects_are_told_apart_by_their_text() {
        let texts: BTreeSet<&str> = Subject::ALL
            .iter()
            .map(|subject| subject.as_str())
            .collect();
        assert_eq!(texts.len(), Subject::ALL.len());
        for subject in Subject::ALL {
            assert_eq!(subject.as_str().parse(), Ok(*subject));
        }
        let error = "orders.lost".parse::<Subject>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`orders.lost` is not a subject of published events"
        );
    }
}
