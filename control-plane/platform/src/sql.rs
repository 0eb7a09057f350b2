//! One interface to both databases: pools, values, rows, transactions. A statement is written once.

mod fault;
mod notices;
mod postgres_start;

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteRow, SqliteSynchronous,
};
use sqlx::{Connection, Postgres, Row as _, Sqlite, Transaction};
use uuid::Uuid;

use self::fault::noted;
pub use self::notices::Notices;
use self::postgres_start::{START_WAIT, wait_for_postgres};
use crate::health::{Component, Health};

/// Connections that read at once.
const READERS_MAX: u32 = 8;
/// How long a statement waits for a connection before the request fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is of neither database.
    #[error("the database address begins with neither sqlite: nor postgres:")]
    UnknownDatabase,
    /// The driver's error.
    #[error("database: {0}")]
    Driver(#[from] sqlx::Error),
    /// PostgreSQL did not answer for as long as a start waits for it.
    #[error("PostgreSQL at {address} did not answer for {} s: {source}", waited.as_secs())]
    Unreachable {
        /// Host and port, or the socket's folder.
        address: String,
        /// How long it was called.
        waited: Duration,
        /// The last answer.
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("migrating the database: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row does not hold what we write, or a value cannot be written as JSON.
    #[error("corrupt row: {0}")]
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
    #[must_use]
    pub fn asks_for_retry(&self) -> bool {
        matches!(self.sql_state().as_deref(), Some("40001" | "40P01"))
    }

    /// Another transaction held the row for longer than the lock time-out.
    #[must_use]
    pub fn is_lock_timeout(&self) -> bool {
        self.sql_state().as_deref() == Some("55P03")
    }
}

/// A statement in both dialects. `$n` works in both; only locks differ.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Statement {
    /// The same text for both.
    #[must_use]
    pub const fn both(text: &'static str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }

    /// Two texts: PostgreSQL locks rows, `SQLite` has a single writer.
    #[must_use]
    pub const fn pair(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }
}

/// A bound value; the variant says its type even when it is absent.
#[derive(Clone, Debug)]
pub enum Value {
    /// `BIGINT`.
    Int(Option<i64>),
    /// `TEXT`.
    Text(Option<String>),
    /// `UUID` in PostgreSQL, 16 bytes in `SQLite`.
    Id(Option<Uuid>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}
impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Id(Some(value))
    }
}
impl From<Option<Uuid>> for Value {
    fn from(value: Option<Uuid>) -> Self {
        Self::Id(value)
    }
}

/// The arguments of a statement, in order.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::sql::Value::from($value)),*] };
}
pub use values;

/// Binds all values to a query of either driver.
macro_rules! bound {
    ($text:expr, $values:expr) => {{
        let mut query = sqlx::query($text);
        for value in $values {
            query = match value {
                Value::Int(value) => query.bind(*value),
                Value::Text(value) => query.bind(value.clone()),
                Value::Id(value) => query.bind(*value),
            };
        }
        query
    }};
}

/// A row of either driver.
#[derive(Debug)]
pub enum Row {
    /// Of `SQLite`.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

macro_rules! column {
    ($row:expr, $name:expr) => {
        match $row {
            Row::Sqlite(row) => row.try_get($name),
            Row::Postgres(row) => row.try_get($name),
        }
    };
}

impl Row {
    /// A whole number.
    ///
    /// # Errors
    /// When the column is missing or of another type.
    pub fn int(&self, name: &str) -> Result<i64, StoreError> {
        Ok(column!(self, name)?)
    }

    /// A text.
    ///
    /// # Errors
    /// When the column is missing or of another type.
    pub fn text(&self, name: &str) -> Result<String, StoreError> {
        Ok(column!(self, name)?)
    }

    /// A text, or `None` for NULL.
    ///
    /// # Errors
    /// When the column is missing or of another type.
    pub fn text_opt(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(column!(self, name)?)
    }

