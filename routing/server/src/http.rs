//! The addresses, and what is the same for all of them: where work is done, how long it may take, who may read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::middleware::from_fn;
use axum::routing::get;
use bytes::Bytes;
use doorstep_web::figures;
use tokio::sync::Semaphore;

use crate::error::{ApiError, Code};
use crate::isochrone_request::{BODY_BYTES_MAX, IsochroneError, IsochroneRequest, json_of_query};
use crate::page::{self, Page};
use crate::service::{Atlas, is_quick};
use crate::url;

/// How long an answer may take, waiting for a free thread included.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Long requests that wait for a thread; further ones are answered 503.
const WAITING_MAX: usize = 64;

/// The longest head of a request in bytes; OSRM's clients put everything into the address.
pub const HEAD_BYTES_MAX: usize = 128 * 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");
const ANYBODY: HeaderValue = HeaderValue::from_static("*");

/// What the handlers share.
#[derive(Clone)]
pub struct Server {
    pub(crate) atlas: Arc<Atlas>,
    /// One for each core: more long requests at once would only be slower together.
    threads: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Server {
    /// A server that computes on so many threads at once.
    #[must_use]
    pub fn new(atlas: Arc<Atlas>, threads: usize) -> Self {
        Self {
            atlas,
            threads: Arc::new(Semaphore::new(threads.max(1))),
            waiting: Arc::default(),
        }
    }

    /// Runs long work on a thread of its own, when one is free.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Atlas) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let busy = || ApiError::new(Code::Busy, "the server has more to do than it can");
        let _place = WaitingSlot::take(&self.waiting).ok_or_else(busy)?;
        let atlas = Arc::clone(&self.atlas);
        let threads = Arc::clone(&self.threads);
        let run = async {
            let permit = threads.acquire_owned().await.map_err(|_| busy())?;
            let thread = tokio::task::spawn_blocking(move || {
                // Held until the work is done, even if the client is gone.
                let _permit = permit;
                work(&atlas)
            });
            thread.await.map_err(|_| busy())?
        };
        tokio::time::timeout(WAIT_MAX, run)
            .await
            .map_err(|_| busy())?
    }
}

/// A place among those who wait; given back when dropped.
struct WaitingSlot<'a>(&'a AtomicUsize);

impl<'a> WaitingSlot<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(waiting))
    }
}

impl Drop for WaitingSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All addresses; with a page, its own too.
pub fn router(server: Server, page: Option<Page>) -> Router {
    let routes = page.map_or_else(Router::new, page::routes);
    routes
        .route("/healthz", get(|| async { "ok" }))
        .route(
            "/isochrone",
            get(isochrone_of_query)
                .post(isochrone_of_body)
                .options(async || preflight())
                .layer(DefaultBodyLimit::max(BODY_BYTES_MAX)),
        )
        .fallback(osrm)
        .with_state(server)
        .layer(from_fn(figures::measure))
}

async fn osrm(State(server): State<Server>, method: Method, uri: Uri) -> Response<Body> {
    match method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return preflight(),
        _ => return respond(StatusCode::METHOD_NOT_ALLOWED, Vec::new()),
    }
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    answer_osrm(&server, target).await
}

/// Answers a path with its query as they came.
pub(crate) async fn answer_osrm(server: &Server, target: &str) -> Response<Body> {
    let answer = match url::decode(target) {
        Ok(target) => match url::parse(&target) {
            Ok(request) if is_quick(&request) => server.atlas.answer(&request),
            Ok(_) => {
                let target = target.into_owned();
                let work = move |atlas: &Atlas| atlas.answer(&url::parse(&target)?);
                server.compute(work).await
            }
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    match answer {
        Ok(bytes) => respond(StatusCode::OK, bytes),
        Err(error) => refuse(&error),
    }
}

async fn isochrone_of_query(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let query = query.unwrap_or_default();
    match json_of_query(&query) {
        Ok(json) => answer_isochrone(&server, json.as_bytes()).await,
        Err(error) => refuse_isochrone(&error),
    }
}

async fn isochrone_of_body(State(server): State<Server>, body: Bytes) -> Response<Body> {
    answer_isochrone(&server, &body).await
}

async fn answer_isochrone(server: &Server, json: &[u8]) -> Response<Body> {
    let limits = server.atlas.limits;
    let request = IsochroneRequest::parse(json, limits.isochrone_minutes_max, limits.contours_max);
    let request = match request {
        Ok(request) => request,
        Err(error) => return refuse_isochrone(&error),
    };
    match server
        .compute(move |atlas| Ok(atlas.isochrone(&request)))
        .await
    {
        Ok(Ok(bytes)) => respond(StatusCode::OK, bytes),
        Ok(Err(error)) => refuse_isochrone(&error),
        Err(busy) => refuse(&busy),
    }
}

fn refuse_isochrone(error: &IsochroneError) -> Response<Body> {
    let bytes = serde_json::to_vec(error).expect("numbers and strings");
    respond(StatusCode::BAD_REQUEST, bytes)
}

/// An answer that any page may read.
pub(crate) fn respond(status: StatusCode, bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY);
    response
}

fn refuse(error: &ApiError) -> Response<Body> {
    let status = match error.code {
        Code::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let bytes = serde_json::to_vec(error).expect("two strings");
    respond(status, bytes)
}

/// Tells a browser that other pages may ask.
pub(crate) fn preflight() -> Response<Body> {
    let mut response = respond(StatusCode::NO_CONTENT, Vec::new());
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, POST, OPTIONS");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ANYBODY);
    headers.remove(header::CONTENT_TYPE);
    response
}
