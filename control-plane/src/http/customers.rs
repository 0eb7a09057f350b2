//! Customers.

use axum::Json;
use axum::extract::{FromRef, Query, State};
use axum::http::StatusCode;
use doorstep_dispatch_wire::token::Audience;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;
use crate::domain::ids::CustomerId;
use crate::http::view::OrderPage;
use crate::platform::extract::{Body, Caller, Tokens, cursor, page_limit};
use crate::platform::problem::{Problem, ProblemBody};
use crate::platform::text::checked_field;

/// How long a token is good, in city milliseconds: thirty days.
const TOKEN_LIFE_MS: i64 = 30 * 24 * 3_600_000;
/// The longest name of anybody, in characters.
const NAME_CHARS_MAX: usize = 200;

/// A new customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCustomer {
    /// What the driver calls at the door.
    name: String,
}

/// A customer and the token to act as them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerCreated {
    customer_id: String,
    /// Bearer token.
    token: String,
}

/// Registers a customer.
#[utoipa::path(post, path = "/v1/customers", tag = "customers", request_body = NewCustomer,
    responses((status = 201, body = CustomerCreated), (status = 400, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn create_customer(
    State(app): State<AppState>,
    Body(new): Body<NewCustomer>,
) -> Result<(StatusCode, Json<CustomerCreated>), Problem> {
    let name = checked_name(&new.name, "name")?;
    let now_ms = app.clock.now_ms();
    let id = CustomerId::fresh(now_ms);
    app.store.people.add_customer(id, &name, now_ms).await?;
    let token = issue(&app, Audience::Customer, id.to_string());
    Ok((
        StatusCode::CREATED,
        Json(CustomerCreated {
            customer_id: id.to_string(),
            token,
        }),
    ))
}

/// Which of one's orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// 1 to 100; 20 when absent.
    limit: Option<u32>,
    /// The last id of the page before.
    cursor: Option<String>,
}

/// One's own orders, newest first.
#[utoipa::path(get, path = "/v1/orders", tag = "orders", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = OrderPage), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(crate) async fn own_orders(
    State(app): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<OrderPage>, Problem> {
    let customer = caller.customer()?;
    let limit = page_limit(query.limit)?;
    let before = cursor(query.cursor.as_ref())?;
    let orders = app
        .store
        .orders
        .orders_of(customer, before, limit + 1)
        .await?;
    let page = limit as usize;
    let has_more = orders.len() > page;
    let mut shown = Vec::with_capacity(page);
    for order in orders.into_iter().take(page) {
        shown.push((&app.shown(order).await?).into());
    }
    Ok(Json(OrderPage {
        has_more,
        orders: shown,
    }))
}

/// A name as it is stored.
pub(crate) fn checked_name(name: &str, field: &'static str) -> Result<String, Problem> {
    checked_field(name, 1..=NAME_CHARS_MAX, "invalid_name", field)
}

/// A fresh token.
pub(crate) fn issue(app: &AppState, audience: Audience, subject: String) -> String {
    Tokens::from_ref(app).issue(audience, subject, TOKEN_LIFE_MS)
}
