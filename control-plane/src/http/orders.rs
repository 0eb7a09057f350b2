//! Orders: placing one, reading it, and the commands of customer and restaurant.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorstep_api::ids;
use doorstep_api::number::ReadyInMs;
use doorstep_api::orders::{Acceptance, NewOrder, OrderView, ReasonGiven, ReceiptView};
use doorstep_api::text::{IdempotencyKey, PaymentMethod, Reason};

use crate::app::{App, AppState};
use crate::domain::ids::{CustomerId, OrderId, PaymentId, QuoteId};
use crate::domain::lifecycle::{Command, Order, Terms, TimeOuts};
use crate::domain::order::{self, Party};
use crate::domain::quote::Quote;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::http::quotes::millis;
use crate::platform::extract::{Body, Caller, path_id};
use crate::platform::idempotency::{Answered, idempotency_key, key_reused, request_hash};
use crate::platform::problem::Problem;
use crate::platform::text::checked_field;
use crate::store::StoreError;
use crate::store::keys::Answer;
use crate::store::placement::{PlaceError, Placed, Placement};

/// Place an order.
///
/// The order is on stable storage when the answer comes. The same idempotency key with the same body again gets the same answer
/// and has no second effect.
#[utoipa::path(post, path = "/v1/orders", tag = "orders", request_body = NewOrder, security(("bearer" = [])),
    params(("idempotency-key" = IdempotencyKey, Header, description = "Key of the caller's choice; one order for each.")),
    responses((status = 201, description = "The order is placed; its payment is pending.", body = OrderView,
               headers(("idempotent-replayed" = bool, description = "`true` when an earlier request with this key made the answer."))),
              (status = 403, description = "`wrong_role`: this needs a customer's token."),
              (status = 404, description = "`not_found`: no such quote of this customer."),
              (status = 409, description = "`quote_expired`, `quote_used`, or `in_flight`: another request on the same thing is in progress."),
              (status = 422, description = "`invalid_payment_method`, or `idempotency_key_reused`: the key was used with another request.")))]
pub(crate) async fn place_order(
    State(app): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(new): Body<NewOrder>,
) -> Result<Answered, Problem> {
    let customer = caller.customer()?;
    let key = idempotency_key(&headers)?;
    check_method(new.payment_method.as_str())?;
    let request_hash = request_hash(&new)
        .map_err(|error| Problem::bad_request("invalid_body", error.to_string()))?;
    let now_ms = app.clock.now_ms();
    let placement = Placement {
        customer,
        key: &key,
        request_hash: &request_hash,
        quote_id: QuoteId::from_uuid(new.quote_id.uuid()),
        now_ms,
    };
    let order_id = OrderId::fresh(now_ms);
    let payment_id = PaymentId::fresh(now_ms);
    let placed = app
        .store
        .orders
        .place(
            &placement,
            |quote| {
                Order::opened(
                    terms(
                        &app,
                        customer,
                        (order_id, payment_id),
                        quote,
                        new.payment_method.as_str(),
                    ),
                    now_ms,
                )
            },
            answer_of,
        )
        .await
        .map_err(place_problem)?;
    let (answer, replayed) = match placed {
        Placed::New(order, answer) => {
            app.publish(&order);
            tracing::info!(order = %order_id, "an order is placed");
            (answer, false)
        }
        Placed::Replayed(answer) => (answer, true),
    };
    Ok(Answered { answer, replayed })
}

fn check_method(method: &str) -> Result<(), Problem> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let length = PaymentMethod::CHARS_MIN..=PaymentMethod::CHARS_MAX;
    if length.contains(&method.len()) && method.bytes().all(is_word) {
        return Ok(());
    }
    let detail = format!(
        "a payment method has 1 to {} lower-case letters, digits and underscores",
        PaymentMethod::CHARS_MAX
    );
    Err(Problem::unprocessable("invalid_payment_method", detail).param("payment_method"))
}

