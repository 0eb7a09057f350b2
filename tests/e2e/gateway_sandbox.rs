//! `doorstep gateway-sandbox`: killed and started again, two on one book, SIGTERM with a half-sent request.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::processes::Server;

const ARGUMENTS: &[&str] = &[
    "gateway-sandbox",
    "--listen",
    "127.0.0.1:0",
    "--secret",
    "gateway.secret",
    "--generate",
    "--book",
    "book.jsonl",
];

async fn pay(base: &str) -> Value {
    let payment = json!({"amount_minor": 1_250, "currency": "EUR", "reference": "order-1", "method": "sandbox_ok"});
    doorstep_web::tls::install_provider();
    let request = reqwest::Client::new()
        .post(format!("{base}/v1/payments"))
        .header("Idempotency-Key", "key-1")
        .json(&payment);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_killed_gateway_remembers_and_a_second_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Server::start(folder.path(), ARGUMENTS);
    let base = first.last_word("payment gateway");
    let paid = pay(&base).await;
    let secret = std::fs::read(folder.path().join("gateway.secret")).unwrap();

    let mut second = Server::start(folder.path(), ARGUMENTS);
    assert_eq!(second.wait().code(), Some(1));
    assert!(
        second.said.iter().any(|line| line.contains("book.jsonl")),
        "{:?}",
        second.said
    );

    let (status, _) = first.end("KILL");
    assert_eq!(status.code(), None, "killed");
    let mut again = Server::start(folder.path(), ARGUMENTS);
    let base = again.last_word("payment gateway");
    assert_eq!(pay(&base).await, paid, "the same key is the same payment");
    assert_eq!(
        std::fs::read(folder.path().join("gateway.secret")).unwrap(),
        secret,
        "a secret is never replaced"
    );

    let address = base.strip_prefix("http://").unwrap();
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        .unwrap();
    let (status, took) = again.end("TERM");
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
}
