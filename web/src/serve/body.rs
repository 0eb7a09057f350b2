//! What is put around each request: its deadline for the body, the client's address, and a note of when it has ended.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use ipnet::IpNet;
use tokio::time::{Instant, Sleep, sleep_until};

use super::progress::Serving;

/// Who sends a request: the peer of the connection or, behind a trusted proxy, whom that proxy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

/// The body of a request did not arrive in time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body did not arrive within {0:?}")]
pub struct SlowBody(Duration);

/// The body of a request with the time until which it has to be there.
pub(super) struct TimedBody {
    inner: Incoming,
    timeout: Duration,
    deadline: Instant,
    /// Made when the body is waited for: most bodies come with their head.
    sleep: Option<Pin<Box<Sleep>>>,
    is_late: Arc<AtomicBool>,
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = self.deadline;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.is_late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(SlowBody(self.timeout).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Puts a deadline on the body; the flag is set when it was missed. Requests without a body stay as they are.
pub(super) fn timed(
    request: Request<Incoming>,
    timeout: Duration,
) -> (Request<Body>, Option<Arc<AtomicBool>>) {
    if request.body().is_end_stream() {
        return (request.map(Body::new), None);
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_late);
    let timed = request.map(|inner| {
        Body::new(TimedBody {
            inner,
            timeout,
            deadline: Instant::now() + timeout,
            sleep: None,
            is_late: flag,
        })
    });
    (timed, Some(is_late))
}

/// The answer to a body that came too slowly, in place of what the handler made of the broken body.
pub(super) fn too_slow(
    answer: Response<Body>,
    timeout: Duration,
    version: Version,
) -> Response<Body> {
    let (mut parts, _) = answer.into_parts();
    let id = parts.headers.get("x-request-id");
    let id = id.and_then(|id| id.to_str().ok()).unwrap_or("");
    let body = format!(
        "{{\"type\":\"about:blank\",\"title\":\"Request Timeout\",\"status\":408,\
         \"detail\":\"{}\",\"code\":\"timeout\",\"request_id\":\"{id}\"}}",
        SlowBody(timeout)
    );
    parts.status = StatusCode::REQUEST_TIMEOUT;
    let headers = &mut parts.headers;
    headers.remove(header::CONTENT_LENGTH);
    let problem = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, problem);
    if version < Version::HTTP_2 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Response::from_parts(parts, Body::from(body))
}

/// The body of an answer; when it is written or dropped the request has ended.
pub(super) struct EndingBody {
    pub(super) inner: Body,
    pub(super) _serving: Serving,
}

impl HttpBody for EndingBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The client's address: the peer, or the last address in `x-forwarded-for` that is no trusted proxy if the peer is one.
pub(super) fn client_addr(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> ClientAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let peer = peer.ip().to_canonical();
    if !is_trusted(&peer) {
        return ClientAddr(peer);
    }
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    let named = lines.iter().rev().flat_map(|line| line.rsplit(','));
    let mut client = peer;
    for name in named {
        // What stands before something unreadable cannot be believed.
        let Ok(address) = name.trim().parse::<IpAddr>() else {
            break;
        };
        client = address.to_canonical();
        if !is_trusted(&client) {
            break;
        }
    }
    ClientAddr(client)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::*;

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        for (peer, forwarded, client) in [
            ("192.0.2.1:1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1:1", "198.51.100.7", "198.51.100.7"),
            (
                "10.0.0.1:1",
                "1.1.1.1, 198.51.100.7, 10.0.0.2",
                "198.51.100.7",
            ),
            ("10.0.0.1:1", "1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1:1", "", "10.0.0.1"),
            ("[::ffff:10.0.0.1]:1", "2001:db8::1", "2001:db8::1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            let found = client_addr(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found.0.to_string(), client, "{peer} {forwarded}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "198.51.100.7".parse().unwrap());
        let found = client_addr("10.0.0.1:1".parse().unwrap(), &headers, &[]);
        assert_eq!(
            found.0.to_string(),
            "10.0.0.1",
            "nobody is trusted by default"
        );
    }
}
