//! Restaurants and their menus.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use doorstep_api::ids;
use doorstep_api::number::{Amount, ItemPrice, RadiusM};
use doorstep_api::place::PlaceView;
use doorstep_api::restaurants::{
    ItemView, NewItem, NewRestaurant, RestaurantCreated, RestaurantPage, RestaurantQuery,
    RestaurantView, RestaurantWithMenu,
};
use doorstep_api::text::{Name, SearchText};
use doorstep_dispatch_wire::token::Audience;

use crate::app::AppState;
use crate::domain::ids::{ItemId, RestaurantId};
use crate::domain::place::Place;
use crate::domain::restaurant::{MenuItem, Restaurant};
use crate::http::customers::{checked_name, issue};
use crate::http::page::entries;
use crate::http::view::{checked_place, currency, place_view};
use crate::platform::extract::{Body, Caller, QueryParams, path_id};
use crate::platform::problem::Problem;
use crate::platform::text::checked_query;
use crate::store::catalogue::RestaurantFilter;

/// Add a restaurant with its menu.
///
/// The answer has the access token of the new restaurant, which is shown only here.
#[utoipa::path(post, path = "/v1/restaurants", tag = "restaurants", request_body = NewRestaurant, security(("bearer" = [])),
    responses((status = 201, description = "The restaurant is added.", body = RestaurantCreated),
              (status = 403, description = "`wrong_role`: this needs an admin's token."),
              (status = 422, description = "`invalid_name`, `invalid_place`, `invalid_menu` or `invalid_price`.")))]
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
        at: checked_place(
            PlaceView {
                lat: new.lat,
                lng: new.lng,
            },
            "lat",
        )?,
        cuisine: checked_option(new.cuisine.as_ref(), "cuisine")?,
        address: checked_option(new.address.as_ref(), "address")?,
        created_at_ms: now_ms,
    };
    let items_max = NewRestaurant::MENU_ITEMS_MAX;
    if !(1..=items_max).contains(&new.menu.len()) {
        let count = new.menu.len();
        let detail = format!("a menu has 1 to {items_max} items, this one has {count}");
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
    let id = restaurant.restaurant_id;
    let token = issue(&app, Audience::Restaurant, id.to_string());
    let restaurant_id = ids::RestaurantId::from_uuid(id.uuid());
    Ok((
        StatusCode::CREATED,
        Json(RestaurantCreated {
            restaurant_id,
            token,
        }),
    ))
}

fn checked_option(name: Option<&Name>, param: &'static str) -> Result<Option<String>, Problem> {
    name.map(|name| checked_name(name, param)).transpose()
}

fn checked_item(item: &NewItem, now_ms: i64) -> Result<MenuItem, Problem> {
    if !item.price_minor.is_in_range() {
        let (min, max) = (ItemPrice::MIN, ItemPrice::MAX);
        let price = item.price_minor.0;
        let detail = format!("a price is {min} to {max} minor units, not {price}");
        return Err(Problem::unprocessable("invalid_price", detail).param("price_minor"));
    }
    Ok(MenuItem {
        item_id: ItemId::fresh(now_ms),
        name: checked_name(&item.name, "menu")?,
        price_minor: item.price_minor.0,
        available: item.available,
    })
}

/// List restaurants.
///
/// All of them or those near a position, in ascending order of their ids.
#[utoipa::path(get, path = "/v1/restaurants", tag = "restaurants", params(RestaurantQuery),
    security(()), responses((status = 200, description = "A page of restaurants.", body = RestaurantPage)))]
pub(crate) async fn list_restaurants(
    State(app): State<AppState>,
    QueryParams(query): QueryParams<RestaurantQuery>,
) -> Result<Json<RestaurantPage>, Problem> {
    let limit = entries(query.limit)?;
    let text = query.q.unwrap_or_default();
    let chars = SearchText::CHARS_MIN..=SearchText::CHARS_MAX;
    let text = checked_query(text.as_str(), chars, "q")?;
    let filter = RestaurantFilter {
        corners: corners(
            query.near.as_deref(),
            query.radius_m.unwrap_or(RadiusM::DEFAULT),
        )?,
        text,
        after: query.cursor.map(|id| RestaurantId::from_uuid(id.uuid())),
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
fn corners(near: Option<&str>, radius: RadiusM) -> Result<(Place, Place), Problem> {
    const METRES_PER_DEGREE: f64 = 111_320.0;
    let invalid = |param| {
        let (min, max) = (RadiusM::MIN, RadiusM::MAX);
        let detail = format!("near is LATITUDE,LONGITUDE in degrees; radius_m is {min} to {max}");
        Problem::bad_request("invalid_query", detail).param(param)
    };
    let at = |lat: f64, lng: f64| {
        Place::from_degrees(lat.clamp(-90.0, 90.0), lng.clamp(-180.0, 180.0))
            .map_err(|_| invalid("near"))
    };
    if !radius.is_in_range() {
        return Err(invalid("radius_m"));
    }
    let Some(near) = near else {
        return Ok((at(-90.0, -180.0)?, at(90.0, 180.0)?));
    };
    let (lat, lng) = near.split_once(',').ok_or_else(|| invalid("near"))?;
    let parse = |text: &str| text.trim().parse::<f64>().map_err(|_| invalid("near"));
    let centre = Place::from_degrees(parse(lat)?, parse(lng)?).map_err(|_| invalid("near"))?;
    let up = radius.0 / METRES_PER_DEGREE;
    // A meridian's degrees get closer towards the poles; at the poles all of them are near.
    let across = up / centre.lat().to_radians().cos().max(1e-3);
    Ok((
        at(centre.lat() - up, centre.lng() - across)?,
        at(centre.lat() + up, centre.lng() + across)?,
    ))
}

/// Read a restaurant with its menu.
#[utoipa::path(get, path = "/v1/restaurants/{restaurant_id}", tag = "restaurants",
    params(("restaurant_id" = ids::RestaurantId, Path, description = "Id of the restaurant.")), security(()),
    responses((status = 200, description = "The restaurant.", body = RestaurantWithMenu),
              (status = 404, description = "`not_found`: no such restaurant.")))]
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
        restaurant_id: ids::RestaurantId::from_uuid(restaurant.restaurant_id.uuid()),
        name: restaurant.name,
        at: place_view(restaurant.at),
        cuisine: restaurant.cuisine,
        address: restaurant.address,
        currency: currency(app.policy.now().currency),
        menu: menu
            .into_iter()
            .map(|item| ItemView {
                item_id: ids::ItemId::from_uuid(item.item_id.uuid()),
                name: item.name,
                price_minor: Amount(item.price_minor),
                available: item.available,
            })
            .collect(),
    }))
}

fn view_of(restaurant: &Restaurant) -> RestaurantView {
    RestaurantView {
        restaurant_id: ids::RestaurantId::from_uuid(restaurant.restaurant_id.uuid()),
        name: restaurant.name.clone(),
        at: place_view(restaurant.at),
        cuisine: restaurant.cuisine.clone(),
        address: restaurant.address.clone(),
    }
}
