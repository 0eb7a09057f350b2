//! The figures of the summary: kept event by event, and filled in from the orders of an older version, they are the same.

use doorstep_dispatch_wire::dispatch::DeliveryState;
use serde_json::json;

use super::harness::Harness;
use crate::store::engine::Statement;

mod both {
    crate::tests::on_both!(figures_of_an_older_version_are_filled_in);
}

const SQLITE: &str = include_str!("../../migrations/sqlite/0003_order_figures.sql");
const POSTGRES: &str = include_str!("../../migrations/postgres/0003_order_figures.sql");

/// The statement of the migration that fills a table.
fn filling(table: &str) -> Statement {
    let text = |migration: &'static str| {
        let begins = format!("INSERT INTO {table} ");
        let start = migration.find(&begins).unwrap();
        let length = migration[start..].find(';').unwrap();
        &migration[start..start + length]
    };
    Statement::pair(text(SQLITE), text(POSTGRES))
}

async fn figures_of_an_older_version_are_filled_in(h: Harness) {
    let town = h.town().await;
    for minutes in [21, 25, 33] {
        let id = h.place(&town, "ok").await;
        h.until_state(id, "placed").await;
        h.act(&town.restaurant, id, "accept").await;
        h.dispatch.until_requested(id).await;
        h.clock
            .advance(std::time::Duration::from_secs(minutes * 60));
        let at_ms = h.clock.now_ms();
        h.dispatch.report_at(id, DeliveryState::DroppedOff, at_ms);
        h.until_state(id, "delivered").await;
    }
    let declined = h.place(&town, "decline").await;
    h.until_state(declined, "payment_failed").await;
    let open = h.place(&town, "ok").await;
    h.until_state(open, "placed").await;
    let path = "/v1/admin/orders/summary";
    let (_, kept) = h.get(path, &town.admin).await;
    assert_eq!(
        kept["by_state"],
        json!({ "delivered": 3, "payment_failed": 1, "placed": 1 })
    );
    assert_eq!(
        kept["click_to_door_min"],
        json!({ "mean": 26.33, "p90": 33.0 })
    );

    let mut tx = h.app.store.database().begin().await.unwrap();
    for empty in ["DELETE FROM ended_orders", "DELETE FROM click_to_door"] {
        tx.execute(Statement::both(empty), &[]).await.unwrap();
    }
    for table in ["ended_orders", "click_to_door"] {
        tx.execute(filling(table), &[]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (_, filled) = h.get(path, &town.admin).await;
    assert_eq!(filled, kept);
    h.stop().await;
}
