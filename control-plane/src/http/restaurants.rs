//! Restaurants and their menus.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use doorstep_dispatch_wire::token::Audience;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;
use crate::domain::ids::{ItemId, RestaurantId};
use crate::domain::place::Place;
use crate::domain::pricing::TOTAL_MINOR_MAX;
use crate::domain::restaurant::{MenuItem, Restaurant};
use crate::http::customers::{checked_name, issue};
use crate::http::view::PlaceView;
use crate::platform::extract::{Body, Caller, cursor, page_limit, path_id};
use crate::platform::problem::{Problem, ProblemBody};
use crate::platform::text::checked_query;
use crate::store::catalogue::RestaurantFilter;

/// The most items of a menu.
const ITEMS_MAX: usize = 500;
/// The longest words of a search, in characters.
const SEARCH_CHARS_MAX: usize = 100;

/// A new restaurant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRestaurant {
    name: String,
    /// Degrees.
    lat: f64,
    /// Degrees.
    lng: f64,
    #[serde(default)]
    cuisine: Option<String>,
    #[serde(default)]
    address: Option<String>,
    menu: Vec<NewItem>,
}

/// A new item of a menu.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewItem {
    name: String,
    /// In minor units of the deployment's currency.
    price_minor: i64,
    /// False: sold out.
    #[serde(default = "yes")]
    available: bool,
}

const fn yes() -> bool {
    true
}

/// A restaurant and the token to act as it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RestaurantCreated {
    restaurant_id: String,
    /// Bearer token.
    token: String,
}

/// A restaurant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RestaurantView {
    restaurant_id: String,
    name: String,
    at: PlaceView,
    cuisine: Option<String>,
    address: Option<String>,
}

/// A restaurant with its menu.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RestaurantWithMenu {
    #[serde(flatten)]
    restaurant: RestaurantView,
    /// ISO 4217, of all prices.
    currency: String,
    menu: Vec<ItemView>,
}

/// One thing to order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItemView {
    item_id: String,
    name: String,
    price_minor: i64,
    available: bool,
}

/// A page of restaurants.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RestaurantPage {
    restaurants: Vec<RestaurantView>,
    /// Whether more follow after the last one's id as the cursor.
    has_more: bool,
}

/// Adds a restaurant with its menu.
#[utoipa::path(post, path = "/v1/restaurants", tag = "restaurants", request_body = NewRestaurant, security(("bearer" = [])),
    responses((status = 201, body = RestaurantCreated), (status = 401, body = ProblemBody),
              (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn create_restaurant(
    State(app): State<AppState>,
    caller: Caller,
    Body(new): Body<NewRestaurant>,
) -> Result<(StatusCode, Json<RestaurantCreated>), Problem> {
    caller.admin()?;
    let now_ms = app.clock.now_ms();
    let restaurant = Restaurant {
        restaurant_id: RestaurantId::fresh(now_ms),
        name: checked_name(&new.name, "name")?,
        at: PlaceView {
            lat: new.lat,
            lng: new.lng,
        }
        .place("lat")?,
        cuisine: new
            .cuisine
            .as_deref()
            .map(|cuisine| checked_name(cuisine, "cuisine"))
            .transpose()?,
        address: new
            .address
            .as_deref()
            .map(|address| checked_name(address, "address"))
            .transpose()?,
        created_at_ms: now_ms,
    };
    if !(1..=ITEMS_MAX).contains(&new.menu.len()) {
        let detail = format!(
            "a menu has 1 to {ITEMS_MAX} items, this one has {}",
            new.menu.len()
        );
        return Err(Problem::unprocessable("invalid_menu", detail).param("menu"));
    }
    let menu = new
        .menu
        .iter()
        .map(|item| checked_item(item, now_ms))
        .collect::<Result<Vec<_>, _>>()?;
    app.store
        .catalogue
        .add_restaurant(&restaurant, &menu)
        .await?;
    let restaurant_id = restaurant.restaurant_id.to_string();
    let token = issue(&app, Audience::Restaurant, restaurant_id.clone());
    Ok((
        StatusCode::CREATED,
        Json(RestaurantCreated {
            restaurant_id,
            token,
        }),
    ))
}

fn checked_item(item: &NewItem, now_ms: i64) -> Result<MenuItem, Problem> {
    if !(0..=TOTAL_MINOR_MAX).contains(&item.price_minor) {
        let detail = format!(
            "a price is 0 to {TOTAL_MINOR_MAX} minor units, not {}",
            item.price_minor
        );
        return Err(Problem::unprocessable("invalid_price", detail).param("price_minor"));
    }
    Ok(MenuItem {
        item_id: ItemId::fresh(now_ms),
        name: checked_name(&item.name, "menu")?,
        price_minor: item.price_minor,
        available: item.available,
    })
}

/// Which restaurants.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestaurantQuery {
    /// `LAT,LNG` in degrees.
    near: Option<String>,
    /// With `near`: how far at most, up to 50,000; 5,000 when absent.
    radius_m: Option<f64>,
    /// Part of the name or the cuisine.
    q: Option<String>,
    /// 1 to 100; 20 when absent.
    limit: Option<u32>,
    /// The last id of the page before.
    cursor: Option<String>,
}

/// Restaurants, all or near a place, by id.
#[utoipa::path(get, path = "/v1/restaurants", tag = "restaurants", params(RestaurantQuery),
    responses((status = 200, body = RestaurantPage), (status = 400, body = ProblemBody)))]
