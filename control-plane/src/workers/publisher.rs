//! Publishes the outbox on the event bus: at least once, in order.

use std::time::Duration;

use crate::app::{App, AppState};
use crate::store::StoreError;
use crate::store::outbox::Destination;
use crate::workers::{back_off, wait};

/// Messages taken at once.
const BATCH_MAX: u32 = 256;
/// Real time after which messages that a dead publisher took are taken by another.
const LEASE: Duration = Duration::from_secs(30);

pub(crate) async fn run(app: AppState) {
    while wait(&app.wake.bus, &app.shutdown).await {
        loop {
            match run_once(&app).await {
                Ok(published) if published > 0 => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read");
                    break;
                }
            }
        }
    }
}

/// Publishes one batch; answers how many arrived. The first failure puts the rest off, to keep the order.
pub(crate) async fn run_once(app: &App) -> Result<usize, StoreError> {
    let clock = &app.clock;
    let lease_ms = clock.after_real_ms(LEASE);
    let batch = app
        .store
        .outbox
        .claim_outbox(Destination::Bus, clock.now_ms(), lease_ms, BATCH_MAX)
        .await?;
    let mut arrived = Vec::with_capacity(batch.len());
    let mut postponed = Vec::new();
    for message in &batch {
        if !postponed.is_empty() {
            postponed.push((message.id, clock.after_real_ms(back_off(message.attempts))));
            continue;
        }
        match app
            .bus
            .publish(
                &message.subject,
                &message.message_id,
                message.body.as_bytes(),
            )
            .await
        {
            Ok(()) => arrived.push(message.id),
            Err(error) => {
                tracing::warn!(%error, attempts = message.attempts, "an event was not published");
                postponed.push((message.id, clock.after_real_ms(back_off(message.attempts))));
            }
        }
    }
    app.store.outbox.settle_outbox(&arrived, &postponed).await?;
    Ok(arrived.len())
}
