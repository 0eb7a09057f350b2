//! One way to serve HTTP: binds an address, bounds what clients can take, and lets the last answers out before it stops.
//!
//! ```text
//!  accept ──> place free? ──no──> 503, closed, counted
//!               │ yes
//!               v
//!  (TLS) ──> HTTP/1.1 or HTTP/2 ──> slow heads are cut, slow bodies are 408 ──> router
//! ```

mod body;
mod connection;
mod progress;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::body::{ClientAddr, SlowBody};
use self::connection::Connections;
use crate::tls::ServerTls;

/// How long to wait after the system could not hand over a connection, such as when no file may be opened.
const AFTER_FAILURE: Duration = Duration::from_millis(50);
/// What a client reads that is one too many.
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
/// Open files that are left for everything but client connections: database, files, calls to others.
const FILES_RESERVED: u64 = 256;

/// Bounds of what clients can take. All durations are real time.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at a time; one more reads 503 and is closed. An idle one takes less than 20 KB. Lowered at the start to
    /// what the system's limit of open files allows.
    pub connections_max: usize,
    /// How long the head of a request may take from its first byte, and the first request of a connection to begin.
    pub head_timeout: Duration,
    /// The longest head of a request, in bytes: 8,192 or more. A longer one is answered with 431.
    pub head_bytes_max: usize,
    /// How long the body of a request may take as a whole; then the answer is 408.
    pub body_timeout: Duration,
    /// How long a connection may rest between two requests.
    pub idle_timeout: Duration,
    /// How long a client may leave an answer unread.
    pub write_timeout: Duration,
    /// Requests at a time on one HTTP/2 connection.
    pub http2_streams_max: u32,
    /// How long answers may take to go out once the server is told to stop; then they are cut.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            head_timeout: Duration::from_secs(10),
            head_bytes_max: 64 * 1024,
            body_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(120),
            write_timeout: Duration::from_secs(30),
            http2_streams_max: 128,
            shutdown_grace: Duration::from_secs(8),
        }
    }
}

/// How one listener serves.
#[derive(Clone)]
pub struct ServeConfig {
    /// What its figures are called: `public` or `private`.
    pub listener: &'static str,
    /// Bounds of what its clients can take.
    pub limits: Limits,
    /// HTTPS instead of HTTP.
    pub tls: Option<ServerTls>,
    /// Real time between two looks at the files of the certificate.
    pub certificate_look_every: Duration,
    /// Whose `x-forwarded-for` is believed; nobody's by default.
    pub trusted_proxies: Arc<[IpNet]>,
}

impl ServeConfig {
    /// Plain HTTP with the default limits, trusting no proxy.
    #[must_use]
    pub fn new(listener: &'static str) -> Self {
        Self {
            listener,
            limits: Limits::default(),
            tls: None,
            certificate_look_every: Duration::from_secs(5),
            trusted_proxies: Arc::new([]),
        }
    }

    /// `http` or `https`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}{}", hint(.source))]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => "; the address belongs to no interface of this machine",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges",
        _ => "",
    }
}

/// An address that is bound and not served yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Binds an address; port 0 lets the system choose.
    ///
    /// # Errors
    /// If it is taken or not ours.
    pub async fn to(address: SocketAddr) -> Result<Self, ListenError> {
        let failed = |source| ListenError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Where clients reach it.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, then lets requests that have begun end within the shutdown grace.
    pub async fn serve(self, router: Router, config: ServeConfig, stop: CancellationToken) {
        let places_max = places(&config.limits);
        let places = Arc::new(Semaphore::new(places_max));
        let refused = metrics::counter!("doorstep_http_connections_refused_total", "listener" => config.listener);
        let grace = config.limits.shutdown_grace;
        let (certificate, look_every) = (config.tls.clone(), config.certificate_look_every);
        let connections = Arc::new(Connections::new(router, config, stop.clone()));
        let tasks = TaskTracker::new();
        if let Some(certificate) = certificate {
            tasks.spawn(certificate.reload(look_every, stop.clone()));
        }
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        refused.increment(1);
                        refuse(&stream);
                        continue;
                    };
                    let connections = Arc::clone(&connections);
                    tasks.spawn(async move {
                        connections.serve(stream, peer).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
        drop(self.listener);
        tasks.close();
        if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
            tracing::warn!(
                open = tasks.len(),
                ?grace,
                "connections are cut at shutdown"
            );
            connections.cut();
            tasks.wait().await;
        }
    }
}

/// Says that there is no place, without waiting for the client to read it.
fn refuse(stream: &TcpStream) {
    // The client may be gone already; the connection closes either way.
    let _ = stream.try_write(REFUSAL);
}

/// As many connections as asked for, as far as the system lets files be opened. Raises the soft limit to the hard one.
fn places(limits: &Limits) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let allowed = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: allowed.maximum,
        maximum: allowed.maximum,
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => allowed.maximum,
        Err(_) => allowed.current,
    };
    let files = current.map_or(usize::MAX, |files| {
        usize::try_from(files.saturating_sub(FILES_RESERVED).max(16)).unwrap_or(usize::MAX)
    });
    if files < limits.connections_max {
        tracing::warn!(
            connections_max = files,
            asked = limits.connections_max,
            "fewer connections than configured: the limit of open files is low (ulimit -n, LimitNOFILE)"
        );
    }
    limits.connections_max.min(files)
}
