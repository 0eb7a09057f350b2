//! Errors as the caller sees them: RFC 9457 bodies with a code to act on.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::Instrument;
use uuid::Uuid;

use crate::sql::StoreError;

const PROBLEM_JSON: &str = "application/problem+json";
const REQUEST_ID: &str = "x-request-id";
/// What is needed to be let in (RFC 9110, 11.6.1).
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer");
/// Seconds after which an unavailable service may be tried again.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

tokio::task_local! {
    static CURRENT_REQUEST: String;
}

/// What went wrong, for the caller.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    param: Option<&'static str>,
}

/// An error body (RFC 9457); `doorstep-api` has the type that clients read.
#[derive(Debug, Serialize)]
struct ProblemBody {
    /// Always `about:blank`: the code says more.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What went wrong this time.
    detail: String,
    /// A stable word to act on.
    code: String,
    /// The parameter or header that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    /// Names this request in the logs.
    request_id: String,
}

impl Problem {
    /// A problem with a status, a code to act on and a sentence.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            param: None,
        }
    }

    /// Names the parameter or header that is wrong.
    #[must_use]
    pub fn param(mut self, param: &'static str) -> Self {
        self.param = Some(param);
        self
    }

    /// It does not exist, or the caller may not know that it does.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("no such {what}"),
        )
    }

    /// The request cannot be understood.
    #[must_use]
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// Understood, but not possible.
    #[must_use]
    pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// Possible, but not now.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// A service that is needed does not answer.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_lock_timeout() {
            return Self::conflict(
                "in_flight",
                "another request on the same thing is being worked on",
            );
        }
        tracing::error!(%error, "the database failed a request");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the request failed",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let challenge = (self.code == "unauthorized").then_some(CHALLENGE);
        let later = (self.status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_S);
        let body = ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code.to_owned(),
            param: self.param.map(str::to_owned),
            request_id: CURRENT_REQUEST.try_with(Clone::clone).unwrap_or_default(),
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = later {
            headers.insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// The id of the request that this task works on: the caller's, or one of ours. Not in tasks that it spawned.
#[must_use]
pub fn current_request() -> Option<String> {
    CURRENT_REQUEST.try_with(Clone::clone).ok()
}

/// Works on behalf of a request: its id is in log lines, in what is written to the outbox and in calls of others.
pub async fn in_request<T>(id: String, work: impl Future<Output = T>) -> T {
    let span = tracing::info_span!("request", request_id = %id);
    CURRENT_REQUEST.scope(id, work.instrument(span)).await
}

/// The caller's `x-request-id`, else the trace of its `traceparent` (W3C Trace Context), else a fresh one.
fn id_of(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_plain = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_trace = |id: &&str| {
        id.len() == 32
            && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            && id.bytes().any(|b| b != b'0')
    };
    let trace = || text("traceparent")?.split('-').nth(1).filter(is_trace);
    let given = text(REQUEST_ID).filter(is_plain).or_else(trace);
    given.map_or_else(
        || Uuid::from_u128(rand::random()).simple().to_string(),
        str::to_owned,
    )
}

/// Names the request, gives it the security headers, and makes every error a problem body.
pub async fn frame(request: Request, next: Next) -> Response {
    let id = id_of(request.headers());
    let is_api = request.uri().path().starts_with("/v1/");
    let answered = async move { as_problem(next.run(request).await) };
    let mut response = in_request(id.clone(), answered).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    if is_api {
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// Errors that axum and the layers make themselves have bare bodies.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_bare = content_type.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !is_bare {
        return response;
    }
    let code = match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => "timeout",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        status if status.is_server_error() => "internal",
        _ => "bad_request",
    };
    let detail = status.canonical_reason().unwrap_or("error").to_lowercase();
    let mut problem = Problem::new(status, code, detail).into_response();
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            problem.headers_mut().insert(name, value.clone());
        }
    }
    problem
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::id_of;

    #[test]
    fn the_callers_id_is_kept_if_it_can_be_logged() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let named = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header value"));
            id_of(&headers)
        };
        assert_eq!(named("x-request-id", "order-7"), "order-7");
        assert_eq!(
            named("traceparent", trace),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        for (name, value) in [
            ("x-request-id", "two words"),
            ("x-request-id", ""),
            (
                "traceparent",
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            ),
            ("traceparent", "nonsense"),
        ] {
            let id = named(name, value);
            assert!(id.len() == 32 && id != value, "{name} {value}: {id}");
        }
    }
}
