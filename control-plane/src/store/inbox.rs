//! The inbox: what has arrived, so that its effect happens once.

use crate::store::engine::{Statement, Tx, transact, values};
use crate::store::{InboxStore, StoreError};

const ACCEPT: Statement = Statement::both(
    "INSERT INTO inbox (consumer, event_id, at_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
);
const KNOWN: Statement =
    Statement::both("SELECT 1 AS known FROM inbox WHERE consumer = $1 AND event_id = $2");
const SAVE: Statement = Statement::both(
    "INSERT INTO stream_cursor (consumer, position) VALUES ($1, $2)
     ON CONFLICT (consumer) DO UPDATE SET position = excluded.position",
);
const POSITION: Statement =
    Statement::both("SELECT position FROM stream_cursor WHERE consumer = $1");

impl InboxStore {
    /// Notes an event on its own; false when it was noted before.
    pub(crate) async fn accept_event(
        &self,
        consumer: &str,
        event_id: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        transact!(self.database, StoreError, |tx| {
            accept(tx, consumer, event_id, now_ms).await
        })
    }

    /// Whether an event was noted before.
    pub(crate) async fn has_event(
        &self,
        consumer: &str,
        event_id: &str,
    ) -> Result<bool, StoreError> {
        Ok(self
            .database
            .row(KNOWN, values![consumer, event_id])
            .await?
            .is_some())
    }

    /// How far a stream was read; 0 = not at all.
    pub(crate) async fn stream_position(&self, consumer: &str) -> Result<i64, StoreError> {
        let row = self.database.row(POSITION, values![consumer]).await?;
        row.map_or(Ok(0), |row| row.int("position"))
    }

    /// Reads a stream from another place.
    pub(crate) async fn reset_stream(
        &self,
        consumer: &str,
        position: i64,
    ) -> Result<(), StoreError> {
        transact!(self.database, StoreError, |tx| {
            save_position(tx, consumer, position).await
        })
    }
}

pub(crate) async fn accept(
    tx: &mut Tx,
    consumer: &str,
    event_id: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    Ok(tx
        .execute(ACCEPT, values![consumer, event_id, now_ms])
        .await?
        == 1)
}

pub(crate) async fn save_position(
    tx: &mut Tx,
    consumer: &str,
    position: i64,
) -> Result<(), StoreError> {
    tx.execute(SAVE, values![consumer, position]).await?;
    Ok(())
}
