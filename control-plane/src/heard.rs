//! Up to when everything that dispatch reported has been taken in: before that nobody knows whether an accepted order is late.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Real time without a word of dispatch after which orders that are very late are ended all the same.
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);
/// How late those orders are, in city milliseconds: a day. Every order ends, even if dispatch never comes back.
const GIVE_UP_LATE_MS: i64 = 86_400_000;

/// What this process has heard from dispatch. It begins with nothing: after a start the stream is read first.
#[derive(Debug)]
pub(crate) struct Heard {
    until_ms: AtomicI64,
    /// When this process last caught up, or started.
    caught_up: Mutex<Instant>,
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            until_ms: AtomicI64::new(i64::MIN),
            caught_up: Mutex::new(Instant::now()),
        }
    }
}

impl Heard {
    /// All that dispatch reported before this city time has been taken in.
    pub(crate) fn advance(&self, until_ms: i64) {
        self.until_ms.fetch_max(until_ms, Ordering::AcqRel);
        let mut caught_up = self
            .caught_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *caught_up = Instant::now();
    }

    /// How long ago, in real time, this process last knew all that dispatch had reported.
    pub(crate) fn age(&self) -> Duration {
        let caught_up = self
            .caught_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        caught_up.elapsed()
    }

    /// The city time up to which the deadline of an accepted order may be acted on.
    pub(crate) fn until_ms(&self, now_ms: i64) -> i64 {
        let heard_ms = self.until_ms.load(Ordering::Acquire).min(now_ms);
        if self.age() < GIVE_UP_AFTER {
            return heard_ms;
        }
        heard_ms.max(now_ms.saturating_sub(GIVE_UP_LATE_MS))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{GIVE_UP_AFTER, GIVE_UP_LATE_MS, Heard};

    #[test]
    fn nothing_is_heard_at_first_and_time_does_not_go_back() {
        let heard = Heard::default();
        assert_eq!(heard.until_ms(1_000), i64::MIN);
        heard.advance(500);
        heard.advance(400);
        assert_eq!(heard.until_ms(1_000), 500);
        assert_eq!(heard.until_ms(300), 300, "never ahead of the clock");
    }

    #[test]
    fn without_dispatch_only_what_is_a_day_late_ends() {
        let Some(long_ago) = Instant::now().checked_sub(GIVE_UP_AFTER) else {
            // The machine has not run for long enough to have a time before.
            return;
        };
        let heard = Heard::default();
        heard.advance(500);
        *heard.caught_up.lock().unwrap() = long_ago;
        let now_ms = 2 * GIVE_UP_LATE_MS;
        assert_eq!(heard.until_ms(now_ms), GIVE_UP_LATE_MS);
        heard.advance(now_ms - 1);
        assert_eq!(heard.until_ms(now_ms), now_ms - 1);
    }
}
