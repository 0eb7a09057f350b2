//! Quotes: what a cart costs to this door, and when it would be there.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorstep_api::ids;
use doorstep_api::number::{Amount, UnixMs};
use doorstep_api::quotes::{NewQuote, QuoteView};
use doorstep_dispatch_wire::dispatch::{QuoteRequest, QuoteResponse};
use tonic::Code;

use crate::app::{App, AppState};
use crate::config::Policy;
use crate::dispatch::{in_time, lat_lng};
use crate::domain::ids::{ItemId, QuoteId, RestaurantId};
use crate::domain::place::Place;
use crate::domain::pricing::{CartError, Tariff, Wanted, price};
use crate::domain::quote::Quote;
use crate::http::view::{checked_place, currency};
use crate::platform::extract::{Body, Caller};
use crate::platform::problem::Problem;

/// Price a cart.
///
/// The price holds until the quote expires; an order is placed with the id of its quote.
#[utoipa::path(post, path = "/v1/quotes", tag = "orders", request_body = NewQuote, security(("bearer" = [])),
    responses((status = 201, description = "The price and the ETA.", body = QuoteView),
              (status = 403, description = "`wrong_role`: this needs a customer's token."),
              (status = 404, description = "`not_found`: no such restaurant."),
              (status = 422, description = "`invalid_cart`, `unknown_item`, `sold_out`, `invalid_place`, or `unreachable`: no road leads from the restaurant to this door."),
              (status = 503, description = "`unavailable`: dispatch does not answer; `timeout`: it took too long.")))]
pub(crate) async fn create_quote(
    State(app): State<AppState>,
    caller: Caller,
    Body(new): Body<NewQuote>,
) -> Result<(StatusCode, Json<QuoteView>), Problem> {
    let customer_id = caller.customer()?;
    let dropoff = checked_place(new.dropoff, "dropoff")?;
    let restaurant_id = RestaurantId::from_uuid(new.restaurant_id.uuid());
    let restaurant = app.store.catalogue.restaurant(restaurant_id).await?;
    let restaurant = restaurant.ok_or_else(|| Problem::not_found("restaurant"))?;
    let menu = app.store.catalogue.menu(restaurant_id).await?;
    let trip = trip(&app, restaurant.at, dropoff).await?;
    let policy = app.policy.now();
    let cart: Vec<Wanted> = new
        .items
        .iter()
        .map(|item| Wanted {
            item_id: ItemId::from_uuid(item.item_id.uuid()),
            quantity: item.quantity.0,
        })
        .collect();
    let price = price(&menu, &cart, trip.distance_m, &tariff(&policy)).map_err(cart_problem)?;
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
        dropoff_eta_ms: dropoff_eta_ms(&policy, &trip, now_ms),
        expires_at_ms: now_ms + millis(policy.quote_timeout),
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
                    "no road leads from the restaurant to this door: {}",
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
fn dropoff_eta_ms(policy: &Policy, trip: &QuoteResponse, now_ms: i64) -> i64 {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let ready_ms = now_ms + millis(policy.preparation);
    let pickup_ms = trip
        .pickup_eta_ms
        .map_or(ready_ms, |eta_ms| signed(eta_ms).max(ready_ms));
    pickup_ms.saturating_add(signed(trip.travel_time_ms))
}

fn tariff(policy: &Policy) -> Tariff {
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
        quote_id: ids::QuoteId::from_uuid(quote.quote_id.uuid()),
        restaurant_id: ids::RestaurantId::from_uuid(quote.restaurant_id.uuid()),
        lines: quote.price.lines.iter().map(Into::into).collect(),
        items_minor: Amount(quote.price.items_minor),
        delivery_fee_minor: Amount(quote.price.delivery_fee_minor),
        total_minor: Amount(quote.price.total_minor),
        currency: currency(quote.price.currency),
        travel_time_ms: quote.travel_time_ms,
        distance_m: quote.distance_m,
        dropoff_eta_ms: UnixMs(quote.dropoff_eta_ms),
        eta_min: (quote.dropoff_eta_ms - now_ms)
            .max(0)
            .saturating_add(59_999)
            / 60_000,
        expires_at_ms: UnixMs(quote.expires_at_ms),
    }
}

/// A duration of the city's clock.
pub(crate) fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