    /// A UUID.
    ///
    /// # Errors
    /// When the column is missing or of another type.
    pub fn id(&self, name: &str) -> Result<Uuid, StoreError> {
        Ok(column!(self, name)?)
    }

    /// A whole number that must fit a smaller type.
    ///
    /// # Errors
    /// When the column is missing, of another type, or out of range.
    pub fn int_as<T: TryFrom<i64>>(&self, name: &'static str) -> Result<T, StoreError> {
        let value = self.int(name)?;
        T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{name} is {value}")))
    }

    /// A JSON column.
    ///
    /// # Errors
    /// When the column is missing or does not hold JSON of this type.
    pub fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(name)?)
            .map_err(|error| StoreError::Corrupt(format!("{name}: {error}")))
    }
}

/// Either database, and whether it takes writes.
#[derive(Clone, Debug)]
pub struct Database {
    pools: Pools,
    health: Health,
}

/// The connections.
#[derive(Clone, Debug)]
enum Pools {
    /// One writer, so that no transaction can fail half way with BUSY, and a pool of readers beside it (WAL).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// The schema of either database, as numbered files.
#[derive(Debug)]
pub struct Migrations {
    /// For `SQLite`.
    pub sqlite: Migrator,
    /// For PostgreSQL.
    pub postgres: Migrator,
}

impl Database {
    /// Opens `sqlite:…` (creating the file) or `postgres:…` and migrates it.
    ///
    /// # Errors
    /// When the address is of neither database, nothing answers there within 10 s, or the migration fails.
    pub async fn open(url: &str, migrations: &Migrations) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            return Self::open_sqlite(SqliteConnectOptions::from_str(url)?, migrations).await;
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Self::open_postgres(PgConnectOptions::from_str(url)?, migrations).await;
        }
        Err(StoreError::UnknownDatabase)
    }

    async fn open_sqlite(
        options: SqliteConnectOptions,
        migrations: &Migrations,
    ) -> Result<Self, StoreError> {
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(ACQUIRE_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .after_release(|connection, _| Box::pin(has_ended_its_transaction(connection)))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.clone())
            .await?;
        migrations.sqlite.run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.pragma("query_only", "on"))
            .await?;
        Ok(Self::around(Pools::Sqlite { writer, readers }))
    }

    /// Opens PostgreSQL with options of one's own, such as another schema, and migrates it.
    ///
    /// # Errors
    /// When nothing answers within 30 s, the server refuses us, or the migration fails.
    pub async fn open_postgres(
        options: PgConnectOptions,
        migrations: &Migrations,
    ) -> Result<Self, StoreError> {
        // Whoever waits for a row longer than this is asked to retry.
        let options = options.options([("lock_timeout", "5s"), ("synchronous_commit", "on")]);
        wait_for_postgres(&options, START_WAIT).await?;
        let pool = PgPoolOptions::new()
            // One more for the connection that waits for notices.
            .max_connections(READERS_MAX + 1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        migrations.postgres.run(&pool).await?;
        Ok(Self::around(Pools::Postgres(pool)))
    }

    fn around(pools: Pools) -> Self {
        Self {
            pools,
            health: Health::default(),
        }
    }

    /// What is wrong at the moment; the component `database` is kept by this type.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Begins a transaction that may write.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let begun = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Open::Sqlite)
            }
            Pools::Postgres(pool) => pool.begin().await.map(Open::Postgres),
        };
        Ok(Tx {
            open: noted(&self.health, begun)?,
            health: self.health.clone(),
            has_written: false,
        })
    }

    /// All rows of a query, outside any transaction.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn rows(
        &self,
        statement: Statement,
        values: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let rows = match &self.pools {
            Pools::Sqlite { readers, .. } => bound!(statement.sqlite, values)
                .fetch_all(readers)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Pools::Postgres(pool) => bound!(statement.postgres, values)
                .fetch_all(pool)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
        };
        noted(&self.health, rows)
    }

    /// The first row of a query, outside any transaction.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn row(
        &self,
        statement: Statement,
        values: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// Opens the same database once more, as a restarted process does.
    ///
    /// # Errors
    /// When nothing answers within 10 s or the migration fails.
    pub async fn reopen(&self, migrations: &Migrations) -> Result<Self, StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                Self::open_sqlite((*writer.connect_options()).clone(), migrations).await
            }
            Pools::Postgres(pool) => {
                Self::open_postgres((*pool.connect_options()).clone(), migrations).await
            }
        }
    }

    /// Whether one process has the database for itself.
    #[must_use]
    pub const fn is_sqlite(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// Whether the writer may go back to its pool. On a full disk COMMIT fails, `SQLite` rolls back by itself, ROLLBACK then
/// fails too, and sqlx believes to be in a transaction for ever: every later BEGIN would be refused.
async fn has_ended_its_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // Waits for the rollback that a dropped transaction has queued.
    connection.ping().await?;
    let has_ended = !connection.is_in_transaction();
    if !has_ended {
        metrics::counter!("doorstep_database_discarded_connections_count").increment(1);
        tracing::warn!("a database connection is discarded: its transaction did not end");
    }
    Ok(has_ended)
}

