//! Quotes: what a cart costs to this door, and when it would be there.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorstep_dispatch_wire::dispatch::{QuoteRequest, QuoteResponse};
use serde::{Deserialize, Serialize};
use tonic::Code;
use utoipa::ToSchema;

use crate::app::{App, AppState};
use crate::dispatch::{in_time, lat_lng};
use crate::domain::ids::{ItemId, QuoteId, RestaurantId};
use crate::domain::place::Place;
use crate::domain::pricing::{CartError, Tariff, Wanted, price};
use crate::domain::quote::Quote;
use crate::http::view::{LineView, PlaceView};
use crate::platform::extract::{Body, Caller};
use crate::platform::problem::{Problem, ProblemBody};

/// A cart and a door.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQuote {
    #[schema(value_type = String)]
    restaurant_id: RestaurantId,
    items: Vec<WantedItem>,
    dropoff: PlaceView,
}

/// What the customer wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedItem {
    #[schema(value_type = String)]
    item_id: ItemId,
    quantity: u32,
}

/// A price that holds until it expires. Times are Unix milliseconds of the city's clock.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuoteView {
    quote_id: String,
    restaurant_id: String,
    lines: Vec<LineView>,
    items_minor: i64,
    delivery_fee_minor: i64,
    total_minor: i64,
    currency: String,
    /// From pickup to dropoff.
    travel_time_ms: u64,
    /// On the road.
    distance_m: u64,
    /// When it would be there if it were ordered now.
    dropoff_eta_ms: i64,
    /// The same in minutes from now, rounded up.
    eta_min: i64,
    expires_at_ms: i64,
}

/// Prices a cart.
#[utoipa::path(post, path = "/v1/quotes", tag = "orders", request_body = NewQuote, security(("bearer" = [])),
    responses((status = 201, body = QuoteView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
              (status = 404, body = ProblemBody), (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn create_quote(
    State(app): State<AppState>,
    caller: Caller,
    Body(new): Body<NewQuote>,
) -> Result<(StatusCode, Json<QuoteView>), Problem> {
    let customer_id = caller.customer()?;
    let dropoff = new.dropoff.place("dropoff")?;
    let restaurant = app.store.catalogue.restaurant(new.restaurant_id).await?;
    let restaurant = restaurant.ok_or_else(|| Problem::not_found("restaurant"))?;
    let menu = app.store.catalogue.menu(new.restaurant_id).await?;
    let trip = trip(&app, restaurant.at, dropoff).await?;
    let cart: Vec<Wanted> = new
        .items
        .iter()
        .map(|item| Wanted {
            item_id: item.item_id,
            quantity: item.quantity,
        })
        .collect();
    let price = price(&menu, &cart, trip.distance_m, &tariff(&app)).map_err(cart_problem)?;
    let now_ms = app.clock.now_ms();
    let quote = Quote {
        quote_id: QuoteId::fresh(now_ms),
        customer_id,
        restaurant_id: restaurant.restaurant_id,
        restaurant_name: restaurant.name,
        pickup: restaurant.at,
        dropoff,
        price,
        distance_m: trip.distance_m,
        travel_time_ms: trip.travel_time_ms,
        dropoff_eta_ms: dropoff_eta_ms(&app, &trip, now_ms),
        expires_at_ms: now_ms + millis(app.policy.quote_patience),
    };
    app.store.catalogue.add_quote(&quote).await?;
    Ok((StatusCode::CREATED, Json(view_of(&quote, now_ms))))
}

async fn trip(app: &App, pickup: Place, dropoff: Place) -> Result<QuoteResponse, Problem> {
    let request = QuoteRequest {
        pickup: Some(lat_lng(pickup)),
        dropoff: Some(lat_lng(dropoff)),
    };
    match app.dispatch.clone().quote(in_time(request)).await {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) => match status.code() {
            Code::InvalidArgument
            | Code::NotFound
            | Code::FailedPrecondition
            | Code::OutOfRange => {
                let detail = format!(
                    "no way from the restaurant to this door: {}",
                    status.message()
                );
                Err(Problem::unprocessable("unreachable", detail).param("dropoff"))
            }
            _ => {
                tracing::warn!(%status, "dispatch gives no quote");
                Err(Problem::unavailable("dispatch does not answer"))
            }
        },
    }
}

/// Ready food and a driver at the restaurant, whichever is later, and then the way.
fn dropoff_eta_ms(app: &App, trip: &QuoteResponse, now_ms: i64) -> i64 {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let ready_ms = now_ms + millis(app.policy.preparation);
    let pickup_ms = trip
        .pickup_eta_ms
        .map_or(ready_ms, |eta_ms| signed(eta_ms).max(ready_ms));
    pickup_ms.saturating_add(signed(trip.travel_time_ms))
}

fn tariff(app: &App) -> Tariff {
    let policy = &app.policy;
    Tariff {
        currency: policy.currency,
        base_fee_minor: policy.base_fee_minor,
        included_m: policy.included_m,
        per_km_minor: policy.per_km_minor,
        commission: policy.commission,
        driver_share: policy.driver_share,
    }
}

fn cart_problem(error: CartError) -> Problem {
    let code = match error {
        CartError::Lines(_) | CartError::Quantity { .. } | CartError::Total(_) => "invalid_cart",
        CartError::UnknownItem(_) => "unknown_item",
        CartError::SoldOut(_) => "sold_out",
    };
    Problem::unprocessable(code, error.to_string()).param("items")
}

fn view_of(quote: &Quote, now_ms: i64) -> QuoteView {
    QuoteView {
        quote_id: quote.quote_id.to_string(),
        restaurant_id: quote.restaurant_id.to_string(),
        lines: quote.price.lines.iter().map(Into::into).collect(),
        items_minor: quote.price.items_minor,
        delivery_fee_minor: quote.price.delivery_fee_minor,
        total_minor: quote.price.total_minor,
        currency: quote.price.currency.to_string(),
        travel_time_ms: quote.travel_time_ms,
        distance_m: quote.distance_m,
        dropoff_eta_ms: quote.dropoff_eta_ms,
        eta_min: (quote.dropoff_eta_ms - now_ms)
            .max(0)
            .saturating_add(59_999)
            / 60_000,
        expires_at_ms: quote.expires_at_ms,
    }
}

/// A duration of the city's clock.
pub(crate) fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
