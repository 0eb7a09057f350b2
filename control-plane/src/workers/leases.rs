//! Says that this process runs, frees the leases of processes that do not, and measures what waits.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use uuid::Uuid;

use crate::app::{App, AppState};
use crate::store::StoreError;
use crate::store::leases::{Beat, Freed};
use crate::store::outbox::Destination;

/// Beats between two measurements of the outbox.
const MEASURE_EVERY: u32 = 5;

pub(crate) async fn run(app: AppState) {
    let mut beats = interval(app.leases.beat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::new(app.leases.dead_after);
    let mut count = 0_u32;
    loop {
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            _ = beats.tick() => {}
        }
        if let Err(error) = beat(&app, &mut watch).await {
            tracing::error!(%error, "this process cannot say that it runs; its leases may be taken over");
        }
        if count.is_multiple_of(MEASURE_EVERY)
            && let Err(error) = measure(&app).await
        {
            tracing::error!(%error, "the outbox cannot be measured");
        }
        count = count.wrapping_add(1);
    }
}

async fn beat(app: &App, watch: &mut Watch) -> Result<(), StoreError> {
    if !app.store.beat().await? {
        // Either it stood still for too long, or another process has its name. A name of its own serves both.
        let instance = format!("{} {}", app.leases.instance, Uuid::now_v7().simple());
        tracing::error!(
            name = app.leases.instance,
            instance,
            "this process was taken for dead, or another one runs under its name: each needs an instance name of its own"
        );
        app.store.register(&instance, app.clock.now_ms()).await?;
    }
    let others = app.store.other_processes().await?;
    for dead in watch.dead(&others, Instant::now()) {
        let freed = app.store.take_over(dead, app.clock.now_ms()).await?;
        if let Some(freed) = freed {
            note_freed(freed, "of a process that has stopped");
            app.wake_all();
        }
    }
    Ok(())
}

/// Counts and logs leases that were freed.
pub(crate) fn note_freed(freed: Freed, whose: &str) {
    let count = |kind: &'static str, leases: u64| {
        metrics::counter!("doorstep_lease_takeovers_total", "kind" => kind).increment(leases);
    };
    count("message", freed.messages);
    count("payment", freed.payments);
    if !freed.is_none() {
        tracing::warn!(
            messages = freed.messages,
            payments = freed.payments,
            whose,
            "took over leases"
        );
    }
}

async fn measure(app: &App) -> Result<(), StoreError> {
    let depths = app.store.outbox.outbox_depth().await?;
    let now_ms = app.clock.now_ms();
    for destination in Destination::ALL.map(Destination::as_str) {
        let depth = depths.iter().find(|depth| depth.destination == destination);
        let (messages, age_ms) = depth.map_or((0, 0), |depth| {
            (depth.messages, (now_ms - depth.oldest_ms).max(0))
        });
        gauge("doorstep_outbox_depth_messages", destination, messages);
        gauge(
            "doorstep_outbox_oldest_age_seconds",
            destination,
            age_ms / 1_000,
        );
    }
    Ok(())
}

fn gauge(name: &'static str, destination: &'static str, value: i64) {
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    metrics::gauge!(name, "destination" => destination).set(f64::from(value));
}

/// Which processes have stopped: those whose beat stands still for long enough by our own clock, so that clocks that
/// differ between machines do no harm.
struct Watch {
    dead_after: Duration,
    seen: HashMap<Uuid, (i64, Instant)>,
}

impl Watch {
    fn new(dead_after: Duration) -> Self {
        Self {
            dead_after,
            seen: HashMap::new(),
        }
    }

    fn dead(&mut self, others: &[Beat], now: Instant) -> Vec<Beat> {
        self.seen
            .retain(|process, _| others.iter().any(|beat| beat.process == *process));
        let mut dead = Vec::new();
        for beat in others {
            let seen = self.seen.entry(beat.process).or_insert((beat.count, now));
            if seen.0 != beat.count {
                *seen = (beat.count, now);
            } else if now.duration_since(seen.1) >= self.dead_after {
                dead.push(*beat);
            }
        }
        dead
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;
    use uuid::Uuid;

    use super::Watch;
    use crate::store::leases::Beat;

    #[test]
    fn only_a_beat_that_stands_still_is_dead() {
        let (mut watch, start) = (Watch::new(Duration::from_secs(8)), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let process = Uuid::from_u128(1);
        let beat = |count| Beat { process, count };
        assert_eq!(watch.dead(&[beat(1)], at(0)), []);
        assert_eq!(watch.dead(&[beat(1)], at(7)), []);
        assert_eq!(watch.dead(&[beat(2)], at(8)), [], "it has moved");
        assert_eq!(watch.dead(&[beat(2)], at(15)), []);
        assert_eq!(watch.dead(&[beat(2)], at(16)), [beat(2)]);
        assert_eq!(watch.dead(&[], at(17)), []);
        assert_eq!(watch.dead(&[beat(2)], at(18)), [], "seen anew");
    }
}