fn terms(
    app: &App,
    customer_id: CustomerId,
    ids: (OrderId, PaymentId),
    quote: Quote,
    method: &str,
) -> Terms {
    let policy = app.policy.now();
    Terms {
        order_id: ids.0,
        customer_id,
        restaurant_id: quote.restaurant_id,
        restaurant_name: quote.restaurant_name,
        quote_id: quote.quote_id,
        payment_id: ids.1,
        payment_method: method.to_owned(),
        price: quote.price,
        pickup: quote.pickup,
        dropoff: quote.dropoff,
        distance_m: quote.distance_m,
        travel_time_ms: quote.travel_time_ms,
        time_outs: TimeOuts {
            payment_ms: millis(policy.payment_timeout),
            accept_ms: millis(policy.accept_timeout),
            pickup_ms: millis(policy.pickup_timeout),
            dropoff_ms: millis(policy.dropoff_timeout),
        },
    }
}

fn answer_of(order: &Order) -> Result<Answer, StoreError> {
    let body = serde_json::to_string(&OrderView::from(&OrderSummary::of(order)))
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Answer {
        status: StatusCode::CREATED.as_u16(),
        body,
    })
}

fn place_problem(error: PlaceError) -> Problem {
    let detail = error.to_string();
    match error {
        PlaceError::KeyReused => key_reused(),
        PlaceError::NoQuote => Problem::not_found("quote"),
        PlaceError::QuoteExpired(_) => Problem::conflict("quote_expired", detail).param("quote_id"),
        PlaceError::QuoteUsed => Problem::conflict("quote_used", detail).param("quote_id"),
        PlaceError::Store(error) => error.into(),
    }
}

/// Read an order.
#[utoipa::path(get, path = "/v1/orders/{order_id}", tag = "orders", security(("bearer" = [])),
    params(("order_id" = ids::OrderId, Path, description = "Id of the order.")),
    responses((status = 200, description = "The order.", body = OrderView),
              (status = 404, description = "`not_found`: no such order, or it belongs to somebody else.")))]
pub(crate) async fn order(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<OrderView>, Problem> {
    let id: OrderId = path_id(&id, "order")?;
    let order = app
        .store
        .orders
        .order(caller.0, id)
        .await?
        .ok_or_else(|| Problem::not_found("order"))?;
    let order = app.shown(order).await?;
    Ok(Json((&order).into()))
}

/// The reason that was given, or what stands in its place.
fn reason_text(
    given: Option<Body<Option<ReasonGiven>>>,
    otherwise: &str,
) -> Result<String, Problem> {
    let Some(reason) = given.and_then(|Body(given)| given?.reason) else {
        return Ok(otherwise.to_owned());
    };
    let chars = Reason::CHARS_MIN..=Reason::CHARS_MAX;
    checked_field(reason.as_str(), chars, "invalid_reason", "reason")
}

/// Accept an order.
///
/// By its restaurant, which says when the food will be ready. The body may be left out.
#[utoipa::path(post, path = "/v1/orders/{order_id}/accept", tag = "orders", security(("bearer" = [])),
    params(("order_id" = ids::OrderId, Path, description = "Id of the order.")), request_body = Option<Acceptance>,
    responses((status = 200, description = "The accepted order.", body = OrderView), (status = 403, description = "`wrong_role`: this needs a restaurant's token."),
              (status = 404, description = "`not_found`: no such order, or it belongs to somebody else."),
              (status = 409, description = "`wrong_state`: the order's state does not allow it, or `in_flight`: another request on the same order is in progress."),
              (status = 422, description = "`invalid_ready_time`: `ready_in_ms` is out of range.")))]
pub(crate) async fn accept_order(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    body: Option<Body<Option<Acceptance>>>,
) -> Result<Json<OrderView>, Problem> {
    caller.runs_a_restaurant()?;
    let acceptance = body
        .and_then(|Body(acceptance)| acceptance)
        .unwrap_or_default();
    let ready_in = acceptance
        .ready_in_ms
        .unwrap_or_else(|| ReadyInMs(millis(app.policy.now().preparation)));
    if !ready_in.is_in_range() {
        let (min, max) = (ReadyInMs::MIN, ReadyInMs::MAX);
        let detail = format!("ready_in_ms is {min} to {max}, not {}", ready_in.0);
        return Err(Problem::unprocessable("invalid_ready_time", detail).param("ready_in_ms"));
    }
    let ready_at_ms = app.clock.now_ms() + ready_in.0;
    carry_out(&app, caller.0, &id, order::Command::Accept { ready_at_ms }).await
}

