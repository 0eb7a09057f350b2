//! Orders from click to door, through HTTP, the gateway and dispatch.

use doorstep_dispatch_wire::dispatch::DeliveryState;
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Harness, Town, in_time, text};
use crate::domain::ids::OrderId;

mod both {
    crate::tests::on_both!(
        click_to_door,
        tracking_tells_each_state_in_order,
        the_inbox_tells_paid_orders,
        rejected_is_refunded,
        no_driver_is_refunded,
        an_admin_cancels_what_a_driver_is_coming_for,
        deadlines_end_orders,
        a_restart_of_dispatch_loses_nothing,
    );
}

async fn deliver(h: &Harness, town: &Town, id: OrderId) {
    h.until_state(id, "placed").await;
    assert_eq!(h.act(&town.restaurant, id, "accept").await.0, 200);
    h.dispatch.until_requested(id).await;
    h.dispatch.report(id, DeliveryState::Searching);
    h.until(id, "hard to place", |order| order.search_level == 1)
        .await;
    h.dispatch.report(id, DeliveryState::Assigned);
    h.until(id, "assigned", |order| {
        order.delivery_state.as_str() == "assigned" && order.search_level == 0
    })
    .await;
    assert_eq!(h.act(&town.restaurant, id, "ready").await.0, 200);
    for state in [
        DeliveryState::AtRestaurant,
        DeliveryState::PickedUp,
        DeliveryState::AtCustomer,
        DeliveryState::DroppedOff,
    ] {
        h.dispatch.report(id, state);
    }
    h.until_state(id, "delivered").await;
}

async fn click_to_door(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    deliver(&h, &town, id).await;

    let (status, order) = h.get(&format!("/v1/orders/{id}"), &town.customer).await;
    assert_eq!(
        (status, &order["state"], &order["driver_id"]),
        (200, &json!("delivered"), &json!(7))
    );
    assert_eq!(order["total_minor"], 2 * 850 + 333 + 190 + 2 * 60);
    assert_eq!(
        [
            &order["pickup_band"],
            &order["dropoff_band"],
            &order["promised_dropoff_ms"]
        ],
        [
            &json!({ "p10_ms": 1_800, "p50_ms": 2_000, "p90_ms": 2_300 }),
            &json!({ "p10_ms": 2_800, "p50_ms": 3_000, "p90_ms": 3_300 }),
            &json!(3_100)
        ]
    );
    let (status, receipt) = h
        .get(&format!("/v1/orders/{id}/receipt"), &town.customer)
        .await;
    assert_eq!(
        (status, &receipt["total_minor"], &receipt["driver_id"]),
        (200, &order["total_minor"], &json!(7))
    );
    assert_eq!(
        h.act(&town.restaurant, id, "ready").await.0,
        200,
        "the button again does no harm"
    );
    h.dispatch
        .until("the ready time", |heard| heard.ready_times.len() == 1)
        .await;

    let review = json!({ "rating": 5, "text": "still hot" });
    let path = format!("/v1/orders/{id}/review");
    assert_eq!(h.post(&path, &town.customer, review.clone()).await.0, 201);
    assert_eq!(h.post(&path, &town.customer, review).await.0, 409);
    let (_, reviews) = h
        .get(
            &format!("/v1/restaurants/{}/reviews", town.restaurant.id),
            &town.customer,
        )
        .await;
    assert_eq!(
        (&reviews["count"], &reviews["rating_centi"]),
        (&json!(1), &json!(500))
    );

    assert_eq!(h.account(&town, "gateway_clearing").await, 2_343);
    assert_eq!(h.account(&town, "customer_funds").await, 0);
    assert_eq!(h.account(&town, "driver_payable:7").await, -248);
    assert_eq!(
        h.account(&town, &format!("restaurant_payable:{}", town.restaurant.id))
            .await,
        -1_728
    );
    let (_, summary) = h.get("/v1/admin/orders/summary", &town.admin).await;
    let counts = (
        &summary["placed"],
        &summary["delivered"],
        &summary["cancelled"],
        &summary["open"],
    );
    assert_eq!(counts, (&json!(1), &json!(1), &json!(0), &json!(0)));
    h.check_books(&town).await;
    h.stop().await;
}

