//! What is written stays: insert-only tables, the index as a fold of the log, the outbox in order, equal schemas.

use std::collections::BTreeSet;

use doorstep_dispatch_wire::dispatch::DeliveryState;

use super::harness::{Harness, in_time};
use crate::domain::lifecycle::Order;
use crate::domain::scope::Scope;
use crate::domain::summary::OrderSummary;
use crate::store::engine::{Row, Statement, values};

mod both {
    crate::tests::on_both!(
        the_log_refuses_changes,
        a_broken_index_is_rebuilt,
        the_bus_hears_everything_in_order,
        the_schema_is_the_same_on_both,
    );
}

/// What no process may do to rows that are there.
pub(super) const REFUSED: [&str; 12] = [
    "UPDATE order_event SET at_ms = 0",
    "DELETE FROM order_event",
    "UPDATE payment_event SET at_ms = 0",
    "DELETE FROM payment_event",
    "UPDATE ledger_transfer SET at_ms = 0",
    "DELETE FROM ledger_transfer",
    "UPDATE ledger_entry SET amount_minor = 1",
    "DELETE FROM ledger_entry",
    "UPDATE receipt SET at_ms = 0",
    "DELETE FROM receipt",
    "UPDATE idempotency_key SET status = 500",
    "DELETE FROM idempotency_key",
];

async fn the_log_refuses_changes(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    h.act(&town.restaurant, id, "accept").await;
    h.dispatch.until_requested(id).await;
    for state in [DeliveryState::Assigned, DeliveryState::DroppedOff] {
        h.dispatch.report(id, state);
    }
    h.until_state(id, "delivered").await;
    for change in REFUSED {
        let mut tx = h.app.store.database().begin().await.unwrap();
        let error = tx
            .execute(Statement::both(change), &[])
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("is insert-only"), "{change}: {error}");
    }
    let log = h
        .app
        .store
        .orders
        .log(Scope::Admin, id)
        .await
        .unwrap()
        .unwrap();
    let folded = OrderSummary::of(&Order::fold(log).unwrap());
    assert_eq!(folded, h.summary(id).await);
    h.stop().await;
}

async fn a_broken_index_is_rebuilt(h: Harness) {
    let town = h.town().await;
    let (kept, bent, lost) = (
        h.place(&town, "ok").await,
        h.place(&town, "ok").await,
        h.place(&town, "decline").await,
    );
    for (id, state) in [(kept, "placed"), (bent, "placed"), (lost, "payment_failed")] {
        h.until_state(id, state).await;
    }
    let before = [
        h.summary(kept).await,
        h.summary(bent).await,
        h.summary(lost).await,
    ];
    let mut tx = h.app.store.database().begin().await.unwrap();
    let bend = Statement::both(
        "UPDATE order_index SET state = 'delivered', body = '{}' WHERE order_id = $1",
    );
    assert_eq!(tx.execute(bend, values![bent.uuid()]).await.unwrap(), 1);
    let lose = Statement::both("DELETE FROM order_index WHERE order_id = $1");
    assert_eq!(tx.execute(lose, values![lost.uuid()]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let rebuilt = h.app.store.orders.rebuild_index().await.unwrap();
    assert_eq!((rebuilt.orders, rebuilt.differing), (3, 2));
    assert_eq!(
        [
            h.summary(kept).await,
            h.summary(bent).await,
            h.summary(lost).await
        ],
        before
    );
    let (_, summary) = h.get("/v1/admin/orders/summary", &town.admin).await;
    assert_eq!(
        summary["by_state"],
        serde_json::json!({ "placed": 2, "payment_failed": 1 })
    );
    h.check_books(&town).await;
    h.stop().await;
}

async fn the_bus_hears_everything_in_order(h: Harness) {
    let mut bus = h.bus.subscribe();
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    let order = h.until_state(id, "placed").await;
    let mut heard = Vec::new();
    in_time("all events on the bus", async {
        while heard.len() < order.seq as usize {
            let message = bus.recv().await.unwrap();
            heard.push((message.message_id, message.subject));
        }
    })
    .await;
    let subjects: Vec<&str> = heard.iter().map(|(_, subject)| subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "orders.opened",
            "payments.sent",
            "payments.captured",
            "orders.placed"
        ]
    );
    let ids: Vec<String> = (1..=order.seq).map(|seq| format!("{id}:{seq}")).collect();
    assert_eq!(heard.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), ids);
    h.stop().await;
}

const SQLITE_COLUMNS: &str = "SELECT m.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 THEN ' not null' ELSE '' END AS line
     FROM sqlite_master m, pragma_table_info(m.name) c
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '_sqlx%'
     UNION SELECT 'index ' || name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN ' not null' ELSE '' END AS line
     FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_sqlx%'
     UNION SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT LIKE '%\\_pkey'";

/// Tables, columns, what may be absent, and indexes are the list below on both: change it with both migrations.
async fn the_schema_is_the_same_on_both(h: Harness) {
    let database = h.app.store.database();
    let rows = database
        .rows(Statement::pair(SQLITE_COLUMNS, POSTGRES_COLUMNS), &[])
        .await
        .unwrap();
    let lines: BTreeSet<String> = rows
        .iter()
        .map(|row: &Row| row.text("line").unwrap())
        .collect();
    let text = lines.into_iter().collect::<Vec<String>>().join("\n");
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("schema", text);
    });
    h.stop().await;
}
