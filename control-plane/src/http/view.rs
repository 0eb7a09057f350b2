//! What callers are shown.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::delivery::EtaBand;
use crate::domain::place::Place;
use crate::domain::pricing::Line;
use crate::domain::summary::OrderSummary;
use crate::platform::problem::Problem;

/// A position in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceView {
    /// Latitude, north positive.
    pub(crate) lat: f64,
    /// Longitude, east positive.
    pub(crate) lng: f64,
}

impl PlaceView {
    pub(crate) fn place(self, param: &'static str) -> Result<Place, Problem> {
        Place::from_degrees(self.lat, self.lng).map_err(|error| {
            Problem::unprocessable("invalid_place", error.to_string()).param(param)
        })
    }
}

impl From<Place> for PlaceView {
    fn from(place: Place) -> Self {
        Self {
            lat: place.lat(),
            lng: place.lng(),
        }
    }
}

/// Between which times something happens, eight times of ten between the first and the last; a point once it has
/// happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct EtaBandView {
    /// Earlier in one of ten cases.
    pub(crate) p10_ms: i64,
    /// As often earlier as later.
    pub(crate) p50_ms: i64,
    /// Later in one of ten cases.
    pub(crate) p90_ms: i64,
}

impl From<EtaBand> for EtaBandView {
    fn from(band: EtaBand) -> Self {
        let EtaBand {
            p10_ms,
            p50_ms,
            p90_ms,
        } = band;
        Self {
            p10_ms,
            p50_ms,
            p90_ms,
        }
    }
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LineView {
    /// Of the menu.
    pub(crate) item_id: String,
    /// Its name.
    pub(crate) name: String,
    /// How many.
    pub(crate) quantity: u32,
    /// Price of one.
    pub(crate) price_minor: i64,
    /// Price of the line.
    pub(crate) total_minor: i64,
}

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        Self {
            item_id: line.item_id.to_string(),
            name: line.name.clone(),
            quantity: line.quantity,
            price_minor: line.price_minor,
            total_minor: line.total_minor,
        }
    }
}

/// An order. Times are Unix milliseconds of the city's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OrderView {
    /// The order.
    pub(crate) order_id: String,
    /// How many events it has had.
    pub(crate) seq: u32,
    /// `pending_payment`, `placed`, `accepted`, `ready`, `picked_up`, `delivered`, `payment_failed`, `rejected`,
    /// `expired` or `cancelled`.
    pub(crate) state: String,
    /// Where the money is.
    pub(crate) payment_state: String,
    /// Where the trip stands.
    pub(crate) delivery_state: String,
    /// Who ordered.
    pub(crate) customer_id: String,
    /// Who cooks.
    pub(crate) restaurant_id: String,
    /// The restaurant's name.
    pub(crate) restaurant_name: String,
    /// Who carries it.
    pub(crate) driver_id: Option<u64>,
    /// Where it is picked up.
    pub(crate) pickup: PlaceView,
    /// Where it is dropped off.
    pub(crate) dropoff: PlaceView,
    /// What was ordered.
    pub(crate) lines: Vec<LineView>,
    /// Sum of the lines.
    pub(crate) items_minor: i64,
    /// For the way.
    pub(crate) delivery_fee_minor: i64,
    /// What is paid.
    pub(crate) total_minor: i64,
    /// ISO 4217.
    pub(crate) currency: String,
    /// When it was placed.
    pub(crate) placed_at_ms: i64,
    /// When the food is or was ready.
    pub(crate) ready_at_ms: Option<i64>,
    /// When the driver is expected at the restaurant.
    pub(crate) pickup_eta_ms: Option<i64>,
    /// When the driver is expected at the customer.
    pub(crate) dropoff_eta_ms: Option<i64>,
    /// How far the pickup may be off; absent where there is no ETA.
    pub(crate) pickup_band: Option<EtaBandView>,
    /// How far the dropoff may be off; absent where there is no ETA.
    pub(crate) dropoff_band: Option<EtaBandView>,
    /// What the customer is promised, from the first driver asked on; never moved.
    pub(crate) promised_dropoff_ms: Option<i64>,
    /// How often the search for a driver was widened, while nobody has said yes: above 0 the order is hard to place.
    pub(crate) search_level: u32,
    /// When it was dropped off.
    pub(crate) delivered_at_ms: Option<i64>,
    /// When the last event happened.
    pub(crate) updated_at_ms: i64,
}

impl From<&OrderSummary> for OrderView {
    fn from(order: &OrderSummary) -> Self {
        Self {
            order_id: order.order_id.to_string(),
            seq: order.seq,
            state: order.state.as_str().to_owned(),
            payment_state: order.payment_state.as_str().to_owned(),
            delivery_state: order.delivery_state.as_str().to_owned(),
            customer_id: order.customer_id.to_string(),
            restaurant_id: order.restaurant_id.to_string(),
            restaurant_name: order.restaurant_name.clone(),
            driver_id: order.driver_id,
            pickup: order.pickup.into(),
            dropoff: order.dropoff.into(),
            lines: order.lines.iter().map(Into::into).collect(),
            items_minor: order.items_minor,
            delivery_fee_minor: order.delivery_fee_minor,
            total_minor: order.total_minor,
            currency: order.currency.to_string(),
            placed_at_ms: order.placed_at_ms,
            ready_at_ms: order.ready_at_ms,
            pickup_eta_ms: order.pickup_eta_ms,
            dropoff_eta_ms: order.dropoff_eta_ms,
            pickup_band: order.pickup_band.map(Into::into),
            dropoff_band: order.dropoff_band.map(Into::into),
            promised_dropoff_ms: order.promised_dropoff_ms,
            search_level: order.search_level,
            delivered_at_ms: order.delivered_at_ms,
            updated_at_ms: order.updated_at_ms,
        }
    }
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPage {
    /// The orders.
    pub(crate) orders: Vec<OrderView>,
    /// Whether more follow after the last one's id as the cursor.
    pub(crate) has_more: bool,
}
