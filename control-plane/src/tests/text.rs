//! Text of every field of every request: what is refused, what is stored, how it is found again, on both databases.

use doorstep_dispatch_wire::dispatch::DeliveryState;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Harness, Town, WEBHOOK_SECRET, answer, text};
use crate::clock::real_unix_s;
use crate::domain::ids::OrderId;
use crate::gateway::signature;

mod both {
    crate::tests::on_both!(
        every_text_field_refuses_what_breaks_a_line_or_a_database,
        text_is_stored_composed_and_found_in_any_case,
    );
}

/// A field of a request: how to send it, its longest value, and the status of a refusal.
struct Field {
    name: &'static str,
    chars_max: usize,
    refused: u16,
}

const fn field(name: &'static str, chars_max: usize, refused: u16) -> Field {
    Field {
        name,
        chars_max,
        refused,
    }
}

const FIELDS: [Field; 11] = [
    field("customer name", 200, 422),
    field("restaurant name", 200, 422),
    field("cuisine", 200, 422),
    field("address", 200, 422),
    field("item name", 200, 422),
    field("q", 100, 400),
    field("reject reason", 500, 422),
    field("cancel reason", 500, 422),
    field("review", 2_000, 422),
    field("assignment reason", 500, 422),
    field("event id", 255, 400),
];

/// Orders in the states that the requests need.
struct Orders {
    placed: OrderId,
    delivered: OrderId,
}

/// The address of a search, with every byte of the text encoded.
fn search(q: &str) -> String {
    let encoded: String = q.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/v1/restaurants?q={encoded}")
}

async fn send(h: &Harness, town: &Town, orders: &Orders, field: &str, value: &str) -> (u16, Value) {
    let restaurant = |what: &str| {
        let mut new = json!({ "name": "Nenu", "lat": 35.9, "lng": 14.5, "menu": [{ "name": "soup", "price_minor": 1 }] });
        match what {
            "item name" => new["menu"][0]["name"] = json!(value),
            "restaurant name" => new["name"] = json!(value),
            other => new[other] = json!(value),
        }
        new
    };
    let reason = json!({ "reason": value });
    let Orders { placed, delivered } = orders;
    match field {
        "customer name" => {
            let new = json!({ "name": value });
            h.post("/v1/customers", &town.customer, new).await
        }
        "restaurant name" | "cuisine" | "address" | "item name" => {
            h.post("/v1/restaurants", &town.admin, restaurant(field))
                .await
        }
        "q" => {
            let request = h.request(Method::GET, &search(value), "");
            answer(request.send().await.unwrap()).await
        }
        "reject reason" => {
            let path = format!("/v1/orders/{placed}/reject");
            h.post(&path, &town.restaurant, reason).await
        }
        "cancel reason" => {
            let path = format!("/v1/orders/{placed}/cancel");
            h.post(&path, &town.admin, reason).await
        }
        "review" => {
            let path = format!("/v1/orders/{delivered}/review");
            let review = json!({ "rating": 5, "text": value });
            h.post(&path, &town.customer, review).await
        }
        "assignment reason" => {
            let path = format!("/v1/admin/orders/{placed}/assignment");
            let request = h
                .request(Method::POST, &path, &town.admin.token)
                .header("idempotency-key", "k");
            let new = json!({ "driver": "13", "reason": value });
            answer(request.json(&new).send().await.unwrap()).await
        }
        "event id" => {
            let event = json!({ "event_id": value, "payment_id": "gw_unknown" }).to_string();
            let signed = signature::sign(WEBHOOK_SECRET, real_unix_s(), event.as_bytes());
            let request = h
                .request(Method::POST, "/v1/payments/webhook", "")
                .header("doorstep-signature", signed);
            answer(request.body(event).send().await.unwrap()).await
        }
        other => panic!("no field {other}"),
    }
}

async fn every_text_field_refuses_what_breaks_a_line_or_a_database(h: Harness) {
    let town = h.town().await;
    let delivered = h.place(&town, "ok").await;
    h.until_state(delivered, "placed").await;
    h.act(&town.restaurant, delivered, "accept").await;
    h.dispatch.until_requested(delivered).await;
    h.dispatch.report(delivered, DeliveryState::DroppedOff);
    h.until_state(delivered, "delivered").await;
    let placed = h.place(&town, "ok").await;
    h.until_state(placed, "placed").await;
    let orders = Orders { placed, delivered };
    for Field {
        name,
        chars_max,
        refused,
    } in FIELDS
    {
        let too_long = "é".repeat(chars_max + 1);
        for bad in [
            "a\0b",
            "a\rb",
            "a\nb",
            "a\u{1b}[31m",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "\u{301}a",
            "\u{200b}",
            &too_long,
        ] {
            let (status, body) = send(&h, &town, &orders, name, bad).await;
            assert_eq!(status, refused, "{name} {bad:?}: {body}");
        }
    }
    for bad in ["a\0", "UPPER", "ü", "a b", ""] {
        let quote = h.quote(&town).await;
        let (status, body) = h.place_with(&town.customer, &quote, &quote, bad).await;
        assert_eq!(status, 422, "payment method {bad:?}: {body}");
    }
    for name in FIELDS.map(|field| field.name) {
        let longest = FIELDS.iter().find(|field| field.name == name).unwrap();
        let emoji = "🍕".repeat(longest.chars_max);
        // The order takes one reason only; the last driver is never on duty.
        let is_good = |status: u16| matches!(status, 200 | 201 | 204 | 409);
        let (status, body) = send(&h, &town, &orders, name, &emoji).await;
        assert!(is_good(status), "{name}: {status} {body}");
    }
    h.check_books(&town).await;
    h.stop().await;
}

async fn text_is_stored_composed_and_found_in_any_case(h: Harness) {
    let town = h.town().await;
    for name in [
        "  Cafe\u{301} Żgħir ",
        "Straße 7",
        "İstanbul",
        "ΟΔΟΣ",
        "100% _real_",
    ] {
        h.restaurant(&town.admin, name).await;
    }
    let names = async |q: &str| {
        let request = h.request(Method::GET, &search(q), "");
        let (status, page) = answer(request.send().await.unwrap()).await;
        assert_eq!(status, 200, "{page}");
        let found = page["restaurants"].as_array().unwrap();
        let mut found: Vec<String> = found.iter().map(|one| text(&one["name"])).collect();
        found.sort();
        found
    };
    for (q, expected) in [
        ("CAFÉ", "Café Żgħir"),
        ("café żGĦIR", "Café Żgħir"),
        ("cafe\u{301}", "Café Żgħir"),
        ("STRASSE", "Straße 7"),
        ("straẞe", "Straße 7"),
        ("istanbul", "İstanbul"),
        ("οδος", "ΟΔΟΣ"),
        ("100%", "100% _real_"),
        ("_REAL_", "100% _real_"),
    ] {
        assert_eq!(names(q).await, [expected], "{q}");
    }
    assert_eq!(names("MALTESE").await.len(), 6, "the cuisine of all");
    assert!(names("cafe ").await.is_empty(), "an accent is no case");
    assert!(names("100_").await.is_empty(), "no wildcards");
    // Rows of an older version have nothing to search by until they are completed.
    let forget = crate::store::engine::Statement::both("UPDATE restaurant SET search = NULL");
    let mut tx = h.app.store.database().begin().await.unwrap();
    tx.execute(forget, &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(names("CAFÉ").await.is_empty());
    assert_eq!(h.app.store.catalogue.complete_search().await.unwrap(), 6);
    assert_eq!(names("CAFÉ").await, ["Café Żgħir"]);
    h.stop().await;
}
