//! Processes that are away for a while: what dispatch reported meanwhile is heard before anything is ended.

use std::time::Duration;

use doorstep_dispatch_wire::dispatch::DeliveryState;
use serde_json::json;

use super::harness::{Harness, Town};
use crate::domain::ids::OrderId;
use crate::workers::expiry;

mod both {
    crate::tests::on_both!(
        nothing_that_was_delivered_during_an_outage_is_refunded,
        a_late_report_takes_back_a_time_out_that_nobody_was_shown,
        a_time_out_that_a_client_was_shown_stands,
        a_dispatch_without_memory_is_asked_anew,
        a_promised_ready_time_moves_the_time_out,
        delivered_at_is_the_time_of_the_report,
    );
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// An order that a driver is coming for.
async fn assigned(h: &Harness, town: &Town) -> OrderId {
    let id = h.place(town, "ok").await;
    h.until_state(id, "placed").await;
    assert_eq!(h.act(&town.restaurant, id, "accept").await.0, 200);
    h.dispatch.until_requested(id).await;
    h.dispatch.report(id, DeliveryState::Assigned);
    h.until(id, "assigned", |order| {
        order.delivery_state.as_str() == "assigned"
    })
    .await;
    id
}

async fn nothing_that_was_delivered_during_an_outage_is_refunded(h: Harness) {
    let town = h.town().await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(assigned(&h, &town).await);
    }
    let mut dropped_off_ms = 0;
    let h = h
        .restarted(|dispatch, clock| {
            clock.advance(minutes(20));
            for &id in &ids {
                dispatch.report_at(id, DeliveryState::PickedUp, clock.now_ms() - 600_000);
                dispatch.report_at(id, DeliveryState::DroppedOff, clock.now_ms());
            }
            dropped_off_ms = clock.now_ms();
            // All deadlines pass, and dispatch comes back later than we do.
            clock.advance(minutes(8 * 60));
            dispatch.be_away(true);
        })
        .await;
    assert_eq!(expiry::run_once(&h.app).await.unwrap(), 0);
    let waiting = h
        .app
        .store
        .orders
        .waiting_for_dispatch(h.clock.now_ms(), i64::MIN)
        .await;
    assert_eq!(waiting.unwrap(), 8);
    h.dispatch.be_away(false);
    for &id in &ids {
        let order = h.until_state(id, "delivered").await;
        assert_eq!(order.delivered_at_ms, Some(dropped_off_ms));
        assert_eq!(order.payment_state.as_str(), "captured");
    }
    assert!(h.gateway.book().refunds.is_empty());
    h.check_books(&town).await;
    h.stop().await;
}

async fn a_late_report_takes_back_a_time_out_that_nobody_was_shown(h: Harness) {
    let town = h.town().await;
    let id = assigned(&h, &town).await;
    let handed_over_ms = h.clock.now_ms() + 30 * 60_000;
    h.clock.advance(minutes(3 * 60));
    let ended = h.until_state(id, "cancelled").await;
    assert_eq!(
        (ended.is_provisional, ended.payment_state.as_str()),
        (true, "refund_due")
    );
    // The phone of the driver was without a network for long.
    h.dispatch
        .report_at(id, DeliveryState::PickedUp, handed_over_ms - 600_000);
    h.dispatch
        .report_at(id, DeliveryState::DroppedOff, handed_over_ms);
    let order = h.until_state(id, "delivered").await;
    assert_eq!(
        (order.is_provisional, order.payment_state.as_str()),
        (false, "captured")
    );
    assert_eq!(order.delivered_at_ms, Some(handed_over_ms));
    assert!(h.gateway.book().refunds.is_empty());
    let (_, receipt) = h
        .get(&format!("/v1/orders/{id}/receipt"), &town.customer)
        .await;
    assert_eq!(receipt["delivered_at_ms"], json!(handed_over_ms));
    let (_, summary) = h.get("/v1/admin/orders/summary", &town.admin).await;
    let counts = (&summary["delivered"], &summary["cancelled"]);
    assert_eq!(counts, (&json!(1), &json!(0)), "{summary}");
    h.check_books(&town).await;
    h.stop().await;
}

