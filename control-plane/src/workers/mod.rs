//! Background jobs: one idempotent job a file. Each may be killed anywhere and run again.

pub(crate) mod changes;
pub(crate) mod dispatch_bridge;
pub(crate) mod expiry;
pub(crate) mod leases;
pub(crate) mod mirror;
pub(crate) mod outbox;
pub(crate) mod payments;
pub(crate) mod publisher;
pub(crate) mod retention;
mod write_probe;

use std::future::Future;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::AppState;
use crate::platform::jobs::{Supervisor, back_off};
use crate::workers::dispatch_bridge::DispatchBridge;
use crate::workers::publisher::Publisher;

/// Real time after which a job looks for work although nobody woke it.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Starts all jobs, each supervised.
pub(crate) fn start(app: &AppState, tasks: &mut JoinSet<()>) {
    supervise(app, tasks, "payments", payments::run);
    supervise(app, tasks, "dispatch_bridge", outbox::run::<DispatchBridge>);
    supervise(app, tasks, "mirror", mirror::run);
    supervise(app, tasks, "expiry", expiry::run);
    supervise(app, tasks, "publisher", outbox::run::<Publisher>);
    supervise(app, tasks, "changes", changes::run);
    supervise(app, tasks, "change_notices", changes::notify);
    supervise(app, tasks, "leases", leases::run);
    supervise(app, tasks, "retention", retention::run);
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
