//! Webhooks of the payment gateway: a signed hint that a payment has changed, never more than a hint.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::application::payment::conclude;
use crate::clock::real_unix_s;
use crate::domain::ids::OrderId;
use crate::gateway::signature;
use crate::platform::problem::{Problem, ProblemBody};
use crate::platform::text::checked;
use crate::store::CommandError;

const CONSUMER: &str = "gateway";
/// The longest id of an event, in characters.
const EVENT_ID_CHARS_MAX: usize = 255;

/// What is read of a webhook: which payment to look at.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct GatewayEvent {
    /// The same when it is sent again.
    event_id: String,
    /// The gateway's name for the payment.
    payment_id: String,
}

/// Takes a webhook: checks the signature over the raw body, reads the payment again at the gateway, takes its word.
#[utoipa::path(post, path = "/v1/payments/webhook", tag = "payments", request_body = GatewayEvent,
    params(("doorstep-signature" = String, Header, description = "t=SECONDS,v1=HEX of HMAC-SHA256 over `SECONDS.BODY`")),
    responses((status = 204, description = "Taken, or taken before"), (status = 400, body = ProblemBody),
              (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
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
    if checked(&event.event_id, 1..=EVENT_ID_CHARS_MAX).as_ref() != Ok(&event.event_id) {
        let detail = format!("event_id has 1 to {EVENT_ID_CHARS_MAX} printable characters");
        return Err(Problem::bad_request("invalid_body", detail).param("event_id"));
    }
    if app.store.inbox.has_event(CONSUMER, &event.event_id).await? {
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
        .accept_event(CONSUMER, &event.event_id, app.clock.now_ms())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
