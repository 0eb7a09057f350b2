//! Asking why an order went to its driver: by id, by a part of it, and in vain.

use doorstep_api::explanation::{DecisionRule, Explanation};
use doorstep_api::ids::DriverText;
use doorstep_dispatch_wire::dispatch::{Alternative, Decision, Rule};
use reqwest::Method;

use super::harness::{Actor, Harness, answer, text};
use crate::domain::ids::OrderId;

mod both {
    crate::tests::on_both!(an_order_tells_why);
}

async fn an_order_tells_why(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    let path = |name: &str| format!("/city/orders/{name}/why");
    let nobody = Actor {
        id: String::new(),
        token: String::new(),
    };
    let full = path(&id.uuid().to_string());
    assert_eq!(h.get(&full, &nobody).await.0, 401);
    assert_eq!(h.get(&full, &town.customer).await.0, 401);

    let ask = async |name: &str| {
        let (status, body) = h.get(&path(name), &town.admin).await;
        assert_eq!(status, 200, "{name}: {body}");
        serde_json::from_value::<Explanation>(body).unwrap()
    };
    // The picture hears of an order a moment after its commit.
    while h.live.picture().order(id).is_none() {
        tokio::task::yield_now().await;
    }
    let unasked = ask(&id.to_string()).await;
    assert_eq!(unasked.decisions, [], "dispatch does not know it yet");
    assert!(unasked.order.is_some());

    assert_eq!(h.act(&town.restaurant, id, "accept").await.0, 200);
    h.dispatch.until_requested(id).await;
    h.dispatch.now().decisions = vec![Decision {
        rule: Rule::Late.into(),
        chosen: Some(Alternative {
            driver_id: 7,
            ..Alternative::default()
        }),
        ..Decision::default()
    }];
    let digits = id.uuid().simple().to_string();
    for name in [
        id.to_string(),
        id.uuid().to_string(),
        digits[..20].to_uppercase(),
        digits[20..].to_owned(),
        format!("%23{}", &digits[28..]),
    ] {
        let told = ask(&name).await;
        assert_eq!(told.order_id.uuid(), id.uuid(), "{name}");
        assert_eq!(told.decisions[0].rule, DecisionRule::Late);
        assert_eq!(told.decisions[0].chosen.driver, DriverText(7));
    }
    refusals(&h, &town.admin, id).await;
    h.stop().await;
}

async fn refusals(h: &Harness, admin: &Actor, id: OrderId) {
    let unknown = uuid::Uuid::from_u128(1).to_string();
    for (name, status, code) in [
        (unknown.as_str(), 404, "not_found"),
        ("0000000", 404, "not_found"),
        ("abc", 400, "not_an_id"),
        ("the-last-one", 400, "not_an_id"),
    ] {
        let path = format!("/city/orders/{name}/why");
        let (answered, problem) = h.get(&path, admin).await;
        assert_eq!(
            (answered, text(&problem["code"]).as_str()),
            (status, code),
            "{name}"
        );
    }
    h.dispatch.now().refuses = true;
    let path = format!("/city/orders/{id}/why");
    let response = h.request(Method::GET, &path, &admin.token).send().await;
    let (status, problem) = answer(response.unwrap()).await;
    assert_eq!(
        (status, text(&problem["code"]).as_str()),
        (503, "unavailable")
    );
}
