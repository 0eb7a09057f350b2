//! Giving an order to a driver by hand from the page or with `doorstep assign`: the same as the API does, with the order named
//! as the page names it. A preview takes the time of dispatch, so it is for the same people.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::live::Live;
use super::{CityState, access, why};
use crate::app::AppState;
use crate::application::assignment::{assign, preview};
use crate::assignment::{NewAssignment, ToDriver};
use crate::platform::extract::Body;
use crate::platform::idempotency::{Answered, idempotency_key};
use crate::platform::problem::Problem;

pub(crate) fn router() -> Router<CityState> {
    Router::new().route(
        "/city/orders/{order}/assignment",
        get(show_preview).post(assign_order),
    )
}

async fn show_preview(
    State(app): State<AppState>,
    State(live): State<Live>,
    Path(order): Path<String>,
    Query(to): Query<ToDriver>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    access::assigner(&live, &headers).ok_or_else(only_looks)?;
    let id = why::find(&live.picture(), &order)?;
    let preview = preview(&app, id, &to).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(preview)).into_response())
}

/// The header with the key keeps pages of others out: a browser asks first before it sends such a request across origins,
/// and is refused.
async fn assign_order(
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
