//! Ends orders whose deadline has passed, so that every order ends.
//!
//! An order that only dispatch knows the state of (accepted, ready, picked up) is ended when all that dispatch reported up to
//! its deadline has been taken in: after an outage the stream of deliveries is read first.

use std::time::Duration;

use crate::app::{App, AppState};
use crate::health::Component;
use crate::store::StoreError;

/// Orders ended in one look.
const BATCH_MAX: u32 = 200;
/// Real time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Real time without a word of dispatch after which a fault is reported.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// Looks between two counts of the orders that wait for dispatch.
const COUNT_EVERY: u32 = 20;

pub(crate) async fn run(app: AppState) {
    let mut looks = 0_u32;
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(error) = run_once(&app).await {
            tracing::error!(%error, "overdue orders cannot be ended");
        }
        if looks.is_multiple_of(COUNT_EVERY) {
            watch_silence(&app).await;
        }
        looks = looks.wrapping_add(1);
    }
}

/// Ends what is overdue; answers how many orders it ended.
pub(crate) async fn run_once(app: &App) -> Result<usize, StoreError> {
    let now_ms = app.clock.now_ms();
    let heard_until_ms = app.heard.until_ms(now_ms);
    let mut ended = 0;
    for id in app
        .store
        .orders
        .overdue(now_ms, heard_until_ms, BATCH_MAX)
        .await?
    {
        match app.store.orders.expire(id, now_ms, heard_until_ms).await {
            Ok(Some(order)) => {
                app.publish(&order);
                ended += 1;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(order = %id, %error, "an overdue order cannot be ended"),
        }
    }
    Ok(ended)
}

/// Reports how many late orders wait for dispatch, and that dispatch is silent.
async fn watch_silence(app: &App) {
    let now_ms = app.clock.now_ms();
    let waiting = app
        .store
        .orders
        .waiting_for_dispatch(now_ms, app.heard.until_ms(now_ms))
        .await;
    if let Ok(waiting) = waiting {
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        metrics::gauge!("doorstep_orders_waiting_for_dispatch_count").set(f64::from(waiting));
        let silence = app.heard.age();
        if silence > SILENCE_MAX {
            let why = format!(
                "the stream of deliveries has not been read to its end for {} s; {waiting} late orders wait for it",
                silence.as_secs()
            );
            app.health.report(Component::Dispatch, &why);
        }
    }
}
