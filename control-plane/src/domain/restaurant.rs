//! Restaurants and their menus.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{ItemId, RestaurantId};
use crate::domain::place::Place;

/// A restaurant without its menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restaurant {
    /// Its id.
    pub restaurant_id: RestaurantId,
    /// Its name.
    pub name: String,
    /// Where orders are picked up.
    pub at: Place,
    /// What it cooks, as the owner says.
    pub cuisine: Option<String>,
    /// Where it is in words.
    pub address: Option<String>,
    /// When it joined.
    pub created_at_ms: i64,
}

/// One thing to order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuItem {
    /// Its id.
    pub item_id: ItemId,
    /// Its name.
    pub name: String,
    /// Price of one, in minor units of the deployment's currency.
    pub price_minor: i64,
    /// False: sold out.
    pub available: bool,
}
