//! Fixes reach the shard in batches: a wake-up for each of them costs more than all that is done with it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::fix_slots::FixSlot;

/// Fixes handled before commands are looked at again.
pub(super) const BATCH_FIXES_MAX: usize = 512;

/// Fixes that come within this of the last ones wait for one another, or for a command: waking the thread for each costs
/// more than all that is done with it.
pub(super) const FIXES_EVERY: Duration = Duration::from_millis(5);

/// Fixes, but not before `from`: until then none that comes wakes the thread. None: nobody can send any more.
pub(super) async fn next_fixes(
    fixes: &mut mpsc::Receiver<Arc<FixSlot>>,
    from: Instant,
    into: &mut Vec<Arc<FixSlot>>,
) -> usize {
    sleep_until(from).await;
    fixes.recv_many(into, BATCH_FIXES_MAX).await
}

/// Adds the fixes that wait: whatever woke the thread, they go with it and need no waking of their own.
pub(super) fn take_waiting(fixes: &mut mpsc::Receiver<Arc<FixSlot>>, into: &mut Vec<Arc<FixSlot>>) {
    while into.len() < BATCH_FIXES_MAX
        && let Ok(slot) = fixes.try_recv()
    {
        into.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};

    use doorstep_dispatch_core::{DriverId, Fix, Time};
    use doorstep_routing::LatLng;

    use super::*;
    use crate::fix_slots::fix_queue;

    /// Counts how often a task would be run again.
    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn fixes_wait_for_one_another_without_waking_the_thread() {
        let (queue, mut fixes) = fix_queue(2 * BATCH_FIXES_MAX);
        let ping = |driver| {
            let fix = Fix {
                at: LatLng::from_e7(411_500_000, -86_100_000),
                time: Time::from_millis(1),
                speed_mm_s: None,
                heading_cdeg: None,
            };
            let slot = FixSlot::new(DriverId(driver));
            queue.write(&slot, fix, std::time::Instant::now());
        };
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&waker);
        let mut batch = Vec::new();
        {
            let later = Instant::now() + Duration::from_secs(3_600);
            let mut next = pin!(next_fixes(&mut fixes, later, &mut batch));
            assert!(next.as_mut().poll(&mut context).is_pending());
            (0..10).for_each(ping);
            assert!(next.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
        // A command came meanwhile: the fixes go with it.
        take_waiting(&mut fixes, &mut batch);
        assert_eq!(batch.len(), 10);
        batch.clear();
        (0..=BATCH_FIXES_MAX as u64).for_each(ping);
        let count = next_fixes(&mut fixes, Instant::now(), &mut batch).await;
        assert_eq!(count, BATCH_FIXES_MAX);
        take_waiting(&mut fixes, &mut batch);
        assert_eq!((batch.len(), fixes.len()), (BATCH_FIXES_MAX, 1));
    }
}
