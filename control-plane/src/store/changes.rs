//! The journal of changes: which orders moved, for processes that did not move them.

use crate::domain::ids::OrderId;
use crate::domain::summary::OrderSummary;
use crate::store::engine::{Notices, Statement, Tx, values};
use crate::store::{Store, StoreError};

const NOTE: Statement =
    Statement::both("INSERT INTO order_change (order_id, at_ms) VALUES ($1, $2)");
// Transactions commit in another order than they began. Every transaction below the oldest one that is still running has
// ended, so what it wrote is visible to whoever reads after this; `SQLite` has one writer, there ids commit in order.
const POSITION: Statement = Statement::pair(
    "SELECT coalesce(max(id), 0) + 1 AS position FROM order_change",
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS position",
);
const CHANGED_SINCE: Statement = Statement::pair(
    "SELECT i.body FROM order_index i
     JOIN (SELECT DISTINCT order_id FROM order_change WHERE id >= $1 AND order_id > $2 ORDER BY order_id LIMIT $3) c
     ON c.order_id = i.order_id ORDER BY i.order_id",
    "SELECT i.body FROM order_index i
     JOIN (SELECT DISTINCT order_id FROM order_change WHERE xid >= $1 AND order_id > $2 ORDER BY order_id LIMIT $3) c
     ON c.order_id = i.order_id ORDER BY i.order_id",
);

// Outside the transaction that made the change: a transaction that notifies holds a lock of the whole database until its
// commit is on disk, so that all commits would wait for each other.
const NOTIFY: Statement = Statement::pair(
    "SELECT 1 AS done",
    "SELECT 1 AS done FROM (SELECT pg_notify('order_change', current_schema())) AS notified",
);

impl Store {
    /// Lets the other processes know that something has changed; a hint that may be lost.
    pub(crate) async fn notify_change(&self) -> Result<(), StoreError> {
        self.database.row(NOTIFY, &[]).await.map(drop)
    }

    /// Notices that orders have changed, whoever changed them.
    pub(crate) async fn change_notices(&self) -> Result<Notices, StoreError> {
        self.database.listen("order_change").await
    }

    /// Where the journal will go on; what is read from here on includes every change that commits later.
    pub(crate) async fn change_position(&self) -> Result<i64, StoreError> {
        let row = self.database.row(POSITION, &[]).await?;
        row.map_or(Ok(0), |row| row.int("position"))
    }

    /// Orders that changed since a position and come after `after`, by id. On PostgreSQL some are read again as long as
    /// an older transaction is running: the caller drops what it knows.
    pub(crate) async fn changed_since(
        &self,
        position: i64,
        after: OrderId,
        limit: u32,
    ) -> Result<Vec<OrderSummary>, StoreError> {
        let rows = self
            .database
            .rows(CHANGED_SINCE, values![position, after.uuid(), limit])
            .await?;
        rows.iter().map(|row| row.json("body")).collect()
    }
}

/// Notes that an order changed; visible with the change.
pub(crate) async fn note(tx: &mut Tx, id: OrderId, at_ms: i64) -> Result<(), StoreError> {
    tx.execute(NOTE, values![id.uuid(), at_ms]).await?;
    Ok(())
}
