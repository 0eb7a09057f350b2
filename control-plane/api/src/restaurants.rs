//! Restaurants and their menus.

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{IntoParams, ToSchema};

use crate::ids::{ItemId, RestaurantId};
use crate::number::{Amount, ItemPrice, Latitude, Longitude, PageLimit, RadiusM};
use crate::place::PlaceView;
use crate::text::{Currency, Name, SearchText};

/// A restaurant to add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRestaurant {
    /// Name of the restaurant.
    pub name: Name,
    /// Latitude of its door.
    pub lat: Latitude,
    /// Longitude of its door.
    pub lng: Longitude,
    /// Cuisine, for the search.
    #[serde(default)]
    pub cuisine: Option<Name>,
    /// Postal address in one line.
    #[serde(default)]
    pub address: Option<Name>,
    /// Menu, in the order in which it is shown.
    #[schema(schema_with = NewRestaurant::menu_schema)]
    pub menu: Vec<NewItem>,
}

impl NewRestaurant {
    /// The most items of a menu.
    pub const MENU_ITEMS_MAX: usize = 500;

    fn menu_schema() -> RefOr<Schema> {
        crate::list_of::<NewItem>(
            "Menu, in the order in which it is shown.",
            1,
            Self::MENU_ITEMS_MAX,
        )
    }
}

/// A menu item to add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    /// Name of the item.
    pub name: Name,
    /// Price of one piece, in minor units of the deployment's currency.
    pub price_minor: ItemPrice,
    /// False when sold out.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub available: bool,
}

const fn yes() -> bool {
    true
}

/// A restaurant's id and its access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RestaurantCreated {
    /// Id of the restaurant.
    pub restaurant_id: RestaurantId,
    /// Bearer token for audience `restaurant`, valid for 30 days of the city's clock.
    pub token: String,
}

/// A restaurant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RestaurantView {
    /// Id of the restaurant.
    pub restaurant_id: RestaurantId,
    /// Name of the restaurant.
    pub name: String,
    /// Position of its door.
    pub at: PlaceView,
    /// Cuisine, if one is known.
    pub cuisine: Option<String>,
    /// Postal address in one line, if one is known.
    pub address: Option<String>,
}

/// A restaurant with its menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RestaurantWithMenu {
    /// Id of the restaurant.
    pub restaurant_id: RestaurantId,
    /// Name of the restaurant.
    pub name: String,
    /// Position of its door.
    pub at: PlaceView,
    /// Cuisine, if one is known.
    pub cuisine: Option<String>,
    /// Postal address in one line, if one is known.
    pub address: Option<String>,
    /// Currency of all prices, ISO 4217.
    pub currency: Currency,
    /// Menu, in the order in which it is shown.
    pub menu: Vec<ItemView>,
}

/// A menu item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemView {
    /// Id of the item.
    pub item_id: ItemId,
    /// Name of the item.
    pub name: String,
    /// Price of one piece, in minor units of the currency.
    pub price_minor: Amount,
    /// False when sold out.
    pub available: bool,
}

/// A page of restaurants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RestaurantPage {
    /// The restaurants, in ascending order of their ids.
    pub restaurants: Vec<RestaurantView>,
    /// Whether there is a next page; its cursor is the id of the last restaurant of this one.
    pub has_more: bool,
}

/// Filter and page of a list of restaurants.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RestaurantQuery {
    /// Only restaurants near this position: latitude and longitude in degrees, separated by a comma.
    #[param(
        pattern = r"^-?(90(\.0+)?|[0-8]?[0-9](\.[0-9]+)?),-?(180(\.0+)?|(1[0-7][0-9]|[0-9]{1,2})(\.[0-9]+)?)$",
        example = "35.8989,14.5146"
    )]
    pub near: Option<String>,
    /// With `near`: half the side of the square that is searched, in metres.
    pub radius_m: Option<RadiusM>,
    /// Only restaurants whose name or cuisine contains this text.
    pub q: Option<SearchText>,
    /// Largest number of entries of the page; 20 when absent.
    pub limit: Option<PageLimit>,
    /// Id of the last restaurant of the page before.
    pub cursor: Option<RestaurantId>,
}
