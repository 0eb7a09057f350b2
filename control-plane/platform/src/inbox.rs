//! The inbox: what has arrived, so that its effect happens once.

use crate::sql::{Database, Statement, StoreError, Tx, transact, values};

const ACCEPT: Statement = Statement::both(
    "INSERT INTO inbox (consumer, event_id, at_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
);
const KNOWN: Statement =
    Statement::both("SELECT 1 AS known FROM inbox WHERE consumer = $1 AND event_id = $2");
const SAVE: Statement = Statement::both(
    "INSERT INTO stream_cursor (consumer, position, stream) VALUES ($1, $2, $3)
     ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, stream = excluded.stream",
);
/// The name of the row that is written to find out whether writes are possible.
const WRITE_PROBE: &str = "write probe";
const POSITION: Statement =
    Statement::both("SELECT position, stream FROM stream_cursor WHERE consumer = $1");

/// How far a stream was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamPosition {
    /// Of the last message taken in; 0 = none.
    pub cursor: u64,
    /// Which stream the cursor is of; empty = not known yet.
    pub stream: String,
}

/// Events that have arrived, and how far streams were read.
#[derive(Clone, Debug)]
pub struct InboxStore {
    database: Database,
}

impl InboxStore {
    /// Around an open database, whose schema has the tables `inbox` and `stream_cursor`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Notes an event on its own; false when it was noted before.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn accept_event(
        &self,
        consumer: &str,
        event_id: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        transact!(self.database, StoreError, |tx| {
            let row = values![consumer, event_id, now_ms];
            Ok(tx.execute(ACCEPT, row).await? == 1)
        })
    }

    /// Whether an event was noted before.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn has_event(&self, consumer: &str, event_id: &str) -> Result<bool, StoreError> {
        Ok(self
            .database
            .row(KNOWN, values![consumer, event_id])
            .await?
            .is_some())
    }

    /// How far a stream was read.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn stream_position(&self, consumer: &str) -> Result<StreamPosition, StoreError> {
        let row = self.database.row(POSITION, values![consumer]).await?;
        row.map_or_else(
            || Ok(StreamPosition::default()),
            |row| {
                Ok(StreamPosition {
                    cursor: row.int_as("position")?,
                    stream: row.text("stream")?,
                })
            },
        )
    }

    /// Writes a row that means nothing, to find out whether writes are possible again.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn probe_write(&self, now_ms: i64) -> Result<(), StoreError> {
        transact!(self.database, StoreError, |tx| {
            let written = StreamPosition {
                cursor: now_ms.unsigned_abs(),
                stream: String::new(),
            };
            save_position(tx, WRITE_PROBE, &written).await
        })
    }

    /// Reads a stream from another place.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn reset_stream(
        &self,
        consumer: &str,
        position: &StreamPosition,
    ) -> Result<(), StoreError> {
        transact!(self.database, StoreError, |tx| {
            save_position(tx, consumer, position).await
        })
    }
}

/// Writes down how far a stream was read, with what was taken from it.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn save_position(
    tx: &mut Tx,
    consumer: &str,
    position: &StreamPosition,
) -> Result<(), StoreError> {
    let cursor = i64::try_from(position.cursor).unwrap_or(i64::MAX);
    tx.execute(SAVE, values![consumer, cursor, position.stream.as_str()])
        .await?;
    Ok(())
}
