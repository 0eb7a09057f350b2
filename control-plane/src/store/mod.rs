//! The only SQL: one file a resource, every statement once for both databases.

pub(crate) mod admin;
pub(crate) mod by_hand;
pub(crate) mod catalogue;
pub(crate) mod engine;
pub(crate) mod inbox;
pub(crate) mod keys;
pub(crate) mod orders;
pub(crate) mod outbox;
pub(crate) mod payments;
pub(crate) mod placement;
pub(crate) mod quotes;
pub(crate) mod reviews;

use engine::Database;

use crate::domain::Refusal;

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Neither of the two.
    #[error("the database address begins with neither sqlite: nor postgres:")]
    UnknownDatabase,
    /// The driver's error.
    #[error("database: {0}")]
    Driver(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migrating the database: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Something was read that we never write.
    #[error("the database holds what was never written: {0}")]
    Corrupt(String),
}

impl StoreError {
    fn sql_state(&self) -> Option<String> {
        match self {
            Self::Driver(error) => error
                .as_database_error()?
                .code()
                .map(std::borrow::Cow::into_owned),
            _ => None,
        }
    }

    /// Serialization failure or deadlock: the same again will do.
    pub(crate) fn asks_for_retry(&self) -> bool {
        matches!(self.sql_state().as_deref(), Some("40001" | "40P01"))
    }

    /// Somebody else held the row for too long.
    pub(crate) fn is_lock_timeout(&self) -> bool {
        self.sql_state().as_deref() == Some("55P03")
    }
}

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
            database: Database::open(url).await?,
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

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}