async fn a_time_out_that_a_client_was_shown_stands(h: Harness) {
    let town = h.town().await;
    let id = assigned(&h, &town).await;
    h.clock.advance(minutes(3 * 60));
    h.until_state(id, "cancelled").await;
    let (_, shown) = h.get(&format!("/v1/orders/{id}"), &town.customer).await;
    assert_eq!(shown["state"], "cancelled");
    h.dispatch.report(id, DeliveryState::PickedUp);
    h.dispatch.report(id, DeliveryState::DroppedOff);
    let order = h
        .until(id, "dropped off", |order| {
            order.delivery_state.as_str() == "dropped_off"
        })
        .await;
    assert_eq!(
        (order.state.as_str(), order.is_provisional),
        ("cancelled", false)
    );
    let order = h.until_payment_in_the_end(id, "refunded").await;
    assert_eq!(order.state.as_str(), "cancelled");
    h.check_books(&town).await;
    h.stop().await;
}

async fn a_dispatch_without_memory_is_asked_anew(h: Harness) {
    let town = h.town().await;
    let id = assigned(&h, &town).await;
    h.dispatch.forget();
    h.dispatch.until_requested(id).await;
    // The new stream counts the reports of this delivery from 1 again.
    h.dispatch.report(id, DeliveryState::Searching);
    h.until(id, "searching anew", |order| {
        order.delivery_state.as_str() == "searching"
    })
    .await;
    for state in [
        DeliveryState::Assigned,
        DeliveryState::PickedUp,
        DeliveryState::DroppedOff,
    ] {
        h.dispatch.report(id, state);
    }
    h.until_state(id, "delivered").await;
    h.check_books(&town).await;
    h.stop().await;
}

async fn a_promised_ready_time_moves_the_time_out(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    let path = format!("/v1/orders/{id}/accept");
    let three_hours = json!({ "ready_in_ms": 3 * 3_600_000 });
    assert_eq!(h.post(&path, &town.restaurant, three_hours).await.0, 200);
    h.clock.advance(minutes(3 * 60 + 89));
    assert_eq!(expiry::run_once(&h.app).await.unwrap(), 0);
    assert_eq!(h.summary(id).await.state.as_str(), "accepted");
    h.clock.advance(minutes(1));
    h.until_state(id, "cancelled").await;
    h.stop().await;
}

async fn delivered_at_is_the_time_of_the_report(h: Harness) {
    let town = h.town().await;
    let [on_time, ahead, behind] = [
        assigned(&h, &town).await,
        assigned(&h, &town).await,
        assigned(&h, &town).await,
    ];
    let accepted_ms = h.clock.now_ms();
    h.clock.advance(minutes(30));
    let now_ms = h.clock.now_ms();
    for (id, picked_up_ms, dropped_off_ms) in [
        (on_time, now_ms - 600_000, now_ms - 15_000),
        (ahead, now_ms + 3_600_000, now_ms + 7_200_000),
        (behind, now_ms - 300_000, accepted_ms - 60_000),
    ] {
        h.dispatch
            .report_at(id, DeliveryState::PickedUp, picked_up_ms);
        h.dispatch
            .report_at(id, DeliveryState::DroppedOff, dropped_off_ms);
    }
    for (id, delivered_ms) in [
        (on_time, now_ms - 15_000),
        // A clock that is ahead: not later than we heard of it.
        (ahead, now_ms),
        // A clock that stepped back on the way: not before the pick-up.
        (behind, now_ms - 300_000),
    ] {
        let order = h.until_state(id, "delivered").await;
        assert_eq!(order.delivered_at_ms, Some(delivered_ms));
        let path = format!("/v1/orders/{id}/receipt");
        let (_, receipt) = h.get(&path, &town.customer).await;
        assert_eq!(receipt["delivered_at_ms"], json!(delivered_ms));
    }
    let (_, summary) = h.get("/v1/admin/orders/summary", &town.admin).await;
    let times = &summary["click_to_door_min"];
    assert_eq!(times["mean"], json!(28.25), "30, 29.75 and 25 minutes");
    assert_eq!(times["p90"], json!(30.0));
    h.check_books(&town).await;
    h.stop().await;
}
