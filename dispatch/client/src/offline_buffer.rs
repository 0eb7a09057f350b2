//! The fixes of the time without a connection: a ring that drops the oldest.

use std::collections::VecDeque;

use doorstep_dispatch_wire::ping::{Motion, PingFix};

/// A bounded ring of fixes, oldest first, with the movement at the newest.
#[derive(Debug)]
pub(crate) struct OfflineBuffer {
    fixes: VecDeque<PingFix>,
    fixes_max: usize,
    motion: Motion,
    dropped: u64,
}

impl OfflineBuffer {
    pub(crate) fn new(fixes_max: usize) -> Self {
        Self {
            fixes: VecDeque::new(),
            fixes_max: fixes_max.max(1),
            motion: Motion::default(),
            dropped: 0,
        }
    }

    /// Adds the newest fix. One that is older than the last is dropped: a ping cannot run backwards.
    pub(crate) fn push(&mut self, fix: PingFix, motion: Motion) {
        if self
            .fixes
            .back()
            .is_some_and(|last| last.time_ms > fix.time_ms)
        {
            self.dropped += 1;
            return;
        }
        if self.fixes.len() == self.fixes_max {
            self.fixes.pop_front();
            self.dropped += 1;
        }
        self.fixes.push_back(fix);
        self.motion = motion;
    }

    /// Takes up to `count` of the oldest fixes into `batch`, with the movement if the newest is among them.
    pub(crate) fn take_oldest(&mut self, count: usize, batch: &mut Vec<PingFix>) -> Motion {
        batch.clear();
        let count = count.min(self.fixes.len());
        batch.extend(self.fixes.drain(..count));
        if self.fixes.is_empty() {
            self.motion
        } else {
            Motion::default()
        }
    }

    /// Puts back what [`Self::take_oldest`] has just taken.
    pub(crate) fn put_back(&mut self, batch: &[PingFix]) {
        for fix in batch.iter().rev() {
            self.fixes.push_front(*fix);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fixes.is_empty()
    }

    /// Fixes that were never sent, since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_wire::ping::{Motion, PingFix};

    use super::OfflineBuffer;

    fn fix(time_ms: u64) -> PingFix {
        PingFix {
            time_ms,
            lat_e7: 0,
            lng_e7: 0,
        }
    }

    #[test]
    fn the_newest_fixes_stay_and_leave_oldest_first() {
        let mut buffer = OfflineBuffer::new(3);
        let moving = Motion {
            speed_mm_s: 5_000,
            heading_cdeg: 0,
        };
        for time_ms in [1, 2, 3, 4, 5] {
            buffer.push(fix(time_ms), moving);
        }
        buffer.push(fix(2), Motion::default());
        assert_eq!(buffer.dropped(), 3);

        let mut batch = Vec::new();
        buffer.take_oldest(3, &mut batch);
        assert_eq!(batch, [fix(3), fix(4), fix(5)]);
        buffer.put_back(&batch);
        assert_eq!(buffer.take_oldest(2, &mut batch), Motion::default());
        assert_eq!(batch, [fix(3), fix(4)]);
        assert_eq!(buffer.take_oldest(2, &mut batch), moving);
        assert_eq!(batch, [fix(5)]);
        assert!(buffer.is_empty());
    }
}
