//! Manual assignment: its preview and making it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use doorstep_api::assignment::{AssignedByHand, AssignmentPreview, NewAssignment, ToDriver};
use doorstep_api::ids;
use doorstep_api::text::IdempotencyKey;

use crate::app::AppState;
use crate::application::assignment::{assign, preview};
use crate::domain::ids::OrderId;
use crate::platform::extract::{Body, Operator, QueryParams, path_id};
use crate::platform::idempotency::{Answered, idempotency_key};
use crate::platform::problem::Problem;

/// Preview a manual assignment.
///
/// What would change if this driver got the order; nothing changes.
#[utoipa::path(get, path = "/v1/admin/orders/{order_id}/assignment", tag = "admin", security(("bearer" = [])),
    params(("order_id" = ids::OrderId, Path, description = "Id of the order."), ToDriver),
    responses((status = 200, description = "What would change.", body = AssignmentPreview),
              (status = 403, description = "`wrong_role`: this needs an admin's token."),
              (status = 404, description = "`not_found`: no such order."),
              (status = 409, description = "`not_possible`: dispatch refuses it, the detail says why; `not_dispatched`: dispatch does not hold the order."),
              (status = 503, description = "`unavailable`: dispatch does not answer; `timeout`: it took too long.")))]
pub(crate) async fn preview_assignment(
    State(app): State<AppState>,
    _operator: Operator,
    Path(id): Path<String>,
    QueryParams(to): QueryParams<ToDriver>,
) -> Result<Json<AssignmentPreview>, Problem> {
    let id: OrderId = path_id(&id, "order")?;
    Ok(Json(preview(&app, id, to).await?))
}

/// Assign an order to a driver.
///
/// The driver is not asked. The order's log keeps who assigned it and why. The same idempotency key with the same body again gets
/// the same answer and has no second effect.
#[utoipa::path(post, path = "/v1/admin/orders/{order_id}/assignment", tag = "admin", request_body = NewAssignment,
    security(("bearer" = [])),
    params(("order_id" = ids::OrderId, Path, description = "Id of the order."),
           ("idempotency-key" = IdempotencyKey, Header, description = "Key of the caller's choice; one assignment for each.")),
    responses((status = 200, description = "The driver has the order.", body = AssignedByHand,
               headers(("idempotent-replayed" = bool, description = "`true` when an earlier request with this key made the answer."))),
              (status = 403, description = "`wrong_role`: this needs an admin's token."),
              (status = 404, description = "`not_found`: no such order."),
              (status = 409, description = "`not_possible`: dispatch refuses it, the detail says why; `not_dispatched`: dispatch does not hold the order; `in_flight`: another request on the same order is in progress."),
              (status = 422, description = "`invalid_reason`, or `idempotency_key_reused`: the key was used with another request."),
              (status = 503, description = "`unavailable`: dispatch does not answer; `timeout`: it took too long.")))]
pub(crate) async fn assign_order(
    State(app): State<AppState>,
    Operator(by): Operator,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(new): Body<NewAssignment>,
) -> Result<Answered, Problem> {
    let id: OrderId = path_id(&id, "order")?;
    let key = idempotency_key(&headers)?;
    Ok(assign(&app, id, &key, by, new).await?)
}
