//! What is sent again and what is not, against a server that answers from a list.

use std::time::Duration;

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use doorstep_api::ids::QuoteId;
use doorstep_api::orders::OrderView;

use super::{Api, ApiError};

const PLACED: &str = include_str!("placed.json");
const IN_FLIGHT: &str = r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"busy","code":"in_flight","request_id":"1"}"#;

/// Answers one request a connection; what it was asked comes back at the end.
async fn server(answers: Vec<(u16, &'static str)>) -> (Api, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let mut requests = Vec::new();
        for (status, body) in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_whole(&request) {
                assert!(
                    socket.read_buf(&mut request).await.unwrap() > 0,
                    "the request was cut off"
                );
            }
            requests.push(String::from_utf8(request).unwrap());
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (Api::new(&base, Duration::from_secs(10)).unwrap(), asked)
}

/// Head and as much body as the head says.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

async fn order(api: &Api, key: Uuid) -> Result<OrderView, ApiError> {
    let quote = QuoteId::from_uuid(Uuid::from_u128(1));
    api.order("token", key, quote, "sandbox_ok").await
}

#[tokio::test]
async fn an_order_is_sent_again_with_the_same_key_until_it_is_answered() {
    let (api, asked) = server(vec![(503, "{}"), (409, IN_FLIGHT), (201, PLACED)]).await;
    let key = Uuid::from_u128(42);
    let view = order(&api, key).await.unwrap();
    assert_eq!(view.order_id.uuid(), Uuid::from_u128(7));
    let requests = asked.await.unwrap();
    assert_eq!(requests.len(), 3);
    let header = format!("idempotency-key: {key}\r\n");
    for request in &requests {
        assert!(
            request.starts_with("POST /v1/orders HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains(&header), "{request}");
    }
}

#[tokio::test]
async fn a_refusal_is_not_sent_again_and_says_why() {
    let (api, asked) = server(vec![(409, r#"{"code":"quote_expired"}"#)]).await;
    let error = order(&api, Uuid::nil()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::CONFLICT));
    assert!(error.to_string().contains("quote_expired"), "{error}");
    assert_eq!(asked.await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_not_as_agreed_is_an_error() {
    let (api, _asked) = server(vec![(201, r#"{"order":"7"}"#)]).await;
    let error = order(&api, Uuid::nil()).await.unwrap_err();
    assert!(matches!(error, ApiError::Answer { .. }), "{error}");
}
