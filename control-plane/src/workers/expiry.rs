//! Ends orders whose deadline has passed, so that every order ends.

use std::time::Duration;

use crate::app::{App, AppState};
use crate::store::StoreError;

/// Orders ended in one look.
const BATCH_MAX: u32 = 200;
/// Real time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(crate) async fn run(app: AppState) {
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(error) = run_once(&app).await {
            tracing::error!(%error, "overdue orders cannot be ended");
        }
    }
}

/// Ends what is overdue; answers how many orders it ended.
pub(crate) async fn run_once(app: &App) -> Result<usize, StoreError> {
    let now_ms = app.clock.now_ms();
    let mut ended = 0;
    for id in app.store.orders.overdue(now_ms, BATCH_MAX).await? {
        match app.store.orders.expire(id, now_ms).await {
            Ok(Some(order)) => {
                app.tell(&order);
                ended += 1;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(order = %id, %error, "an overdue order cannot be ended"),
        }
    }
    Ok(ended)
}
