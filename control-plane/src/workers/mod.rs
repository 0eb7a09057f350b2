//! Background jobs: one idempotent job a file. Each may be killed anywhere and run again.

pub(crate) mod dispatch_bridge;
pub(crate) mod expiry;
pub(crate) mod mirror;
pub(crate) mod payments;
pub(crate) mod publisher;

use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::AppState;

/// Real time after which a job looks for work although nobody woke it.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Starts all jobs.
pub(crate) fn start(app: &AppState, tasks: &mut JoinSet<()>) {
    tasks.spawn(payments::run(app.clone()));
    tasks.spawn(dispatch_bridge::run(app.clone()));
    tasks.spawn(mirror::run(app.clone()));
    tasks.spawn(expiry::run(app.clone()));
    tasks.spawn(publisher::run(app.clone()));
}

/// Waits until there may be work; false at shutdown.
async fn wait(wake: &Notify, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => false,
        () = wake.notified() => true,
        () = tokio::time::sleep(LOOK_EVERY) => true,
    }
}

/// Real time before the next attempt: doubles from 100 ms to 30 s.
fn back_off(attempts: u32) -> Duration {
    Duration::from_millis(100_u64 << attempts.saturating_sub(1).min(9)).min(Duration::from_secs(30))
}
