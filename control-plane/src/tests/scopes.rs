//! Nobody sees or moves what is not theirs: every route for something owned, every role, own, foreign and absent.

use doorstep_dispatch_wire::token::Audience;
use reqwest::Method;
use serde_json::json;

use super::harness::{Actor, Harness, answer};
use crate::domain::ids::OrderId;

mod both {
    crate::tests::on_both!(foreign_and_absent_look_the_same, lists_hold_only_ones_own);
}

async fn foreign_and_absent_look_the_same(h: Harness) {
    let town = h.town().await;
    let other_customer = h.customer("Eve").await;
    let other_restaurant = h.restaurant(&town.admin, "Other").await;
    let nobody = Actor {
        id: String::new(),
        token: String::new(),
    };
    let driver = Actor {
        id: "7".into(),
        token: h.token(Audience::Driver, "7"),
    };
    let id = h.place(&town, "decline").await;
    h.until_state(id, "payment_failed").await;
    let absent = OrderId::from_uuid(uuid::Uuid::from_u128(5));

    // The order has failed: whoever may act on it hears 409, who may not 403, for whom it does not exist 404.
    // read and track, accept and ready, cancel, review; nobody finds a receipt.
    let all = [
        ("own customer", &town.customer, [200, 403, 409, 409]),
        ("other customer", &other_customer, [404, 403, 404, 404]),
        ("own restaurant", &town.restaurant, [200, 409, 409, 403]),
        ("other restaurant", &other_restaurant, [404, 404, 404, 403]),
        ("operator", &town.admin, [200, 409, 409, 403]),
        ("nobody", &nobody, [401; 4]),
        ("driver", &driver, [401; 4]),
    ];
    for (who, actor, statuses) in &all {
        assert_eq!(
            knock(&h, actor, id).await,
            *statuses,
            "{who} on their order or another's"
        );
        let of_absent = statuses.map(|status| {
            if [200, 409].contains(&status) {
                404
            } else {
                status
            }
        });
        assert_eq!(
            knock(&h, actor, absent).await,
            of_absent,
            "{who} on an order that is not there"
        );
    }
    h.stop().await;
}

/// What somebody hears who tries everything on an order: read, accept, cancel, review.
async fn knock(h: &Harness, actor: &Actor, id: OrderId) -> [u16; 4] {
    let order = format!("/v1/orders/{id}");
    let read = h.get(&order, actor).await.0;
    let track = h
        .request(Method::GET, &format!("{order}/track"), &actor.token)
        .send()
        .await
        .unwrap();
    assert_eq!(track.status().as_u16(), read, "to track is to read");
    let receipt = h.get(&format!("{order}/receipt"), actor).await.0;
    assert_eq!(
        receipt,
        if read == 401 { 401 } else { 404 },
        "what was not delivered has no receipt"
    );
    let accept = h.act(actor, id, "accept").await.0;
    assert_eq!(
        h.act(actor, id, "ready").await.0,
        accept,
        "ready is for whom accept is"
    );
    let cancel = h.act(actor, id, "cancel").await.0;
    let review = h
        .post(&format!("{order}/review"), actor, json!({ "rating": 1 }))
        .await
        .0;
    [read, accept, cancel, review]
}

async fn lists_hold_only_ones_own(h: Harness) {
    let town = h.town().await;
    let other_customer = h.customer("Eve").await;
    let other_restaurant = h.restaurant(&town.admin, "Other").await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    let count = |body: &serde_json::Value| body["orders"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&h.get("/v1/orders", &town.customer).await.1), 1);
    assert_eq!(count(&h.get("/v1/orders", &other_customer).await.1), 0);
    assert_eq!(h.get("/v1/orders", &town.restaurant).await.0, 403);

    let of = |actor: &Actor| format!("/v1/restaurants/{}/orders", actor.id);
    assert_eq!(
        count(&h.get(&of(&town.restaurant), &town.restaurant).await.1),
        1
    );
    assert_eq!(count(&h.get(&of(&town.restaurant), &town.admin).await.1), 1);
    assert_eq!(h.get(&of(&town.restaurant), &other_restaurant).await.0, 404);
    assert_eq!(h.get(&of(&town.restaurant), &town.customer).await.0, 403);

    for (method, path) in [
        (Method::GET, "/v1/admin/orders/summary"),
        (Method::GET, "/v1/admin/ledger/balance"),
        (Method::POST, "/v1/admin/read-index/rebuild"),
    ] {
        for actor in [&town.customer, &town.restaurant] {
            let response = h
                .request(method.clone(), path, &actor.token)
                .send()
                .await
                .unwrap();
            assert_eq!(answer(response).await.0, 403, "{path}");
        }
    }
    // A quote is its customer's alone.
    let quote = h.quote(&town).await;
    assert_eq!(
        h.place_with(&other_customer, "k", &quote, "ok").await.0,
        404
    );
    h.clock.advance(std::time::Duration::from_secs(31 * 86_400));
    assert_eq!(
        h.get("/v1/orders", &town.customer).await.0,
        401,
        "the token has expired"
    );
    h.stop().await;
}
