//! One suite for both databases: each test below runs on `SQLite` and on PostgreSQL.

mod by_hand;
mod cards;
mod clients;
mod dispatch;
mod faults;
mod figures;
mod full_disk;
pub(crate) mod harness;
mod idempotency;
mod leases;
mod lifecycle;
mod outage;
mod outbox;
mod processes;
mod published;
mod records;
mod retention;
mod scopes;
mod streams;
mod supervision;
mod surface;
mod text;
mod tls;
mod upgrade;
mod why;

/// Runs an async test on both databases; the name says which.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        $(
            mod $name {
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    $crate::tests::harness::on_sqlite(super::super::$name).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    $crate::tests::harness::on_postgres(super::super::$name).await;
                }
            }
        )*
    };
}
use on_both;

/// Runs an async test on an empty database of both kinds, without a control plane.
macro_rules! with_both {
    ($($name:ident),* $(,)?) => {
        $(
            mod $name {
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    $crate::tests::harness::with_sqlite(super::super::$name).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    $crate::tests::harness::with_postgres(super::super::$name).await;
                }
            }
        )*
    };
}
use with_both;
