//! One order as the read index and the live feed show it.

use serde::{Deserialize, Serialize};

use crate::domain::delivery::EtaBand;
use crate::domain::ids::{CustomerId, DriverId, OrderId, QuoteId, RestaurantId};
use crate::domain::lifecycle::Order;
use crate::domain::money::Currency;
use crate::domain::place::Place;
use crate::domain::pricing::Line;
use crate::domain::{delivery, order, payment};

/// One order as the read index and the live feed show it; a pure fold of its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSummary {
    /// The order; its UUID is also the delivery's id.
    pub order_id: OrderId,
    /// How many events the order has had.
    pub seq: u32,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// Who cooks.
    pub restaurant_id: RestaurantId,
    /// The restaurant's name when the order was placed.
    pub restaurant_name: String,
    /// The quote it came from.
    pub quote_id: QuoteId,
    /// State of the order.
    pub state: order::State,
    /// Whether the end is a time-out that a late report may take back: nobody has been shown it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_provisional: bool,
    /// State of its payment.
    pub payment_state: payment::Phase,
    /// State of its delivery.
    pub delivery_state: delivery::Phase,
    /// The driver who has it.
    pub driver_id: Option<DriverId>,
    /// Where it is picked up.
    pub pickup: Place,
    /// Where it is dropped off.
    pub dropoff: Place,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// Price of the items.
    pub items_minor: i64,
    /// Price of the delivery.
    pub delivery_fee_minor: i64,
    /// What the customer pays.
    pub total_minor: i64,
    /// Of all amounts.
    pub currency: Currency,
    /// When the customer placed it.
    pub placed_at_ms: i64,
    /// When the food is or was ready, estimated until it is.
    pub ready_at_ms: Option<i64>,
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
    /// How often the search for a driver was widened, while nobody has said yes; 0: not harder than usual.
    #[serde(default)]
    pub search_level: u32,
    /// When it was dropped off.
    pub delivered_at_ms: Option<i64>,
    /// When the system acts if nobody did; `None` once the order has ended.
    pub deadline_ms: Option<i64>,
    /// When the last event happened.
    pub updated_at_ms: i64,
}

impl OrderSummary {
    /// How an order stands.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let terms = &order.terms;
        Self {
            order_id: terms.order_id,
            seq: order.seq,
            customer_id: terms.customer_id,
            restaurant_id: terms.restaurant_id,
            restaurant_name: terms.restaurant_name.clone(),
            quote_id: terms.quote_id,
            state: order.state,
            is_provisional: order.reinstates_to.is_some(),
            payment_state: order.payment.phase,
            delivery_state: order.delivery.phase,
            driver_id: order.delivery.driver_id,
            pickup: terms.pickup,
            dropoff: terms.dropoff,
            lines: terms.price.lines.clone(),
            items_minor: terms.price.items_minor,
            delivery_fee_minor: terms.price.delivery_fee_minor,
            total_minor: terms.price.total_minor,
            currency: terms.price.currency,
            placed_at_ms: order.placed_at_ms,
            ready_at_ms: order.ready_at_ms,
            pickup_eta_ms: order.delivery.pickup_eta_ms,
            dropoff_eta_ms: order.delivery.dropoff_eta_ms,
            pickup_band: order.delivery.pickup_band,
            dropoff_band: order.delivery.dropoff_band,
            promised_dropoff_ms: order.delivery.promised_dropoff_ms,
            search_level: order.delivery.search_level,
            delivered_at_ms: order.delivered_at_ms,
            deadline_ms: order.deadline_ms(),
            updated_at_ms: order.updated_at_ms,
        }
    }
}
