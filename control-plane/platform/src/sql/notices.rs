//! Notices that a transaction of another process has committed: hints, which may be lost.

use sqlx::postgres::PgListener;

use super::{Database, Pools, Statement, StoreError};

impl Database {
    /// Notices that committed transactions sent on a channel, for this schema. `SQLite` has none: there one process
    /// hears of its own changes from itself.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn listen(&self, channel: &str) -> Result<Notices, StoreError> {
        let Pools::Postgres(pool) = &self.pools else {
            return Ok(Notices::None);
        };
        let schema = self
            .row(Statement::both("SELECT current_schema() AS schema"), &[])
            .await?
            .map_or(Ok(None), |row| row.text_opt("schema"))?;
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(channel).await?;
        Ok(Notices::Postgres {
            listener: Box::new(listener),
            schema: schema.unwrap_or_default(),
        })
    }
}

/// Hints that a transaction of any process has committed.
#[derive(Debug)]
pub enum Notices {
    /// There are none.
    None,
    /// Over a connection that does nothing else.
    Postgres {
        /// The connection.
        listener: Box<PgListener>,
        /// Whose notices count: the channel is shared by all schemas of a database.
        schema: String,
    },
}

impl Notices {
    /// Waits for the next notice; for ever when there are none.
    ///
    /// # Errors
    /// When the connection is lost and cannot be opened again.
    pub async fn next(&mut self) -> Result<(), StoreError> {
        let Self::Postgres { listener, schema } = self else {
            return std::future::pending().await;
        };
        loop {
            match listener.try_recv().await? {
                Some(notice) if notice.payload() != schema => {}
                // After a lost connection there may have been any number.
                Some(_) | None => return Ok(()),
            }
        }
    }
}