/// The `order` events of a stream until it ends: (id, body).
async fn events(response: reqwest::Response) -> Vec<(String, String, Value)> {
    let mut stream = response.bytes_stream();
    let mut text = String::new();
    while let Some(chunk) = stream.next().await {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    text.split("\n\n").filter_map(event_of).collect()
}

fn event_of(block: &str) -> Option<(String, String, Value)> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    let body = serde_json::from_str(field("data:")?).unwrap();
    Some((
        field("event:")?.to_owned(),
        field("id:").unwrap_or_default().to_owned(),
        body,
    ))
}

async fn tracking_tells_each_state_in_order(h: Harness) {
    let town = h.town().await;
    h.dispatch.driver_at(359_000_000, 145_000_000);
    let id = h.place(&town, "ok").await;
    let path = format!("/v1/orders/{id}/track");
    let response = h
        .request(Method::GET, &path, &town.customer.token)
        .send()
        .await
        .unwrap();
    let (heard, ()) = tokio::join!(
        in_time("the end of the stream", events(response)),
        deliver(&h, &town, id)
    );

    let orders: Vec<&(String, String, Value)> =
        heard.iter().filter(|(kind, ..)| kind == "order").collect();
    let seqs: Vec<u64> = orders
        .iter()
        .map(|(_, id, _)| id.parse().unwrap())
        .collect();
    assert_eq!(
        seqs,
        (1..=seqs.len() as u64).collect::<Vec<u64>>(),
        "no gap, no repeat"
    );
    let (_, _, last) = orders.last().unwrap();
    assert_eq!(
        (
            &last["dropoff_band"]["p90_ms"],
            &last["promised_dropoff_ms"]
        ),
        (&json!(3_300), &json!(3_100))
    );
    let mut states: Vec<String> = orders
        .iter()
        .map(|(_, _, body)| text(&body["state"]))
        .collect();
    states.dedup();
    assert_eq!(
        states,
        [
            "pending_payment",
            "placed",
            "accepted",
            "ready",
            "picked_up",
            "delivered"
        ]
    );

    let resumed = h
        .request(Method::GET, &path, &town.customer.token)
        .header("last-event-id", "3")
        .send()
        .await;
    let again = in_time("the end of the stream", events(resumed.unwrap())).await;
    assert_eq!(again.first().map(|(_, id, _)| id.as_str()), Some("4"));
    h.stop().await;
}

async fn the_inbox_tells_paid_orders(h: Harness) {
    let town = h.town().await;
    let path = format!("/v1/restaurants/{}/inbox", town.restaurant.id);
    let response = h
        .request(Method::GET, &path, &town.restaurant.token)
        .send()
        .await
        .unwrap();
    let declined = h.place(&town, "decline").await;
    h.until_state(declined, "payment_failed").await;
    let id = h.place(&town, "ok").await;
    let mut stream = response.bytes_stream();
    let first = in_time("an order in the inbox", async {
        let mut text = String::new();
        loop {
            text.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
            if let Some(event) = text
                .split_once("\n\n")
                .and_then(|(block, _)| event_of(block))
            {
                return event.2;
            }
        }
    })
    .await;
    assert_eq!(
        (text(&first["order_id"]), text(&first["state"])),
        (id.to_string(), "placed".to_owned())
    );
    assert_eq!(first["lines"].as_array().unwrap().len(), 2);
    let (_, open) = h
        .get(
            &format!("/v1/restaurants/{}/orders", town.restaurant.id),
            &town.restaurant,
        )
        .await;
    assert_eq!(open["orders"].as_array().unwrap().len(), 1);
    drop(stream);
    h.stop().await;
}

async fn rejected_is_refunded(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    assert_eq!(h.act(&town.restaurant, id, "reject").await.0, 200);
    let order = h.until_payment(id, "refunded").await;
    assert_eq!(order.state.as_str(), "rejected");
    assert_eq!(h.gateway.book().refunds.len(), 1);
    assert_eq!(h.account(&town, "gateway_clearing").await, 0);
    let (status, problem) = h.act(&town.restaurant, id, "accept").await;
    assert_eq!(
        (status, text(&problem["code"])),
        (409, "wrong_state".to_owned()),
        "{problem}"
    );
    h.check_books(&town).await;
    h.stop().await;
}

