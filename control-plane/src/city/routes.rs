//! The addresses of the city view.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{FromRef, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use doorstep_web::content::guarded;
use doorstep_web::pages;
use futures::{StreamExt, stream};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use super::access::Opened;
use super::live::{Live, Subscription};
use super::{access, page};
use crate::clock::Clock;

const LOCKED: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Doorstep</title>\
    <link rel=\"stylesheet\" href=\"/assets/shared/style.css\"><body class=\"plain\"><h1>This is the operator's page</h1>\
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
        .merge(pages::routes())
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

async fn show_map(State(live): State<Live>, headers: HeaderMap) -> Response {
    if !access::is_allowed(&live, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(map) = &live.config().map else {
        return (StatusCode::NOT_FOUND, "started without a map").into_response();
    };
    guarded(map.content.answer(&headers))
}

async fn show_stream(State(live): State<Live>, headers: HeaderMap) -> Response {
    let Some(opened) = access::opened(&live, &headers) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
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
    let events = events.take_until(async move {
        let config = live.config();
        tokio::select! {
            () = config.shutdown.cancelled() => {}
            () = ended(opened, &config.clock) => {}
        }
    });
    let unbuffered = (
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    guarded(([unbuffered], Sse::new(events)).into_response())
}

async fn ended(opened: Opened, clock: &Clock) {
    match opened {
        Opened::ForEverybody => std::future::pending().await,
        Opened::Until(token_end) => token_end.reached(clock).await,
    }
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
        let Subscription { snapshot, messages } = match self.live.follow() {
            Ok(subscription) => subscription,
            Err(error) => {
                tracing::error!(%error, "a snapshot of the city cannot be written");
                return None;
            }
        };
        self.messages = Some(messages);
        Some(Event::default().event("snapshot").data(snapshot))
    }
}
