//! Waits at start for a PostgreSQL that does not answer yet, and says so.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::{sleep, timeout};

use crate::sql::StoreError;

/// How long a start waits for the server.
pub(crate) const START_WAIT: Duration = Duration::from_secs(30);
/// Between two calls, and how long one may take.
const CALL_EVERY: Duration = Duration::from_secs(1);
const CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// Returns once the server takes a connection. Each call that finds it away is a line in the log.
///
/// # Errors
/// At once when the server refuses us (password, database, TLS); [`StoreError::Unreachable`] when it is away for `longest`.
pub(crate) async fn wait_for_postgres(
    options: &PgConnectOptions,
    longest: Duration,
) -> Result<(), StoreError> {
    let began = Instant::now();
    let address = address_of(options);
    loop {
        let error = match timeout(CALL_TIMEOUT, options.connect()).await {
            Ok(Ok(connection)) => {
                close(connection).await;
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(_) => sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
        };
        if !is_away(&error) {
            return Err(error.into());
        }
        let waited = began.elapsed();
        if waited >= longest {
            return Err(StoreError::Unreachable {
                address,
                waited,
                source: error,
            });
        }
        tracing::warn!(
            address,
            %error,
            "PostgreSQL does not answer: nothing is served yet, it is called again every second for {} s",
            longest.as_secs()
        );
        sleep(CALL_EVERY).await;
    }
}

async fn close(connection: PgConnection) {
    // It served its purpose; the server drops it anyway.
    let _ = connection.close().await;
}

/// Not there, or not ready yet; anything else does not get better by waiting.
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // cannot_connect_now: it starts or stops; too_many_connections.
        sqlx::Error::Database(error) => {
            matches!(error.code().as_deref(), Some("57P03" | "53300"))
        }
        _ => false,
    }
}

fn address_of(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => folder.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_server_that_stays_away_is_named() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port);
        let error = wait_for_postgres(&options, Duration::ZERO)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("PostgreSQL at 127.0.0.1:{port} did not answer")),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_server_that_comes_late_is_waited_for() {
        let late = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = late.local_addr().unwrap().port();
        drop(late);
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port);
        let waiting = tokio::spawn(async move { wait_for_postgres(&options, START_WAIT).await });
        // The first call is refused at once: whoever connects now calls again.
        sleep(CALL_EVERY / 4).await;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
            .await
            .unwrap();
        let called = timeout(CALL_EVERY * 10, listener.accept()).await;
        assert!(called.is_ok(), "it is not called again");
        waiting.abort();
    }
}
