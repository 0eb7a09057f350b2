//! Giving an order to a driver by hand from the page or with `doorstep assign`: the same as the API does, with the order named
//! as the page names it. The look before the deed takes the time of dispatch, so it is for the same people.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::{access, why};
use crate::app::AppState;
use crate::http::{Body, NewAssignment, Problem, ToDriver, assign, preview};

pub(crate) fn router() -> Router<AppState> {
    Router::new().route(
        "/city/orders/{order}/assignment",
        get(show_preview).post(assign_order),
    )
}

async fn show_preview(
    State(app): State<AppState>,
    Path(order): Path<String>,
    Query(to): Query<ToDriver>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    access::assigner(&app.live, &headers).ok_or_else(only_looks)?;
    let id = why::find(&app.live.picture(), &order)?;
    let told = preview(&app, id, &to).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(told)).into_response())
}

/// The header with the key keeps pages of others out: a browser asks first before it sends such a request across origins,
/// and is refused.
async fn assign_order(
    State(app): State<AppState>,
    Path(order): Path<String>,
    headers: HeaderMap,
    Body(new): Body<NewAssignment>,
) -> Result<Response, Problem> {
    let by = access::assigner(&app.live, &headers).ok_or_else(only_looks)?;
    let id = why::find(&app.live.picture(), &order)?;
    assign(&app, id, &headers, by, new).await
}

fn only_looks() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "giving orders away needs a token for audience admin",
    )
}

pub(super) fn unauthorized() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "this needs a token for audience admin",
    )
}
