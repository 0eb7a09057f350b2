//! The one seam between the statements and the two databases: pools, values, rows, transactions.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Postgres, Row as _, Sqlite, Transaction};
use uuid::Uuid;

use crate::store::StoreError;

/// Connections that read at once.
const READERS_MAX: u32 = 8;
/// How long a statement waits for a connection before the request fails.
const ACQUIRE_PATIENCE: Duration = Duration::from_secs(10);

/// A statement in both dialects. `$n` works in both; only locks differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Statement {
    /// The same text for both.
    pub(crate) const fn both(text: &'static str) -> Self {
        Self {
            sqlite: text,
            postgres: text,
        }
    }

    /// Two texts: PostgreSQL locks rows, `SQLite` has a single writer.
    pub(crate) const fn pair(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }
}

/// A bound value; the variant says its type even when it is absent.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
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
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::engine::Value::from($value)),*] };
}
pub(crate) use values;

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
pub(crate) enum Row {
    Sqlite(SqliteRow),
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
    pub(crate) fn int(&self, name: &str) -> Result<i64, StoreError> {
        Ok(column!(self, name)?)
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, StoreError> {
        Ok(column!(self, name)?)
    }

    pub(crate) fn text_opt(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(column!(self, name)?)
    }

    pub(crate) fn id(&self, name: &str) -> Result<Uuid, StoreError> {
        Ok(column!(self, name)?)
    }

    /// A whole number that must fit a smaller type.
    pub(crate) fn int_as<T: TryFrom<i64>>(&self, name: &'static str) -> Result<T, StoreError> {
        let value = self.int(name)?;
        T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{name} is {value}")))
    }

    /// A JSON column.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(name)?)
            .map_err(|error| StoreError::Corrupt(format!("{name}: {error}")))
    }
}

/// Either database.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// One writer, so that no transaction can fail half way with BUSY, and a pool of readers beside it (WAL).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Database {
    /// Opens `sqlite:…` (creating the file) or `postgres:…` and migrates it.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            return Self::open_sqlite(url).await;
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Self::open_postgres(PgConnectOptions::from_str(url)?).await;
        }
        Err(StoreError::UnknownDatabase)
    }

    async fn open_sqlite(url: &str) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(ACQUIRE_PATIENCE);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_PATIENCE)
            .connect_with(options.clone())
            .await?;
        sqlx::migrate!("./migrations/sqlite").run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(ACQUIRE_PATIENCE)
            .connect_with(options.pragma("query_only", "on"))
            .await?;
        Ok(Self::Sqlite { writer, readers })
    }

    /// Opens PostgreSQL with options of one's own, such as another schema, and migrates it.
    pub(crate) async fn open_postgres(options: PgConnectOptions) -> Result<Self, StoreError> {
        // Whoever waits for a row longer than this is told to come again.
        let options = options.options([("lock_timeout", "5s"), ("synchronous_commit", "on")]);
        let pool = PgPoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(ACQUIRE_PATIENCE)
            .connect_with(options)
            .await?;
        sqlx::migrate!("./migrations/postgres").run(&pool).await?;
        Ok(Self::Postgres(pool))
    }

    /// Begins a transaction that may write.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// All rows of a query, outside any transaction.
    pub(crate) async fn rows(
        &self,
        statement: Statement,
        values: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => {
                let rows = bound!(statement.sqlite, values).fetch_all(readers).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(pool) => {
                let rows = bound!(statement.postgres, values).fetch_all(pool).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of a query, outside any transaction.
    pub(crate) async fn row(
        &self,
        statement: Statement,
        values: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A transaction of either database; dropped without commit it never happened.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Runs a statement; answers how many rows it changed.
    pub(crate) async fn execute(
        &mut self,
        statement: Statement,
        values: &[Value],
    ) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => bound!(statement.sqlite, values)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
            Self::Postgres(tx) => bound!(statement.postgres, values)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
        })
    }

    /// All rows of a query or of a `RETURNING`.
    pub(crate) async fn rows(
        &mut self,
        statement: Statement,
        values: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => {
                let rows = bound!(statement.sqlite, values)
                    .fetch_all(&mut **tx)
                    .await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(tx) => {
                let rows = bound!(statement.postgres, values)
                    .fetch_all(&mut **tx)
                    .await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of a query.
    pub(crate) async fn row(
        &mut self,
        statement: Statement,
        values: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// Makes it so; after this it is on stable storage.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// Runs a body in a transaction and commits it; the database may ask for it to be run again, and then it is.
/// The body is an expression of type `Result<_, $error>` that uses `$tx`.
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
                Err(error)
                    if attempt < $crate::store::engine::ATTEMPTS_MAX && error.asks_for_retry() => {}
                outcome => break outcome,
            }
        }
    }};
}
pub(crate) use transact;

/// How often a transaction that met another one is run before its error is passed on.
pub(crate) const ATTEMPTS_MAX: u32 = 8;
