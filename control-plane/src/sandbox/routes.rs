//! The HTTP face of the sandbox gateway.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::book::{AmountMinor, Book, BookError, Payment, PaymentRequest, Refund, Status};
use super::webhook::Outbox;

/// What every handler shares.
#[derive(Clone)]
pub(super) struct Gateway {
    pub(super) book: Arc<Mutex<Book>>,
    pub(super) outbox: Outbox,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
    pub(super) settle_after: Duration,
    pub(super) withhold: Duration,
}

impl Gateway {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle_later(&self, payment_id: Uuid) {
        let gateway = self.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = gateway.shutdown.cancelled() => return,
                () = tokio::time::sleep(gateway.settle_after) => {}
            }
            let notice = gateway.book().settle(payment_id);
            if let Some(notice) = notice {
                gateway.outbox.put(notice);
            }
        });
    }
}

/// All routes of the sandbox.
pub(super) fn http_router(gateway: Gateway) -> Router {
    Router::new()
        .route("/v1/payments", post(create_payment).get(find_payment))
        .route("/v1/payments/{payment_id}", get(show_payment))
        .route("/v1/payments/{payment_id}/refunds", post(create_refund))
        .route("/healthz", get(|| async { "ok" }))
        .layer(DefaultBodyLimit::max(16 * 1024))
        .with_state(gateway)
}

async fn create_payment(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    body: Result<Json<PaymentRequest>, JsonRejection>,
) -> Result<Json<Payment>, Problem> {
    let key = idempotency_key(&headers)?;
    let Json(request) = body?;
    let created = gateway.book().create(key, request)?;
    if let Some(notice) = created.notice {
        gateway.outbox.put(notice);
    }
    if created.payment.status == Status::Pending {
        if created.fresh {
            gateway.settle_later(created.payment.payment_id);
        }
        tokio::select! {
            () = gateway.shutdown.cancelled() => {}
            () = tokio::time::sleep(gateway.withhold) => {}
        }
        return Err(Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "the bank did not answer",
        ));
    }
    Ok(Json(created.payment))
}

#[derive(Deserialize)]
struct FindQuery {
    reference: String,
}

async fn find_payment(
    State(gateway): State<Gateway>,
    Query(query): Query<FindQuery>,
) -> Result<Json<Payment>, Problem> {
    let found = gateway.book().payment_by_reference(&query.reference);
    found.map(Json).ok_or_else(|| BookError::Unknown.into())
}

async fn show_payment(
    State(gateway): State<Gateway>,
    Path(payment_id): Path<Uuid>,
) -> Result<Json<Payment>, Problem> {
    let found = gateway.book().payment(payment_id);
    found.map(Json).ok_or_else(|| BookError::Unknown.into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundRequest {
    amount_minor: AmountMinor,
}

async fn create_refund(
    State(gateway): State<Gateway>,
    Path(payment_id): Path<Uuid>,
    headers: HeaderMap,
    body: Result<Json<RefundRequest>, JsonRejection>,
) -> Result<Json<Refund>, Problem> {
    let key = idempotency_key(&headers)?;
    let Json(request) = body?;
    let (refund, notice) = gateway
        .book()
        .refund(payment_id, key, request.amount_minor)?;
    if let Some(notice) = notice {
        gateway.outbox.put(notice);
    }
    Ok(Json(refund))
}

fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    headers
        .get("Idempotency-Key")
        .and_then(|value| value.to_str().ok())
        .filter(|key| !key.is_empty() && key.len() <= 128)
        .ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "the Idempotency-Key header must have 1 to 128 characters",
            )
        })
}

/// An error in the form of RFC 9457.
struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
        }
    }
}

impl From<BookError> for Problem {
    fn from(error: BookError) -> Self {
        let status = match error {
            BookError::Invalid(_) | BookError::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            BookError::Unknown => StatusCode::NOT_FOUND,
            BookError::NotCaptured(_)
            | BookError::RefundTooHigh { .. }
            | BookError::TooManyRefunds => StatusCode::CONFLICT,
            BookError::Full(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("error");
        let body = serde_json::json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        (
            self.status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body.to_string(),
        )
            .into_response()
    }
}