async fn no_driver_is_refunded(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    h.act(&town.restaurant, id, "accept").await;
    h.dispatch.until_requested(id).await;
    h.dispatch.report(id, DeliveryState::NoDriver);
    assert_eq!(
        h.until_payment(id, "refunded").await.state.as_str(),
        "cancelled"
    );

    h.dispatch.now().refuses = true;
    let unreachable = h.place(&town, "ok").await;
    h.until_state(unreachable, "placed").await;
    h.act(&town.restaurant, unreachable, "accept").await;
    assert_eq!(
        h.until_payment(unreachable, "refunded")
            .await
            .state
            .as_str(),
        "cancelled"
    );
    h.check_books(&town).await;
    h.stop().await;
}

async fn an_admin_cancels_what_a_driver_is_coming_for(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    h.act(&town.restaurant, id, "accept").await;
    h.dispatch.until_requested(id).await;
    h.dispatch.report(id, DeliveryState::Assigned);
    h.until(id, "assigned", |order| {
        order.delivery_state.as_str() == "assigned"
    })
    .await;
    assert_eq!(
        h.act(&town.customer, id, "cancel").await.0,
        409,
        "too late for the customer"
    );
    assert_eq!(h.act(&town.admin, id, "cancel").await.0, 200);
    h.dispatch
        .until("a cancellation", |heard| {
            heard.cancelled == [id.uuid().to_string()]
        })
        .await;
    // The driver was faster than the news: the order stays cancelled, the trip is still written down.
    h.dispatch.report(id, DeliveryState::PickedUp);
    h.dispatch.report(id, DeliveryState::DroppedOff);
    let order = h
        .until(id, "dropped off", |order| {
            order.delivery_state.as_str() == "dropped_off"
        })
        .await;
    assert_eq!(order.state.as_str(), "cancelled");
    h.until_payment(id, "refunded").await;
    h.check_books(&town).await;
    h.stop().await;
}

async fn deadlines_end_orders(h: Harness) {
    let town = h.town().await;
    let unanswered = h.place(&town, "ok").await;
    let unpaid = h.place(&town, "pending").await;
    h.until_state(unanswered, "placed").await;
    h.until_charged(unpaid).await;
    let minutes = |m: u64| std::time::Duration::from_secs(m * 60);
    h.clock.advance(minutes(9));
    assert_eq!(crate::workers::expiry::run_once(&h.app).await.unwrap(), 0);
    h.clock.advance(minutes(1));
    let order = h.until_payment(unanswered, "refunded").await;
    assert_eq!(order.state.as_str(), "expired");
    h.clock.advance(minutes(5));
    h.until_state(unpaid, "expired").await;
    // The money comes after all, and goes back.
    h.gateway.settle(unpaid, crate::gateway::Outcome::Captured);
    assert_eq!(
        h.until_payment_in_the_end(unpaid, "refunded")
            .await
            .state
            .as_str(),
        "expired"
    );

    let stuck = h.place(&town, "ok").await;
    h.until_state(stuck, "placed").await;
    h.act(&town.restaurant, stuck, "accept").await;
    // Twelve minutes to cook, ninety more until somebody has fetched it; then a moment for a late report.
    h.clock.advance(minutes(12 + 90));
    let order = h.until_payment_in_the_end(stuck, "refunded").await;
    assert_eq!(order.state.as_str(), "cancelled");
    h.check_books(&town).await;
    h.stop().await;
}

async fn a_restart_of_dispatch_loses_nothing(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    h.act(&town.restaurant, id, "accept").await;
    h.dispatch.until_requested(id).await;
    h.dispatch.report(id, DeliveryState::Assigned);
    h.until(id, "assigned", |order| {
        order.delivery_state.as_str() == "assigned"
    })
    .await;
    let requests = h.dispatch.now().requests;
    h.dispatch.restart();
    h.dispatch.report(id, DeliveryState::PickedUp);
    let order = h.until_state(id, "picked_up").await;
    h.dispatch
        .until("the request again", |heard| heard.requests > requests)
        .await;
    h.dispatch.repeat_all();
    h.dispatch.report(id, DeliveryState::DroppedOff);
    let after = h.until_state(id, "delivered").await;
    assert_eq!(
        after.seq,
        order.seq + 2,
        "repeats are dropped: only the drop-off was new"
    );
    h.check_books(&town).await;
    h.stop().await;
}
