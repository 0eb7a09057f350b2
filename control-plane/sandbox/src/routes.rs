//! The HTTP face of the sandbox gateway.

use std::io;
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

use crate::book::{Book, BookError};
use crate::payment::{AmountMinor, Payment, PaymentRequest, Refund, Status};
use crate::webhook::Outbox;

/// The pause before a decision that could not be written is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What every handler shares.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub(crate) book: Arc<Mutex<Book>>,
    pub(crate) outbox: Outbox,
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
    pub(crate) settle_after: Duration,
    pub(crate) withhold: Duration,
}

impl Gateway {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the book off the async threads: a change waits for the disk.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Book) -> Result<T, BookError> + Send + 'static,
    ) -> Result<T, BookError> {
        let gateway = self.clone();
        tokio::task::spawn_blocking(move || change(&mut gateway.book()))
            .await
            .unwrap_or_else(|failed| Err(io::Error::other(failed).into()))
    }

    /// Takes up what a restart interrupted: decisions and webhooks.
    pub(crate) fn resume(&self) {
        let (undecided, unsent) = {
            let book = self.book();
            (book.undecided(), book.unsent())
        };
        for notice in unsent {
            self.outbox.put(notice);
        }
        for payment_id in undecided {
            self.decide_later(payment_id);
        }
    }

    fn decide_later(&self, payment_id: Uuid) {
        let gateway = self.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = gateway.shutdown.cancelled() => return,
                    () = tokio::time::sleep(gateway.settle_after) => {}
                }
                match gateway.change(move |book| book.decide(payment_id)).await {
                    Ok(notice) => {
                        notice
                            .into_iter()
                            .for_each(|notice| gateway.outbox.put(notice));
                        return;
                    }
                    // A full disk may get room again; the payment stays undecided until then.
                    Err(error) => {
                        tracing::warn!(%error, %payment_id, "a payment cannot be decided yet");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        });
    }
}

/// All routes of the sandbox.
pub(crate) fn http_router(gateway: Gateway) -> Router {
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
    let key = key.to_owned();
    let created = gateway
        .change(move |book| book.create(&key, request))
        .await?;
    if let Some(notice) = created.notice {
        gateway.outbox.put(notice);
    }
    if created.payment.status == Status::Pending {
        if created.fresh {
            gateway.decide_later(created.payment.payment_id);
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
    let key = key.to_owned();
    let (refund, notice) = gateway
        .change(move |book| book.refund(payment_id, &key, request.amount_minor))
        .await?;
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

/// The media type of RFC 9457.
const PROBLEM: &str = "application/problem+json";

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
            BookError::Full(_) | BookError::Storage(_) => StatusCode::SERVICE_UNAVAILABLE,
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
            [(header::CONTENT_TYPE, PROBLEM)],
            body.to_string(),
        )
            .into_response()
    }
}
