//! The private listener of a server: its figures, whether it lives, whether it is ready.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::figures;
use crate::readiness::Readiness;

/// `/metrics`, `/healthz` and `/readyz`. To be served where only operators can reach it.
pub fn router(readiness: Readiness) -> Router {
    Router::new()
        .route("/metrics", get(show_figures))
        .route("/healthz", get(|| async { "ok" }))
        .merge(ready(readiness))
}

/// `/readyz`, which may be public too.
pub fn ready<S: Clone + Send + Sync + 'static>(readiness: Readiness) -> Router<S> {
    Router::new()
        .route("/readyz", get(show_readiness))
        .with_state(readiness)
}

async fn show_figures() -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], figures::render()).into_response()
}

/// 200 if all checks are well, else 503; which is wrong is in the body, and what is wrong without ending readiness.
async fn show_readiness(State(readiness): State<Readiness>) -> Response {
    let report = readiness.report().await;
    let checks: serde_json::Map<_, _> = report
        .checks
        .iter()
        .map(|(name, wrong)| {
            let said = wrong.clone().unwrap_or_else(|| "ok".to_owned());
            ((*name).to_owned(), said.into())
        })
        .collect();
    let (status, body) = (
        if report.is_ready() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        serde_json::json!({ "ready": report.is_ready(), "checks": checks, "degraded": report.degraded }),
    );
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.to_string()).into_response()
}