pub(crate) async fn list_restaurants(
    State(app): State<AppState>,
    Query(query): Query<RestaurantQuery>,
) -> Result<Json<RestaurantPage>, Problem> {
    let limit = page_limit(query.limit)?;
    let text = checked_query(query.q.as_deref().unwrap_or(""), 0..=SEARCH_CHARS_MAX, "q")?;
    let filter = RestaurantFilter {
        corners: corners(query.near.as_deref(), query.radius_m.unwrap_or(5_000.0))?,
        text,
        after: cursor(query.cursor.as_ref())?,
        limit: limit + 1,
    };
    let found = app.store.catalogue.restaurants(&filter).await?;
    let page = limit as usize;
    Ok(Json(RestaurantPage {
        has_more: found.len() > page,
        restaurants: found.iter().take(page).map(view_of).collect(),
    }))
}

/// The corners of the square around a place; of the whole Earth without one.
fn corners(near: Option<&str>, radius_m: f64) -> Result<(Place, Place), Problem> {
    const METRES_PER_DEGREE: f64 = 111_320.0;
    let invalid = |param| {
        Problem::bad_request("invalid_query", "near is LAT,LNG; radius_m is 1 to 50,000")
            .param(param)
    };
    let at = |lat: f64, lng: f64| {
        Place::from_degrees(lat.clamp(-90.0, 90.0), lng.clamp(-180.0, 180.0))
            .map_err(|_| invalid("near"))
    };
    let Some(near) = near else {
        return Ok((at(-90.0, -180.0)?, at(90.0, 180.0)?));
    };
    if !(1.0..=50_000.0).contains(&radius_m) {
        return Err(invalid("radius_m"));
    }
    let (lat, lng) = near.split_once(',').ok_or_else(|| invalid("near"))?;
    let parse = |text: &str| text.trim().parse::<f64>().map_err(|_| invalid("near"));
    let centre = Place::from_degrees(parse(lat)?, parse(lng)?).map_err(|_| invalid("near"))?;
    let up = radius_m / METRES_PER_DEGREE;
    // A meridian's degrees get closer towards the poles; at the poles all of them are near.
    let across = up / centre.lat().to_radians().cos().max(1e-3);
    Ok((
        at(centre.lat() - up, centre.lng() - across)?,
        at(centre.lat() + up, centre.lng() + across)?,
    ))
}

/// A restaurant with its menu.
#[utoipa::path(get, path = "/v1/restaurants/{restaurant_id}", tag = "restaurants",
    params(("restaurant_id" = String, Path)),
    responses((status = 200, body = RestaurantWithMenu), (status = 404, body = ProblemBody)))]
pub(crate) async fn restaurant(
    State(app): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<RestaurantWithMenu>, Problem> {
    let id: RestaurantId = path_id(&id, "restaurant")?;
    let restaurant = app
        .store
        .catalogue
        .restaurant(id)
        .await?
        .ok_or_else(|| Problem::not_found("restaurant"))?;
    let menu = app.store.catalogue.menu(id).await?;
    Ok(Json(RestaurantWithMenu {
        restaurant: view_of(&restaurant),
        currency: app.policy.currency.to_string(),
        menu: menu
            .into_iter()
            .map(|item| ItemView {
                item_id: item.item_id.to_string(),
                name: item.name,
                price_minor: item.price_minor,
                available: item.available,
            })
            .collect(),
    }))
}

fn view_of(restaurant: &Restaurant) -> RestaurantView {
    RestaurantView {
        restaurant_id: restaurant.restaurant_id.to_string(),
        name: restaurant.name.clone(),
        at: restaurant.at.into(),
        cuisine: restaurant.cuisine.clone(),
        address: restaurant.address.clone(),
    }
}
