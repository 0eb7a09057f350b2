//! Orders: placing one, looking at it, and what each side may do with it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::{App, AppState};
use crate::assignment::REASON_CHARS_MAX;
use crate::domain::ids::{CustomerId, OrderId, PaymentId, QuoteId};
use crate::domain::lifecycle::{Command, Order, Patience, Terms};
use crate::domain::order::{self, Party};
use crate::domain::quote::Quote;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::http::quotes::millis;
use crate::http::view::OrderView;
use crate::platform::extract::{Body, Caller, path_id};
use crate::platform::idempotency::{Answered, idempotency_key, key_reused, request_hash};
use crate::platform::problem::{Problem, ProblemBody};
use crate::platform::text::checked_field;
use crate::store::StoreError;
use crate::store::keys::Answer;
use crate::store::placement::{PlaceError, Placed, Placement};

/// The furthest ready time a restaurant may name, in city milliseconds: three hours.
const READY_IN_MS_MAX: i64 = 3 * 3_600_000;

/// An order to place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    #[schema(value_type = String)]
    quote_id: QuoteId,
    /// The gateway's word for how it is paid, such as `sandbox_ok`.
    payment_method: String,
}

/// Places an order. The answer comes after it is on stable storage; the same key again gets the same answer.
#[utoipa::path(post, path = "/v1/orders", tag = "orders", request_body = NewOrder, security(("bearer" = [])),
    params(("idempotency-key" = String, Header, description = "1 to 255 printable characters: one order for each")),
    responses((status = 201, body = OrderView), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
              (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
              (status = 422, body = ProblemBody)))]
pub(crate) async fn place_order(
    State(app): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(new): Body<NewOrder>,
) -> Result<Answered, Problem> {
    let customer = caller.customer()?;
    let key = idempotency_key(&headers)?;
    check_method(&new.payment_method)?;
    let request_hash = request_hash(&new)
        .map_err(|error| Problem::bad_request("invalid_body", error.to_string()))?;
    let now_ms = app.clock.now_ms();
    let placement = Placement {
        customer,
        key: &key,
        request_hash: &request_hash,
        quote_id: new.quote_id,
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
                        &new.payment_method,
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
            app.tell(&order);
            (answer, false)
        }
        Placed::Replayed(answer) => (answer, true),
    };
    Ok(Answered { answer, replayed })
}

fn check_method(method: &str) -> Result<(), Problem> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=64).contains(&method.len()) && method.bytes().all(is_word) {
        return Ok(());
    }
    let detail =
        "a payment method is a word of up to 64 lower-case letters, digits and underscores";
    Err(Problem::unprocessable("invalid_payment_method", detail).param("payment_method"))
}

fn terms(
    app: &App,
    customer_id: CustomerId,
    ids: (OrderId, PaymentId),
    quote: Quote,
    method: &str,
) -> Terms {
    let policy = &app.policy;
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
        patience: Patience {
            payment_ms: millis(policy.payment_patience),
            accept_ms: millis(policy.accept_patience),
            pickup_ms: millis(policy.pickup_patience),
            dropoff_ms: millis(policy.dropoff_patience),
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

/// One order.
#[utoipa::path(get, path = "/v1/orders/{order_id}", tag = "orders", security(("bearer" = [])),
    params(("order_id" = String, Path)),
    responses((status = 200, body = OrderView), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
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

/// What the restaurant says when it accepts.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acceptance {
    /// When the food should be ready, in city milliseconds from now; the deployment's usual time when absent.
    #[serde(default)]
    ready_in_ms: Option<i64>,
}

/// Why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    #[serde(default)]
    reason: Option<String>,
}

impl Reason {
    fn text(self, otherwise: &str) -> Result<String, Problem> {
        let Some(reason) = self.reason else {
            return Ok(otherwise.to_owned());
        };
        checked_field(&reason, 0..=REASON_CHARS_MAX, "invalid_reason", "reason")
    }
}

/// The restaurant will cook.
#[utoipa::path(post, path = "/v1/orders/{order_id}/accept", tag = "orders", security(("bearer" = [])),
    params(("order_id" = String, Path)), request_body = Acceptance,
    responses((status = 200, body = OrderView), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
              (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn accept_order(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    body: Option<Body<Acceptance>>,
) -> Result<Json<OrderView>, Problem> {
    caller.runs_a_restaurant()?;
    let acceptance = body.map_or_else(Acceptance::default, |Body(acceptance)| acceptance);
    let ready_in_ms = acceptance
        .ready_in_ms
        .unwrap_or_else(|| millis(app.policy.preparation));
    if !(0..=READY_IN_MS_MAX).contains(&ready_in_ms) {
        let detail = format!("ready_in_ms is 0 to {READY_IN_MS_MAX}, not {ready_in_ms}");
        return Err(Problem::unprocessable("invalid_ready_time", detail).param("ready_in_ms"));
    }
    let ready_at_ms = app.clock.now_ms() + ready_in_ms;
    carry_out(&app, caller.0, &id, order::Command::Accept { ready_at_ms }).await
}

/// The restaurant will not cook.
#[utoipa::path(post, path = "/v1/orders/{order_id}/reject", tag = "orders", security(("bearer" = [])),
    params(("order_id" = String, Path)), request_body = Reason,
    responses((status = 200, body = OrderView), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
              (status = 409, body = ProblemBody)))]
pub(crate) async fn reject_order(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    body: Option<Body<Reason>>,
) -> Result<Json<OrderView>, Problem> {
    caller.runs_a_restaurant()?;
    let reason = body
        .map_or_else(Reason::default, |Body(reason)| reason)
        .text("the restaurant cannot cook it")?;
    carry_out(&app, caller.0, &id, order::Command::Reject { reason }).await
}

/// The food is ready.
#[utoipa::path(post, path = "/v1/orders/{order_id}/ready", tag = "orders", security(("bearer" = [])),
    params(("order_id" = String, Path)),
    responses((status = 200, body = OrderView), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
              (status = 409, body = ProblemBody)))]
pub(crate) async fn mark_order_ready(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<OrderView>, Problem> {
    caller.runs_a_restaurant()?;
    carry_out(&app, caller.0, &id, order::Command::MarkReady).await
}

/// Calls an order off: a customer until it is accepted, a restaurant or the operator until it is picked up.
#[utoipa::path(post, path = "/v1/orders/{order_id}/cancel", tag = "orders", security(("bearer" = [])),
    params(("order_id" = String, Path)), request_body = Reason,
    responses((status = 200, body = OrderView), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(crate) async fn cancel_order(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    body: Option<Body<Reason>>,
) -> Result<Json<OrderView>, Problem> {
    let (by, otherwise) = match caller.0 {
        Scope::Customer(_) => (Party::Customer, "the customer called it off"),
        Scope::Restaurant(_) => (Party::Restaurant, "the restaurant called it off"),
        Scope::Admin => (Party::Admin, "the operator called it off"),
    };
    let reason = body
        .map_or_else(Reason::default, |Body(reason)| reason)
        .text(otherwise)?;
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

/// The receipt of a delivered order, the same bytes each time.
#[utoipa::path(get, path = "/v1/orders/{order_id}/receipt", tag = "orders", security(("bearer" = [])),
    params(("order_id" = String, Path)),
    responses((status = 200, description = "The receipt", content_type = "application/json"),
              (status = 404, body = ProblemBody)))]
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
