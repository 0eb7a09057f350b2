//! The only SQL: one file a resource, every statement once for both databases.

pub(crate) mod admin;
pub(crate) mod by_hand;
pub(crate) mod catalogue;
pub(crate) mod changes;
pub(crate) mod figures;
pub(crate) mod leases;
pub(crate) mod orders;
pub(crate) mod outbox;
pub(crate) mod payments;
pub(crate) mod placement;
pub(crate) mod quotes;
pub(crate) mod retention;
pub(crate) mod reviews;

pub(crate) use doorstep_platform::sql::{self as engine, StoreError, to_json};
pub(crate) use doorstep_platform::{inbox, keys};
use engine::{Database, Migrations};
use inbox::InboxStore;
use leases::Holder;

use crate::domain::Refusal;
use crate::health::Health;

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

/// Orders: their log, the read index, receipts, manual assignments and reviews.
#[derive(Clone, Debug)]
pub(crate) struct OrderStore {
    database: Database,
}

/// The work queue of payments, and the ledger.
#[derive(Clone, Debug)]
pub(crate) struct MoneyStore {
    database: Database,
    holder: Holder,
}

/// Restaurants, their menus, and quotes.
#[derive(Clone, Debug)]
pub(crate) struct CatalogueStore {
    database: Database,
}

/// Reads and writes customers.
#[derive(Clone, Debug)]
pub(crate) struct PeopleStore {
    database: Database,
}

/// Messages that have to leave.
#[derive(Clone, Debug)]
pub(crate) struct OutboxStore {
    database: Database,
    holder: Holder,
}

/// One store a domain, all over the same database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    database: Database,
    /// Reads and writes orders with their logs.
    pub(crate) orders: OrderStore,
    /// Payments and the ledger.
    pub(crate) money: MoneyStore,
    /// Restaurants, menus and quotes.
    pub(crate) catalogue: CatalogueStore,
    /// Reads and writes customers.
    pub(crate) people: PeopleStore,
    /// Messages that have to leave.
    pub(crate) outbox: OutboxStore,
    /// Events that have arrived.
    pub(crate) inbox: InboxStore,
    holder: Holder,
}

impl Store {
    /// Opens and migrates the database at an address.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::around(Database::open(url, &migrations()).await?);
        store.catalogue.complete_search().await?;
        Ok(store)
    }

    /// Asks the database for nothing.
    pub(crate) async fn answers(&self) -> Result<(), StoreError> {
        const NOTHING: engine::Statement = engine::Statement::both("SELECT 1 AS one");
        self.database.row(NOTHING, &[]).await?;
        Ok(())
    }

    /// Around an open database.
    pub(crate) fn around(database: Database) -> Self {
        let holder = Holder::default();
        Self {
            orders: OrderStore {
                database: database.clone(),
            },
            money: MoneyStore {
                database: database.clone(),
                holder: holder.clone(),
            },
            catalogue: CatalogueStore {
                database: database.clone(),
            },
            people: PeopleStore {
                database: database.clone(),
            },
            outbox: OutboxStore {
                database: database.clone(),
                holder: holder.clone(),
            },
            inbox: InboxStore::new(database.clone()),
            database,
            holder,
        }
    }

    /// The database itself, for tests that look below.
    #[cfg(test)]
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// What is wrong at the moment.
    pub(crate) fn health(&self) -> &Health {
        self.database.health()
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
