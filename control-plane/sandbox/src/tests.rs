//! The sandbox over real HTTP, with a webhook receiver of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Event, Running, SIGNATURE_HEADER, SandboxConfig, SigningSecret, sign, start};

const SECRET: &[u8] = b"sandbox secret";

struct Received {
    event: Event,
    signature: String,
    body: Bytes,
}

struct Receiver {
    url: String,
    webhooks: mpsc::Receiver<Received>,
}

/// Refuses the first `refusals` webhooks with 500, then takes all.
async fn receiver(refusals: u32) -> Receiver {
    let (sender, webhooks) = mpsc::channel(64);
    let left = Arc::new(AtomicU32::new(refusals));
    let handler = move |headers: HeaderMap, body: Bytes| async move {
        let signature = headers[SIGNATURE_HEADER].to_str().unwrap().to_owned();
        let event = serde_json::from_slice(&body).unwrap();
        sender
            .send(Received {
                event,
                signature,
                body,
            })
            .await
            .unwrap();
        match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        }) {
            Ok(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Err(_) => StatusCode::NO_CONTENT,
        }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/hook", post(handler)))
            .await
            .unwrap()
    });
    Receiver { url, webhooks }
}

async fn sandbox(webhook_url: Option<String>) -> Running {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = SandboxConfig {
        webhook_url,
        settle_after: Duration::ZERO,
        withhold: Duration::from_secs(3_600),
        webhook_first_backoff: Duration::from_millis(1),
        duplicate_every: 0,
        ..SandboxConfig::new(listen, SigningSecret::new(SECRET))
    };
    start(config).await.unwrap()
}

fn payment(reference: &str, method: &str) -> Value {
    json!({"amount_minor": 1_250, "currency": "EUR", "reference": reference, "method": method})
}

async fn send(running: &Running, path: &str, key: &str, body: &Value) -> (StatusCode, Value) {
    let response = reqwest::Client::new()
        .post(format!("http://{}{path}", running.addr))
        .header("Idempotency-Key", key)
        .json(body)
        .send()
        .await
        .unwrap();
    (response.status(), response.json().await.unwrap())
}

