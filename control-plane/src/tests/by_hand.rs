//! An order is given to a driver by hand: who may, what is noted, one effect for each key.

use doorstep_dispatch_wire::dispatch::{DeliveryState, PreviewAssignmentResponse};
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Actor, Harness, Town, answer, on_sqlite_with, text};
use crate::config::Config;
use crate::domain::ids::OrderId;

mod both {
    crate::tests::on_both!(
        an_order_is_given_and_its_log_says_by_whom,
        what_cannot_be_done_says_why,
        the_page_gives_orders_by_their_codes,
    );
}

fn path(id: OrderId) -> String {
    format!("/v1/admin/orders/{id}/assignment")
}

async fn dispatched(h: &Harness, town: &Town) -> OrderId {
    let id = h.place(town, "ok").await;
    h.until_state(id, "placed").await;
    assert_eq!(h.act(&town.restaurant, id, "accept").await.0, 200);
    h.dispatch.until_requested(id).await;
    id
}

async fn give(h: &Harness, path: &str, actor: &Actor, key: &str, body: Value) -> (u16, Value) {
    let request = h
        .request(Method::POST, path, &actor.token)
        .header("idempotency-key", key);
    answer(request.json(&body).send().await.unwrap()).await
}

async fn an_order_is_given_and_its_log_says_by_whom(h: Harness) {
    let town = h.town().await;
    let id = dispatched(&h, &town).await;
    h.dispatch.now().preview = PreviewAssignmentResponse {
        from_driver_id: Some(7),
        pickup_before_ms: Some(1_000),
        pickup_after_ms: 2_000,
        dropoff_after_ms: 3_000,
        ..PreviewAssignmentResponse::default()
    };
    let (status, preview) = h.get(&format!("{}?driver=8", path(id)), &town.admin).await;
    assert_eq!(status, 200, "{preview}");
    assert_eq!(
        (&preview["driver"], &preview["from"], &preview["pickup"]),
        (
            &json!("8"),
            &json!("7"),
            &json!({ "before_ms": 1_000, "after_ms": 2_000 })
        )
    );
    assert!(h.dispatch.now().by_hand.is_empty(), "only a look");

    h.dispatch.now().matched = Some(7);
    let same = give(&h, &path(id), &town.admin, "k0", json!({ "driver": "7" })).await;
    assert_eq!((same.0, &same.1["changed"]), (200, &json!(false)));
    let notes = h.app.store.orders.by_hand(id).await.unwrap();
    assert_eq!(notes, [], "the matcher's choice is nobody's by hand");

    let wanted = json!({ "driver": "8", "reason": "the customer called" });
    let (status, first) = give(&h, &path(id), &town.admin, "k1", wanted.clone()).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(
        (&first["changed"], &first["by"], &first["reason"]),
        (
            &json!(true),
            &json!("operator"),
            &json!("the customer called")
        )
    );
    let again = give(&h, &path(id), &town.admin, "k1", wanted.clone()).await;
    assert_eq!(again, (200, first), "the same key, the same answer");
    assert_eq!(h.dispatch.now().by_hand.len(), 1, "and no second call");
    let other = give(&h, &path(id), &town.admin, "k1", json!({ "driver": "9" })).await;
    assert_eq!(
        (other.0, text(&other.1["code"]).as_str()),
        (422, "idempotency_key_reused")
    );
    let (_, repeated) = give(&h, &path(id), &town.admin, "k2", wanted).await;
    assert_eq!(repeated["changed"], json!(false));

    let notes = h.app.store.orders.by_hand(id).await.unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    let (_, note) = &notes[0];
    assert_eq!(
        (
            note.driver_id.number(),
            note.by.as_str(),
            note.reason.as_str()
        ),
        (8, "operator", "the customer called")
    );
    let (_, why) = h
        .get(&format!("/city/orders/{}/why", id.uuid()), &town.admin)
        .await;
    assert_eq!(why["by_hand"][0]["by"], "operator", "{why}");

    // The order goes on as every other.
    h.dispatch.report(id, DeliveryState::PickedUp);
    h.dispatch.report(id, DeliveryState::DroppedOff);
    h.until_state(id, "delivered").await;
    h.check_books(&town).await;
    h.stop().await;
}

