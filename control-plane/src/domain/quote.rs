//! A priced cart that holds for a while.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{CustomerId, QuoteId, RestaurantId};
use crate::domain::place::Place;
use crate::domain::pricing::Price;

/// What a customer was offered; an order takes it over whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Its id.
    pub quote_id: QuoteId,
    /// Who asked.
    pub customer_id: CustomerId,
    /// Who cooks.
    pub restaurant_id: RestaurantId,
    /// The restaurant's name.
    pub restaurant_name: String,
    /// Where it is picked up.
    pub pickup: Place,
    /// Where it is dropped off.
    pub dropoff: Place,
    /// What it costs.
    pub price: Price,
    /// On the road from pickup to dropoff.
    pub distance_m: u64,
    /// From pickup to dropoff.
    pub travel_time_ms: u64,
    /// When the order would be there if it were placed at once.
    pub dropoff_eta_ms: i64,
    /// From then on it no longer holds.
    pub expires_at_ms: i64,
}
