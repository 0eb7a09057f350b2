//! Old rows are deleted in batches, young ones are kept, and nobody but the retention job deletes an idempotency key.

use std::time::Duration;

use super::harness::Harness;
use crate::store::engine::{Statement, values};
use crate::store::orders::DispatchMemory;
use crate::store::retention::Subject;
use crate::workers::retention::run_once;

mod both {
    crate::tests::on_both!(only_old_rows_are_deleted, requests_again_go_out_in_batches);
}

async fn count(h: &Harness, table: &str) -> i64 {
    let text = match table {
        "quote" => "SELECT count(*) AS found FROM quote",
        "idempotency_key" => "SELECT count(*) AS found FROM idempotency_key",
        "inbox" => "SELECT count(*) AS found FROM inbox",
        _ => "SELECT count(*) AS found FROM order_change",
    };
    let row = h.app.store.database().row(Statement::both(text), &[]).await;
    row.unwrap().unwrap().int("found").unwrap()
}

async fn only_old_rows_are_deleted(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    let event = |number: u32| format!("event {number}");
    for number in 0..1_201 {
        let accepted = h
            .app
            .store
            .inbox
            .accept_event("test", &event(number), 1)
            .await;
        assert!(accepted.unwrap());
    }
    let now_ms = h.clock.now_ms();
    let young = h
        .app
        .store
        .inbox
        .accept_event("test", "young", now_ms)
        .await;
    assert!(young.unwrap());
    // More than two batches, and the young one stays.
    assert_eq!(run_once(&h.app, Subject::Inbox).await.unwrap(), 1_201);
    assert_eq!(count(&h, "inbox").await, 1);
    for subject in [Subject::Quotes, Subject::IdempotencyKeys, Subject::Changes] {
        assert_eq!(run_once(&h.app, subject).await.unwrap(), 0, "{subject:?}");
    }
    assert_eq!(count(&h, "quote").await, 1);
    assert_eq!(count(&h, "idempotency_key").await, 1);

    h.clock.advance(Duration::from_secs(31 * 86_400));
    let delete = Statement::both("DELETE FROM idempotency_key");
    let mut tx = h.app.store.database().begin().await.unwrap();
    let error = tx.execute(delete, &[]).await.unwrap_err().to_string();
    assert!(error.contains("until its retention ends"), "{error}");
    drop(tx);
    for subject in [Subject::Quotes, Subject::IdempotencyKeys] {
        assert_eq!(run_once(&h.app, subject).await.unwrap(), 1, "{subject:?}");
    }
    assert!(run_once(&h.app, Subject::Changes).await.unwrap() > 0);
    // A mark never moves back.
    let marks =
        Statement::both("SELECT before_ms FROM retention WHERE subject = 'idempotency_key'");
    let mark = || async {
        let row = h.app.store.database().row(marks, &[]).await.unwrap();
        row.unwrap().int("before_ms").unwrap()
    };
    let before = mark().await;
    let deleted = h
        .app
        .store
        .delete_old(Subject::IdempotencyKeys, 5, 10)
        .await;
    assert_eq!((deleted.unwrap(), mark().await), (0, before));
    h.stop().await;
}

async fn requests_again_go_out_in_batches(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    h.act(&town.restaurant, id, "accept").await;
    h.dispatch.until_requested(id).await;
    // Copies of one order's log and row under other ids: more than two batches.
    let copies = 250_u32;
    let mut tx = h.app.store.database().begin().await.unwrap();
    for number in 1..=copies {
        let copy = uuid::Uuid::from_u128(u128::from(number));
        let events = Statement::both(
            "INSERT INTO order_event (order_id, seq, at_ms, body) SELECT $2, seq, at_ms, body FROM order_event WHERE order_id = $1",
        );
        tx.execute(events, values![id.uuid(), copy]).await.unwrap();
        let index = Statement::both(
            "INSERT INTO order_index (order_id, seq, customer_id, restaurant_id, quote_id, state, delivery_state, placed_at_ms,
                                      delivered_at_ms, deadline_ms, body)
             SELECT $2, seq, customer_id, restaurant_id, $2, state, delivery_state, placed_at_ms, delivered_at_ms, deadline_ms, body
             FROM order_index WHERE order_id = $1",
        );
        tx.execute(index, values![id.uuid(), copy]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let requested = h
        .app
        .store
        .orders
        .request_again(DispatchMemory::Kept, h.clock.now_ms())
        .await
        .unwrap();
    assert_eq!(requested, copies as usize + 1);
    h.stop().await;
}
