//! The limits of a running control plane.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;

use crate::api::{Api, Ask};
use crate::processes::Server;
use crate::site::Site;

/// How many customers an address may make at once, and how long it waits for one more: `docs/operations.md`.
const AT_ONCE: usize = 30;
const ONE_MORE_EACH: Duration = Duration::from_secs(6);

const CUSTOMERS: usize = 300;

#[tokio::test]
async fn an_address_that_makes_customers_in_a_row_is_asked_to_wait() {
    let site = Site::new();
    let mut server = Server::spawn(site.doorstep(
        "control-plane --listen 127.0.0.1:0 --private-listen 127.0.0.1:0 --token-key token.key \
         --gateway-secret gateway.secret --gateway-url http://127.0.0.1:9 --dispatch http://127.0.0.1:9",
    ));
    let private = server.last_word("private on");
    let api = Api::at(&server.wait_for("control plane on"));
    let began = Instant::now();
    let mut answers = Vec::new();
    for _ in 0..CUSTOMERS {
        let ask = Ask::post("/v1/customers", "", json!({"name": "Ada"}));
        answers.push(api.send(ask).await.unwrap());
    }
    let took = began.elapsed();
    let made = |status: &StatusCode| *status == StatusCode::CREATED;
    assert!(answers[..AT_ONCE].iter().all(|(status, _)| made(status)));
    let more = answers[AT_ONCE..].iter().filter(|(status, _)| made(status));
    let (more, allowed) = (more.count(), took.as_secs() / ONE_MORE_EACH.as_secs() + 1);
    assert!(
        u64::try_from(more).unwrap() <= allowed,
        "{more} more in {took:?}"
    );
    for (status, body) in answers.iter().filter(|(status, _)| !made(status)) {
        assert_eq!(*status, StatusCode::TOO_MANY_REQUESTS, "{body}");
        assert_eq!(body["code"], "too_many_requests", "{body}");
    }
    let refused = CUSTOMERS - AT_ONCE - more;
    let figures = reqwest::get(format!("{private}/metrics")).await.unwrap();
    let figures = figures.text().await.unwrap();
    let counted = figures
        .lines()
        .find(|line| line.starts_with("doorstep_http_limited_total{"));
    let counted = counted.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    assert_eq!(counted, Some(refused), "{figures}");
    // Who is known is not held back by it.
    let admin = site.token(doorstep_dispatch_wire::token::Audience::Admin, "operator");
    api.get("/v1/admin/orders/summary", &admin).await;
}
