//! Webhooks of the payment gateway: a signed hint that a payment has changed, never more than a hint.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use doorstep_api::payments::GatewayEvent;
use doorstep_api::text::EventId;

use crate::app::AppState;
use crate::application::payment::conclude;
use crate::clock::real_unix_s;
use crate::domain::ids::OrderId;
use crate::gateway::signature;
use crate::platform::problem::Problem;
use crate::platform::text::checked;
use crate::store::CommandError;

const CONSUMER: &str = "gateway";

/// Receive a webhook of the payment gateway.
///
/// The signature covers the raw body. The body only names a payment: its state is read at the gateway.
#[utoipa::path(post, path = "/v1/payments/webhook", tag = "payments", request_body = GatewayEvent,
    security(("gateway_signature" = [])),
    responses((status = 204, description = "Processed, now or before."),
              (status = 401, description = "`invalid_signature`: the signature is missing, wrong or too old."),
              (status = 503, description = "`unavailable`: the gateway does not answer, send it again; `timeout`: it took too long.")))]
pub(crate) async fn payment_webhook(
    State(app): State<AppState>,
    headers: HeaderMap,
    raw: Bytes,
) -> Result<StatusCode, Problem> {
    let forged = |detail: String| {
        Problem::new(StatusCode::UNAUTHORIZED, "invalid_signature", detail)
            .param("doorstep-signature")
    };
    let header = headers
        .get("doorstep-signature")
        .and_then(|value| value.to_str().ok());
    let header =
        header.ok_or_else(|| forged("a doorstep-signature header is needed".to_owned()))?;
    signature::verify(app.gateway_secret.expose(), header, &raw, real_unix_s())
        .map_err(|error| forged(error.to_string()))?;
    let event: GatewayEvent = serde_json::from_slice(&raw)
        .map_err(|error| Problem::bad_request("invalid_body", error.to_string()))?;
    let event_id = event.event_id.as_str();
    let (min, max) = (EventId::CHARS_MIN, EventId::CHARS_MAX);
    if !checked(event_id, min..=max).is_ok_and(|kept| kept == event_id) {
        let detail = format!("event_id has {min} to {max} printable characters");
        return Err(Problem::bad_request("invalid_body", detail).param("event_id"));
    }
    if app.store.inbox.has_event(CONSUMER, event_id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let found = app.gateway.read(&event.payment_id).await.map_err(|error| {
        tracing::warn!(%error, "a webhook's payment cannot be read");
        Problem::unavailable("the payment cannot be read; send it again")
    })?;
    let order = found
        .as_ref()
        .and_then(|found| found.reference.parse::<OrderId>().ok());
    if let (Some(found), Some(id)) = (found, order) {
        match conclude(&app, id, &found).await {
            Ok(_) => {}
            // Not ours, or it has gone on: nothing that another attempt would change.
            Err(error @ (CommandError::NotFound | CommandError::Refused(_))) => {
                tracing::warn!(order = %id, %error, "a webhook does not fit");
            }
            Err(CommandError::Store(error)) => return Err(error.into()),
        }
    }
    // Only now: a webhook cut off before this is sent again, and to conclude twice is harmless.
    app.store
        .inbox
        .accept_event(CONSUMER, event_id, app.clock.now_ms())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