/// Reject an order.
///
/// By its restaurant; the customer gets the money back. The body may be left out.
#[utoipa::path(post, path = "/v1/orders/{order_id}/reject", tag = "orders", security(("bearer" = [])),
    params(("order_id" = ids::OrderId, Path, description = "Id of the order.")), request_body = Option<ReasonGiven>,
    responses((status = 200, description = "The order in its new state.", body = OrderView), (status = 403, description = "`wrong_role`: this needs a restaurant's token."),
              (status = 404, description = "`not_found`: no such order, or it belongs to somebody else."),
              (status = 409, description = "`wrong_state`: the order's state does not allow it, or `in_flight`: another request on the same order is in progress."),
              (status = 422, description = "`invalid_reason`: the reason is too long.")))]
pub(crate) async fn reject_order(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    body: Option<Body<Option<ReasonGiven>>>,
) -> Result<Json<OrderView>, Problem> {
    caller.runs_a_restaurant()?;
    let reason = reason_text(body, "the restaurant rejected it")?;
    carry_out(&app, caller.0, &id, order::Command::Reject { reason }).await
}

/// Report that the food is ready.
///
/// By its restaurant.
#[utoipa::path(post, path = "/v1/orders/{order_id}/ready", tag = "orders", security(("bearer" = [])),
    params(("order_id" = ids::OrderId, Path, description = "Id of the order.")),
    responses((status = 200, description = "The order in its new state.", body = OrderView), (status = 403, description = "`wrong_role`: this needs a restaurant's token."),
              (status = 404, description = "`not_found`: no such order, or it belongs to somebody else."),
              (status = 409, description = "`wrong_state`: the order's state does not allow it, or `in_flight`: another request on the same order is in progress.")))]
pub(crate) async fn mark_order_ready(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<OrderView>, Problem> {
    caller.runs_a_restaurant()?;
    carry_out(&app, caller.0, &id, order::Command::MarkReady).await
}

/// Cancel an order.
///
/// A customer may until it is accepted, its restaurant or an admin until it is picked up. The body may be left out.
#[utoipa::path(post, path = "/v1/orders/{order_id}/cancel", tag = "orders", security(("bearer" = [])),
    params(("order_id" = ids::OrderId, Path, description = "Id of the order.")), request_body = Option<ReasonGiven>,
    responses((status = 200, description = "The cancelled order.", body = OrderView),
              (status = 404, description = "`not_found`: no such order, or it belongs to somebody else."),
              (status = 409, description = "`wrong_state`: the order's state does not allow it, or `in_flight`: another request on the same order is in progress."),
              (status = 422, description = "`invalid_reason`: the reason is too long.")))]
pub(crate) async fn cancel_order(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    body: Option<Body<Option<ReasonGiven>>>,
) -> Result<Json<OrderView>, Problem> {
    let (by, otherwise) = match caller.0 {
        Scope::Customer(_) => (Party::Customer, "the customer cancelled it"),
        Scope::Restaurant(_) => (Party::Restaurant, "the restaurant cancelled it"),
        Scope::Admin => (Party::Admin, "the operator cancelled it"),
    };
    let reason = reason_text(body, otherwise)?;
    carry_out(&app, caller.0, &id, order::Command::Cancel { by, reason }).await
}

async fn carry_out(
    app: &App,
    scope: Scope,
    id: &str,
    command: order::Command,
) -> Result<Json<OrderView>, Problem> {
    let id: OrderId = path_id(id, "order")?;
    let summary = app.command(scope, id, Command::Order(command)).await?;
    let summary = app.shown(summary).await?;
    Ok(Json((&summary).into()))
}

/// Read the receipt of a delivered order.
///
/// The same bytes each time.
#[utoipa::path(get, path = "/v1/orders/{order_id}/receipt", tag = "orders", security(("bearer" = [])),
    params(("order_id" = ids::OrderId, Path, description = "Id of the order.")),
    responses((status = 200, description = "The receipt.", body = ReceiptView),
              (status = 404, description = "`not_found`: no such order, or it is not delivered.")))]
pub(crate) async fn receipt(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: OrderId = path_id(&id, "order")?;
    app.store
        .orders
        .order(caller.0, id)
        .await?
        .ok_or_else(|| Problem::not_found("order"))?;
    let receipt = app
        .store
        .orders
        .receipt(id)
        .await?
        .ok_or_else(|| Problem::not_found("receipt"))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], receipt).into_response())
}
