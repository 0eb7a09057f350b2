//! Deletes what is no longer needed: quotes, idempotency keys, inbox rows, the journal of changes.

use std::time::Duration;

use crate::app::{App, AppState};
use crate::store::StoreError;
use crate::store::retention::Subject;

/// Rows deleted in one transaction, so that nobody waits long for it.
const BATCH_MAX: u32 = 500;
/// Real time between two batches, so that a backlog does not keep the database busy.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) async fn run(app: AppState) {
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(app.retention.every) => {}
        }
        for subject in Subject::ALL {
            tokio::select! {
                () = app.shutdown.cancelled() => return,
                deleted = run_once(&app, subject) => {
                    if let Err(error) = deleted {
                        tracing::error!(%error, table = subject.table(), "old rows cannot be deleted");
                    }
                }
            }
        }
    }
}

/// Deletes everything of a subject that has reached its age, in batches; answers how many rows it deleted.
pub(crate) async fn run_once(app: &App, subject: Subject) -> Result<u64, StoreError> {
    let keep = match subject {
        Subject::Quotes => app.retention.quotes,
        Subject::IdempotencyKeys => app.retention.idempotency_keys,
        Subject::Inbox => app.retention.inbox,
        Subject::Changes => app.retention.changes,
    };
    let now_ms = app.clock.now_ms();
    let kept_ms = app.clock.after_real_ms(keep).saturating_sub(now_ms);
    let before_ms = now_ms.saturating_sub(kept_ms);
    let mut deleted = 0;
    loop {
        let batch = app.store.delete_old(subject, before_ms, BATCH_MAX).await?;
        metrics::counter!("doorstep_retention_deleted_rows_total", "table" => subject.table())
            .increment(batch);
        deleted += batch;
        if batch < u64::from(BATCH_MAX) {
            return Ok(deleted);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
