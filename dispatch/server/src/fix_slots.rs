//! Where pings wait for the shard: one slot a session, latest wins, so that a flood of pings cannot delay an offer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use doorstep_dispatch_core::{DriverId, Fix};
use tokio::sync::mpsc;

/// The newest fix of one session that the shard has not read.
#[derive(Debug)]
pub(crate) struct FixSlot {
    driver: DriverId,
    newest: Mutex<Option<Waiting>>,
    /// Whether the slot stands in the queue. It stands there at most once: this bounds the queue.
    queued: AtomicBool,
}

/// A fix and when its datagram came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) fix: Fix,
    pub(crate) received: Instant,
}

/// What became of a fix that was written to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// The slot was empty.
    First,
    /// The fix that waited there will never be read.
    Superseded,
}

/// The sessions' end of the queue of slots to read.
#[derive(Debug, Clone)]
pub(crate) struct FixQueue {
    queue: mpsc::Sender<Arc<FixSlot>>,
}

/// A queue for as many slots as there can be, and the shard's end of it.
pub(crate) fn fix_queue(slots_max: usize) -> (FixQueue, mpsc::Receiver<Arc<FixSlot>>) {
    let (queue, dirty) = mpsc::channel(slots_max.max(1));
    (FixQueue { queue }, dirty)
}

impl FixQueue {
    /// Puts the newest fix of a session where the shard will find it. Never waits.
    pub(crate) fn write(&self, slot: &Arc<FixSlot>, fix: Fix, received: Instant) -> Written {
        let before = slot.replace(Some(Waiting { fix, received }));
        if !slot.queued.swap(true, Ordering::AcqRel)
            && self.queue.try_send(Arc::clone(slot)).is_err()
        {
            // More slots than were planned for, or no shard: the next fix tries again.
            slot.queued.store(false, Ordering::Release);
        }
        if before.is_some() {
            Written::Superseded
        } else {
            Written::First
        }
    }
}

impl FixSlot {
    pub(crate) fn new(driver: DriverId) -> Arc<Self> {
        Arc::new(Self {
            driver,
            newest: Mutex::new(None),
            queued: AtomicBool::new(false),
        })
    }

    pub(crate) fn driver(&self) -> DriverId {
        self.driver
    }

    /// The fix that waits. From here on the next one queues the slot again.
    pub(crate) fn take(&self) -> Option<Waiting> {
        self.queued.store(false, Ordering::Release);
        self.replace(None)
    }

    fn replace(&self, waiting: Option<Waiting>) -> Option<Waiting> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *newest, waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use doorstep_dispatch_core::{DriverId, Fix, Time};
    use doorstep_routing::LatLng;

    use super::{FixSlot, Written, fix_queue};

    fn fix(time_ms: u64) -> Fix {
        let at = LatLng::from_degrees(41.15, -8.61).unwrap();
        Fix {
            at,
            time: Time::from_millis(time_ms),
            speed_mm_s: None,
            heading_cdeg: None,
        }
    }

    #[test]
    fn only_the_newest_fix_is_read_and_the_slot_queues_once() {
        let (queue, mut dirty) = fix_queue(1);
        let slot = FixSlot::new(DriverId(7));
        let now = Instant::now();
        assert_eq!(queue.write(&slot, fix(1), now), Written::First);
        assert_eq!(queue.write(&slot, fix(2), now), Written::Superseded);
        assert_eq!(queue.write(&slot, fix(3), now), Written::Superseded);

        let queued = dirty.try_recv().unwrap();
        assert_eq!(queued.driver(), DriverId(7));
        assert_eq!(queued.take().map(|waiting| waiting.fix), Some(fix(3)));
        assert!(queued.take().is_none());
        assert!(dirty.try_recv().is_err());

        assert_eq!(queue.write(&slot, fix(4), now), Written::First);
        assert!(dirty.try_recv().is_ok());
    }

    #[test]
    fn a_full_queue_is_tried_again_by_the_next_fix() {
        let (queue, mut dirty) = fix_queue(1);
        let (first, second) = (FixSlot::new(DriverId(1)), FixSlot::new(DriverId(2)));
        let now = Instant::now();
        queue.write(&first, fix(1), now);
        queue.write(&second, fix(1), now);
        assert_eq!(dirty.try_recv().unwrap().driver(), DriverId(1));
        assert!(dirty.try_recv().is_err());
        assert_eq!(queue.write(&second, fix(2), now), Written::Superseded);
        assert_eq!(
            dirty.try_recv().unwrap().take().map(|waiting| waiting.fix),
            Some(fix(2))
        );
    }
}
