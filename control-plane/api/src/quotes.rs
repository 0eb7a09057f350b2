//! Quotes: the price of a cart, delivered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::ids::{ItemId, QuoteId, RestaurantId};
use crate::number::{Amount, Quantity, UnixMs};
use crate::orders::LineView;
use crate::place::PlaceView;
use crate::text::Currency;

/// A cart to price and where it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuote {
    /// Id of the restaurant.
    pub restaurant_id: RestaurantId,
    /// Lines of the cart.
    #[schema(schema_with = NewQuote::items_schema)]
    pub items: Vec<WantedItem>,
    /// Position of the customer's door.
    pub dropoff: PlaceView,
}

impl NewQuote {
    /// The most lines of a cart.
    pub const LINES_MAX: usize = 50;

    fn items_schema() -> RefOr<Schema> {
        crate::list_of::<WantedItem>("Lines of the cart.", 1, Self::LINES_MAX)
    }
}

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedItem {
    /// Id of the menu item.
    pub item_id: ItemId,
    /// Number of pieces.
    pub quantity: Quantity,
}

/// A price that holds until it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuoteView {
    /// Id of the quote.
    pub quote_id: QuoteId,
    /// Id of the restaurant.
    pub restaurant_id: RestaurantId,
    /// Lines of the cart with their prices.
    pub lines: Vec<LineView>,
    /// Sum of the lines.
    pub items_minor: Amount,
    /// Fee for the delivery.
    pub delivery_fee_minor: Amount,
    /// Sum of items and fee.
    pub total_minor: Amount,
    /// Currency of all amounts, ISO 4217.
    pub currency: Currency,
    /// Travel time from the restaurant to the customer, in milliseconds.
    pub travel_time_ms: u64,
    /// Distance from the restaurant to the customer on the road, in metres.
    pub distance_m: u64,
    /// ETA at the customer if the order were placed now.
    pub dropoff_eta_ms: UnixMs,
    /// Minutes from now to that ETA, rounded up.
    #[schema(minimum = 0)]
    pub eta_min: i64,
    /// When the quote expires.
    pub expires_at_ms: UnixMs,
}
