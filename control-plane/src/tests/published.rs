//! What is published is what `doorstep-events` describes: subjects and bodies.

use doorstep_events::{Published, Subject};
use serde_json::{Value, json};

use super::harness::{Harness, in_time};
use crate::domain::delivery::{self, ByHand, EtaBand, Phase, Report};
use crate::domain::ids::DriverId;
use crate::domain::lifecycle::Event;
use crate::domain::money::{Currency, Money};
use crate::domain::{order, payment};
use crate::events::subjects::subject_of;

/// Reads a body with the published schema and checks that what the schema says is what was written.
fn read(body: &[u8]) -> Published {
    let written: Value = serde_json::from_slice(body).unwrap();
    let published: Published =
        serde_json::from_slice(body).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_within(&serde_json::to_value(&published).unwrap(), &written);
    published
}

/// Every field of `part` is in `whole` with the same value; `whole` may have more.
fn assert_within(part: &Value, whole: &Value) {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            for (key, value) in part {
                assert_within(value, whole.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(part), Value::Array(whole)) => {
            assert_eq!(part.len(), whole.len());
            part.iter()
                .zip(whole)
                .for_each(|(a, b)| assert_within(a, b));
        }
        (part, whole) => assert_eq!(part, whole),
    }
}

#[test]
fn the_schema_describes_every_event_of_the_log() {
    let text = || "text".to_owned();
    let band = EtaBand {
        p10_ms: 1,
        p50_ms: 2,
        p90_ms: 3,
    };
    let report = Report {
        seq: 2,
        at_ms: 5,
        phase: Phase::Searching,
        driver_id: Some(DriverId::new(7)),
        pickup_eta_ms: Some(10),
        dropoff_eta_ms: None,
        pickup_band: Some(band),
        dropoff_band: None,
        promised_dropoff_ms: Some(30),
        search_level: 1,
    };
    let by_hand = ByHand {
        driver_id: DriverId::new(7),
        by: text(),
        reason: text(),
    };
    let disputed = payment::Event::Disputed {
        gateway_payment_id: text(),
        amount: Money::new(5, Currency::EUR),
    };
    let events = [
        Event::Order(order::Event::PaymentFailed { why: text() }),
        Event::Order(order::Event::Accepted { ready_at_ms: 1 }),
        Event::Order(order::Event::Ready),
        Event::Order(order::Event::PickedUp),
        Event::Order(order::Event::Delivered),
        Event::Order(order::Event::Expired),
        Event::Order(order::Event::Cancelled {
            by: order::Party::System,
            reason: text(),
        }),
        Event::Order(order::Event::Placed),
        Event::Order(order::Event::Rejected { reason: text() }),
        Event::Order(order::Event::Finalized),
        Event::Order(order::Event::Reinstated {
            state: order::State::PickedUp,
        }),
        Event::Payment(payment::Event::Sent),
        Event::Payment(payment::Event::RefundRequested),
        Event::Payment(payment::Event::RefundWithdrawn),
        Event::Payment(payment::Event::Declined { why: text() }),
        Event::Payment(payment::Event::Voided),
        Event::Payment(disputed),
        Event::Delivery(delivery::Event::Requested { ready_at_ms: 1 }),
        Event::Delivery(delivery::Event::RequestedAgain { ready_at_ms: 1 }),
        Event::Delivery(delivery::Event::ReadyTimeChanged { ready_at_ms: 1 }),
        Event::Delivery(delivery::Event::CancelRequested { reason: text() }),
        Event::Delivery(delivery::Event::Reported(report)),
        Event::Delivery(delivery::Event::AssignedByHand(by_hand)),
    ];
    for event in events {
        let body = json!({ "order_id": "ord_1", "seq": 1, "at_ms": 1, "event": &event });
        let published = read(body.to_string().as_bytes());
        assert_eq!(Subject::of(&published.event), subject_of(&event));
        assert_eq!(
            serde_json::to_value(&published.event).unwrap(),
            body["event"],
            "the schema leaves nothing out"
        );
    }
}

async fn the_bus_carries_what_the_schema_describes(h: Harness) {
    let mut bus = h.bus.subscribe();
    let town = h.town().await;
    let id = h.place(&town, "sandbox_ok").await;
    h.until_state(id, "placed").await;
    h.act(&town.restaurant, id, "reject").await;
    let order = h.until_payment(id, "refunded").await;
    let mut subjects = Vec::new();
    in_time("all events on the bus", async {
        while subjects.len() < order.seq as usize {
            let message = bus.recv().await.unwrap();
            let published = read(&message.payload);
            assert_eq!(published.order_id, id.to_string());
            assert_eq!(
                message.message_id,
                format!("{id}:{}", published.seq),
                "an event is named for good"
            );
            assert_eq!(message.subject, Subject::of(&published.event).as_str());
            subjects.push(message.subject);
        }
    })
    .await;
    for subject in [
        "orders.opened",
        "payments.captured",
        "orders.placed",
        "orders.rejected",
        "payments.refunded",
    ] {
        assert!(
            subjects.iter().any(|seen| seen == subject),
            "{subject}: {subjects:?}"
        );
    }
    h.stop().await;
}

mod both {
    crate::tests::on_both!(the_bus_carries_what_the_schema_describes);
}
