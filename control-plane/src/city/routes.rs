//! The addresses of the city view.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{FromRef, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use super::live::{Live, Seat};
use super::{access, assets, page};

/// Nothing from afar, nothing inline.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const LOCKED: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Doorstep</title>\
    <link rel=\"stylesheet\" href=\"/city/assets/style.css\"><body class=\"plain\"><h1>This is the operator's page</h1>\
    <p>Open it once with an admin token in the address: <code>/?token=…</code>. A cookie remembers it.</p>\
    <p>Make a token with <code>doorstep token --audience admin</code>.</p></body></html>";

/// The page, its files, its map and its stream.
pub(crate) fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Live: FromRef<S>,
{
    Router::new()
        .route("/", get(show_page))
        .route("/city/map.json", get(show_map))
        .route("/city/stream", get(show_stream))
        .route("/city/assets/{name}", get(show_asset))
}

#[derive(Deserialize)]
struct PageQuery {
    token: Option<String>,
}

async fn show_page(
    State(live): State<Live>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Response {
    if let Some(cookie) = query
        .token
        .and_then(|token| access::exchange(&live, &token))
    {
        return ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response();
    }
    if !access::is_allowed(&live, &headers) {
        return guarded((StatusCode::UNAUTHORIZED, Html(LOCKED)).into_response());
    }
    guarded(
        (
            [(header::CACHE_CONTROL, "no-store")],
            Html(page::render(&live)),
        )
            .into_response(),
    )
}

async fn show_asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = assets::find(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    guarded(cached(
        &headers,
        &asset.etag,
        asset.content_type,
        Bytes::from_static(asset.bytes),
    ))
}

async fn show_map(State(live): State<Live>, headers: HeaderMap) -> Response {
    if !access::is_allowed(&live, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(map) = &live.config().map else {
        return (StatusCode::NOT_FOUND, "started without a map").into_response();
    };
    let zipped = accepts_gzip(&headers);
    let body = if zipped {
        map.gzip.clone()
    } else {
        map.plain.clone()
    };
    let mut response = cached(&headers, &map.etag, "application/json", body);
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if zipped && response.status() == StatusCode::OK {
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    guarded(response)
}

async fn show_stream(State(live): State<Live>, headers: HeaderMap) -> Response {
    if !access::is_allowed(&live, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(permit) = live.try_enter() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many viewers").into_response();
    };
    let viewer = Viewer {
        live: live.clone(),
        messages: None,
        _permit: permit,
    };
    let events = stream::unfold(viewer, |mut viewer| async move {
        let event = viewer.next().await?;
        Some((Ok::<_, Infallible>(event), viewer))
    });
    let shutdown = live.config().shutdown.clone();
    let events = events.take_until(shutdown.cancelled_owned());
    let unbuffered = (
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    guarded(([unbuffered], Sse::new(events)).into_response())
}

/// One open page.
struct Viewer {
    live: Live,
    messages: Option<broadcast::Receiver<std::sync::Arc<str>>>,
    _permit: OwnedSemaphorePermit,
}

impl Viewer {
    /// A snapshot at first and after having fallen behind, else the next delta; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        if let Some(messages) = &mut self.messages {
            match messages.recv().await {
                Ok(delta) => return Some(Event::default().event("delta").data(&*delta)),
                Err(broadcast::error::RecvError::Closed) => return None,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
            }
        }
        let Seat { snapshot, messages } = match self.live.follow() {
            Ok(seat) => seat,
            Err(error) => {
                tracing::error!(%error, "a snapshot of the city cannot be written");
                return None;
            }
        };
        self.messages = Some(messages);
        Some(Event::default().event("snapshot").data(snapshot))
    }
}

/// The bytes, or "not modified" when the browser has them. Browsers ask each time, so an update shows at once.
fn cached(headers: &HeaderMap, etag: &str, content_type: &'static str, body: Bytes) -> Response {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let validators = [
        (header::ETAG, etag.to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if known.is_some_and(|known| {
        known
            .split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == etag)
    }) {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    (validators, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}