async fn get(running: &Running, path: &str) -> (StatusCode, Value) {
    let response = reqwest::get(format!("http://{}{path}", running.addr))
        .await
        .unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn approves_signs_and_tells() {
    let mut receiver = receiver(0).await;
    let running = sandbox(Some(receiver.url.clone())).await;
    let (status, body) = send(
        &running,
        "/v1/payments",
        "k1",
        &payment("order-1", "sandbox_ok"),
    )
    .await;
    assert_eq!(
        (status, body["status"].as_str()),
        (StatusCode::OK, Some("captured"))
    );

    let received = receiver.webhooks.recv().await.unwrap();
    assert_eq!(received.event.kind, "payment.captured");
    assert_eq!(received.event.reference, "order-1");
    let stamp = received
        .signature
        .strip_prefix("t=")
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(received.signature, sign(SECRET, stamp, &received.body));

    let (_, found) = get(&running, "/v1/payments?reference=order-1").await;
    assert_eq!(found["payment_id"], body["payment_id"]);
    running.shutdown().await;
}

#[tokio::test]
async fn the_same_key_pays_once() {
    let running = sandbox(None).await;
    let (_, first) = send(&running, "/v1/payments", "k", &payment("a", "sandbox_ok")).await;
    let (_, again) = send(&running, "/v1/payments", "k", &payment("a", "sandbox_ok")).await;
    assert_eq!(first, again);
    let (status, problem) = send(&running, "/v1/payments", "k", &payment("b", "sandbox_ok")).await;
    assert_eq!(
        (status, problem["status"].as_u64()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some(422))
    );
    running.shutdown().await;
}

#[tokio::test]
async fn declines_and_refuses_a_refund_of_it() {
    let running = sandbox(None).await;
    let (_, declined) = send(
        &running,
        "/v1/payments",
        "k",
        &payment("a", "sandbox_decline"),
    )
    .await;
    assert_eq!(declined["status"], "declined");
    let path = format!(
        "/v1/payments/{}/refunds",
        declined["payment_id"].as_str().unwrap()
    );
    let (status, _) = send(&running, &path, "r", &json!({"amount_minor": 1})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    running.shutdown().await;
}

#[tokio::test]
async fn refunds_up_to_the_captured_amount() {
    let mut receiver = receiver(0).await;
    let running = sandbox(None).await;
    let mut body = payment("a", "sandbox_ok");
    body["webhook_url"] = json!(receiver.url);
    let (_, paid) = send(&running, "/v1/payments", "k", &body).await;
    let path = format!("/v1/payments/{}", paid["payment_id"].as_str().unwrap());
    let refunds = format!("{path}/refunds");
    let (status, refund) = send(&running, &refunds, "r1", &json!({"amount_minor": 1_000})).await;
    assert_eq!(
        (status, refund["amount_minor"].as_i64()),
        (StatusCode::OK, Some(1_000))
    );
    let (status, _) = send(&running, &refunds, "r2", &json!({"amount_minor": 251})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(get(&running, &path).await.1["refunded_minor"], 1_000);
    let kinds = [
        receiver.webhooks.recv().await.unwrap(),
        receiver.webhooks.recv().await.unwrap(),
    ]
    .map(|received| received.event.kind);
    assert!(
        kinds.contains(&"payment.captured".to_owned())
            && kinds.contains(&"payment.refunded".to_owned())
    );
    running.shutdown().await;
}

/// The webhook arrives while the answer is still withheld: the withheld future must not be the one that finishes.
async fn withheld_payment(method: &str, copies: usize) -> Vec<Event> {
    let mut receiver = receiver(0).await;
    let running = sandbox(Some(receiver.url.clone())).await;
    let body = payment("late", method);
    let mut events = Vec::new();
    {
        let answer = send(&running, "/v1/payments", "k", &body);
        tokio::pin!(answer);
        while events.len() < copies {
            tokio::select! {
                (status, _) = &mut answer => panic!("answered {status} although the answer is withheld"),
                received = receiver.webhooks.recv() => events.push(received.unwrap().event),
            }
        }
    }
    let (_, found) = get(&running, "/v1/payments?reference=late").await;
    let expected = if method == "sandbox_timeout" {
        "declined"
    } else {
        "captured"
    };
    assert_eq!(found["status"], expected);
    let (status, repeated) = send(&running, "/v1/payments", "k", &body).await;
    assert_eq!(
        (status, &repeated["payment_id"]),
        (StatusCode::OK, &found["payment_id"])
    );
    running.shutdown().await;
    events
}

#[tokio::test]
async fn times_out_and_turns_out_declined() {
    let events = withheld_payment("sandbox_timeout", 1).await;
    assert_eq!(events[0].kind, "payment.declined");
}

#[tokio::test]
async fn times_out_then_captures_and_tells_twice() {
    let events = withheld_payment("sandbox_timeout_then_ok", 2).await;
    assert_eq!(events[0], events[1]);
    assert_eq!(events[0].kind, "payment.captured");
}

#[tokio::test]
async fn tries_a_refused_webhook_again() {
    let mut receiver = receiver(2).await;
    let running = sandbox(Some(receiver.url.clone())).await;
    send(&running, "/v1/payments", "k", &payment("a", "sandbox_ok")).await;
    let mut tries = Vec::new();
    for _ in 0..3 {
        tries.push(receiver.webhooks.recv().await.unwrap().event.event_id);
    }
    assert!(
        tries.iter().all(|id| *id == tries[0]),
        "every try carries the same event id"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn wrong_requests_get_a_problem_body() {
    let running = sandbox(None).await;
    let url = format!("http://{}/v1/payments", running.addr);
    let no_key = reqwest::Client::new()
        .post(&url)
        .json(&payment("a", "sandbox_ok"))
        .send()
        .await
        .unwrap();
    assert_eq!(no_key.status(), StatusCode::BAD_REQUEST);
    assert_eq!(no_key.headers()["content-type"], "application/problem+json");
    let (status, _) = send(&running, "/v1/payments", "k", &payment("a", "cash")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = get(&running, "/v1/payments?reference=nobody").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    running.shutdown().await;
}

/// The webhook that nobody took before the restart arrives after it, and the payment is still there.
#[tokio::test]
async fn a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = SandboxConfig {
        book: Some(folder.path().join("book.jsonl")),
        settle_after: Duration::from_millis(1),
        duplicate_every: 0,
        // The first process is stopped between its first and its second try.
        webhook_first_backoff: Duration::from_secs(3_600),
        ..SandboxConfig::new(
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            SigningSecret::new(SECRET),
        )
    };
    let mut receiver = receiver(1).await;
    let mut body = payment("kept", "sandbox_ok");
    body["webhook_url"] = json!(receiver.url);
    let running = start(config.clone()).await.unwrap();
    let (_, first) = send(&running, "/v1/payments", "k", &body).await;
    let refused = receiver.webhooks.recv().await.unwrap();
    running.shutdown().await;

    let running = start(config).await.unwrap();
    let repeated = receiver.webhooks.recv().await.unwrap();
    assert_eq!(repeated.event, refused.event);
    let (status, again) = send(&running, "/v1/payments", "k", &body).await;
    assert_eq!((status, again), (StatusCode::OK, first));
    running.shutdown().await;
}

/// The worked example of the protocol's page is what this gateway sends, byte for byte.
#[test]
fn the_example_of_the_page_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/payment-gateway.md");
    let page = std::fs::read_to_string(path).unwrap();
    let block = |name: &str| {
        let open = format!("```{name}\n");
        let from = page
            .find(&open)
            .unwrap_or_else(|| panic!("no block {name}"))
            + open.len();
        let rest = &page[from..];
        rest[..rest.find("\n```").unwrap()].to_owned()
    };
    let (secret, body) = (block("text secret"), block("json webhook"));
    assert_eq!(
        block("text signature"),
        format!(
            "{SIGNATURE_HEADER}: {}",
            sign(secret.as_bytes(), 1_798_761_600, body.as_bytes())
        )
    );
    let event: Event = serde_json::from_str(&body).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), body);
    let request: super::PaymentRequest =
        serde_json::from_str(&block("json payment-request")).unwrap();
    assert_eq!(request.reference, event.reference);
    let _: super::Payment = serde_json::from_str(&block("json payment")).unwrap();
    let _: super::Refund = serde_json::from_str(&block("json refund")).unwrap();
}
