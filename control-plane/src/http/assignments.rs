//! Giving an order to a driver by hand: a look at what it would change, and the assignment.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;

use crate::app::AppState;
use crate::application::assignment::{assign, preview};
use crate::assignment::{AssignedByHand, AssignmentPreview, NewAssignment, ToDriver};
use crate::domain::ids::OrderId;
use crate::platform::extract::{Body, Operator, path_id};
use crate::platform::idempotency::{Answered, idempotency_key};
use crate::platform::problem::{Problem, ProblemBody};

/// What it would change if the order were given to a driver by hand. Changes nothing.
#[utoipa::path(get, path = "/v1/admin/orders/{order_id}/assignment", tag = "admin", security(("bearer" = [])),
    params(("order_id" = String, Path), ToDriver),
    responses((status = 200, body = AssignmentPreview), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
              (status = 404, body = ProblemBody), (status = 409, description = "It cannot be done, and why", body = ProblemBody),
              (status = 503, body = ProblemBody)))]
pub(crate) async fn preview_assignment(
    State(app): State<AppState>,
    _operator: Operator,
    Path(id): Path<String>,
    Query(to): Query<ToDriver>,
) -> Result<Json<AssignmentPreview>, Problem> {
    let id: OrderId = path_id(&id, "order")?;
    Ok(Json(preview(&app, id, &to).await?))
}

/// Gives the order to a driver, who is not asked. The same key again gets the same answer; the order's log keeps who did it
/// and why.
#[utoipa::path(post, path = "/v1/admin/orders/{order_id}/assignment", tag = "admin", request_body = NewAssignment,
    security(("bearer" = [])),
    params(("order_id" = String, Path),
           ("idempotency-key" = String, Header, description = "1 to 255 printable characters: one assignment for each")),
    responses((status = 200, body = AssignedByHand), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
              (status = 404, body = ProblemBody), (status = 409, description = "It cannot be done, and why", body = ProblemBody),
              (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
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
