//! What the customer keeps: written once at delivery, reprinted byte for byte.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{DriverId, OrderId};
use crate::domain::lifecycle::Order;
use crate::domain::money::Currency;
use crate::domain::place::Place;
use crate::domain::pricing::Line;

/// One receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The delivered order.
    pub order_id: OrderId,
    /// Who cooked.
    pub restaurant_name: String,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// Sum of the lines.
    pub items_minor: i64,
    /// For the way.
    pub delivery_fee_minor: i64,
    /// What was paid.
    pub total_minor: i64,
    /// Of all amounts.
    pub currency: Currency,
    /// The gateway's word for how it was paid.
    pub payment_method: String,
    /// On the road.
    pub distance_m: u64,
    /// Who carried it.
    pub driver_id: Option<DriverId>,
    /// Where it was dropped off.
    pub dropoff: Place,
    /// When it was placed.
    pub placed_at_ms: i64,
    /// When it was dropped off.
    pub delivered_at_ms: i64,
}

impl Receipt {
    /// The receipt of an order delivered at `delivered_at_ms`.
    #[must_use]
    pub fn of(order: &Order, delivered_at_ms: i64) -> Self {
        let terms = &order.terms;
        Self {
            order_id: terms.order_id,
            restaurant_name: terms.restaurant_name.clone(),
            lines: terms.price.lines.clone(),
            items_minor: terms.price.items_minor,
            delivery_fee_minor: terms.price.delivery_fee_minor,
            total_minor: terms.price.total_minor,
            currency: terms.price.currency,
            payment_method: terms.payment_method.clone(),
            distance_m: terms.distance_m,
            driver_id: order.delivery.driver_id,
            dropoff: terms.dropoff,
            placed_at_ms: order.placed_at_ms,
            delivered_at_ms,
        }
    }
}
