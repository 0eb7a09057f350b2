//! The HTTP surface: one file a resource, one registration for route and specification.

mod admin;
#[allow(
    unused_qualifications,
    reason = "the expansion of utoipa::path names the query type again"
)]
mod assignments;
#[allow(
    unused_qualifications,
    reason = "the expansion of utoipa::path names the query type again"
)]
mod customers;
mod document;
mod orders;
mod page;
mod quotes;
#[allow(
    unused_qualifications,
    reason = "the expansion of utoipa::path names the query type again"
)]
mod restaurants;
#[allow(
    unused_qualifications,
    reason = "the expansion of utoipa::path names the query type again"
)]
mod reviews;
mod tracking;
mod view;
mod webhook;

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use doorstep_platform::extract::Tokens;
use doorstep_web::content::Content;
use doorstep_web::limits::{Limiter, RateLimits, limit};
use doorstep_web::readiness::Readiness;
use doorstep_web::{figures, private};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::document::ApiDocument;
use crate::app::AppState;
use crate::health::Component;
use crate::platform::problem::{self, Problem};

/// The largest body: a menu of 500 items.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long a handler may take before the caller is asked to retry. Streams begin well within it.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The routes under `/v1` with their specification.
pub(crate) fn api_router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(ApiDocument::openapi())
        .routes(routes!(customers::create_customer))
        .routes(routes!(
            restaurants::create_restaurant,
            restaurants::list_restaurants
        ))
        .routes(routes!(restaurants::restaurant))
        .routes(routes!(tracking::restaurant_orders))
        .routes(routes!(tracking::restaurant_inbox))
        .routes(routes!(reviews::restaurant_reviews))
        .routes(routes!(quotes::create_quote))
        .routes(routes!(orders::place_order, customers::own_orders))
        .routes(routes!(orders::order))
        .routes(routes!(orders::accept_order))
        .routes(routes!(orders::reject_order))
        .routes(routes!(orders::mark_order_ready))
        .routes(routes!(orders::cancel_order))
        .routes(routes!(orders::receipt))
        .routes(routes!(tracking::track_order))
        .routes(routes!(reviews::create_review))
        .routes(routes!(webhook::payment_webhook))
        .routes(routes!(admin::orders_summary))
        .routes(routes!(admin::ledger_balance))
        .routes(routes!(admin::rebuild_read_index))
        .routes(routes!(
            assignments::preview_assignment,
            assignments::assign_order
        ))
}

/// Routes that make something for whoever asks.
const ANONYMOUS: &[(Method, &str)] = &[(Method::POST, "/v1/customers")];

/// The routes of the API and of `pages` behind the same layers.
pub(crate) fn http_router(
    state: AppState,
    pages: OpenApiRouter,
    readiness: Readiness,
    rate_limits: RateLimits,
) -> axum::Router {
    let (router, mut document) = api_router().split_for_parts();
    let (pages, of_pages) = pages.split_for_parts();
    document.merge(of_pages);
    let document = document::complete(document);
    // Written once: every connection clones the router, and must not clone the document with it.
    let json = document.to_json().map(Bytes::from).unwrap_or_default();
    let document = Content::new("application/json", json);
    let tokens = Tokens::from_ref(&state);
    let limiter = Limiter::new(rate_limits, ANONYMOUS, move |headers| {
        tokens.principal(headers)
    });
    router
        .route(
            "/openapi.json",
            get(move |headers: HeaderMap| {
                let answer = document.answer(&headers);
                async move { answer }
            }),
        )
        .route("/healthz", get(healthz))
        .merge(private::ready(readiness))
        .with_state(state)
        .merge(pages)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(refuse_huge_bodies))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(limiter, limit))
        .layer(from_fn(problem::frame))
        .layer(from_fn(figures::measure))
}

/// A body that says it is too large is refused before it is waited for.
async fn refuse_huge_bodies(request: Request, next: Next) -> Response {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > BODY_BYTES_MAX as u64) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    next.run(request).await
}

/// `ok`, or the names of the components that do not work; 503 while nothing can be written. The reasons are in the log.
async fn healthz(State(app): State<AppState>) -> Result<String, Problem> {
    let health = &app.health;
    let faults = health.faults();
    if faults.is_empty() {
        return Ok("ok".to_owned());
    }
    let names: Vec<&str> = faults
        .iter()
        .map(|(component, _)| component.as_str())
        .collect();
    let said = format!("degraded: {}", names.join(", "));
    match health.fault(Component::Database) {
        None => Ok(said),
        Some(_) => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "degraded",
            said,
        )),
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the layer hands the payload over"
)]
fn panicked(_payload: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
