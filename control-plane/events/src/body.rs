//! The JSON body of a published event.

use serde::{Deserialize, Serialize};

/// One event on the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Of which order: `ord_` and 32 hexadecimal digits.
    pub order_id: String,
    /// 1, 2, … for each order, without gaps.
    pub seq: u32,
    /// When it was written, Unix milliseconds of the city's clock.
    pub at_ms: i64,
    /// What happened.
    pub event: Event,
}

/// What happened: one variant for each part of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A customer placed it; always the first event of an order.
    Opened(Box<Opened>),
    /// The order moved.
    Order(OrderEvent),
    /// Its payment moved.
    Payment(PaymentEvent),
    /// Its delivery moved.
    Delivery(DeliveryEvent),
}

/// What was agreed when the order was placed; it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The order.
    pub order_id: String,
    /// The customer, `cus_…`.
    pub customer_id: String,
    /// The restaurant, `res_…`.
    pub restaurant_id: String,
    /// The restaurant's name at that time.
    pub restaurant_name: String,
    /// The quote it came from, `quo_…`.
    pub quote_id: String,
    /// The payment, `pay_…`.
    pub payment_id: String,
    /// The gateway's word for how it is paid.
    pub payment_method: String,
    /// What it costs.
    pub price: Price,
    /// Where it is picked up.
    pub pickup: Place,
    /// Where it is dropped off.
    pub dropoff: Place,
    /// Metres on the road from pickup to dropoff.
    pub distance_m: u64,
    /// Milliseconds from pickup to dropoff.
    pub travel_time_ms: u64,
}

/// A priced cart; amounts are in the minor unit of the currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// In the order of the cart.
    pub lines: Vec<Line>,
    /// Sum of the lines.
    pub items_minor: i64,
    /// For the delivery.
    pub delivery_fee_minor: i64,
    /// What the customer pays.
    pub total_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// One line of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Of the menu, `itm_…`.
    pub item_id: String,
    /// Its name when it was priced.
    pub name: String,
    /// How many of the item, 1 or more.
    pub quantity: u32,
    /// Price of one, in the minor unit.
    pub price_minor: i64,
    /// Price of the line, in the minor unit.
    pub total_minor: i64,
}

/// A position in 1e-7 degrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Latitude, north positive.
    pub lat_e7: i32,
    /// Longitude, east positive.
    pub lng_e7: i32,
}

/// An amount in the minor unit of its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Whole minor units.
    pub minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEvent {
    /// It is paid.
    Placed,
    /// It will not be paid.
    PaymentFailed {
        /// The gateway's reason.
        why: String,
    },
    /// The restaurant accepted.
    Accepted {
        /// When the food should be ready.
        ready_at_ms: i64,
    },
    /// The restaurant rejected it.
    Rejected {
        /// The restaurant's reason.
        reason: String,
    },
    /// The food is ready.
    Ready,
    /// The driver has picked it up.
    PickedUp,
    /// The customer has it.
    Delivered,
    /// A time-out ended it.
    Expired,
    /// It was cancelled.
    Cancelled {
        /// Who cancelled it.
        by: Party,
        /// The reason as it was given, for people.
        reason: String,
    },
    /// A time-out stands from now on: a client was shown it, or the refund was sent.
    Finalized,
    /// A time-out is taken back, since the delivery went on all the same.
    Reinstated {
        /// Where the order stood before the time-out.
        state: StateBeforeTimeOut,
    },
}

/// What a time-out that is taken back had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateBeforeTimeOut {
    /// The restaurant cooked.
    Accepted,
    /// The food waited for the driver.
    Ready,
    /// The driver had it.
    PickedUp,
}

/// Who cancels an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The customer.
    Customer,
    /// The restaurant.
    Restaurant,
    /// The operator.
    Admin,
    /// The control plane itself.
    System,
}

