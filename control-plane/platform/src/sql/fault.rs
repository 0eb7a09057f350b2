//! Distinguishes errors of the database itself, such as a full disk, from errors of a statement.

use sqlx::sqlite::SqliteError;

use super::StoreError;
use crate::health::{Component, Health};

/// Reports an error that is the database's own, not the statement's, such as a full disk or a lost connection.
pub(super) fn noted<T>(health: &Health, outcome: Result<T, sqlx::Error>) -> Result<T, StoreError> {
    outcome.map_err(|error| {
        if is_fault(&error) {
            metrics::counter!("doorstep_database_faults_count").increment(1);
            health.report(Component::Database, &error.to_string());
        }
        StoreError::Driver(error)
    })
}

/// Whether the database, not the statement, is to blame. Codes: <https://sqlite.org/rescode.html>, classes 53, 57 and 58 of
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn is_fault(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match code.parse::<u32>() {
                // READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB; the low byte, for the rest says which of its kind.
                Ok(code) if error.try_downcast_ref::<SqliteError>().is_some() => {
                    matches!(code & 0xff, 8 | 10 | 11 | 13 | 14 | 26)
                }
                _ => ["53", "57", "58"]
                    .iter()
                    .any(|class| code.starts_with(class)),
            }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed
        | sqlx::Error::InvalidSavePointStatement => true,
        _ => false,
    }
}
