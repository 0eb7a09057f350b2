//! One suite for both databases: each test below runs on `SQLite` and on PostgreSQL.

mod by_hand;
mod cards;
mod clients;
mod dispatch;
mod faults;
mod figures;
mod full_disk;
mod harness;
mod idempotency;
mod lifecycle;
mod outage;
mod published;
mod records;
mod scopes;
mod streams;
mod supervision;
mod surface;
mod text;
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