/// What happened to a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentEvent {
    /// The gateway is being asked.
    Sent,
    /// The gateway has the money.
    Captured {
        /// The gateway's name for the payment.
        gateway_payment_id: String,
    },
    /// The gateway declined.
    Declined {
        /// The gateway's reason.
        why: String,
    },
    /// The gateway was never asked.
    Voided,
    /// The gateway captured another amount than was due.
    Disputed {
        /// The gateway's name for the payment.
        gateway_payment_id: String,
        /// What it captured.
        amount: Money,
    },
    /// The money has to go back.
    RefundRequested,
    /// The money stays after all; the gateway was not asked to give it back.
    RefundWithdrawn,
    /// The money went back.
    Refunded {
        /// The gateway's name for the refund.
        refund_id: String,
    },
}

/// What happened to a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryEvent {
    /// Dispatch is asked for a driver.
    Requested {
        /// When the food should be ready.
        ready_at_ms: i64,
    },
    /// Dispatch has lost its memory and is asked anew; its reports count from 1 again.
    RequestedAgain {
        /// When the food should be ready.
        ready_at_ms: i64,
    },
    /// The food will be ready at another time.
    ReadyTimeChanged {
        /// The new time.
        ready_at_ms: i64,
    },
    /// Dispatch is asked to cancel.
    CancelRequested {
        /// The reason as it was given, for people.
        reason: String,
    },
    /// Dispatch reported progress.
    Reported(Report),
    /// An operator gave it to a driver.
    AssignedByHand(AssignedByHand),
}

/// What dispatch reported about a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// 1, 2, … for each delivery.
    pub seq: u32,
    /// When it happened.
    pub at_ms: i64,
    /// Where the delivery stands.
    pub phase: DeliveryPhase,
    /// The driver's number.
    pub driver_id: Option<u64>,
    /// When the driver is expected at the restaurant.
    pub pickup_eta_ms: Option<i64>,
    /// When the driver is expected at the customer.
    pub dropoff_eta_ms: Option<i64>,
    /// How far the pickup may be off.
    pub pickup_band: Option<EtaBand>,
    /// How far the dropoff may be off.
    pub dropoff_band: Option<EtaBand>,
    /// What the customer is promised.
    pub promised_dropoff_ms: Option<i64>,
    /// How often the search for a driver was widened; absent where it was not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub search_level: u32,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(level: &u32) -> bool {
    *level == 0
}

/// Between which times something happens, eight times of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtaBand {
    /// Earlier in one of ten cases.
    pub p10_ms: i64,
    /// As often earlier as later.
    pub p50_ms: i64,
    /// Later in one of ten cases.
    pub p90_ms: i64,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryPhase {
    /// Dispatch does not know of it.
    NotRequested,
    /// Dispatch is being asked.
    Requested,
    /// Dispatch looks for a driver.
    Searching,
    /// A driver was offered it.
    Offered,
    /// A driver is on the way to the restaurant.
    Assigned,
    /// The driver waits for the food.
    AtRestaurant,
    /// The driver has the food.
    PickedUp,
    /// The driver is at the door.
    AtCustomer,
    /// Ended: delivered.
    DroppedOff,
    /// Ended: cancelled.
    Cancelled,
    /// Ended: nobody could be found.
    NoDriver,
}

/// A delivery that an operator gave to a driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedByHand {
    /// The driver's number.
    pub driver_id: u64,
    /// The subject of the operator's token.
    pub by: String,
    /// The operator's reason; may be empty.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::{DeliveryEvent, DeliveryPhase, Event, Published};

    #[test]
    fn a_body_is_read_although_it_has_fields_of_a_later_version() {
        let text = r#"{"order_id":"ord_00000000000000000000000000000001","seq":3,"at_ms":5,"region":"north",
            "event":{"delivery":{"reported":{"seq":2,"at_ms":4,"phase":"assigned","driver_id":7,"pickup_eta_ms":10,
            "dropoff_eta_ms":20,"pickup_band":null,"dropoff_band":null,"promised_dropoff_ms":null,"mood":"good"}}}}"#;
        let published: Published = serde_json::from_str(text).unwrap();
        let Event::Delivery(DeliveryEvent::Reported(report)) = published.event else {
            panic!("{:?}", published.event);
        };
        assert_eq!(report.phase, DeliveryPhase::Assigned);
        assert_eq!((report.driver_id, report.search_level), (Some(7), 0));
    }
}
