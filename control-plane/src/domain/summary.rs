//! One order as the read index and the live feed show it.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{CustomerId, OrderId, QuoteId, RestaurantId};
use crate::domain::money::Currency;
use crate::domain::place::Place;

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
    /// State of the order, such as `accepted`.
    pub state: String,
    /// State of its payment, such as `captured`.
    pub payment_state: String,
    /// State of its delivery, such as `assigned`.
    pub delivery_state: String,
    /// The driver who has it.
    pub driver_id: Option<u64>,
    /// Where it is picked up.
    pub pickup: Place,
    /// Where it is dropped off.
    pub dropoff: Place,
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
    /// When it was dropped off.
    pub delivered_at_ms: Option<i64>,
    /// When the system acts if nobody did; `None` once the order has ended.
    pub deadline_ms: Option<i64>,
    /// When the last event happened.
    pub updated_at_ms: i64,
}
