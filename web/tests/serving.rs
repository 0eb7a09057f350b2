//! Servers on real sockets: slow and many clients, shutdown, HTTPS, streams, limits, figures.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use doorstep_web::limits::{Limiter, Rate, RateLimits, limit};
use doorstep_web::readiness::Readiness;
use doorstep_web::serve::{Bound, Limits, ServeConfig};
use doorstep_web::tls::{CertificateFiles, ServerTls, client_config, is_distrust};
use doorstep_web::{figures, private};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

/// A hang fails the test; nothing is timed by it.
const HANG: Duration = Duration::from_secs(30);

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn quick() -> Limits {
    Limits {
        head_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        shutdown_grace: Duration::from_millis(500),
        ..Limits::default()
    }
}

async fn served(router: Router, configure: impl FnOnce(&mut ServeConfig)) -> Served {
    let mut config = ServeConfig::new("public");
    config.limits = quick();
    configure(&mut config);
    let bound = Bound::to(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = bound.address();
    let stop = CancellationToken::new();
    let task = tokio::spawn(bound.serve(router, config, stop.clone()));
    Served {
        address,
        stop,
        task,
    }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ask(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }

    async fn shutdown(self) {
        self.stop.cancel();
        timeout(HANG, self.task).await.unwrap().unwrap();
    }
}

/// All that comes until the server closes; a reset is an end too.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let read = timeout(HANG, stream.read_to_end(&mut bytes)).await;
    drop(read.expect("the server closes"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer of a connection that stays open, with a body of `length` bytes.
async fn one(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &str,
    end: &str,
) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = String::new();
    let mut buffer = [0; 4_096];
    while !read.ends_with(end) {
        let count = timeout(HANG, stream.read(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        assert!(count > 0, "closed after {read:?}");
        read.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    read
}

fn app() -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/echo", post(|body: String| async { body }))
        .route("/people/{id}", get(|| async { "somebody" }))
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                "done"
            }),
        )
        .route("/stream", get(stream))
}

async fn stream() -> Sse<impl futures::Stream<Item = Result<Event, Infallible>>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let _ = sender.send(Ok(Event::default().data("first"))).await;
        sender.closed().await;
    });
    Sse::new(tokio_stream::wrappers::ReceiverStream::new(receiver)).keep_alive(KeepAlive::default())
}