async fn what_cannot_be_done_says_why(h: Harness) {
    let town = h.town().await;
    let id = dispatched(&h, &town).await;
    let wanted = json!({ "driver": "8" });
    for (actor, status) in [(&town.customer, 403), (&town.restaurant, 403)] {
        assert_eq!(
            give(&h, &path(id), actor, "k", wanted.clone()).await.0,
            status
        );
        let look = format!("{}?driver=8", path(id));
        assert_eq!(h.get(&look, actor).await.0, status);
    }
    let unasked = h.place(&town, "ok").await;
    let unknown: OrderId = "ord_00000000000000000000000000000001".parse().unwrap();
    let long = "x".repeat(501);
    for (order, body, status, code) in [
        (id, json!({ "driver": "13" }), 409, "not_possible"),
        (unasked, wanted.clone(), 409, "not_dispatched"),
        (unknown, wanted.clone(), 404, "not_found"),
        (id, json!({ "driver": "me" }), 400, "invalid_body"),
        (
            id,
            json!({ "driver": "8", "reason": long }),
            422,
            "invalid_reason",
        ),
        (
            id,
            json!({ "driver": "8", "force": true }),
            400,
            "invalid_body",
        ),
    ] {
        let (answered, problem) = give(&h, &path(order), &town.admin, "k", body.clone()).await;
        assert_eq!(
            (answered, text(&problem["code"]).as_str()),
            (status, code),
            "{body}"
        );
    }
    let (status, problem) = h.post(&path(id), &town.admin, wanted.clone()).await;
    assert_eq!(
        (status, text(&problem["code"]).as_str()),
        (400, "idempotency_key_missing")
    );
    let look = format!("{}?driver=13", path(id));
    let (status, problem) = h.get(&look, &town.admin).await;
    assert_eq!(
        (status, text(&problem["detail"]).as_str()),
        (409, "driver 13 is not on duty")
    );
    h.dispatch.now().refuses = true;
    assert_eq!(
        give(&h, &path(id), &town.admin, "k", wanted.clone())
            .await
            .0,
        503
    );
    h.dispatch.now().refuses = false;
    assert_eq!(h.app.store.orders.by_hand(id).await.unwrap(), []);
    let (status, body) = give(&h, &path(id), &town.admin, "k", wanted).await;
    assert_eq!(status, 200, "a failure is not remembered: {body}");
    h.stop().await;
}

async fn the_page_gives_orders_by_their_codes(h: Harness) {
    let town = h.town().await;
    let id = dispatched(&h, &town).await;
    while h.live.picture().order(id).is_none() {
        tokio::task::yield_now().await;
    }
    let digits = id.uuid().simple().to_string();
    let short = format!("/city/orders/{}/assignment", &digits[20..]);
    let nobody = Actor {
        id: String::new(),
        token: String::new(),
    };
    let wanted = json!({ "driver": "8", "reason": "" });
    for stranger in [&nobody, &town.customer] {
        assert_eq!(h.get(&format!("{short}?driver=8"), stranger).await.0, 401);
        assert_eq!(give(&h, &short, stranger, "k", wanted.clone()).await.0, 401);
    }
    let (status, preview) = h.get(&format!("{short}?driver=8"), &town.admin).await;
    assert_eq!(
        (status, &preview["order_id"]),
        (200, &json!(id.to_string()))
    );
    let cookie = format!("doorstep_city={}", town.admin.token);
    let request = h
        .request(Method::POST, &short, "")
        .header("cookie", cookie)
        .header("idempotency-key", "k");
    let (status, given) = answer(request.json(&wanted).send().await.unwrap()).await;
    assert_eq!((status, &given["by"]), (200, &json!("operator")), "{given}");
    h.stop().await;
}

/// What a look and a outcome without a token are answered, under this name of the server.
async fn without_token(h: &Harness, id: OrderId, host: Option<&str>) -> (u16, u16) {
    let path = format!("/city/orders/{}/assignment", id.uuid());
    let named = |method, path: &str| {
        let request = h.request(method, path, "");
        match host {
            Some(host) => request.header("host", host),
            None => request,
        }
    };
    let look = named(Method::GET, &format!("{path}?driver=8"));
    let outcome = named(Method::POST, &path)
        .header("idempotency-key", "k")
        .json(&json!({ "driver": "8" }));
    let look = look.send().await.unwrap().status().as_u16();
    (look, outcome.send().await.unwrap().status().as_u16())
}

#[tokio::test]
async fn a_page_that_everybody_sees_is_not_one_on_which_everybody_acts() {
    let only_looks = |config: &mut Config| config.public_city_view = true;
    on_sqlite_with(only_looks, |h| async move {
        let town = h.town().await;
        let id = dispatched(&h, &town).await;
        let seen = h.request(Method::GET, "/", "").send().await.unwrap();
        assert_eq!(seen.status().as_u16(), 200);
        assert_eq!(without_token(&h, id, None).await, (401, 401));
        assert_eq!(without_token(&h, id, Some("localhost")).await, (401, 401));
        assert!(h.dispatch.now().by_hand.is_empty());
        let wanted = json!({ "driver": "8" });
        let path = format!("/city/orders/{}/assignment", id.uuid());
        assert_eq!(give(&h, &path, &town.admin, "k", wanted).await.0, 200);
        h.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_a_token_orders_are_given_away_under_a_name_of_this_machine_only() {
    let open = |config: &mut Config| config.public_assignments = true;
    on_sqlite_with(open, |h| async move {
        let town = h.town().await;
        let id = dispatched(&h, &town).await;
        for host in ["evil.example:8080", "192.168.1.7", "localhost.evil.example"] {
            assert_eq!(
                without_token(&h, id, Some(host)).await,
                (401, 401),
                "{host}"
            );
        }
        assert!(h.dispatch.now().by_hand.is_empty());
        // By its address, as the demo says it, and by name.
        for host in [None, Some("localhost:8080"), Some("[::1]:8080")] {
            assert_eq!(without_token(&h, id, host).await, (200, 200), "{host:?}");
        }
        let notes = h.app.store.orders.by_hand(id).await.unwrap();
        assert_eq!(notes[0].1.by, "anybody on the open page");
        h.stop().await;
    })
    .await;
}
