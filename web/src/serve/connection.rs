//! One connection: TLS if asked for, HTTP/1.1 or HTTP/2, its deadlines, its end.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::ServeConfig;
use super::body::{EndingBody, client_addr, timed, too_slow};
use super::progress::{Noting, Progress, Waiting};

/// How much longer a head that has begun may take once the server is told to stop.
const HEAD_AT_SHUTDOWN: Duration = Duration::from_secs(2);
/// How often a quiet HTTP/2 connection is asked whether it is still there, and how long it may take to say so.
const HTTP2_KEEP_ALIVE: Duration = Duration::from_secs(20);
/// The most bytes of headers on HTTP/2.
const HTTP2_HEADERS_MAX: u32 = 64 * 1024;
/// The most bytes of a body that HTTP/2 clients may send ahead of the reader, for one request and for all of a connection.
const HTTP2_WINDOW: u32 = 64 * 1024;

/// What all connections of a listener share.
pub(super) struct Connections {
    router: Router,
    config: ServeConfig,
    http: auto::Builder<TokioExecutor>,
    stop: CancellationToken,
    cut: CancellationToken,
    open: metrics::Gauge,
}

/// How a connection ended.
enum End {
    Closed,
    Failed(Box<dyn std::error::Error + Send + Sync>),
    TimedOut(Waiting),
    Cut,
}

impl Connections {
    pub(super) fn new(router: Router, config: ServeConfig, stop: CancellationToken) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            // The connection's own deadlines know idle time from a slow head; these would cut both alike.
            .header_read_timeout(None)
            .max_buf_size(config.limits.head_bytes_max.max(8_192));
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(config.limits.http2_streams_max)
            .max_header_list_size(HTTP2_HEADERS_MAX)
            .initial_stream_window_size(HTTP2_WINDOW)
            .initial_connection_window_size(HTTP2_WINDOW * 4)
            .keep_alive_interval(HTTP2_KEEP_ALIVE)
            .keep_alive_timeout(HTTP2_KEEP_ALIVE);
        Self {
            open: metrics::gauge!("doorstep_http_connections_open", "listener" => config.listener),
            router,
            config,
            http,
            stop,
            cut: CancellationToken::new(),
        }
    }

    /// Ends every connection now.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    /// Serves a connection until it ends.
    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        self.open.increment(1.0);
        // Answers are small and wanted at once; where it cannot be set they are only later.
        let _ = stream.set_nodelay(true);
        let end = match &self.config.tls {
            None => self.speak(stream, peer).await,
            // Apart, so that a plain connection does not carry the space of TLS.
            Some(tls) => {
                Box::pin(async {
                    let handshake = timeout(self.config.limits.head_timeout, tls.accept(stream));
                    let handshake = tokio::select! {
                        handshake = handshake => handshake,
                        () = self.stop.cancelled() => return End::Cut,
                    };
                    match handshake {
                        Err(_) => End::TimedOut(Waiting::Head),
                        Ok(Err(error)) => End::Failed(error.into()),
                        Ok(Ok(stream)) => self.speak(stream, peer).await,
                    }
                })
                .await
            }
        };
        self.open.decrement(1.0);
        match end {
            End::Closed | End::Cut => {}
            End::Failed(error) => tracing::debug!(%error, %peer, "a connection failed"),
            End::TimedOut(waiting) => {
                let listener = self.config.listener;
                metrics::counter!("doorstep_http_connections_timed_out_total",
                    "listener" => listener, "waiting" => waiting.name())
                .increment(1);
                tracing::debug!(%peer, ?waiting, "a connection took too long");
            }
        }
    }

    async fn speak<I>(&self, stream: I, peer: SocketAddr) -> End
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let progress = Arc::new(Progress::new(&self.config.limits));
        let io = TokioIo::new(Noting {
            inner: stream,
            progress: Arc::clone(&progress),
        });
        let of_service = Arc::clone(&progress);
        let router = self.router.clone();
        let timeout = self.config.limits.body_timeout;
        let trusted = Arc::clone(&self.config.trusted_proxies);
        let service = service_fn(move |request: Request<Incoming>| {
            let version = request.version();
            let serving = of_service.begin(version == Version::HTTP_2);
            let client = client_addr(peer, request.headers(), &trusted);
            let router = router.clone();
            async move {
                let (mut request, is_late) = timed(request, timeout);
                request.extensions_mut().insert(client);
                let Ok(mut answer) = router.oneshot(request).await;
                let is_late = is_late.is_some_and(|late| late.load(Ordering::Relaxed));
                if is_late
                    && (answer.status().is_client_error() || answer.status().is_server_error())
                {
                    answer = too_slow(answer, timeout, version);
                }
                let answer: Response<Body> = answer;
                Ok::<_, std::convert::Infallible>(answer.map(|inner| EndingBody {
                    inner,
                    _serving: serving,
                }))
            }
        });
        let connection = pin!(self.http.serve_connection(io, service));
        self.drive(connection, &progress).await
    }

    /// Polls the connection and, on the same task, looks at its deadline, which every poll may have moved.
    async fn drive<C>(&self, mut connection: Pin<&mut C>, progress: &Progress) -> End
    where
        C: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Graceful,
    {
        let mut stop = pin!(self.stop.cancelled());
        let mut cut = pin!(self.cut.cancelled());
        let mut sleep = pin!(sleep_until(Instant::now()));
        let mut is_stopping = false;
        poll_fn(|context| {
            if !is_stopping && stop.as_mut().poll(context).is_ready() {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
                progress.hasten(HEAD_AT_SHUTDOWN);
            }
            if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                return Poll::Ready(ended.map_or_else(End::Failed, |()| End::Closed));
            }
            if cut.as_mut().poll(context).is_ready() {
                return Poll::Ready(End::Cut);
            }
            if is_stopping {
                progress.hasten(HEAD_AT_SHUTDOWN);
            }
            let Some((at, waiting)) = progress.deadline() else {
                return Poll::Pending;
            };
            if sleep.deadline() != at {
                sleep.as_mut().reset(at);
            }
            sleep
                .as_mut()
                .poll(context)
                .map(|()| End::TimedOut(waiting))
        })
        .await
    }
}

/// A connection that can be asked to end after the requests that it has.
trait Graceful {
    fn graceful_shutdown(self: Pin<&mut Self>);
}

impl<I, S, E, B> Graceful for auto::Connection<'_, I, S, E>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: auto::HttpServerConnExec<S::Future, B>,
{
    fn graceful_shutdown(self: Pin<&mut Self>) {
        auto::Connection::graceful_shutdown(self);
    }
}
