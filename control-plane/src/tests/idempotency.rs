//! One effect for each key, whoever races.

use futures::future::join_all;
use serde_json::json;

use super::harness::Harness;

mod both {
    crate::tests::on_both!(
        one_key_has_one_effect,
        one_quote_becomes_one_order,
        failures_are_not_remembered
    );
}

async fn one_key_has_one_effect(h: Harness) {
    let town = h.town().await;
    let quote = h.quote(&town).await;
    let racers = (0..16).map(|_| h.place_with(&town.customer, "the-key", &quote, "ok"));
    let answers = join_all(racers).await;
    for (status, body) in &answers {
        assert_eq!(
            (*status, body),
            (201, &answers[0].1),
            "each racer hears of the same order"
        );
    }
    let id = answers[0].1["order_id"].as_str().unwrap().parse().unwrap();
    h.until_state(id, "placed").await;
    assert_eq!(h.gateway.book().charges.len(), 1);
    let (status, again) = h.place_with(&town.customer, "the-key", &quote, "ok").await;
    assert_eq!(
        (status, &again),
        (201, &answers[0].1),
        "the first answer, although the order has moved on"
    );

    let (status, other) = h
        .place_with(&town.customer, "the-key", &quote, "decline")
        .await;
    assert_eq!(
        (status, &other["code"]),
        (422, &json!("idempotency_key_reused"))
    );
    let (_, summary) = h.get("/v1/admin/orders/summary", &town.admin).await;
    assert_eq!(summary["placed"], 1);
    h.stop().await;
}

async fn one_quote_becomes_one_order(h: Harness) {
    let town = h.town().await;
    let quote = h.quote(&town).await;
    let keys: Vec<String> = (0..8).map(|n| format!("key-{n}")).collect();
    let answers = join_all(
        keys.iter()
            .map(|key| h.place_with(&town.customer, key, &quote, "ok")),
    )
    .await;
    let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    h.stop().await;
}

async fn failures_are_not_remembered(h: Harness) {
    let town = h.town().await;
    let quote = h.quote(&town).await;
    let strange = "quo_00000000000000000000000000000000";
    assert_eq!(
        h.place_with(&town.customer, "k", strange, "ok").await.0,
        404
    );
    assert_eq!(h.place_with(&town.customer, "k", &quote, "ok").await.0, 201);

    let late = h.quote(&town).await;
    h.clock.advance(std::time::Duration::from_secs(15 * 60));
    let (status, problem) = h.place_with(&town.customer, "late", &late, "ok").await;
    assert_eq!((status, &problem["code"]), (409, &json!("quote_expired")));
    for key in ["", "with blank", &"x".repeat(256)] {
        assert_eq!(
            h.place_with(&town.customer, key, &quote, "ok").await.0,
            400,
            "{key:?}"
        );
    }
    h.stop().await;
}
