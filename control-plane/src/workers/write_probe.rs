//! While the database does not take writes: tries one every second, so that health says when they are possible again.

use std::time::Duration;

use crate::app::AppState;
use crate::health::Component;

/// Real time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn run(app: AppState) {
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if app.health.fault(Component::Database).is_some() {
            // A failure is reported by the database itself.
            drop(app.store.inbox.probe_write(app.clock.now_ms()).await);
        }
    }
}