const HELLO: &str = "GET /hello HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_half_sent_head_is_cut_and_an_idle_connection_is_not() {
    let served = served(app(), |_| {}).await;
    let mut silent = served.connect().await;
    let mut half = served.connect().await;
    half.write_all(b"GET /hello HTTP/1.1\r\nhost:")
        .await
        .unwrap();
    let mut dripping = served.connect().await;
    let mut idle = served.connect().await;
    assert!(
        one(&mut idle, HELLO, "hello")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let began = Instant::now();
    let drip = tokio::spawn(async move {
        for byte in b"GET /hello HTTP/1.1\r\nhost: dripping".iter().cycle() {
            if dripping.write_all(&[*byte]).await.is_err() || began.elapsed() > HANG {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    });
    assert_eq!(rest(&mut half).await, "");
    assert_eq!(rest(&mut silent).await, "");
    assert!(
        drip.await.unwrap() < HANG,
        "a byte now and then buys no time"
    );
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(
        one(&mut idle, HELLO, "hello")
            .await
            .starts_with("HTTP/1.1 200")
    );
    served.shutdown().await;
}

#[tokio::test]
async fn a_slow_body_is_answered_with_408() {
    let served = served(app(), |_| {}).await;
    let half = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf";
    let answer = served.ask(half).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(answer.contains("\"code\":\"timeout\""), "{answer}");
    let whole =
        "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nhalf";
    assert!(served.ask(whole).await.ends_with("half"));
    served.shutdown().await;
}

#[tokio::test]
async fn one_connection_too_many_is_refused_and_a_long_head_too() {
    let served = served(app(), |config| config.limits.connections_max = 2).await;
    let mut first = served.connect().await;
    let mut second = served.connect().await;
    one(&mut first, HELLO, "hello").await;
    one(&mut second, HELLO, "hello").await;
    let refused = rest(&mut served.connect().await).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("retry-after: 1"), "{refused}");
    drop(second);
    let long = format!("GET /hello HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let deadline = Instant::now() + HANG;
    loop {
        // The place of the one that left may take a moment to be free.
        let answer = served.ask(&long).await;
        if answer.starts_with("HTTP/1.1 431 ") {
            break;
        }
        assert!(Instant::now() < deadline, "{answer}");
    }
    served.shutdown().await;
}

#[tokio::test]
async fn answers_under_way_go_out_and_the_rest_is_cut_at_shutdown() {
    let served = served(app(), |config| {
        config.limits.head_timeout = HANG;
        config.limits.body_timeout = HANG;
    })
    .await;
    let mut half = served.connect().await;
    half.write_all(b"GET /hel").await.unwrap();
    let mut body = served.connect().await;
    body.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf")
        .await
        .unwrap();
    let mut idle = served.connect().await;
    one(&mut idle, HELLO, "hello").await;
    let mut stream = served.connect().await;
    one(
        &mut stream,
        "GET /stream HTTP/1.1\r\nhost: x\r\n\r\n",
        "data: first\n\n\r\n",
    )
    .await;
    let mut slow = served.connect().await;
    slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    // The slow request is under way once another that came later has been answered.
    one(&mut idle, HELLO, "hello").await;
    let began = Instant::now();
    let address = served.address;
    served.stop.cancel();
    let answer = rest(&mut slow).await;
    assert!(answer.ends_with("done"), "{answer}");
    timeout(HANG, served.task).await.unwrap().unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    for mut cut in [half, body, idle, stream] {
        rest(&mut cut).await;
    }
    assert!(TcpStream::connect(address).await.is_err());
}

/// A certificate of its own making in two files; answers the certificate as PEM.
fn certificate(folder: &std::path::Path) -> (CertificateFiles, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = CertificateFiles {
        chain: folder.join("chain.pem"),
        key: folder.join("key.pem"),
    };
    std::fs::write(&files.chain, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    (files, made.cert.pem())
}

async fn over_tls(address: SocketAddr, ca: &std::path::Path) -> std::io::Result<String> {
    let config = client_config(Some(ca)).unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(address).await?;
    let name = "localhost".try_into().unwrap();
    let mut stream = timeout(HANG, connector.connect(name, stream)).await??;
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await?;
    Ok(rest(&mut stream).await)
}

#[tokio::test]
async fn https_is_served_and_a_new_certificate_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let (files, first) = certificate(folder.path());
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &first).unwrap();
    let served = served(app(), |config| {
        config.tls = Some(ServerTls::open(files.clone()).unwrap());
        config.certificate_look_every = Duration::from_millis(20);
    })
    .await;
    let answer = over_tls(served.address, &ca).await.unwrap();
    assert!(answer.ends_with("hello"), "{answer}");

    let (_, second) = certificate(folder.path());
    // The first is presented until the files are looked at.
    let replaced = async {
        loop {
            match over_tls(served.address, &ca).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                Err(error) => return error,
            }
        }
    };
    let refused = timeout(HANG, replaced)
        .await
        .expect("the old certificate is still presented");
    assert!(is_distrust(&refused), "{refused}");
    assert!(!is_distrust(&std::io::Error::other("refused")));
    std::fs::write(&ca, &second).unwrap();
    over_tls(served.address, &ca).await.unwrap();

    std::fs::write(&files.chain, "no certificate").unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    over_tls(served.address, &ca).await.unwrap();
    let refused = ServerTls::open(files).map(drop).unwrap_err().to_string();
    assert!(
        refused.contains("chain.pem: expected PEM with a certificate"),
        "{refused}"
    );
    let plain = served.ask(HELLO).await;
    assert!(!plain.contains("hello"), "{plain}");
    served.shutdown().await;
}

fn limited(limits: RateLimits) -> Router {
    let by_header = |headers: &HeaderMap| {
        let name = headers.get("principal")?;
        name.to_str().ok().map(str::to_owned)
    };
    let limiter = Limiter::new(limits, &[(axum::http::Method::POST, "/echo")], by_header);
    app().layer(from_fn_with_state(limiter, limit))
}