/// A transaction of either database; dropped without commit it never happened.
pub struct Tx {
    open: Open,
    health: Health,
    /// Whether a statement changed rows: only such a commit proves that the database takes writes.
    has_written: bool,
}

enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Runs a statement; answers how many rows it changed.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn execute(
        &mut self,
        statement: Statement,
        values: &[Value],
    ) -> Result<u64, StoreError> {
        let changed = match &mut self.open {
            Open::Sqlite(tx) => bound!(statement.sqlite, values)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            Open::Postgres(tx) => bound!(statement.postgres, values)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
        };
        let changed = noted(&self.health, changed)?;
        self.has_written |= changed > 0;
        Ok(changed)
    }

    /// All rows of a query or of a `RETURNING`.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn rows(
        &mut self,
        statement: Statement,
        values: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let rows = match &mut self.open {
            Open::Sqlite(tx) => bound!(statement.sqlite, values)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Open::Postgres(tx) => bound!(statement.postgres, values)
                .fetch_all(&mut **tx)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
        };
        noted(&self.health, rows)
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn row(
        &mut self,
        statement: Statement,
        values: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// Commits. When this returns the transaction is durable.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn commit(self) -> Result<(), StoreError> {
        let committed = match self.open {
            Open::Sqlite(tx) => tx.commit().await,
            Open::Postgres(tx) => tx.commit().await,
        };
        noted(&self.health, committed)?;
        if self.has_written {
            self.health.clear(Component::Database);
        }
        Ok(())
    }
}

/// Runs a body in a transaction and commits it; the database may ask for it to be run again, and then it is.
/// The body is an expression of type `Result<_, $error>` that uses `$tx`.
#[macro_export]
macro_rules! transact {
    ($database:expr, $error:ty, |$tx:ident| $body:block) => {{
        let mut attempt = 0_u32;
        loop {
            let mut $tx = $database.begin().await.map_err(<$error>::from)?;
            let outcome: Result<_, $error> = async {
                let $tx = &mut $tx;
                $body
            }
            .await;
            let outcome = match outcome {
                Ok(value) => $tx.commit().await.map(|()| value).map_err(<$error>::from),
                Err(error) => Err(error),
            };
            attempt += 1;
            match outcome {
                Err(error) if attempt < $crate::sql::ATTEMPTS_MAX && error.asks_for_retry() => {}
                outcome => break outcome,
            }
        }
    }};
}
pub use transact;

/// How often a transaction that met another one is run before its error is passed on.
pub const ATTEMPTS_MAX: u32 = 8;

/// A value as JSON for a `TEXT` column.
///
/// # Errors
/// When the value has no JSON form, such as a map whose keys are no texts.
pub fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}
