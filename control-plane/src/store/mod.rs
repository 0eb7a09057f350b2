//! The only SQL: one file a resource, every statement once for both databases.

pub(crate) mod admin;
pub(crate) mod by_hand;
pub(crate) mod catalogue;
pub(crate) mod inbox;
pub(crate) mod orders;
pub(crate) mod outbox;
pub(crate) mod payments;
pub(crate) mod placement;
pub(crate) mod quotes;
pub(crate) mod reviews;

pub(crate) use doorstep_platform::keys;
pub(crate) use doorstep_platform::sql::{self as engine, StoreError, to_json};
use engine::{Database, Migrations};

use crate::domain::Refusal;

/// Why a command to an order had no effect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// There is no such order, or not for the one who asks.
    #[error("no such order")]
    NotFound,
    /// The state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CommandError {
    pub(crate) fn asks_for_retry(&self) -> bool {
        matches!(self, Self::Store(error) if error.asks_for_retry())
    }
}

/// All that is remembered.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    database: Database,
}

impl Store {
    /// Opens and migrates the database at an address.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::open(url, &migrations()).await?,
        })
    }

    /// Around an open database.
    #[cfg(test)]
    pub(crate) fn around(database: Database) -> Self {
        Self { database }
    }

    /// The database itself, for tests that look below.
    #[cfg(test)]
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        self.database.close().await;
    }
}

/// The schema, one numbered file a change.
pub(crate) fn migrations() -> Migrations {
    Migrations {
        sqlite: sqlx::migrate!("./migrations/sqlite"),
        postgres: sqlx::migrate!("./migrations/postgres"),
    }
}