#[tokio::test]
async fn who_asks_too_often_is_asked_to_wait() {
    let rate = |burst| {
        Some(Rate {
            every: Duration::from_secs(60),
            burst,
        })
    };
    let limits = RateLimits {
        anonymous: rate(3),
        principal: rate(2),
        ..RateLimits::default()
    };
    let served = served(limited(limits), |_| {}).await;
    let make = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx";
    for attempt in 0..6 {
        let answer = served.ask(make).await;
        let expected = if attempt < 3 {
            "HTTP/1.1 200 "
        } else {
            "HTTP/1.1 429 "
        };
        assert!(answer.starts_with(expected), "{attempt}: {answer}");
        assert_eq!(answer.contains("retry-after: "), attempt >= 3, "{answer}");
    }
    let as_anna = "GET /hello HTTP/1.1\r\nhost: x\r\nprincipal: anna\r\nconnection: close\r\n\r\n";
    for attempt in 0..4 {
        let answer = served.ask(as_anna).await;
        assert_eq!(answer.starts_with("HTTP/1.1 200 "), attempt < 2, "{answer}");
    }
    let as_ben = as_anna.replace("anna", "ben");
    assert!(served.ask(&as_ben).await.starts_with("HTTP/1.1 200 "));
    served.shutdown().await;
}

#[tokio::test]
async fn streams_of_a_principal_are_bounded_and_given_back() {
    let limits = RateLimits {
        streams_max: Some(2),
        ..RateLimits::default()
    };
    let served = served(limited(limits), |_| {}).await;
    let ask = "GET /stream HTTP/1.1\r\nhost: x\r\nprincipal: anna\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = served.connect().await;
        one(&mut stream, ask, "data: first\n\n\r\n").await;
        open.push(stream);
    }
    let third = ask.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    assert!(served.ask(&third).await.starts_with("HTTP/1.1 429 "));
    open.clear();
    let deadline = Instant::now() + HANG;
    loop {
        let mut stream = served.connect().await;
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        if &start == b"HTTP/1.1 200" {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "the places of closed streams are free again"
        );
    }
    served.shutdown().await;
}

#[tokio::test]
async fn figures_and_readiness_are_on_the_private_listener() {
    figures::record().unwrap();
    let public = served(app().layer(from_fn(figures::measure)), |_| {}).await;
    let readiness = Readiness::default();
    readiness.check("database", async || Ok(()));
    let private = served(private::router(readiness.clone()), |config| {
        config.listener = "private"
    })
    .await;
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    public.ask(&ask("/people/7")).await;
    public.ask(&ask("/people/8")).await;
    public.ask(&ask("/nowhere/9")).await;
    let shown = private.ask(&ask("/metrics")).await;
    for line in [
        "doorstep_http_requests_total{method=\"GET\",route=\"/people/{id}\",status=\"2xx\"} 2",
        "doorstep_http_requests_total{method=\"GET\",route=\"none\",status=\"4xx\"} 1",
        "doorstep_http_request_duration_seconds_bucket{method=\"GET\",route=\"/people/{id}\",le=\"0.5\"} 2",
        "doorstep_http_connections_open{listener=\"private\"}",
        "doorstep_process_resident_memory_bytes ",
        "doorstep_process_open_files ",
        "doorstep_process_uptime_seconds ",
    ] {
        assert!(shown.contains(line), "no {line} in {shown}");
    }
    assert!(!shown.contains("/people/7"), "a path is no label");
    let ready = private.ask(&ask("/readyz")).await;
    assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
    readiness.check("database", async || Err("disk full".to_owned()));
    let ready = private.ask(&ask("/readyz")).await;
    assert!(ready.starts_with("HTTP/1.1 503 "), "{ready}");
    assert!(ready.contains("\"database\":\"disk full\""), "{ready}");
    assert!(private.ask(&ask("/healthz")).await.ends_with("ok"));
    private.shutdown().await;
    public.shutdown().await;
}
