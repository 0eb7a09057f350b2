//! Customers.

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use doorstep_api::customers::{CustomerCreated, NewCustomer};
use doorstep_api::ids;
use doorstep_api::orders::{OrderPage, OrderQuery};
use doorstep_api::text::Name;
use doorstep_dispatch_wire::token::Audience;

use crate::app::AppState;
use crate::domain::ids::{CustomerId, OrderId};
use crate::http::page::entries;
use crate::platform::extract::{Body, Caller, QueryParams, Tokens};
use crate::platform::problem::Problem;
use crate::platform::text::checked_field;

/// How long a token is valid, in milliseconds of the city's clock: thirty days.
const TOKEN_LIFE_MS: i64 = 30 * 24 * 3_600_000;

/// Register a customer.
///
/// Anybody may register; the answer has the access token of the new customer, which is shown only here.
#[utoipa::path(post, path = "/v1/customers", tag = "customers", request_body = NewCustomer, security(()),
    responses((status = 201, description = "The customer is registered.", body = CustomerCreated),
              (status = 422, description = "`invalid_name`: the name is blank or too long.")))]
pub(crate) async fn create_customer(
    State(app): State<AppState>,
    Body(new): Body<NewCustomer>,
) -> Result<(StatusCode, Json<CustomerCreated>), Problem> {
    let name = checked_name(&new.name, "name")?;
    let now_ms = app.clock.now_ms();
    let id = CustomerId::fresh(now_ms);
    app.store.people.add_customer(id, &name, now_ms).await?;
    let token = issue(&app, Audience::Customer, id.to_string());
    let customer_id = ids::CustomerId::from_uuid(id.uuid());
    Ok((
        StatusCode::CREATED,
        Json(CustomerCreated { customer_id, token }),
    ))
}

/// List your own orders.
///
/// Of the customer whose token it is, newest first.
#[utoipa::path(get, path = "/v1/orders", tag = "orders", params(OrderQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of orders.", body = OrderPage),
              (status = 403, description = "`wrong_role`: this needs a customer's token.")))]
pub(crate) async fn own_orders(
    State(app): State<AppState>,
    caller: Caller,
    QueryParams(query): QueryParams<OrderQuery>,
) -> Result<Json<OrderPage>, Problem> {
    let customer = caller.customer()?;
    let limit = entries(query.limit)?;
    let before = query.cursor.map(|id| OrderId::from_uuid(id.uuid()));
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

/// A name as it is stored, or 422 with `field` as the field that is wrong.
pub(crate) fn checked_name(name: &Name, field: &'static str) -> Result<String, Problem> {
    let chars = Name::CHARS_MIN..=Name::CHARS_MAX;
    checked_field(name.as_str(), chars, "invalid_name", field)
}

/// A new access token.
pub(crate) fn issue(app: &AppState, audience: Audience, subject: String) -> String {
    Tokens::from_ref(app).issue(audience, subject, TOKEN_LIFE_MS)
}
