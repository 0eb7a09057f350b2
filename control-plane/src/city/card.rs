//! What the card of a chosen order or driver shows beyond the stream: who ordered what, the driver's shift, and the way on the
//! roads. Asked for when something is chosen, so that the stream stays small.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use doorstep_dispatch_wire::dispatch::TripRequest;
use serde::Serialize;

use super::assignment::unauthorized;
use super::live::Live;
use super::{CityState, access, why};
use crate::app::{App, AppState};
use crate::dispatch::{in_time, lat_lng};
use crate::domain::ids::DriverId;
use crate::domain::place::Place;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::drivers::{DriverPicture, StopKind};
use crate::platform::problem::Problem;

pub(crate) fn router() -> Router<CityState> {
    Router::new()
        .route("/city/orders/{order}/card", get(show_order))
        .route("/city/drivers/{driver}/card", get(show_driver))
}

/// Beyond the row of an order.
#[derive(Debug, Serialize)]
struct OrderCard {
    /// Who ordered; only for those who may act on orders.
    customer: Option<String>,
    /// The restaurant's, in words.
    address: Option<String>,
    items: Vec<Item>,
    total_minor: i64,
    currency: String,
    route: Vec<Leg>,
}

/// One line of what was ordered.
#[derive(Debug, Serialize)]
struct Item {
    name: String,
    quantity: u32,
}

/// Beyond the row of a driver. Times are Unix milliseconds of the city's clock.
#[derive(Debug, Serialize)]
struct DriverCard {
    vehicle: String,
    last_ping_ms: u64,
    shift_until_ms: Option<u64>,
    route: Vec<Leg>,
}

/// The way to one stop: `[lat_e7, lng_e7, lat_e7, lng_e7, …]`.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Leg(Vec<i32>);

async fn show_order(
    State(app): State<AppState>,
    State(live): State<Live>,
    Path(order): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !access::is_allowed(&live, &headers) {
        return Err(unauthorized());
    }
    let id = why::find(&live.picture(), &order)?;
    let summary = app.store.orders.order(Scope::Admin, id).await?;
    let summary = summary.ok_or_else(|| Problem::not_found("order"))?;
    let customer = match access::assigner(&live, &headers) {
        Some(_) => app.store.people.customer_name(summary.customer_id).await?,
        None => None,
    };
    let restaurant = app
        .store
        .catalogue
        .restaurant(summary.restaurant_id)
        .await?;
    let places = places_of_order(&summary, &app.drivers.borrow());
    Ok(answer(OrderCard {
        customer,
        address: restaurant.and_then(|restaurant| restaurant.address),
        items: summary
            .lines
            .into_iter()
            .map(|line| Item {
                name: line.name,
                quantity: line.quantity,
            })
            .collect(),
        total_minor: summary.total_minor,
        currency: summary.currency.to_string(),
        route: legs(&app, &places).await,
    }))
}

async fn show_driver(
    State(app): State<AppState>,
    State(live): State<Live>,
    Path(driver): Path<DriverId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !access::is_allowed(&live, &headers) {
        return Err(unauthorized());
    }
    let picture = app.drivers.borrow().clone();
    let seen = picture
        .driver(driver)
        .ok_or_else(|| Problem::not_found("driver"))?;
    let stops = seen.stops.iter().map(|stop| stop.at);
    let places: Vec<Place> = std::iter::once(seen.at).chain(stops).collect();
    Ok(answer(DriverCard {
        vehicle: picture.vehicle.clone(),
        last_ping_ms: seen.fix_at_ms,
        shift_until_ms: seen.shift_until_ms,
        route: legs(&app, &places).await,
    }))
}

fn answer(card: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(card)).into_response()
}

/// Where an order still goes: from its driver over all stops to its door, or from the restaurant to the door while it has no
/// driver; nothing once it has ended.
fn places_of_order(order: &OrderSummary, picture: &DriverPicture) -> Vec<Place> {
    if order.deadline_ms.is_none() {
        return Vec::new();
    }
    let carried = order.driver_id.and_then(|driver| picture.driver(driver));
    let carried = carried.and_then(|seen| {
        let last = seen
            .stops
            .iter()
            .position(|stop| stop.order_id == order.order_id && stop.kind == StopKind::Dropoff)?;
        let stops = seen.stops[..=last].iter().map(|stop| stop.at);
        Some(std::iter::once(seen.at).chain(stops).collect())
    });
    carried.unwrap_or_else(|| vec![order.pickup, order.dropoff])
}

/// The ways between places. None when dispatch does not answer: the page then draws straight lines.
async fn legs(app: &App, places: &[Place]) -> Vec<Leg> {
    if places.len() < 2 {
        return Vec::new();
    }
    let through = places.iter().copied().map(lat_lng).collect();
    let request = in_time(TripRequest { through });
    match app.dispatch.clone().trip(request).await {
        Ok(trip) => trip
            .into_inner()
            .legs
            .into_iter()
            .map(|leg| {
                Leg(leg
                    .line
                    .iter()
                    .flat_map(|at| [at.lat_e7, at.lng_e7])
                    .collect())
            })
            .collect(),
        Err(status) => {
            tracing::warn!(%status, "dispatch gives no route for the city view");
            Vec::new()
        }
    }
}
