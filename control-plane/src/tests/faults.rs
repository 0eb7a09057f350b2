//! A gateway that loses requests and answers, lies about amounts, repeats and forges webhooks.

use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Harness, WEBHOOK_SECRET, answer, in_time};
use crate::clock::real_unix_s;
use crate::gateway::scripted::Book;
use crate::gateway::{GatewayError, Outcome, signature};
use crate::health::Component;

mod both {
    crate::tests::on_both!(
        lost_answers_are_found_by_reference,
        lost_requests_are_sent_again_with_the_same_key,
        declined_and_wrong_amounts_fail,
        webhooks_are_hints,
        a_gateway_that_does_not_work_declines_nothing,
    );
}

async fn lost_answers_are_found_by_reference(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "lost_answer").await;
    h.until_payment_in_the_end(id, "captured").await;
    h.until_state(id, "placed").await;
    assert_eq!(
        h.gateway.book().charges.len(),
        1,
        "found, not charged again"
    );
    h.check_books(&town).await;
    h.stop().await;
}

async fn lost_requests_are_sent_again_with_the_same_key(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "lost_request").await;
    h.until_payment_in_the_end(id, "captured").await;
    h.until_state(id, "placed").await;
    let counts = |book: &Book| (book.charges.len(), book.payments.len());
    assert_eq!(counts(&h.gateway.book()), (1, 1));
    h.stop().await;
}

async fn declined_and_wrong_amounts_fail(h: Harness) {
    let town = h.town().await;
    let declined = h.place(&town, "decline").await;
    assert_eq!(
        h.until_state(declined, "payment_failed")
            .await
            .payment_state
            .as_str(),
        "declined"
    );
    let lied = h.place(&town, "wrong_amount").await;
    assert_eq!(
        h.until_state(lied, "payment_failed")
            .await
            .payment_state
            .as_str(),
        "disputed"
    );
    assert_eq!(
        h.account(&town, "gateway_clearing").await,
        0,
        "nothing was booked"
    );
    h.check_books(&town).await;
    h.stop().await;
}

async fn a_gateway_that_does_not_work_declines_nothing(h: Harness) {
    let town = h.town().await;
    for fault in [
        GatewayError::Unusable("401 Unauthorized".into()),
        GatewayError::Unusable("403 Forbidden".into()),
        GatewayError::Unknown("500 Internal Server Error".into()),
    ] {
        h.gateway.fail_with(Some(fault.clone()));
        let id = h.place(&town, "ok").await;
        let asked = h.gateway.book().asked;
        in_time("a call", async {
            while h.gateway.book().asked == asked {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        })
        .await;
        let order = h.summary(id).await;
        assert_eq!(order.state.as_str(), "pending_payment", "{fault}");
        if matches!(fault, GatewayError::Unusable(_)) {
            in_time("health", async {
                while h.app.health.fault(Component::Gateway).is_none() {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            })
            .await;
            // Orders are still taken and wait: operators see it, and the load balancer goes on sending.
            let answer = h.request(Method::GET, "/readyz", "").send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 200);
            let report: Value = answer.json().await.unwrap();
            let why = report["degraded"]["gateway"].as_str().unwrap_or("");
            assert!(why.contains(&fault.to_string()), "{report}");
        }
        h.gateway.fail_with(None);
        h.until_payment_in_the_end(id, "captured").await;
        h.until_state(id, "placed").await;
        assert!(h.app.health.fault(Component::Gateway).is_none());
    }
    // An order that ends meanwhile is expired, and its payment is none.
    h.gateway
        .fail_with(Some(GatewayError::Unusable("401".into())));
    let id = h.place(&town, "ok").await;
    h.until_payment(id, "sent").await;
    h.clock.advance(std::time::Duration::from_secs(15 * 60));
    h.until_state(id, "expired").await;
    h.gateway.fail_with(None);
    let order = h.until_payment_in_the_end(id, "voided").await;
    assert_eq!(order.state.as_str(), "expired");
    h.check_books(&town).await;
    h.stop().await;
}

async fn webhook(h: &Harness, header: &str, body: &str) -> (u16, Value) {
    let request = h
        .request(Method::POST, "/v1/payments/webhook", "")
        .header("doorstep-signature", header);
    answer(request.body(body.to_owned()).send().await.unwrap()).await
}

async fn webhooks_are_hints(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "pending").await;
    let gateway_id = h.until_charged(id).await;
    let event = |event_id: &str| {
        let told = json!({ "event_id": event_id, "type": "payment.captured", "payment_id": gateway_id,
                           "reference": id.to_string(), "amount_minor": 1 });
        told.to_string()
    };
    let body = event("evt_1");
    let now_s = real_unix_s();
    for (header, why) in [
        (
            signature::sign(b"another secret", now_s, body.as_bytes()),
            "another secret",
        ),
        (
            signature::sign(WEBHOOK_SECRET, now_s, b"{}"),
            "another body",
        ),
        (
            signature::sign(WEBHOOK_SECRET, now_s - 3_600, body.as_bytes()),
            "an old one",
        ),
        ("t=1".to_owned(), "no signature"),
    ] {
        assert_eq!(webhook(&h, &header, &body).await.0, 401, "{why}");
    }
    // Signed, but the gateway itself does not say so: nothing happens.
    let signed = |body: &str| signature::sign(WEBHOOK_SECRET, real_unix_s(), body.as_bytes());
    assert_eq!(webhook(&h, &signed(&body), &body).await.0, 204);
    assert_eq!(h.summary(id).await.payment_state.as_str(), "sent");

    h.gateway.settle(id, Outcome::Captured);
    assert_eq!(webhook(&h, &signed(&body), &body).await.0, 204);
    assert_eq!(
        h.summary(id).await.payment_state.as_str(),
        "sent",
        "evt_1 has had its effect"
    );
    let next = event("evt_2");
    assert_eq!(webhook(&h, &signed(&next), &next).await.0, 204);
    let placed = h.until_state(id, "placed").await;
    for repeat in [event("evt_2"), event("evt_3")] {
        assert_eq!(webhook(&h, &signed(&repeat), &repeat).await.0, 204);
    }
    assert_eq!(h.summary(id).await, placed);
    let unknown = json!({ "event_id": "evt_4", "payment_id": "gw_unknown" }).to_string();
    assert_eq!(webhook(&h, &signed(&unknown), &unknown).await.0, 204);
    assert_eq!(webhook(&h, &signed("junk"), "junk").await.0, 400);
    h.check_books(&town).await;
    h.stop().await;
}
