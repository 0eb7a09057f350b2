//! Idempotency over HTTP: the key of a request, its hash, and the answer that is given again.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::keys::Answer;
use crate::problem::Problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest key, in characters.
pub const KEY_CHARS_MAX: usize = 255;

/// The key of a request: 1 to 255 printable ASCII characters.
///
/// # Errors
/// 400 when there is none or it has other characters.
pub fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let key = headers.get(IDEMPOTENCY_KEY).ok_or_else(|| {
        Problem::bad_request(
            "idempotency_key_missing",
            "an idempotency-key header is needed",
        )
        .param("idempotency-key")
    })?;
    let bytes = key.as_bytes();
    let is_good = (1..=KEY_CHARS_MAX).contains(&bytes.len())
        && bytes.iter().all(|byte| (0x21..=0x7e).contains(byte));
    match key.to_str() {
        Ok(key) if is_good => Ok(key.to_owned()),
        _ => Err(Problem::bad_request(
            "idempotency_key_invalid",
            format!("a key has 1 to {KEY_CHARS_MAX} printable ASCII characters, no blanks"),
        )
        .param("idempotency-key")),
    }
}

/// The hash of a request: the same key with another hash is an error.
///
/// # Errors
/// When the request has no JSON form.
pub fn request_hash(request: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_vec(request).map(|bytes| blake3::hash(&bytes).to_hex().to_string())
}

/// The key belongs to another request.
#[must_use]
pub fn key_reused() -> Problem {
    let detail = "this idempotency key was used with another request";
    Problem::unprocessable("idempotency_key_reused", detail).param("idempotency-key")
}

/// What a request with an idempotency key is answered with.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The stored answer.
    pub answer: Answer,
    /// Whether an earlier request with the same key made it.
    pub replayed: bool,
}

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.answer.status).unwrap_or(StatusCode::CREATED);
        let body = self.answer.body;
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if self.replayed {
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
