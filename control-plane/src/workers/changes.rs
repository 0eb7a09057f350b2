//! Publishes what other processes changed on this process's live feed, within a second.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::app::{App, AppState};
use crate::domain::ids::OrderId;
use crate::store::StoreError;
use crate::store::engine::Notices;

/// Real time between two looks into the journal when no notice comes; the floor that holds without notices.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// Real time between two notices of one process, however much it changes.
const NOTIFY_EVERY: Duration = Duration::from_millis(50);
/// Orders read with one query.
const BATCH_MAX: u32 = 500;
/// Real time before a lost connection for notices is opened again.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);

/// Follows the journal of changes from where it was read until shutdown.
pub(crate) async fn run(app: AppState) {
    let mut notices = listen(&app).await;
    let mut lost_at: Option<tokio::time::Instant> = None;
    let mut failures = 0_u32;
    loop {
        let heard = tokio::select! {
            () = app.shutdown.cancelled() => return,
            heard = notices.next() => heard,
            () = tokio::time::sleep(LOOK_EVERY) => Ok(()),
        };
        if let Err(error) = heard {
            tracing::warn!(%error, "no notices of changes; the journal is read every {} ms", LOOK_EVERY.as_millis());
            notices = Notices::None;
            lost_at = Some(tokio::time::Instant::now());
        }
        if lost_at.is_some_and(|at| at.elapsed() > LISTEN_AGAIN) {
            notices = listen(&app).await;
            lost_at = None;
        }
        match publish(&app, app.changes_read.load(Ordering::Relaxed)).await {
            Ok(next) => {
                app.changes_read.store(next, Ordering::Relaxed);
                failures = 0;
            }
            Err(error) => {
                failures += 1;
                if failures.is_power_of_two() {
                    tracing::error!(%error, failures, "the journal of changes cannot be read");
                }
            }
        }
    }
}

/// Lets the other processes know that this one has changed something, at most every [`NOTIFY_EVERY`].
pub(crate) async fn notify(app: AppState) {
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = app.wake.changes.notified() => {}
        }
        if let Err(error) = app.store.notify_change().await {
            tracing::debug!(%error, "a notice was not sent; the others read the journal anyway");
        }
        tokio::time::sleep(NOTIFY_EVERY).await;
    }
}

async fn listen(app: &App) -> Notices {
    app.store.change_notices().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "no notices of changes; the journal is read every {} ms", LOOK_EVERY.as_millis());
        Notices::None
    })
}

/// Publishes everything that changed since a position; answers where to go on.
async fn publish(app: &App, position: i64) -> Result<i64, StoreError> {
    // Asked before the journal is read: what commits in between is read once more next time, and dropped by the feed.
    let next = app.store.change_position().await?;
    let mut after = OrderId::from_uuid(uuid::Uuid::nil());
    loop {
        let changed = app.store.changed_since(position, after, BATCH_MAX).await?;
        let is_last = changed.len() < BATCH_MAX as usize;
        if let Some(last) = changed.last() {
            after = last.order_id;
        }
        for summary in changed {
            app.feed.publish(summary);
        }
        if is_last {
            return Ok(next);
        }
    }
}
