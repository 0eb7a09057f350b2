//! Manual assignment from the page or with `doorstep assign`: the same as the API does, with the order named
//! as the page names it. A preview takes the time of dispatch, so it is for the same people.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorstep_api::assignment::{AssignedByHand, AssignmentPreview, NewAssignment, ToDriver};
use doorstep_api::text::{IdempotencyKey, OrderPart};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::live::Live;
use super::{CityState, access, why};
use crate::app::AppState;
use crate::application::assignment::{assign, preview};
use crate::platform::extract::{Body, QueryParams};
use crate::platform::idempotency::{Answered, idempotency_key};
use crate::platform::problem::Problem;

pub(crate) fn router() -> OpenApiRouter<CityState> {
    OpenApiRouter::new().routes(routes!(preview_on_city_view, assign_on_city_view))
}

/// Preview a manual assignment on the city view.
///
/// As `/v1/admin/orders/{order_id}/assignment`, with the order named as on the page.
#[utoipa::path(get, path = "/city/orders/{order}/assignment", tag = "city view", security(("bearer" = []), ("city_cookie" = [])),
    params(("order" = OrderPart, Path, description = "The order, as the city view names it."), ToDriver),
    responses((status = 200, description = "What would change.", body = AssignmentPreview),
              (status = 404, description = "`not_found`: no such order."),
              (status = 409, description = "`not_possible`, `not_dispatched`, or `ambiguous`: several orders have this part of an id."),
              (status = 503, description = "`unavailable`: dispatch does not answer; `timeout`: it took too long.")))]
async fn preview_on_city_view(
    State(app): State<AppState>,
    State(live): State<Live>,
    Path(order): Path<String>,
    QueryParams(to): QueryParams<ToDriver>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    access::assigner(&live, &headers).ok_or_else(only_looks)?;
    let id = why::find(&live.picture(), &order)?;
    let preview = preview(&app, id, to).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(preview)).into_response())
}

/// Assign an order to a driver on the city view.
///
/// As `/v1/admin/orders/{order_id}/assignment`, with the order named as on the page.
// The header with the key keeps pages of other origins out: a browser asks before it sends such a request, and is refused.
#[utoipa::path(post, path = "/city/orders/{order}/assignment", tag = "city view", request_body = NewAssignment, security(("bearer" = []), ("city_cookie" = [])),
    params(("order" = OrderPart, Path, description = "The order, as the city view names it."),
           ("idempotency-key" = IdempotencyKey, Header, description = "Key of the caller's choice; one assignment for each.")),
    responses((status = 200, description = "The driver has the order.", body = AssignedByHand,
               headers(("idempotent-replayed" = bool, description = "`true` when an earlier request with this key made the answer."))),
              (status = 404, description = "`not_found`: no such order."),
              (status = 409, description = "`not_possible`, `not_dispatched`, `ambiguous`, or `in_flight`: another request on the same order is in progress."),
              (status = 422, description = "`invalid_reason`, or `idempotency_key_reused`: the key was used with another request."),
              (status = 503, description = "`unavailable`: dispatch does not answer; `timeout`: it took too long.")))]
async fn assign_on_city_view(
    State(app): State<AppState>,
    State(live): State<Live>,
    Path(order): Path<String>,
    headers: HeaderMap,
    Body(new): Body<NewAssignment>,
) -> Result<Answered, Problem> {
    let by = access::assigner(&live, &headers).ok_or_else(only_looks)?;
    let id = why::find(&live.picture(), &order)?;
    let key = idempotency_key(&headers)?;
    Ok(assign(&app, id, &key, by, new).await?)
}

fn only_looks() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "a manual assignment needs a token for audience admin",
    )
}

pub(super) fn unauthorized() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "this needs a token for audience admin",
    )
}
