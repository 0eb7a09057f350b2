//! Background jobs: one idempotent job a file. Each may be killed anywhere and run again.

pub(crate) mod dispatch_bridge;
pub(crate) mod expiry;
pub(crate) mod mirror;
pub(crate) mod payments;
pub(crate) mod publisher;
mod write_probe;

use std::future::Future;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::AppState;
use crate::platform::jobs::{Supervisor, back_off};

/// Real time after which a job looks for work although nobody woke it.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Starts all jobs, each supervised.
pub(crate) fn start(app: &AppState, tasks: &mut JoinSet<()>) {
    supervise(app, tasks, "payments", payments::run);
    supervise(app, tasks, "dispatch_bridge", dispatch_bridge::run);
    supervise(app, tasks, "mirror", mirror::run);
    supervise(app, tasks, "expiry", expiry::run);
    supervise(app, tasks, "publisher", publisher::run);
    supervise(app, tasks, "write_probe", write_probe::run);
}

/// Starts a job that is restarted when it ends before shutdown.
fn supervise<Running>(
    app: &AppState,
    tasks: &mut JoinSet<()>,
    name: &'static str,
    job: fn(AppState) -> Running,
) where
    Running: Future<Output = ()> + Send + 'static,
{
    let app = app.clone();
    let supervisor = Supervisor::new(app.health.clone(), app.shutdown.clone());
    tasks.spawn(supervisor.run(name, move || job(app.clone())));
}

/// Waits until there may be work; false at shutdown.
async fn wait(wake: &Notify, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => false,
        () = wake.notified() => true,
        () = tokio::time::sleep(LOOK_EVERY) => true,
    }
}
